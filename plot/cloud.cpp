// SPDX-License-Identifier: Apache-2.0
#include "plot/cloud.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

namespace hdrive::plot {
namespace {

// What a drawing program bears, and less than a megabyte.
constexpr std::size_t kMostPoints = 15'000;

double radius_for(std::size_t rows, bool compact) {
  return rows > 20'000 ? 1.1 : rows > 2'000 ? 1.6 : compact ? 2.2 : 3;
}

ScaleKind kind_of(const Column& column, bool log) {
  if (column.kind == ScaleKind::category || column.kind == ScaleKind::duration) return column.kind;
  return log ? ScaleKind::log : column.kind;
}

// Of points whose middles lie in one cell of the grid the best stays: the others would be below it.
std::vector<std::size_t> seen(const std::vector<Point>& points,
                              const std::vector<std::size_t>& rows,
                              const std::vector<std::uint8_t>& shades, double cell) {
  std::unordered_map<std::uint64_t, std::size_t> top;
  for (const std::size_t row : rows) {
    const auto column = static_cast<std::uint32_t>(std::llround(points[row].x / cell));
    const auto line = static_cast<std::uint32_t>(std::llround(points[row].y / cell));
    const auto [found, added] = top.try_emplace(std::uint64_t{column} << 32 | line, row);
    if (!added && shades[row] > shades[found->second]) found->second = row;
  }
  std::vector<std::size_t> kept;
  kept.reserve(top.size());
  for (const auto& [place, row] : top) kept.push_back(row);
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace

double jitter(std::size_t row) {
  const double x = std::sin(static_cast<double>(row) * 12.9898 + 4.1414) * 43758.5453;
  return (x - std::floor(x) - 0.5) * 0.5;
}

AxisSpec axis_of(const Runs& runs, const Column& column, bool log) {
  const ScaleKind kind = kind_of(column, log);
  Range range = column.is_value ? robust_extent(column.data) : extent(column.data);
  if (kind == ScaleKind::log && !(range.low > 0)) range = extent(column.data, true);
  return {kind, range, runs.axis_label(column), column.categories};
}

std::int64_t beyond(const Cloud& cloud) {
  const auto outside = [&](const Column& column, bool log) {
    const AxisSpec axis = axis_of(cloud.runs, column, log);
    std::vector<bool> out(column.data.size());
    if (axis.kind != ScaleKind::category)
      for (std::size_t row = 0; row < out.size(); ++row)
        out[row] = column.data[row] < axis.range.low || column.data[row] > axis.range.high;
    return out;
  };
  const auto x = outside(cloud.x, cloud.log_x), y = outside(cloud.y, cloud.log_y);
  std::int64_t count = 0;
  for (std::size_t row = 0; row < x.size(); ++row) count += x[row] || y[row];
  return count;
}

void draw_cloud(SvgPainter& p, const Box& box, const Cloud& cloud,
                const std::vector<std::uint8_t>& shades, const Theme& theme) {
  const Runs& runs = cloud.runs;
  const Frame frame = lay_out(box, axis_of(runs, cloud.x, cloud.log_x),
                              axis_of(runs, cloud.y, cloud.log_y), cloud.compact);
  draw_axes(p, frame, theme);
  if (cloud.below) cloud.below(p, frame);
  std::vector<Point> points(runs.rows());
  std::vector<std::size_t> shown;
  const Box& inner = frame.box;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    const double x = cloud.x.data[row] + (cloud.x.kind == ScaleKind::category ? jitter(row) : 0);
    const double y =
        cloud.y.data[row] + (cloud.y.kind == ScaleKind::category ? jitter(row + 7) : 0);
    points[row] = {frame.x(x), frame.y(y)};
    const auto& [at, height] = points[row];
    if (at >= inner.x - 4 && at <= inner.right() + 4 && height >= inner.y - 5 &&
        height <= inner.bottom() + 4 && shades[row] != Runs::kNoShade)
      shown.push_back(row);
  }
  const double radius = radius_for(runs.rows(), cloud.compact);
  for (double cell = radius / 2; shown.size() > kMostPoints; cell *= 1.4)
    shown = seen(points, shown, shades, cell);
  const std::optional<std::size_t> best = runs.best();
  p.clip(inner.x - 4, inner.y - 5, inner.width + 8, inner.height + 9, [&] {
    std::vector<std::vector<Point>> by_shade(kShades);
    if (cloud.points)
      for (const std::size_t row : shown) by_shade[shades[row]].push_back(points[row]);
    for (std::size_t shade = 0; shade < kShades; ++shade)
      p.dots(by_shade[shade], radius, theme.shades[shade], runs.rows() > 20'000 ? 0.8 : 0.9);
    if (best)
      p.circle(points[*best], cloud.compact ? 3.5 : 5,
               {.color = theme.best, .stroke = theme.surface, .stroke_width = 1.5});
  });
}

}  // namespace hdrive::plot
