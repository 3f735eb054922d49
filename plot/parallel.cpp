// SPDX-License-Identifier: Apache-2.0
//
// Parallel coordinates: an axis for each parameter and one for the value, a line for each run in the colour of its
// value; the best run is orange.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "plot/chart.h"
#include "plot/cloud.h"
#include "plot/words.h"

namespace hdrive::plot {
namespace {

constexpr double kSide = 46, kTop = 34, kBottom = 30;
constexpr std::size_t kMostLines = 1'500, kCurvedUpTo = 500;
constexpr double kAbsent = -0.055;  // below the axis stand runs that do not have the parameter
constexpr std::size_t kUsualAxes = 9;

struct Axis {
  const Column* column;
  Scale scale;  // from 0 at the bottom to 1
  double x = 0;
};

Axis axis_for(const Runs& runs, const Column& column, bool log, double x) {
  const AxisSpec spec = axis_of(runs, column, log || column.kind == ScaleKind::log);
  // The good end is at the top.
  const bool turned = column.is_value && runs.judged() && runs.goal() == Goal::minimize;
  return {&column, Scale(spec.kind, spec.range, turned ? 1 : 0, turned ? 0 : 1, spec.categories),
          x};
}

double place_of_run(const Axis& axis, std::size_t row) {
  const double at = axis.scale(axis.column->data[row]);
  // What diverged stands at the end of its axis, not outside of the picture.
  return std::isnan(at) ? kAbsent : std::clamp(at, 0.0, 1.0);
}

// The worst first, so that the best lie above them; of very many evenly so many of those ranks.
std::vector<std::size_t> drawn_rows(const Runs& runs) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < runs.rows(); ++row)
    if (!std::isnan(runs.value.data[row])) rows.push_back(row);
  const bool maximize = !runs.judged() || runs.goal() == Goal::maximize;
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
    const double left = runs.value.data[a], right = runs.value.data[b];
    return maximize ? left < right : left > right;
  });
  if (rows.size() <= kMostLines) return rows;
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < kMostLines; ++i)
    some.push_back(rows[i * (rows.size() - 1) / (kMostLines - 1)]);
  return some;
}

class Lines {
 public:
  Lines(const std::vector<Axis>& axes, const Box& box, bool curved)
      : axes_(axes), box_(box), curved_(curved) {}

  double y(double share) const {
    return box_.y + kTop + (1 - share) * (box_.height - kTop - kBottom);
  }
  void add(Path& path, std::size_t row) const {
    // The slope at both ends of the page's curve, t + 0.72 (3 t^2 - 2 t^3 - t), which is a Bezier curve.
    constexpr double kEnds = 0.28;
    double before_x = 0, before_y = 0;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      const double x = axes_[i].x, at = y(place_of_run(axes_[i], row));
      const double reach = (x - before_x) / 3, lift = (at - before_y) * kEnds / 3;
      if (i == 0)
        path.move(x, at);
      else if (curved_)
        path.curve({before_x + reach, before_y + lift}, {x - reach, at - lift}, {x, at});
      else
        path.line(x, at);
      before_x = x;
      before_y = at;
    }
  }

 private:
  const std::vector<Axis>& axes_;
  const Box& box_;
  bool curved_;
};

void draw_axis(SvgPainter& p, const Axis& axis, const Lines& lines, const Runs& runs, double every,
               bool last, const Theme& theme) {
  p.line({axis.x, lines.y(0)}, {axis.x, lines.y(1)}, {theme.ink_3});
  const auto room = static_cast<std::size_t>(std::max(3.0, (last ? kSide + 30 : every - 14) / 6.4));
  Path marks;
  for (const Tick& tick : axis.scale.ticks(axis.scale.kind() == ScaleKind::category ? 24 : 6)) {
    const double at = lines.y(axis.scale(tick.value));
    if (at > lines.y(0) + 1 || at < lines.y(1) - 1) continue;
    marks.move(axis.x - 3, at).across(6);
    p.text(last ? axis.x - 7 : axis.x + 7, at, cut(tick.label, room),
           {.color = theme.ink_2,
            .anchor = last ? Anchor::end : Anchor::start,
            .halo = theme.surface});
  }
  p.path(marks, {theme.ink_3});
  const bool gaps = std::any_of(axis.column->data.begin(), axis.column->data.end(),
                                [](double value) { return std::isnan(value); });
  if (gaps && !axis.column->is_value)
    p.text(axis.x, lines.y(0) + 21, "absent",
           {.color = theme.ink_3, .size = 10, .anchor = Anchor::middle});
  const auto most = static_cast<std::size_t>(std::max(5.0, every / 6.6));
  p.text(axis.x, lines.y(1) - 18, cut(runs.axis_label(*axis.column), most),
         {.color = theme.ink, .anchor = Anchor::middle, .weight = 600});
}

void draw_parallel(SvgPainter& p, const Box& box, const Runs& runs,
                   const std::vector<const Column*>& columns, const Scene& scene) {
  const double inner = box.width - 2 * kSide;
  const auto gaps = static_cast<double>(columns.size() - 1);
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < columns.size(); ++i)
    axes.push_back(axis_for(runs, *columns[i], columns[i]->is_value && scene.options.log_y,
                            box.x + kSide + inner * static_cast<double>(i) / gaps));
  const std::vector<std::size_t> rows = drawn_rows(runs);
  const Lines lines(axes, box, rows.size() <= kCurvedUpTo);
  const double alpha = std::clamp(
      14 / std::sqrt(static_cast<double>(std::max<std::size_t>(1, rows.size()))), 0.3, 0.85);
  const auto shades = runs.shades();
  std::vector<Path> paths(kShades);
  for (const std::size_t row : rows) lines.add(paths[shades[row]], row);
  for (std::size_t shade = 0; shade < kShades; ++shade)
    p.path(paths[shade], {scene.theme.shades[shade], 1, alpha});
  if (const auto best = runs.best()) {
    Path line;
    lines.add(line, *best);
    p.path(line, {scene.theme.best, 2});
  }
  for (std::size_t i = 0; i < axes.size(); ++i)
    draw_axis(p, axes[i], lines, runs, inner / gaps, i + 1 == axes.size(), scene.theme);
}

}  // namespace

Result<Chart> make_parallel(const Scene& scene) {
  auto read = scene.runs();
  if (!read) return read.error();
  const auto runs = std::make_shared<const Runs>(*std::move(read));
  if (std::isnan(extent(runs->value.data).low)) return no_value(scene);
  auto columns = chosen_parameters(*runs, scene.options, 1);
  if (!columns) return columns.error();
  const std::size_t all = columns->size();
  if (scene.options.parameters.empty() && all > kUsualAxes) columns->resize(kUsualAxes);
  if (scene.options.log_y && std::isnan(extent(runs->value.data, true).low))
    return nothing_above_zero("log_y", runs->value.label);
  const std::size_t drawn = columns->size();
  columns->push_back(&runs->value);

  Chart chart;
  chart.width = std::max(760, 120 * static_cast<int>(columns->size()));
  chart.about =
      "A line for each run through its parameters and its value of " + runs->value.label + ".";
  chart.legend.push_back(ramp_entry(*runs));
  if (runs->judged())
    chart.legend.push_back({LegendEntry::Mark::line, scene.theme.best, "best run"});
  const auto with_value = std::count_if(runs->value.data.begin(), runs->value.data.end(),
                                        [](double value) { return !std::isnan(value); });
  if (with_value > static_cast<std::ptrdiff_t>(kMostLines))
    chart.legend.push_back({.text = count_text(kMostLines) + " of " + count_text(with_value) +
                                    " runs, evenly by rank"});
  if (drawn < all)
    chart.legend.push_back({.text = count_text(static_cast<long long>(drawn)) + " of " +
                                    count_text(static_cast<long long>(all)) + " parameters"});
  chart.draw = [runs, columns = *std::move(columns), &scene](SvgPainter& p, const Box& box) {
    draw_parallel(p, box, *runs, columns, scene);
  };
  return chart;
}

}  // namespace hdrive::plot
