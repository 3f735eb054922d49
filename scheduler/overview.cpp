// SPDX-License-Identifier: Apache-2.0
#include "hdrive/overview.h"

#include <fmt/format.h>

#include <algorithm>

namespace hdrive {

std::string_view sweep_status_text(SweepStatus status, SweepEnd end) {
  return end == SweepEnd::interrupt ? "Interrupted" : to_string(status);
}

std::string sweep_status_text(const SweepEntry& sweep) {
  const bool engine_gone = !is_over(sweep.status) && !sweep.engine;
  return std::string(
      sweep_status_text(sweep.status, engine_gone ? SweepEnd::interrupt : sweep.end));
}

Result<SweepSummary> summarize(const SweepEntry& sweep, SweepReader& reader, Time now) {
  const auto totals = reader.totals(sweep.engine ? std::optional(now) : std::nullopt);
  if (!totals) return totals.error();
  SweepSummary summary;
  summary.status = sweep.status;
  summary.end = sweep.end;
  summary.reason = sweep.reason;
  summary.runs = totals->runs();
  summary.completed = totals->of(RunStatus::completed);
  summary.failed = totals->of(RunStatus::failed);
  summary.stopped = totals->stopped;
  summary.canceled = totals->of(RunStatus::canceled) - totals->stopped;
  summary.compute = totals->compute;
  summary.saved = totals->saved;
  summary.elapsed = sweep.active;
  const bool counting = sweep.status == SweepStatus::running ||
                        (sweep.status == SweepStatus::paused && totals->of(RunStatus::running) > 0);
  // Up to the last change of a run it is in already.
  const Time counted = sweep.status == SweepStatus::running ? sweep.latest : sweep.changed;
  if (counting && sweep.engine && counted != Time{})
    summary.elapsed += std::max(Duration{}, now - counted);
  if (totals->best) {
    summary.best = totals->best;
    summary.best_value = totals->best_value;
    auto best = reader.run(*totals->best);
    if (!best) return best.error();
    summary.best_run = std::move(best->run);
  }
  return summary;
}

RunReport report_of(const StoredRun& stored, const SweepHeader& header) {
  RunReport report = report_of(stored.run, header.id);
  if (const MetricFigures* primary = stored.metric(header.metric)) {
    report.best_primary_metric = primary->best(header.goal);
    report.last_primary_metric = primary->last;
    report.reports = primary->count;
  }
  return report;
}

std::string policy_sentence(const StoredRun& stored, const std::optional<RunJudged>& judged,
                            std::string_view metric) {
  const Run& run = stored.run;
  if (run.ended_by == EndCause::policy)
    return "stopped it: " + (run.reason.empty() ? stored.canceling_reason : run.reason);
  if (stored.canceling == EndCause::policy) return "is stopping it: " + stored.canceling_reason;
  if (judged) return "did not stop it: " + judged->reason;
  if (!stored.metric(metric))
    return fmt::format("never looked at it: it has not reported {}", metric);
  return "never looked at it";
}

std::optional<Duration> expected_rest(const Pace& pace) {
  if (pace.ended == 0) return std::nullopt;
  const Duration mean = pace.ended_total / pace.ended;
  Duration work = mean * pace.to_start;
  Duration longest{};
  for (const Duration age : pace.running) {
    const Duration rest = std::max(Duration{}, mean - age);
    work += rest;
    longest = std::max(longest, rest);
  }
  // All take longer than any before: how much longer nobody knows.
  if (work == Duration{} && !pace.running.empty()) return std::nullopt;
  const std::int64_t lanes =
      std::clamp<std::int64_t>(pace.to_start + static_cast<std::int64_t>(pace.running.size()), 1,
                               std::max<std::int64_t>(1, pace.at_once));
  return std::min(std::max(work / lanes, longest), std::max(Duration{}, pace.budget_left));
}

}  // namespace hdrive
