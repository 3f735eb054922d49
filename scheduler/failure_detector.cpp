// SPDX-License-Identifier: Apache-2.0
#include "scheduler/failure_detector.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace hdrive::scheduler {

namespace {

std::string how_it_failed(RunId run, const SweepState& state) {
  std::string text = fmt::format("run {}: {}", run, state.history().run(run).reason);
  if (!state.stderr_tail(run).empty())
    text += "; its last lines on stderr:\n" + state.stderr_tail(run);
  return text;
}

// A script of azureml.core may well have logged, to Azure's own SDK.
std::string logs_elsewhere(AzuremlSdk sdk) {
  if (sdk == AzuremlSdk::stand_in) return "";
  return fmt::format(
      "; with azureml_sdk: {} what azureml.core logs goes to Azure's own SDK where that is "
      "installed; "
      "azureml_sdk: stand_in has it logged to the sweep",
      to_string(sdk));
}

}  // namespace

bool FailureDetector::shows_success(RunId run, const History& history) const {
  const RunStatus status = history.run(run).status;
  if (!is_terminal(status) || status == RunStatus::failed) return false;
  if (!history.reports(run).empty()) return true;
  return status == RunStatus::completed && !spec_.stop_without_primary_metric;
}

void FailureDetector::load(const History& history) {
  for (RunId run = 0; run < history.size() && !succeeded_; ++run)
    succeeded_ = shows_success(run, history);
}

void FailureDetector::observe_attempt(RunId run, const SweepState& state) {
  const Run& record = state.history().run(run);
  if (record.status == RunStatus::failed || record.ended_by == EndCause::silent) {
    ++in_a_row_;
    latest_ = how_it_failed(run, state);
  } else if (record.status == RunStatus::completed || record.ended_by == EndCause::policy) {
    in_a_row_ = 0;
  }  // what was cut off shows nothing
}

void FailureDetector::observe(RunId run, const SweepState& state) {
  const Run& record = state.history().run(run);
  succeeded_ = succeeded_ || shows_success(run, state.history());
  if (record.status == RunStatus::failed) {
    if (!spec_.stop_when_all_fail) return;
    ++failed_;
    last_failed_ = run;
  } else if (spec_.stop_without_primary_metric && state.history().reports(run).empty() &&
             (record.status == RunStatus::completed || record.ended_by == EndCause::time_limit)) {
    ++without_metric_;
  }
}

std::optional<std::string> FailureDetector::hopeless(const SweepState& state) const {
  const std::int64_t counted = failed_ + without_metric_;
  if (succeeded_ || counted < std::max<std::int64_t>(3, spec_.max_concurrent_runs))
    return std::nullopt;

  std::string text;
  if (failed_ > 0) {
    text = without_metric_ == 0 ? fmt::format("all of the first {} runs failed", failed_)
                                : fmt::format(
                                      "of the first {} runs {} failed and {} ended "
                                      "without the primary metric",
                                      counted, failed_, without_metric_);
    return text + "; the latest, " + how_it_failed(last_failed_, state);
  }
  text = fmt::format("none of the first {} runs logged the primary metric \"{}\"", without_metric_,
                     state.primary_metric());
  if (state.metric_names().empty())
    return text + "; they logged no metric at all" + logs_elsewhere(spec_.azureml_sdk);
  const std::vector<std::string> names(state.metric_names().begin(), state.metric_names().end());
  const std::string hint = base::did_you_mean(state.primary_metric(), names);
  return text + "; they logged " + base::join(names, ", ") + (hint.empty() ? "" : ";" + hint);
}

std::optional<std::string> FailureDetector::failing() const {
  const std::int64_t most = spec_.stop_after_consecutive_failures;
  if (most == 0 || in_a_row_ < most) return std::nullopt;
  return fmt::format("{} in a row failed (stop_after_consecutive_failures); the latest, {}",
                     base::plural(in_a_row_, "run"), latest_);
}

std::string missing_metric(RunId run, const SweepState& state, AzuremlSdk azureml_sdk) {
  const std::vector<std::string> seen = state.metric_names(run);
  const std::string text =
      fmt::format("ended without the primary metric \"{}\"", state.primary_metric());
  if (seen.empty()) return text + "; it logged no metric at all" + logs_elsewhere(azureml_sdk);
  const std::string hint = base::did_you_mean(state.primary_metric(), seen);
  return text + "; it logged " + base::join(seen, ", ") + (hint.empty() ? "" : ";" + hint);
}

}  // namespace hdrive::scheduler
