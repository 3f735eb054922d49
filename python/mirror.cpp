// SPDX-License-Identifier: Apache-2.0
#include "python/mirror.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"

namespace hdrive::python {
namespace {

// What runs are ordered by; those without come last.
using Key = std::variant<std::monostate, double, std::string>;

Key number_of(std::optional<double> number) {
  return number && !std::isnan(*number) ? Key(*number) : Key();
}
Key moment(Time time) {
  return time == Time{} ? Key() : Key(static_cast<double>(time.time_since_epoch().count()));
}

Key value_key(const Value* value) {
  if (!value) return {};
  if (const auto number = as_number(*value)) return *number;
  return to_text(*value);
}

Key key_of(const StoredRun& stored, const RunOrder& order, const std::string& metric, Goal goal) {
  using By = RunOrder::By;
  const Run& run = stored.run;
  const MetricFigures* figures = stored.metric(order.name.empty() ? metric : order.name);
  switch (order.by) {
    case By::number:
      return static_cast<double>(run.id);
    case By::status:
      return static_cast<double>(run.status);
    case By::created:
      return moment(run.created);
    case By::started:
      return moment(run.started);
    case By::ended:
      return moment(run.ended);
    case By::duration:
      if (run.started == Time{} || run.ended == Time{}) return {};
      return static_cast<double>((run.ended - run.started).count());
    case By::attempt:
      return static_cast<double>(run.attempt);
    case By::cpu_time:
      return stored.cpu_time ? Key(static_cast<double>(stored.cpu_time->count())) : Key();
    case By::peak_memory:
      return stored.peak_memory ? Key(static_cast<double>(*stored.peak_memory)) : Key();
    case By::parameter:
      return value_key(find(run.parameters, order.name));
    case By::best:
      return number_of(figures ? figures->best(goal) : std::nullopt);
    case By::last:
      return number_of(figures ? std::optional(figures->last) : std::nullopt);
  }
  return {};
}

bool is_let_through(const StoredRun& stored, const RunFilter& filter) {
  const Run& run = stored.run;
  if (!filter.statuses.empty() && std::find(filter.statuses.begin(), filter.statuses.end(),
                                            run.status) == filter.statuses.end())
    return false;
  if (filter.from && run.id < *filter.from) return false;
  if (filter.below && run.id >= *filter.below) return false;
  if (filter.text.empty()) return true;
  const std::string text = base::lower(filter.text);
  for (const std::string& where : {to_json(run.parameters), run.reason, run.proposal})
    if (base::lower(where).find(text) != std::string::npos) return true;
  return false;
}

void add(MetricFigures& figures, const Series::Point& point) {
  ++figures.count;
  figures.last = point.value;
  if (point.step) figures.last_step = point.step;
  if (!std::isfinite(point.value)) {
    ++figures.not_finite;
    return;
  }
  figures.least = std::min(figures.least.value_or(point.value), point.value);
  figures.greatest = std::max(figures.greatest.value_or(point.value), point.value);
}

}  // namespace

Mirror::Mirror(std::string primary_metric, Goal goal) : state_(std::move(primary_metric), goal) {}

void Mirror::take(const RunMetrics& metrics) {
  Extra& extra = extras_[static_cast<std::size_t>(metrics.run)];
  extra.reported = metrics.at;
  for (const Metric& metric : metrics.metrics) {
    auto& series = extra.series[metric.name];
    series.push_back({static_cast<std::int64_t>(series.size()), metric.step, metric.value,
                      metric.time.value_or(metrics.at)});
    auto figures = std::find_if(extra.figures.begin(), extra.figures.end(),
                                [&](const auto& each) { return each.name == metric.name; });
    if (figures == extra.figures.end())
      figures = extra.figures.insert(figures, MetricFigures{.name = metric.name});
    add(*figures, series.back());
  }
}

void Mirror::on_change(const Change& change, const SweepState&) {
  const std::lock_guard lock(mutex_);
  state_.apply(change);
  const auto extra = [&](RunId run) -> Extra& { return extras_[static_cast<std::size_t>(run)]; };
  if (const auto* proposed = std::get_if<RunProposed>(&change)) {
    extras_.emplace_back().start_point = proposed->start_point;
  } else if (const auto* started = std::get_if<RunStarted>(&change)) {
    extra(started->run).pid = started->pid;
    extra(started->run).slot = started->slot;
  } else if (const auto* metrics = std::get_if<RunMetrics>(&change)) {
    take(*metrics);
  } else if (const auto* judged = std::get_if<RunJudged>(&change)) {
    // The stop is what counts; what is judged after it is not told.
    extra(judged->run).judged = *judged;
  } else if (const auto* ended = std::get_if<RunEnded>(&change)) {
    extra(ended->run).stderr_tail = ended->stderr_tail;
    extra(ended->run).cpu_time = ended->cpu_time;
    extra(ended->run).peak_memory = ended->peak_memory;
  } else if (const auto* requeued = std::get_if<RunRequeued>(&change)) {
    extra(requeued->run) = Extra{.start_point = extra(requeued->run).start_point};
  }
}

std::int64_t Mirror::size() const {
  const std::lock_guard lock(mutex_);
  return state_.history().size();
}

StoredRun Mirror::stored(RunId run) const {
  const Extra& extra = extras_[static_cast<std::size_t>(run)];
  StoredRun stored;
  stored.run = state_.history().run(run);
  stored.start_point = extra.start_point;
  stored.pid = extra.pid;
  stored.slot = extra.slot;
  stored.cpu_time = extra.cpu_time;
  stored.peak_memory = extra.peak_memory;
  stored.canceling = state_.canceling(run);
  stored.canceling_reason = state_.canceling_reason(run);
  stored.stderr_tail = extra.stderr_tail;
  stored.reported = extra.reported;
  stored.metrics = extra.figures;
  std::sort(stored.metrics.begin(), stored.metrics.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return stored;
}

std::optional<StoredRun> Mirror::run(RunId run) const {
  const std::lock_guard lock(mutex_);
  if (run < 0 || run >= state_.history().size()) return std::nullopt;
  return stored(run);
}

RunPage Mirror::runs(const RunQuery& query) const {
  const std::lock_guard lock(mutex_);
  const Goal goal = state_.history().goal();
  std::vector<std::pair<Key, StoredRun>> found;
  for (RunId run = 0; run < state_.history().size(); ++run) {
    StoredRun each = stored(run);
    if (!is_let_through(each, query.filter)) continue;
    Key key = key_of(each, query.order, state_.primary_metric(), goal);
    found.emplace_back(std::move(key), std::move(each));
  }
  // Best first is upwards where the goal is to minimise.
  const bool downwards =
      (query.order.by == RunOrder::By::best && goal == Goal::maximize) != query.order.descending;
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    const bool a_has = a.first.index() != 0, b_has = b.first.index() != 0;
    if (a_has != b_has) return a_has;
    return downwards ? b.first < a.first : a.first < b.first;
  });
  RunPage page;
  page.matching = static_cast<std::int64_t>(found.size());
  const std::int64_t from = std::clamp<std::int64_t>(query.offset, 0, page.matching);
  const std::int64_t to =
      query.limit ? std::min(page.matching, from + std::max<std::int64_t>(0, *query.limit))
                  : page.matching;
  for (std::int64_t i = from; i < to; ++i)
    page.runs.push_back(std::move(found[static_cast<std::size_t>(i)].second));
  return page;
}

Series Mirror::series(RunId run, const std::string& metric) const {
  const std::lock_guard lock(mutex_);
  Series result;
  result.run = run;
  if (run < 0 || run >= state_.history().size()) return result;
  result.attempt = state_.history().run(run).attempt;
  const auto& series = extras_[static_cast<std::size_t>(run)].series;
  if (const auto found = series.find(metric); found != series.end()) result.points = found->second;
  result.count = static_cast<std::int64_t>(result.points.size());
  return result;
}

std::optional<RunJudged> Mirror::judged(RunId run) const {
  const std::lock_guard lock(mutex_);
  if (run < 0 || run >= state_.history().size()) return std::nullopt;
  return extras_[static_cast<std::size_t>(run)].judged;
}

}  // namespace hdrive::python
