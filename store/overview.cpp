// SPDX-License-Identifier: Apache-2.0
#include "store/overview.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

namespace hdrive::store {
namespace {

void count(const RunState& run, SweepEntry& entry) {
  ++entry.runs;
  if (!is_terminal(run.status)) ++entry.live;
  if (run.status == RunStatus::completed) ++entry.completed;
  if (run.status == RunStatus::failed) ++entry.failed;
  if (run.status == RunStatus::canceled) ++entry.canceled;
}

Duration time_of(const RunState& run, std::optional<Time> now) {
  std::optional<Time> end = run.ended;
  if (run.status == RunStatus::running && now) end = now;
  return end && run.started ? std::max(Duration{}, *end - *run.started) : Duration{};
}

void add_runs(const std::vector<RunState>& runs, std::optional<Time> now, SweepTotals& totals) {
  Duration of_completed{};
  std::vector<Duration> of_stopped;
  for (const RunState& run : runs) {
    ++totals.by_status[static_cast<std::size_t>(run.status)];
    const Duration took = time_of(run, now);
    totals.compute += took;
    if (run.status == RunStatus::completed) of_completed += took;
    if (run.ended_by == EndCause::policy) of_stopped.push_back(took);
  }
  totals.stopped = static_cast<std::int64_t>(of_stopped.size());
  const std::int64_t completed = totals.of(RunStatus::completed);
  if (completed == 0) return;
  Duration saved{};
  for (const Duration took : of_stopped)
    saved += std::max(Duration{}, of_completed / completed - took);
  totals.saved = saved;
}

}  // namespace

Result<SweepEntry> read_entry(Parts& parts) {
  SweepEntry entry;
  Result<SweepHeader> header = parts.header();
  if (!header) return header.error();
  entry.header = *std::move(header);
  Result<SweepChanged> standing = parts.standing();
  if (!standing) return standing.error();
  entry.status = standing->status;
  entry.end = standing->end;
  entry.reason = std::move(standing->reason);
  entry.active = standing->active;
  entry.changed = standing->at;
  entry.latest = std::max(entry.changed, parts.latest());
  const auto states = parts.states();
  if (!states) return states.error();
  for (const RunState& run : **states) count(run, entry);
  // What a dead engine used up after it last said so.
  // One that was repaired has not said so yet.
  const Time said = std::max(entry.changed, entry.header.created);
  if (entry.status == SweepStatus::running && entry.latest > said)
    entry.active += entry.latest - said;
  return entry;
}

namespace {

// The best finite values of the primary metric, by number.
Result<void> each_best(Parts& parts, Goal goal, const std::string& name,
                       const std::function<void(RunId, double)>& tell) {
  const auto metric = parts.name(name);
  if (!metric) return metric.error();
  if (*metric == nullptr) return {};
  return parts.each_figure(**metric, [&](RunId run, const MetricSummary& it) {
    if (it.finite > 0) tell(run, goal == Goal::maximize ? it.greatest : it.least);
  });
}

}  // namespace

Result<std::vector<Improvement>> read_improvements(Parts& parts) {
  const Result<SweepHeader> header = parts.header();
  if (!header) return header.error();
  std::vector<Improvement> all;
  const bool highest = header->goal == Goal::maximize;
  Result<void> read = each_best(parts, header->goal, header->metric, [&](RunId run, double value) {
    const double before = all.empty() ? 0 : all.back().value;
    if (all.empty() || (highest ? value > before : value < before)) all.push_back({run, value});
  });
  if (!read) return read.error();
  return all;
}

Result<std::vector<RunOutline>> read_outlines(Parts& parts) {
  const Result<SweepHeader> header = parts.header();
  if (!header) return header.error();
  const auto states = parts.states();
  if (!states) return states.error();
  std::vector<RunOutline> all;
  all.reserve((*states)->size());
  for (const RunState& it : **states)
    all.push_back({it.run, it.attempt, it.status, it.ended_by, it.started, it.ended, {}});
  Result<void> read = each_best(parts, header->goal, header->metric, [&](RunId run, double value) {
    if (run >= 0 && static_cast<std::size_t>(run) < all.size())
      all[static_cast<std::size_t>(run)].best = value;
  });
  if (!read) return read.error();
  return all;
}

Result<SweepTotals> read_totals(Parts& parts, std::optional<Time> now) {
  SweepTotals totals;
  const auto states = parts.states();
  if (!states) return states.error();
  add_runs(**states, now, totals);
  const auto improvements = read_improvements(parts);
  if (!improvements) return improvements.error();
  if (!improvements->empty()) {
    totals.best = improvements->back().run;
    totals.best_value = improvements->back().value;
  }
  totals.latest = parts.latest();
  return totals;
}

Result<std::vector<MetricTotals>> read_metric_totals(Parts& parts) {
  const auto names = parts.names();
  if (!names) return names.error();
  std::vector<MetricTotals> all;
  for (const MetricName& name : **names) {
    MetricTotals totals;
    totals.name = name.text;
    MetricSummary sum;
    Result<void> read = parts.each_figure(name, [&](RunId, const MetricSummary& it) {
      ++totals.runs;
      totals.count += it.count;
      sum.least = std::fmin(sum.least, it.least);
      sum.greatest = std::fmax(sum.greatest, it.greatest);
    });
    if (!read) return read.error();
    if (totals.runs == 0) continue;  // logged by attempts alone that were given up
    if (!std::isnan(sum.least)) totals.least = sum.least;
    if (!std::isnan(sum.greatest)) totals.greatest = sum.greatest;
    all.push_back(totals);
  }
  return all;
}

}  // namespace hdrive::store
