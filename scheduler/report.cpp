// SPDX-License-Identifier: Apache-2.0
//
// Runs as they are listed everywhere, and the sum of them.
#include "hdrive/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "hdrive/ids.h"
#include "hdrive/state.h"

namespace hdrive {
namespace {

// How long a run trained; zero for one that never started, or of whose end nothing is known.
Duration training_time(const Run& run, std::optional<Time> now = std::nullopt) {
  const Time end = run.status == RunStatus::running && now ? *now : run.ended;
  if (run.started == Time{} || end == Time{}) return {};
  return std::max(Duration{}, end - run.started);
}

std::string number_or_null(const std::optional<double>& number) {
  return number ? base::json_number(*number) : "null";
}

std::string number_or_null(const std::optional<int>& number) {
  return number ? std::to_string(*number) : "null";
}

std::string time_or_null(Time time) {
  return time == Time{} ? "null" : base::json_string(iso_time(time));
}

}  // namespace

SweepSummary summarize(const SweepState& state, std::optional<Time> now) {
  SweepSummary summary;
  summary.status = state.status();
  summary.end = state.end();
  summary.reason = state.reason();
  summary.elapsed = state.active(now.value_or(Time{}));

  const History& history = state.history();
  summary.runs = history.size();
  Duration of_completed{};
  for (RunId id = 0; id < history.size(); ++id) {
    const Run& run = history.run(id);
    summary.compute += training_time(run, now);
    if (run.status == RunStatus::completed) {
      ++summary.completed;
      of_completed += training_time(run);
    } else if (run.status == RunStatus::failed) {
      ++summary.failed;
    } else if (run.ended_by == EndCause::policy) {
      ++summary.stopped;
    } else if (run.status == RunStatus::canceled) {
      ++summary.canceled;
    }
  }
  if (summary.completed > 0) {
    const Duration expected = of_completed / summary.completed;
    Duration saved{};
    for (RunId id = 0; id < history.size(); ++id)
      if (history.run(id).ended_by == EndCause::policy)
        saved += std::max(Duration{}, expected - training_time(history.run(id)));
    summary.saved = saved;
  }
  if (const auto best = history.incumbent()) {
    summary.best = best;
    summary.best_value = *history.best(*best);
    summary.best_run = history.run(*best);
  }
  for (const Noted& note : state.notes())
    if (note.level != Noted::Level::info)
      summary.warnings.push_back(
          (note.run ? "run " + std::to_string(*note.run) + ": " : std::string()) + note.text);
  return summary;
}

RunReport report_of(const Run& run, const std::string& sweep_id) {
  RunReport report;
  report.run_id = run_id(sweep_id, run.id);
  report.number = run.id;
  report.attempt = run.attempt;
  report.status = run.status;
  report.ended_by = run.ended_by;
  report.hyperparameters = run.parameters;
  report.exit_code = run.exit_code;
  report.signal = run.signal;
  report.proposal = run.proposal;
  report.reason = run.reason;
  report.created = run.created;
  report.started = run.started;
  report.ended = run.ended;
  return report;
}

std::vector<RunReport> report_runs(const SweepState& state, const std::string& sweep_id) {
  const History& history = state.history();
  std::vector<RunReport> reports;
  reports.reserve(static_cast<std::size_t>(history.size()));
  for (RunId run = 0; run < history.size(); ++run) {
    RunReport report = report_of(history.run(run), sweep_id);
    const std::span<const double> values = history.reports(run);
    report.best_primary_metric = history.best(run);
    if (!values.empty()) report.last_primary_metric = values.back();
    report.reports = static_cast<std::int64_t>(values.size());
    reports.push_back(std::move(report));
  }
  return reports;
}

void sort_by_primary_metric(std::vector<RunReport>& runs, Goal goal, bool reverse) {
  const bool high_first = (goal == Goal::maximize) != reverse;
  const auto finite = [](const RunReport& run) {
    return run.best_primary_metric && std::isfinite(*run.best_primary_metric);
  };
  std::sort(runs.begin(), runs.end(), [&](const RunReport& a, const RunReport& b) {
    if (finite(a) != finite(b)) return finite(a);
    if (finite(a) && *a.best_primary_metric != *b.best_primary_metric)
      return (*a.best_primary_metric > *b.best_primary_metric) == high_first;
    return a.number < b.number;
  });
}

std::string to_json(const RunReport& run) {
  const std::pair<std::string_view, std::string> members[] = {
      {"run_id", base::json_string(run.run_id)},
      {"hyperparameters", to_json(run.hyperparameters)},
      {"best_primary_metric", number_or_null(run.best_primary_metric)},
      {"status", base::json_string(to_string(run.status))},
      {"number", std::to_string(run.number)},
      {"attempt", std::to_string(run.attempt)},
      {"ended_by", base::json_string(to_string(run.ended_by))},
      {"last_primary_metric", number_or_null(run.last_primary_metric)},
      {"reports", std::to_string(run.reports)},
      {"exit_code", number_or_null(run.exit_code)},
      {"signal", number_or_null(run.signal)},
      {"proposal", base::json_string(run.proposal)},
      {"reason", base::json_string(run.reason)},
      {"created", time_or_null(run.created)},
      {"started", time_or_null(run.started)},
      {"ended", time_or_null(run.ended)}};
  std::string json = "{";
  for (const auto& [name, value] : members) {
    if (json.size() > 1) json += ',';
    json += base::json_string(name) + ':' + value;
  }
  return json + '}';
}

}  // namespace hdrive
