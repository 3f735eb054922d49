// SPDX-License-Identifier: Apache-2.0
//
// Runs as points over two columns: what history, scatter, slices and contours have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "plot/axes.h"
#include "plot/runs.h"

namespace hdrive::plot {

struct Cloud {
  const Runs& runs;
  const Column& x;
  const Column& y;
  bool log_x = false, log_y = false;
  bool compact = false;
  bool points = true;
  std::function<void(SvgPainter&, const Frame&)> below = nullptr;  ///< drawn before the points
};

/// The axis of a column. Values of the metric that diverged are left out of its range.
AxisSpec axis_of(const Runs& runs, const Column& column, bool log);
/// How many runs lie beyond the axes.
std::int64_t beyond(const Cloud& cloud);
/// Where a category's points lie within its band: of one category they are not one point.
double jitter(std::size_t row);

void draw_cloud(SvgPainter& painter, const Box& box, const Cloud& cloud,
                const std::vector<std::uint8_t>& shades, const Theme& theme);

}  // namespace hdrive::plot
