// SPDX-License-Identifier: Apache-2.0
#include "cli/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "cli/canvas.h"

namespace hdrive::cli {
namespace {

constexpr int kLowest = 20;  // rows of a terminal that has a board
constexpr int kMostEnded = 6;
constexpr int kLeastChart = 5, kMostChart = 12;
constexpr int kNameRoom = 16;  // of the metric

bool is_utf8(const Glyphs& glyphs) {
  return glyphs.ellipsis.size() > 0 && glyphs.ellipsis != "...";
}

bool better(double a, double b, Goal goal) { return goal == Goal::minimize ? a < b : a > b; }

// The best of the part of the reports that the other one has come to; nothing where there is none.
std::optional<double> best_after(const Glimpse& glimpse, std::int64_t reports, Goal goal) {
  if (glimpse.values.empty() || glimpse.reports <= 0) return std::nullopt;
  const double share =
      std::min(1.0, static_cast<double>(reports) / static_cast<double>(glimpse.reports));
  const auto count = std::max<std::size_t>(
      1, static_cast<std::size_t>(std::lround(share * static_cast<double>(glimpse.values.size()))));
  std::optional<double> best;
  for (std::size_t i = 0; i < std::min(count, glimpse.values.size()); ++i)
    if (std::isfinite(glimpse.values[i]) && (!best || better(glimpse.values[i], *best, goal)))
      best = glimpse.values[i];
  return best;
}

// How it stands against the best run after as many reports.
std::string standing(const Glimpse& glimpse, const std::optional<Board::Row>& best, Goal goal) {
  if (!best || glimpse.reports == 0) return "";
  const auto own = best_after(glimpse, glimpse.reports, goal);
  const auto other = best_after(best->glimpse, glimpse.reports, goal);
  if (!own || !other) return "";
  return better(*own, *other, goal) ? "ahead" : *own == *other ? "level" : "behind";
}

struct Cells {
  std::string label, age, step, value, curve, standing, limit, parameters;
};

// The columns of the table, each as wide as its widest cell; what does not fit is left out, the rest is cut.
class Table {
 public:
  explicit Table(std::vector<Cells> rows) : rows_(std::move(rows)) {}

  std::vector<std::string> lines(int width, const Glyphs& glyphs) const {
    const std::vector<std::pair<std::string Cells::*, int>> columns{
        // The greatest number is left out first; 0: never.
        {&Cells::label, 0}, {&Cells::age, 3},      {&Cells::step, 2}, {&Cells::value, 0},
        {&Cells::curve, 1}, {&Cells::standing, 4}, {&Cells::limit, 1}};
    int most = 4;
    while (most > 0 && width_of(columns, most) > width) --most;
    std::vector<std::string> result;
    for (const Cells& row : rows_) {
      std::string line;
      for (const auto& [column, rank] : columns)
        if (rank <= most && widest(column) > 0)
          line += (line.empty() ? "" : "  ") + pad(row.*column, widest(column), Align::left);
      const int room = width - display_width(line) - 2;
      constexpr int kLeastParameters = 8;
      if (room >= kLeastParameters && !row.parameters.empty())
        line += "  " + cut(row.parameters, room, glyphs.ellipsis);
      line.erase(line.find_last_not_of(' ') + 1);
      result.push_back(cut(line, width, glyphs.ellipsis));
    }
    return result;
  }

 private:
  int widest(std::string Cells::*column) const {
    int width = 0;
    for (const Cells& row : rows_) width = std::max(width, display_width(row.*column));
    return width;
  }
  int width_of(const std::vector<std::pair<std::string Cells::*, int>>& columns, int most) const {
    int width = -2;
    for (const auto& [column, rank] : columns)
      if (const int own = widest(column); rank <= most && own > 0) width += own + 2;
    return width;
  }

  std::vector<Cells> rows_;
};

Cells cells_of(const Board& board, const Board::Row& row, const std::string& label, int curve_width,
               std::pair<double, double> range, const Glyphs& glyphs) {
  Cells cells;
  cells.label = label;
  cells.age = row.age > Duration{} ? duration_text(row.age) : "";
  const Glimpse& glimpse = row.glimpse;
  if (glimpse.step)
    cells.step = fmt::format("step {}", *glimpse.step);
  else if (glimpse.reports > 0)
    cells.step = base::plural(glimpse.reports, "report");
  const std::string last = glimpse.values.empty() ? "-" : number_text(glimpse.values.back());
  cells.value = cut(board.metric, kNameRoom, glyphs.ellipsis) + " " + last;
  cells.curve = sparkline(glimpse.values, curve_width, range.first, range.second, is_utf8(glyphs));
  cells.parameters = row.parameters;
  return cells;
}

std::vector<std::string> live_table(const Board& board, int width, int height,
                                    const Glyphs& glyphs) {
  if (height <= 0 || board.live_runs == 0) return {};
  std::vector<double> values;
  const auto add = [&](const Glimpse& glimpse) {
    values.insert(values.end(), glimpse.values.begin(), glimpse.values.end());
  };
  if (board.best) add(board.best->glimpse);
  for (const Board::Row& row : board.live) add(row.glimpse);
  const auto range = main_range(std::move(values), board.goal == Goal::minimize);
  const int curve_width = std::clamp(width / 6, 8, 32);

  // Where there is no room for all, the last line says how many more there are.
  // The best one has a row of its own, unless it trains and is shown anyway.
  const bool trains =
      board.best && std::any_of(board.live.begin(), board.live.end(),
                                [&](const Board::Row& row) { return row.run == board.best->run; });
  const bool with_best = board.best && !trains && height > 2;
  int room = height - (with_best ? 1 : 0);
  const bool more =
      static_cast<std::int64_t>(room) < board.live_runs || std::ssize(board.live) < board.live_runs;
  if (more && room > 1) --room;
  const auto shown = std::min(board.live.size(), static_cast<std::size_t>(room));
  std::vector<Cells> rows;
  if (with_best)
    rows.push_back(cells_of(board, *board.best, fmt::format("best {}", board.best->run),
                            curve_width, range, glyphs));
  for (std::size_t i = 0; i < shown; ++i) {
    const Board::Row& row = board.live[i];
    Cells cells = cells_of(board, row, fmt::format("run {}", row.run), curve_width, range, glyphs);
    cells.standing = board.best && board.best->run == row.run
                         ? "best"
                         : standing(row.glimpse, board.best, board.goal);
    cells.limit = limit_text(row.glimpse, board.goal);
    rows.push_back(std::move(cells));
  }
  std::vector<std::string> lines = Table(std::move(rows)).lines(width, glyphs);
  const auto left = board.live_runs - static_cast<std::int64_t>(shown);
  if (left > 0 && static_cast<int>(lines.size()) < height)
    lines.push_back(
        cut(fmt::format("and {}", base::plural(left, "more run")), width, glyphs.ellipsis));
  return lines;
}

std::vector<std::string> record_chart(const Board& board, int width, int height,
                                      const Glyphs& glyphs) {
  if (board.record.size() < 2 || height < kLeastChart) return {};
  TextChart chart;
  chart.title = fmt::format("best {} so far", board.metric);
  TextChart::Series stairs;
  for (std::size_t i = 0; i < board.record.size(); ++i) {
    if (i > 0) {
      stairs.x.push_back(board.hours[i]);
      stairs.y.push_back(board.record[i - 1]);
    }
    stairs.x.push_back(board.hours[i]);
    stairs.y.push_back(board.record[i]);
  }
  stairs.x.push_back(std::max(board.now, board.hours.back()));
  stairs.y.push_back(board.record.back());
  const auto as_duration = [](double hours) {
    return duration_text(Duration{static_cast<std::int64_t>(hours * 3600e6)});
  };
  chart.x_low = as_duration(stairs.x.front());
  chart.x_high = as_duration(stairs.x.back());
  const auto range = main_range(board.record, board.goal == Goal::minimize);
  chart.low = range.first;
  chart.high = range.second;
  chart.series.push_back(std::move(stairs));
  return chart_lines(chart, width, height, is_utf8(glyphs));
}

}  // namespace

int board_room(TerminalSize size) {
  // A quarter stays for what scrolls above, and never less than four lines.
  return size.rows < kLowest ? 0 : size.rows - std::max(4, size.rows / 4);
}

std::string limit_text(const Glimpse& glimpse, Goal goal) {
  if (!glimpse.verdict || !std::isfinite(glimpse.verdict->threshold) ||
      !std::isfinite(glimpse.verdict->value))
    return "";
  const double threshold = glimpse.verdict->threshold, value = glimpse.verdict->value;
  const std::string limit = "stops at " + number_text(threshold);
  const double away = goal == Goal::minimize ? threshold - value : value - threshold;
  if (away < 0) return limit + ", beyond it";
  if (threshold == 0) return limit;
  return limit + fmt::format(", {:.2g} % away", std::min(999.0, 100 * away / std::abs(threshold)));
}

std::vector<std::string> board_lines(const Board& board, int width, int height,
                                     const Glyphs& glyphs) {
  if (height <= 0 || width <= 0) return {};
  // A quarter for those that ended, a third for the chart, the rest for those that run; what one does not need
  // the chart may have.
  const int ended =
      std::min({static_cast<int>(board.ended.size()), kMostEnded, std::max(1, height / 4)});
  int chart = height >= 2 * kLeastChart ? std::clamp(height / 3, kLeastChart, kMostChart) : 0;
  const int needed = static_cast<int>(std::min<std::int64_t>(
      height, board.live_runs + (board.best && board.live_runs > 0 ? 1 : 0)));
  int live = std::min(needed, height - ended - chart);
  chart = chart == 0 ? 0 : std::min(kMostChart, height - ended - live);
  auto drawn = record_chart(board, width, chart, glyphs);
  if (drawn.empty()) live = std::min(needed, height - ended);

  std::vector<std::string> lines = live_table(board, width, live, glyphs);
  for (int i = 0; i < ended; ++i)
    lines.push_back(cut((i == 0 ? "ended " : "      ") + board.ended[static_cast<std::size_t>(i)],
                        width, glyphs.ellipsis));
  lines.insert(lines.end(), drawn.begin(), drawn.end());
  if (static_cast<int>(lines.size()) > height) lines.resize(static_cast<std::size_t>(height));
  return lines;
}

}  // namespace hdrive::cli
