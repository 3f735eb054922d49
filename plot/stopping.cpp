// SPDX-License-Identifier: Apache-2.0
//
// What early stopping would have done: the sweep's own policy asked about the curves that are stored, as if all runs had
// trained side by side; its threshold, where it would have ended each, and what that saves.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "hdrive/policy.h"
#include "plot/chart.h"
#include "plot/words.h"

namespace hdrive::plot {
namespace {

// Their reports are read whole, since policies count them.
constexpr std::int64_t kMostCurves = 300;
constexpr std::int64_t kMostDrawn = 80;
constexpr std::int64_t kUsualDelay = 5;

struct Replay {
  std::vector<Series> all;
  std::vector<double> threshold;         // at each report from 1; NaN: the policy did not look
  std::vector<std::int64_t> stopped_at;  // of each curve the report, 0: never
  std::int64_t stopped = 0;
  double saved = 0;  // of all reports the share
  bool best_lost = false;
};

// A policy that compares needs runs to compare with: of a sweep that has none it is the one that has no settings to guess.
AlgorithmSpec policy_of(const SweepSpec& spec) {
  if (spec.policy.name != "no_termination" && !spec.policy.name.empty()) return spec.policy;
  return {"median_stopping", {{"delay_evaluation", kUsualDelay}}};
}

void replay(Replay& it, const Policy& policy, Goal goal) {
  History history(goal);
  std::int64_t longest = 0, reports = 0, saved = 0;
  for (std::size_t i = 0; i < it.all.size(); ++i) {
    Run run;
    run.id = static_cast<RunId>(i);
    history.add(std::move(run));
    history.set_status(static_cast<RunId>(i), RunStatus::running);
    longest = std::max(longest, std::ssize(it.all[i].points));
    reports += std::ssize(it.all[i].points);
  }
  it.stopped_at.assign(it.all.size(), 0);
  for (std::int64_t place = 0; place < longest; ++place) {
    std::vector<RunId> there;
    for (std::size_t i = 0; i < it.all.size(); ++i) {
      const auto id = static_cast<RunId>(i);
      if (history.run(id).status != RunStatus::running) continue;
      if (place >= std::ssize(it.all[i].points)) {
        history.set_status(id, RunStatus::completed, EndCause::exited);
        continue;
      }
      history.report(id, it.all[i].points[static_cast<std::size_t>(place)].value);
      there.push_back(id);
    }
    std::vector<double> thresholds;
    std::vector<RunId> doomed;
    for (const RunId id : there) {
      const Verdict verdict = policy.judge(id, history);
      if (std::isfinite(verdict.threshold)) thresholds.push_back(verdict.threshold);
      if (verdict.action == Verdict::Action::stop) doomed.push_back(id);
    }
    for (const RunId id : doomed) {
      history.set_status(id, RunStatus::canceled, EndCause::policy);
      it.stopped_at[static_cast<std::size_t>(id)] = place + 1;
      saved += std::ssize(it.all[static_cast<std::size_t>(id)].points) - place - 1;
    }
    // Where each run is compared with its own, the middle one stands for them.
    std::sort(thresholds.begin(), thresholds.end());
    it.threshold.push_back(quantile(thresholds, 0.5));
  }
  it.stopped =
      std::count_if(it.stopped_at.begin(), it.stopped_at.end(), [](auto at) { return at > 0; });
  it.saved = reports > 0 ? static_cast<double>(saved) / static_cast<double>(reports) : 0;
}

std::vector<double> best_so_far(const Series& series, Goal goal) {
  std::vector<double> result;
  double best = std::numeric_limits<double>::quiet_NaN();
  for (const Series::Point& point : series.points) {
    if (std::isfinite(point.value) &&
        (std::isnan(best) || (goal == Goal::minimize ? point.value < best : point.value > best)))
      best = point.value;
    result.push_back(best);
  }
  return result;
}

bool loses_best(const Replay& it, Goal goal) {
  std::size_t best = it.all.size();
  double value = 0;
  for (std::size_t i = 0; i < it.all.size(); ++i) {
    const double own = best_so_far(it.all[i], goal).back();
    if (std::isnan(own) ||
        (best < it.all.size() && !(goal == Goal::minimize ? own < value : own > value)))
      continue;
    best = i;
    value = own;
  }
  return best < it.all.size() && it.stopped_at[best] > 0 &&
         it.stopped_at[best] < std::ssize(it.all[best].points);
}

// A curve in two: up to where the policy would have stopped it, and what it did after that.
void draw_replay(SvgPainter& p, const Box& box, const Replay& it, const Scene& scene) {
  const Goal goal = scene.header.goal;
  const Theme& theme = scene.theme;
  std::vector<double> values;
  for (const Series& series : it.all)
    for (const double value : best_so_far(series, goal)) values.push_back(value);
  values = sorted_finite(values);
  const bool minimize = goal == Goal::minimize;
  const bool log = scene.options.log_y;
  Range range{minimize ? quantile(values, 0) : quantile(values, 0.06),
              minimize ? quantile(values, 0.94) : quantile(values, 1)};
  if (log && !(range.low > 0)) range = extent(values, true);
  const double last = static_cast<double>(it.threshold.size());
  const Frame frame = lay_out(box, {.range = {1, last}, .label = "report", .pad = 0.01},
                              {.kind = log ? ScaleKind::log : ScaleKind::linear,
                               .range = range,
                               .label = "best so far " + scene.metric});
  draw_axes(p, frame, theme);
  const double alpha = std::clamp(60 / static_cast<double>(it.all.size()), 0.25, 0.9);
  Path kept, stopped, rest;
  std::vector<Point> ends;
  for (std::size_t i = 0; i < it.all.size(); ++i) {
    const std::vector<double> best = best_so_far(it.all[i], goal);
    const auto count = std::ssize(best);
    const std::int64_t at = it.stopped_at[i] > 0 ? it.stopped_at[i] : count;
    const std::int64_t stride = std::max<std::int64_t>(1, count / kMostDrawn);
    std::vector<double> x[2], y[2];
    for (std::int64_t place = 1; place <= count; ++place) {
      if (place % stride != 0 && place != 1 && place != at && place != count) continue;
      const double px = frame.x(static_cast<double>(place));
      const double py = frame.y(best[static_cast<std::size_t>(place - 1)]);
      if (place <= at) x[0].push_back(px), y[0].push_back(py);
      if (place >= at) x[1].push_back(px), y[1].push_back(py);
    }
    (it.stopped_at[i] > 0 ? stopped : kept).through(x[0], y[0]);
    if (it.stopped_at[i] == 0) continue;
    if (x[1].size() > 1) rest.through(x[1], y[1]);
    ends.push_back({x[0].back(), y[0].back()});
  }
  p.clip(frame.box.x, frame.box.y, frame.box.width + 1, frame.box.height + 1, [&] {
    p.path(rest, {theme.faded, 1.1, alpha * 0.8, "2 3"});
    p.path(stopped, {theme.stopped, 1.1, alpha});
    p.path(kept, {theme.shades[48], 1.1, alpha});
    p.dots(ends, 2, theme.failed, 1);
    std::vector<double> x, y;
    for (std::size_t i = 0; i < it.threshold.size(); ++i) {
      if (std::isnan(it.threshold[i])) continue;
      x.push_back(frame.x(static_cast<double>(i + 1)));
      y.push_back(frame.y(it.threshold[i]));
    }
    p.line(x, y, {theme.failed, 2});
  });
}

}  // namespace

Result<Chart> make_stopping(const Scene& scene) {
  auto curves = sweep_curves(scene.reader, scene.header.goal,
                             {.metric = scene.metric, .points = 0, .most = kMostCurves});
  if (!curves) return curves.error();
  if (curves->series.empty()) return no_value(scene);
  if (curves->series.size() < 2)
    return Error{"", "early stopping compares runs, and only one has values of " + scene.metric,
                 Error::Kind::not_found};
  const AlgorithmSpec spec = policy_of(scene.spec);
  const auto policy = make_policy(spec, scene.header.goal);
  if (!policy) return policy.error();
  auto it = std::make_shared<Replay>();
  it->all = std::move(curves->series);
  replay(*it, **policy, scene.header.goal);
  it->best_lost = loses_best(*it, scene.header.goal);

  Chart chart;
  chart.about =
      "What a policy would have done with these curves, as if all runs had trained side by side: " +
      (*policy)->describe();
  chart.legend = {
      {LegendEntry::Mark::line, scene.theme.failed,
       "threshold of " + spec.name +
           (scene.spec.policy == spec ? "" : " (the sweep has no policy)")},
      {.text = "would stop " + count_text(it->stopped) + " of " + count_text(std::ssize(it->all)) +
               " and save " + percent_text(it->saved) + " of the reports"},
      {.text = it->best_lost ? "the best run would have been lost"
                             : "the best run would have gone on"}};
  chart.draw = [it, &scene](SvgPainter& p, const Box& box) { draw_replay(p, box, *it, scene); };
  return chart;
}

}  // namespace hdrive::plot
