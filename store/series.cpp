// SPDX-License-Identifier: Apache-2.0
//
// Curves with fewer points that look the same.
#include <algorithm>
#include <cmath>
#include <utility>

#include "hdrive/reader.h"

namespace hdrive {
namespace {

using Point = Series::Point;

// The least and the greatest of a stretch in their order; where nothing is finite, its first point.
void keep_extremes(const std::vector<Point>& points, std::size_t begin, std::size_t end,
                   std::vector<Point>& kept) {
  std::size_t least = end, greatest = end;
  for (std::size_t i = begin; i < end; ++i) {
    if (!std::isfinite(points[i].value)) continue;
    if (least == end || points[i].value < points[least].value) least = i;
    if (greatest == end || points[i].value > points[greatest].value) greatest = i;
  }
  if (least == end) return kept.push_back(points[begin]);
  const auto [first, second] = std::minmax(least, greatest);
  kept.push_back(points[first]);
  if (second != first) kept.push_back(points[second]);
}

}  // namespace

std::vector<Point> thin_out(std::vector<Point> points, std::int64_t max_points) {
  constexpr std::int64_t kLeast = 4;
  if (max_points <= 0) return points;
  const auto most = static_cast<std::size_t>(std::max(max_points, kLeast));
  if (points.size() <= most) return points;
  std::vector<Point> kept{points.front()};
  const std::size_t stretches = (most - 2) / 2, inner = points.size() - 2;
  for (std::size_t i = 0; i < stretches; ++i)
    keep_extremes(points, 1 + i * inner / stretches, 1 + (i + 1) * inner / stretches, kept);
  kept.push_back(points.back());
  return kept;
}

}  // namespace hdrive
