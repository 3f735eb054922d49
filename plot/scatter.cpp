// SPDX-License-Identifier: Apache-2.0
//
// Two columns against each other in the colour of the value; and the value over each parameter, side by side.
#include <algorithm>
#include <cmath>
#include <memory>

#include "base/text.h"
#include "plot/chart.h"
#include "plot/cloud.h"

namespace hdrive::plot {
namespace {

Result<const Column*> column_of(const Runs& runs, std::string_view option, const std::string& name,
                                const Column& usual) {
  if (name.empty()) return &usual;
  if (const Column* column = runs.find(name)) return column;
  return unknown_name(option, "parameter, metric or field", name, runs.names());
}

}  // namespace

Result<Chart> make_scatter(const Scene& scene) {
  auto read = scene.runs();
  if (!read) return read.error();
  const auto runs = std::make_shared<const Runs>(*std::move(read));
  if (std::isnan(extent(runs->value.data).low)) return no_value(scene);
  const auto& parameters = runs->parameters;
  const auto x = column_of(*runs, "x", scene.options.x,
                           parameters.empty() ? runs->number : parameters.front());
  if (!x) return x.error();
  const auto y =
      column_of(*runs, "y", scene.options.y, parameters.size() > 1 ? parameters[1] : runs->value);
  if (!y) return y.error();

  Chart chart;
  chart.about =
      (*x)->label + " against " + (*y)->label + ", coloured by " + runs->value.label + ".";
  chart.legend.push_back(ramp_entry(*runs));
  if (runs->judged())
    chart.legend.push_back({LegendEntry::Mark::dots, scene.theme.best, "best run"});
  const Cloud cloud{*runs, **x, **y, scene.options.log_x, scene.options.log_y};
  if (const auto count = beyond(cloud); count > 0)
    chart.legend.push_back({.text = base::plural(count, "run") + " beyond the axes"});
  chart.draw = [runs, cloud, &scene](SvgPainter& p, const Box& box) {
    draw_cloud(p, box, cloud, runs->shades(), scene.theme);
  };
  return chart;
}

Result<Chart> make_slice(const Scene& scene) {
  auto read = scene.runs();
  if (!read) return read.error();
  const auto runs = std::make_shared<const Runs>(*std::move(read));
  if (std::isnan(extent(runs->value.data).low)) return no_value(scene);
  const auto chosen = chosen_parameters(*runs, scene.options, 1);
  if (!chosen) return chosen.error();

  Chart chart;
  chart.about = runs->value.label + " over each parameter.";
  chart.legend.push_back({.text = runs->axis_label(runs->value)});
  chart.legend.push_back(ramp_entry(*runs));
  if (runs->judged())
    chart.legend.push_back({LegendEntry::Mark::dots, scene.theme.best, "best run"});
  constexpr int kColumns = 3, kRowHeight = 190, kColumnWidth = 270;
  const int count = static_cast<int>(chosen->size());
  const int columns = std::min(kColumns, count), lines = (count + columns - 1) / columns;
  chart.width = std::max(480, columns * kColumnWidth);
  chart.height = lines * kRowHeight + 40;
  chart.draw = [runs, columns, lines, chosen = *chosen, &scene](SvgPainter& p, const Box& box) {
    const auto shades = runs->shades();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const double width = box.width / columns, height = box.height / lines;
      const Box part{box.x + width * static_cast<double>(i % static_cast<std::size_t>(columns)),
                     box.y + height * static_cast<double>(i / static_cast<std::size_t>(columns)),
                     width, height};
      draw_cloud(p, part, {*runs, *chosen[i], runs->value, false, scene.options.log_y, true},
                 shades, scene.theme);
    }
  };
  return chart;
}

}  // namespace hdrive::plot
