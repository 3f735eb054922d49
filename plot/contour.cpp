// SPDX-License-Identifier: Apache-2.0
//
// How good runs are around each pair of two parameters: a surface with its lines of equal height, as far as runs are
// there to tell.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "plot/chart.h"
#include "plot/cloud.h"
#include "plot/field.h"

namespace hdrive::plot {
namespace {

constexpr std::size_t kColumns = 56, kRows = 40;
constexpr double kLevels[] = {8, 16, 24, 32, 40, 48, 54, 59};
constexpr std::size_t kMostOnSurface = 1'500;

Field surface_of(const Cloud& cloud, const std::vector<std::uint8_t>& shades, const Frame& frame) {
  const std::size_t rows = cloud.runs.rows();
  std::vector<double> x(rows), y(rows), value(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    x[row] = (frame.x(cloud.x.data[row]) - frame.box.x) / frame.box.width;
    y[row] = 1 - (frame.y(cloud.y.data[row]) - frame.box.y) / frame.box.height;
    value[row] = shades[row] == Runs::kNoShade ? std::numeric_limits<double>::quiet_NaN()
                                               : static_cast<double>(shades[row]);
  }
  return make_field(x, y, value, kColumns, kRows, rows > 1000 ? 1.6 : rows > 100 ? 2.6 : 4);
}

void draw_surface(SvgPainter& p, const Field& field, const Frame& frame, const Theme& theme) {
  const Box& box = frame.box;
  const double w = box.width / kColumns, h = box.height / kRows;
  const auto shade_at = [&](std::size_t column, std::size_t row) {
    const double value = field.at(column, row);
    return std::isnan(value) ? -1 : static_cast<int>(std::lround(std::clamp(value, 0.0, 63.0)));
  };
  std::vector<Path> cells(kShades);
  for (std::size_t row = 0; row < kRows; ++row)
    for (std::size_t column = 0; column < kColumns;) {
      const int shade = shade_at(column, row);
      std::size_t end = column + 1;
      while (end < kColumns && shade_at(end, row) == shade) ++end;
      // Whole pixels, so that no seams are seen between cells.
      const double x0 = std::round(box.x + static_cast<double>(column) * w);
      const double x1 = std::round(box.x + static_cast<double>(end) * w);
      const double y0 = std::round(box.bottom() - static_cast<double>(row + 1) * h);
      const double y1 = std::round(box.bottom() - static_cast<double>(row) * h);
      if (shade >= 0) cells[static_cast<std::size_t>(shade)].rect(x0, y0, x1 - x0, y1 - y0);
      column = end;
    }
  for (std::size_t shade = 0; shade < kShades; ++shade)
    p.area(cells[shade], {.color = theme.shades[shade], .alpha = 0.62});
  Path lines;
  for (const double level : kLevels)
    for (const auto& [x0, y0, x1, y1] : isoline(field, level))
      lines.move(box.x + (x0 + 0.5) * w, box.bottom() - (y0 + 0.5) * h)
          .line(box.x + (x1 + 0.5) * w, box.bottom() - (y1 + 0.5) * h);
  p.path(lines, {theme.surface, 1, 0.75});
}

// The first two of the space that are numbers, else the first two.
std::vector<const Column*> usual_pair(const Runs& runs) {
  std::vector<const Column*> numbers, all;
  for (const Column& column : runs.parameters) {
    all.push_back(&column);
    if (column.kind != ScaleKind::category) numbers.push_back(&column);
  }
  return numbers.size() >= 2 ? numbers : all;
}

}  // namespace

Result<Chart> make_contour(const Scene& scene) {
  auto read = scene.runs();
  if (!read) return read.error();
  const auto runs = std::make_shared<const Runs>(*std::move(read));
  if (std::isnan(extent(runs->value.data).low)) return no_value(scene);
  if (runs->parameters.size() < 2)
    return Error{"", "a contour takes two parameters, and the sweep has one",
                 Error::Kind::not_found};
  std::vector<const Column*> pair = usual_pair(*runs);
  const std::pair<std::string_view, const std::string&> asked[] = {{"x", scene.options.x},
                                                                   {"y", scene.options.y}};
  std::vector<std::string> allowed;
  for (const Column& column : runs->parameters) allowed.push_back(column.label);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& [option, name] = asked[i];
    if (name.empty()) continue;
    const Column* column = runs->parameter(name);
    if (!column) return unknown_name(option, "parameter", name, allowed);
    // The other one is not to be the same, unless somebody asked for that.
    if (asked[1 - i].second.empty() && pair[1 - i] == column) pair[1 - i] = pair[i];
    pair[i] = column;
  }
  if (pair[0] == pair[1])
    return Error{"y", "a contour takes two parameters, and x is " + pair[0]->label + ", too",
                 Error::Kind::invalid};

  Chart chart;
  chart.width = 620;
  chart.about =
      "How good runs are around each pair of " + pair[0]->label + " and " + pair[1]->label + ".";
  chart.legend.push_back(ramp_entry(*runs));
  if (runs->judged())
    chart.legend.push_back({LegendEntry::Mark::dots, scene.theme.best, "best run"});
  Cloud cloud{*runs, *pair[0], *pair[1], scene.options.log_x, scene.options.log_y};
  cloud.points = runs->rows() <= kMostOnSurface;
  chart.draw = [runs, cloud, &scene](SvgPainter& p, const Box& box) mutable {
    const auto shades = runs->shades();
    cloud.below = [&](SvgPainter& below, const Frame& frame) {
      draw_surface(below, surface_of(cloud, shades, frame), frame, scene.theme);
    };
    draw_cloud(p, box, cloud, shades, scene.theme);
  };
  return chart;
}

}  // namespace hdrive::plot
