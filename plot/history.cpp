// SPDX-License-Identifier: Apache-2.0
//
// Optimisation history: each run's value in the order of the runs, and the best so far as a staircase.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "plot/chart.h"
#include "plot/cloud.h"

namespace hdrive::plot {
namespace {

struct Stairs {
  std::vector<double> x, y;
};

// Where and to what the best value changed.
Stairs stairs_of(const Runs& runs, const Column& along) {
  std::vector<std::size_t> order(runs.rows());
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](std::size_t row) {
    return std::isnan(along.data[row]) || std::isnan(runs.value.data[row]);
  });
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return along.data[a] < along.data[b]; });
  Stairs stairs;
  for (const std::size_t row : order) {
    const double value = runs.value.data[row];
    if (!stairs.y.empty() && !runs.better(value, stairs.y.back())) continue;
    if (!stairs.x.empty()) {
      stairs.x.push_back(along.data[row]);
      stairs.y.push_back(stairs.y.back());
    }
    stairs.x.push_back(along.data[row]);
    stairs.y.push_back(value);
  }
  return stairs;
}

}  // namespace

Result<Chart> make_history(const Scene& scene) {
  auto read = scene.runs();
  if (!read) return read.error();
  const auto runs = std::make_shared<const Runs>(*std::move(read));
  if (std::isnan(extent(runs->value.data).low)) return no_value(scene);
  const std::string& x = scene.options.x;
  const std::vector<std::string> allowed{"run", "started", "ended"};
  if (!x.empty() && std::find(allowed.begin(), allowed.end(), x) == allowed.end())
    return unknown_name("x", "axis of a history", x, allowed);
  const Column& along = x == "started" ? runs->started : x == "ended" ? runs->ended : runs->number;

  Chart chart;
  chart.about = "Each run's value of " + runs->value.label + " in the order of the runs" +
                (runs->judged() ? "; the orange line is the best so far." : ".");
  if (runs->judged())
    chart.legend.push_back({LegendEntry::Mark::line, scene.theme.best, "best so far"});
  chart.legend.push_back(ramp_entry(*runs));
  Cloud cloud{*runs, along, runs->value, scene.options.log_x, scene.options.log_y};
  if (const auto count = beyond(cloud); count > 0)
    chart.legend.push_back({.text = base::plural(count, "run") + " beyond the axis"});
  chart.draw = [runs, cloud, &scene](SvgPainter& p, const Box& box) mutable {
    if (runs->judged())
      cloud.below = [&](SvgPainter& below, const Frame& frame) {
        Stairs stairs = stairs_of(*runs, cloud.x);
        if (stairs.x.empty()) return;
        for (double& each : stairs.x) each = frame.x(each);
        for (double& each : stairs.y) each = frame.y(each);
        stairs.x.push_back(frame.box.right());
        stairs.y.push_back(stairs.y.back());
        below.clip(frame.box.x, frame.box.y - 4, frame.box.width, frame.box.height + 6, [&] {
          below.line(stairs.x, stairs.y, {scene.theme.best, 1.75});
        });
      };
    draw_cloud(p, box, cloud, runs->shades(), scene.theme);
  };
  return chart;
}

}  // namespace hdrive::plot
