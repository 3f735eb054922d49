// SPDX-License-Identifier: Apache-2.0
//
// The empirical distribution: what share of the runs has at most each value.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "base/text.h"
#include "plot/chart.h"

namespace hdrive::plot {

Result<Chart> make_edf(const Scene& scene) {
  auto read = scene.runs();
  if (!read) return read.error();
  const auto runs = std::make_shared<const Runs>(*std::move(read));
  const std::vector<double> sorted = sorted_finite(runs->value.data);
  if (sorted.empty()) return no_value(scene);
  const bool log = scene.options.log_x;
  Range range = robust_extent(runs->value.data);
  if (log && !(range.low > 0)) range = extent(runs->value.data, true);
  if (std::isnan(range.low)) return nothing_above_zero("log_x", runs->value.label);

  Chart chart;
  chart.width = 560;
  chart.about = "What share of the runs reached each value of " + runs->value.label + " or less.";
  chart.legend.push_back(
      {LegendEntry::Mark::line, scene.theme.shades[44], base::plural(std::ssize(sorted), "run")});
  const auto past = std::count_if(sorted.begin(), sorted.end(),
                                  [&](double v) { return v < range.low || v > range.high; });
  if (past > 0) chart.legend.push_back({.text = base::plural(past, "run") + " beyond the axis"});
  chart.draw = [sorted, range, log, runs, &scene](SvgPainter& p, const Box& box) {
    const Frame frame = lay_out(box,
                                {.kind = log ? ScaleKind::log : ScaleKind::linear,
                                 .range = range,
                                 .label = runs->value.label},
                                {.range = {0, 1}, .label = "share of the runs", .pad = 0.01});
    draw_axes(p, frame, scene.theme);
    constexpr std::size_t kSteps = 400;
    const std::size_t stride = std::max<std::size_t>(1, sorted.size() / kSteps);
    std::vector<double> x, y;
    double share = 0;
    const auto step_to = [&](std::size_t i) {
      const double at = frame.x(std::max(sorted[i], log ? range.low : sorted[i]));
      x.insert(x.end(), {at, at});
      y.push_back(frame.y(share));
      share = static_cast<double>(i + 1) / static_cast<double>(sorted.size());
      y.push_back(frame.y(share));
    };
    for (std::size_t i = 0; i < sorted.size(); i += stride) step_to(i);
    step_to(sorted.size() - 1);
    p.clip(frame.box.x, frame.box.y, frame.box.width, frame.box.height + 1, [&] {
      p.line(x, y, {scene.theme.shades[44], 2});
    });
  };
  return chart;
}

}  // namespace hdrive::plot
