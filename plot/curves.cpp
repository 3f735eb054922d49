// SPDX-License-Identifier: Apache-2.0
//
// Metric curves of the runs on one chart. Those that were stopped early fade, the envelope says where the middle of all
// runs lies, and the orange line is the best run.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "plot/chart.h"
#include "plot/words.h"

namespace hdrive::plot {
namespace {

constexpr std::size_t kFew = 40;  // so many lines can be told apart

enum class Along { report, step, elapsed };

struct Line {
  std::size_t row = 0;
  std::vector<double> x, y;
};

std::vector<Line> lines_of(const SweepCurves& curves, Along along) {
  std::vector<Line> lines;
  for (const Series& series : curves.series) {
    Line line{static_cast<std::size_t>(series.run), {}, {}};
    // A script that names no steps has its reports counted.
    const bool steps = along == Along::step && series.points.front().step;
    for (const Series::Point& point : series.points) {
      const auto after = point.time - series.points.front().time;
      line.x.push_back(along == Along::elapsed ? static_cast<double>(after.count()) / 1e6
                       : steps && point.step   ? static_cast<double>(*point.step)
                                               : static_cast<double>(point.place + 1));
      line.y.push_back(point.value);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

// A range in which a curve that diverged does not flatten the others.
Range value_range(const std::vector<Line>& lines, bool log) {
  std::vector<double> values;
  for (const Line& line : lines)
    for (const double value : line.y)
      if (!log || value > 0) values.push_back(value);
  values = sorted_finite(values);
  if (values.empty()) return {std::numeric_limits<double>::quiet_NaN(), 0};
  if (log) return {values.front(), values.back()};
  const double q1 = quantile(values, 0.03), q3 = quantile(values, 0.97), reach = (q3 - q1) * 1.2;
  return {std::max(values.front(), q1 - reach), std::min(values.back(), q3 + reach)};
}

struct Picture {
  Runs runs;
  SweepCurves curves;
  std::vector<Line> lines;
  Along along = Along::report;
  bool log_x = false, log_y = false;
};

void draw_envelope(SvgPainter& p, const Picture& picture, const Frame& frame, const Theme& theme) {
  const SweepCurves::Envelope& envelope = picture.curves.envelope;
  std::vector<double> x, median, best;
  double so_far = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < envelope.place.size(); ++i) {
    x.push_back(frame.x(static_cast<double>(envelope.place[i] + 1)));
    median.push_back(frame.y(envelope.median[i]));
    if (std::isnan(so_far) || picture.runs.better(envelope.best[i], so_far))
      so_far = envelope.best[i];
    best.push_back(frame.y(so_far));
  }
  p.line(x, median, {theme.ink_2, 1.25, 1, "5 4"});
  if (picture.runs.judged()) p.line(x, best, {theme.best, 1.25, 1, "2 3"});
}

void draw_lines(SvgPainter& p, const Picture& picture, const Frame& frame, const Theme& theme) {
  const auto shades = picture.runs.shades();
  const auto best = picture.runs.best();
  const bool few = picture.lines.size() < kFew;
  const double alpha =
      few ? 0.9
          : std::clamp(90 / static_cast<double>(std::max<std::size_t>(1, picture.lines.size())),
                       0.25, 0.75);
  Path faded, live, unranked, best_line;
  std::vector<Path> ranked(kShades);
  std::vector<Point> stops, tips;
  for (const Line& line : picture.lines) {
    std::vector<double> x(line.x.size()), y(line.y.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = frame.x(line.x[i]);
      y[i] = frame.y(line.y[i]);
    }
    const std::size_t row = line.row;
    const bool known = row < picture.runs.rows();
    if (best && row == *best) {
      best_line.through(x, y);
    } else if (known && picture.runs.ended_by[row] == EndCause::policy) {
      faded.through(x, y);
      stops.push_back({x.back(), y.back()});
    } else if (known && picture.runs.status[row] == RunStatus::running) {
      live.through(x, y);
      tips.push_back({x.back(), y.back()});
    } else if (known && shades[row] != Runs::kNoShade) {
      ranked[shades[row]].through(x, y);
    } else {
      unranked.through(x, y);
    }
  }
  p.path(faded, {theme.faded, 1, std::max(0.5, alpha)});
  if (few) p.dots(stops, 2, theme.stopped, 1);
  p.path(unranked, {theme.faded, 1, alpha});
  for (std::size_t shade = 0; shade < kShades; ++shade)
    p.path(ranked[shade], {theme.shades[shade], few ? 1.5 : 1, alpha});
  if (picture.along == Along::report) draw_envelope(p, picture, frame, theme);
  p.path(live, {theme.running, 1.4, 0.9});
  p.dots(tips, 3, theme.running, 1);
  p.path(best_line, {theme.best, 2});
}

void draw_curves(SvgPainter& p, const Box& box, const Picture& picture, const Theme& theme) {
  std::vector<double> all_x;
  for (const Line& line : picture.lines) all_x.insert(all_x.end(), line.x.begin(), line.x.end());
  const bool elapsed = picture.along == Along::elapsed;
  const AxisSpec x{.kind = elapsed         ? ScaleKind::duration
                           : picture.log_x ? ScaleKind::log
                                           : ScaleKind::linear,
                   .range = extent(all_x, picture.log_x),
                   .label = elapsed                          ? "time since the first report"
                            : picture.along == Along::report ? "report"
                                                             : "step",
                   .pad = 0.01};
  const AxisSpec y{.kind = picture.log_y ? ScaleKind::log : ScaleKind::linear,
                   .range = value_range(picture.lines, picture.log_y),
                   .label = picture.runs.axis_label(picture.runs.value),
                   .pad = 0.04};
  const Frame frame = lay_out(box, x, y);
  draw_axes(p, frame, theme);
  p.clip(frame.box.x, frame.box.y - 2, frame.box.width + 2, frame.box.height + 3,
         [&] { draw_lines(p, picture, frame, theme); });
}

std::vector<LegendEntry> legend_of(const Picture& picture, const Theme& theme) {
  using Mark = LegendEntry::Mark;
  std::vector<LegendEntry> legend;
  bool stopped = false, live = false;
  for (const Line& line : picture.lines) {
    if (line.row >= picture.runs.rows()) continue;
    stopped = stopped || picture.runs.ended_by[line.row] == EndCause::policy;
    live = live || picture.runs.status[line.row] == RunStatus::running;
  }
  if (picture.runs.judged()) legend.push_back({Mark::line, theme.best, "best run"});
  if (live) legend.push_back({Mark::line, theme.running, "running"});
  if (stopped) legend.push_back({Mark::line, theme.stopped, "stopped early"});
  if (picture.along == Along::report) legend.push_back({Mark::dashes, theme.ink_2, "median"});
  legend.push_back(ramp_entry(picture.runs));
  const auto shown = std::ssize(picture.curves.series);
  if (picture.curves.chosen != "all")
    legend.push_back({.text = count_text(shown) + " of " + count_text(picture.curves.of) +
                              " curves: " + picture.curves.chosen});
  return legend;
}

}  // namespace

Result<Chart> make_curves(const Scene& scene) {
  const std::vector<std::string> allowed{"report", "step", "elapsed"};
  const std::string& x = scene.options.x;
  const auto found = std::find(allowed.begin(), allowed.end(), x);
  if (!x.empty() && found == allowed.end()) return unknown_name("x", "axis of curves", x, allowed);
  auto runs = scene.runs();
  if (!runs) return runs.error();
  auto curves = scene.curves();
  if (!curves) return curves.error();
  if (curves->series.empty()) return no_value(scene);
  auto picture = std::make_shared<Picture>(Picture{*std::move(runs), *std::move(curves), {}});
  picture->along = x.empty() ? Along::report : static_cast<Along>(found - allowed.begin());
  picture->lines = lines_of(picture->curves, picture->along);
  picture->log_x = scene.options.log_x;
  picture->log_y = scene.options.log_y;
  if (picture->log_y && std::isnan(value_range(picture->lines, true).low))
    return nothing_above_zero("log_y", picture->runs.value.label);

  Chart chart;
  chart.about = picture->runs.value.label +
                " of the runs; stopped runs are faded, running ones are blue, the best is orange.";
  chart.legend = legend_of(*picture, scene.theme);
  chart.draw = [picture, &scene](SvgPainter& p, const Box& box) {
    draw_curves(p, box, *picture, scene.theme);
  };
  return chart;
}

}  // namespace hdrive::plot
