// SPDX-License-Identifier: Apache-2.0
//
// Runs as they are listed everywhere.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "hdrive/sweep.h"
#include "store/times.h"

namespace hdrive {
namespace {

RunReport report_run(const SweepState& state, const Run& run, const std::string& sweep_id) {
  const std::span<const double> reports = state.history().reports(run.id);
  RunReport report;
  report.run_id = run_id(sweep_id, run.id);
  report.number = run.id;
  report.attempt = run.attempt;
  report.status = run.status;
  report.ended_by = run.ended_by;
  report.hyperparameters = run.parameters;
  report.best_primary_metric = state.history().best(run.id);
  if (!reports.empty()) report.last_primary_metric = reports.back();
  report.reports = static_cast<std::int64_t>(reports.size());
  report.exit_code = run.exit_code;
  report.signal = run.signal;
  report.proposal = run.proposal;
  report.reason = run.reason;
  report.created = run.created;
  report.started = run.started;
  report.ended = run.ended;
  return report;
}

std::string number_or_null(const std::optional<double>& number) {
  return number ? base::json_number(*number) : "null";
}

std::string number_or_null(const std::optional<int>& number) {
  return number ? std::to_string(*number) : "null";
}

std::string time_or_null(Time time) {
  return time == Time{} ? "null" : base::json_string(store::iso_time(time));
}

}  // namespace

std::vector<RunReport> report_runs(const SweepState& state, const std::string& sweep_id) {
  std::vector<RunReport> reports;
  reports.reserve(static_cast<std::size_t>(state.history().size()));
  for (RunId run = 0; run < state.history().size(); ++run)
    reports.push_back(report_run(state, state.history().run(run), sweep_id));
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
