// SPDX-License-Identifier: Apache-2.0
#include "cli/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "cli/text.h"

namespace hdrive::cli {
namespace {

constexpr int kDotColumns = 2, kDotRows = 4;
// The bits of a braille cell's dots, by column and row (Unicode 2800).
constexpr unsigned char kDots[kDotColumns][kDotRows] = {{0x01, 0x02, 0x04, 0x40},
                                                        {0x08, 0x10, 0x20, 0x80}};

std::string braille(unsigned char dots) {
  if (dots == 0) return " ";
  const unsigned code = 0x2800u + dots;
  return {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
          static_cast<char>(0x80 | (code & 0x3F))};
}

std::string repeated(std::string_view text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

std::pair<double, double> finite_range(const std::vector<TextChart::Series>& series, bool of_x) {
  double low = 0, high = 0;
  bool any = false;
  for (const TextChart::Series& one : series)
    for (std::size_t i = 0; i < one.x.size(); ++i) {
      if (!std::isfinite(one.x[i]) || !std::isfinite(one.y[i])) continue;
      const double value = of_x ? one.x[i] : one.y[i];
      low = any ? std::min(low, value) : value;
      high = any ? std::max(high, value) : value;
      any = true;
    }
  return {low, high};
}

// Where a value lies among so many dots; a range of one value lies in the middle.
int place(double value, double low, double high, int dots) {
  const double share = high > low ? (value - low) / (high - low) : 0.5;
  return static_cast<int>(std::lround(std::clamp(share, -1.0, 2.0) * (dots - 1)));
}

void draw(Canvas& canvas, const TextChart::Series& series, std::pair<double, double> xs,
          std::pair<double, double> ys) {
  bool pen = false;
  int last_x = 0, last_y = 0;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!std::isfinite(series.x[i]) || !std::isfinite(series.y[i])) {
      pen = false;
      continue;
    }
    const int x = place(series.x[i], xs.first, xs.second, canvas.width());
    const int y = canvas.height() - 1 - place(series.y[i], ys.first, ys.second, canvas.height());
    if (pen && !series.dots)
      canvas.line(last_x, last_y, x, y);
    else
      canvas.dot(x, y);
    pen = true;
    last_x = x;
    last_y = y;
  }
}

}  // namespace

Canvas::Canvas(int columns, int rows, bool utf8)
    : columns_(std::max(1, columns)),
      rows_(std::max(1, rows)),
      utf8_(utf8),
      cells_(static_cast<std::size_t>(columns_ * rows_)) {}

void Canvas::dot(int x, int y) {
  if (x < 0 || y < 0 || x >= width() || y >= height()) return;
  if (utf8_)
    cells_[static_cast<std::size_t>(y / kDotRows * columns_ + x / kDotColumns)] |=
        kDots[x % kDotColumns][y % kDotRows];
  else
    cells_[static_cast<std::size_t>(y * columns_ + x)] = 1;
}

void Canvas::line(int x0, int y0, int x1, int y1) {
  const int steps = std::max(std::abs(x1 - x0), std::abs(y1 - y0));
  for (int i = 0; i <= steps; ++i) {
    const double share = steps == 0 ? 0 : static_cast<double>(i) / steps;
    dot(static_cast<int>(std::lround(x0 + share * (x1 - x0))),
        static_cast<int>(std::lround(y0 + share * (y1 - y0))));
  }
}

std::vector<std::string> Canvas::lines() const {
  std::vector<std::string> result;
  for (int row = 0; row < rows_; ++row) {
    std::string line;
    for (int column = 0; column < columns_; ++column) {
      const unsigned char cell = cells_[static_cast<std::size_t>(row * columns_ + column)];
      line += utf8_ ? braille(cell) : cell ? "*" : " ";
    }
    result.push_back(line);
  }
  return result;
}

std::string sparkline(std::span<const double> values, int width, double low, double high,
                      bool utf8) {
  constexpr std::string_view kBlocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                          "\u2585", "\u2586", "\u2587", "\u2588"};
  constexpr std::string_view kPlain[] = {"_", "_", ".", "-", "-", "=", "^", "^"};
  const auto count = static_cast<int>(values.size());
  const int shown = std::min(std::max(0, width), count);
  std::string line;
  for (int i = 0; i < shown; ++i) {
    const double value =
        values[static_cast<std::size_t>((i + 1) * static_cast<long long>(count) / shown - 1)];
    if (!std::isfinite(value)) {
      line += ' ';
      continue;
    }
    const auto height = static_cast<std::size_t>(std::clamp(place(value, low, high, 8), 0, 7));
    line += utf8 ? kBlocks[height] : kPlain[height];
  }
  return line;
}

std::vector<std::string> chart_lines(const TextChart& chart, int width, int height, bool utf8) {
  const auto xs = finite_range(chart.series, true);
  const auto ys =
      chart.low < chart.high ? std::pair(chart.low, chart.high) : finite_range(chart.series, false);
  const std::string top = number_text(ys.second), bottom = number_text(ys.first);
  const int label = std::max(display_width(top), display_width(bottom));
  const bool below = !chart.x_low.empty() || !chart.x_high.empty();
  const int rows = height - (chart.title.empty() ? 0 : 1) - (below ? 1 : 0);
  const int columns = width - label - 2;
  constexpr int kLeastColumns = 8, kLeastRows = 2;
  if (rows < kLeastRows || columns < kLeastColumns) return {};
  Canvas canvas(columns, rows, utf8);
  for (const TextChart::Series& series : chart.series) draw(canvas, series, xs, ys);
  std::vector<std::string> lines;
  const std::string ellipsis = utf8 ? "\u2026" : "...";
  if (!chart.title.empty()) lines.push_back(cut(chart.title, width, ellipsis));
  const auto drawn = canvas.lines();
  for (int row = 0; row < rows; ++row) {
    const std::string& value = row == 0 ? top : row + 1 == rows ? bottom : std::string();
    lines.push_back(pad(value, label, Align::right) + " " + (utf8 ? "\u2502" : "|") +
                    drawn[static_cast<std::size_t>(row)]);
  }
  if (below) {
    const int room = columns - display_width(chart.x_low);
    lines.push_back(
        repeated(" ", label + 2) + chart.x_low +
        pad(cut(chart.x_high, std::max(0, room - 1), ellipsis), std::max(0, room), Align::right));
  }
  return lines;
}

std::vector<std::string> bar_lines(const std::vector<std::pair<std::string, double>>& shares,
                                   int width, bool utf8) {
  int label = 0;
  double most = 0.01;
  for (const auto& [name, share] : shares) {
    label = std::max(label, display_width(name));
    most = std::max(most, share);
  }
  label = std::min(label, std::max(4, width / 3));
  constexpr int kNumber = 7;  // "100.0 %"
  const int room = std::max(1, width - label - kNumber - 4);
  std::vector<std::string> lines;
  for (const auto& [name, share] : shares) {
    constexpr std::string_view kParts[] = {"",       "\u258f", "\u258e", "\u258d",
                                           "\u258c", "\u258b", "\u258a", "\u2589"};
    const int eighths = static_cast<int>(std::lround(share / most * room * 8));
    const std::string bar = utf8
                                ? repeated("\u2588", eighths / 8) + std::string(kParts[eighths % 8])
                                : repeated("#", (eighths + 4) / 8);
    lines.push_back(pad(cut(name, label, utf8 ? "\u2026" : "..."), label, Align::left) + "  " +
                    pad(bar, room, Align::left) + "  " +
                    pad(fmt::format("{:.1f} %", 100 * share), kNumber, Align::right));
  }
  return lines;
}

std::pair<double, double> main_range(std::vector<double> values, bool low_is_good) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return {0, 0};
  std::sort(values.begin(), values.end());
  constexpr double kShare = 0.9;
  const auto last = static_cast<double>(values.size() - 1);
  if (low_is_good)
    return {values.front(), values[static_cast<std::size_t>(std::ceil(last * kShare))]};
  return {values[static_cast<std::size_t>(std::floor(last * (1 - kShare)))], values.back()};
}

}  // namespace hdrive::cli
