// SPDX-License-Identifier: Apache-2.0
//
// Two axes around a plot: hairlines, few ticks, the name of y above its axis and that of x below its end, so that
// nothing stands on its head (web/src/charts/axes.ts).
#pragma once

#include <string>
#include <vector>

#include "plot/painter.h"
#include "plot/scale.h"
#include "plot/theme.h"

namespace hdrive::plot {

/// A part of the picture.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

struct AxisSpec {
  ScaleKind kind = ScaleKind::linear;
  Range range;
  std::string label;
  std::vector<std::string> categories = {};
  double pad = 0.03;  ///< free space at the ends, as a share
};

/// Where the values lie within the axes, and what maps them there.
struct Frame {
  Box box;
  Scale x, y;
  std::string x_label, y_label;
  bool compact = false;  ///< a small plot of many
};

Frame lay_out(const Box& box, const AxisSpec& x, const AxisSpec& y, bool compact = false);

struct AxisTicks {
  bool x = true, y = true;
};
void draw_axes(SvgPainter& painter, const Frame& frame, const Theme& theme, AxisTicks ticks = {});

}  // namespace hdrive::plot
