// SPDX-License-Identifier: Apache-2.0
#include "scheduler/failure_detector.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace hdrive::scheduler {

bool FailureDetector::shows_success(RunId run, const History& history) const {
  const RunStatus status = history.run(run).status;
  if (!is_terminal(status) || status == RunStatus::failed) return false;
  if (!history.reports(run).empty()) return true;
  return status == RunStatus::completed && !spec_.stop_without_primary_metric;
}

void FailureDetector::recall(const History& history) {
  for (RunId run = 0; run < history.size() && !succeeded_; ++run)
    succeeded_ = shows_success(run, history);
}

void FailureDetector::see(RunId run, const SweepState& state) {
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
    const Run& last = state.history().run(last_failed_);
    text =
        without_metric_ == 0
            ? fmt::format("all of the first {} runs failed", failed_)
            : fmt::format("of the first {} runs {} failed and {} ended without the primary metric",
                          counted, failed_, without_metric_);
    text += fmt::format("; the latest, run {}: {}", last.id, last.reason);
    if (!state.stderr_tail(last.id).empty())
      text += "; its last lines on stderr:\n" + state.stderr_tail(last.id);
    return text;
  }
  text = fmt::format("none of the first {} runs logged the primary metric \"{}\"", without_metric_,
                     state.primary_metric());
  if (state.metric_names().empty()) return text + "; they logged no metric at all";
  const std::vector<std::string> names(state.metric_names().begin(), state.metric_names().end());
  const std::string hint = base::did_you_mean(state.primary_metric(), names);
  return text + "; they logged " + base::join(names, ", ") + (hint.empty() ? "" : ";" + hint);
}

std::string missing_metric(RunId run, const SweepState& state) {
  const std::vector<std::string> seen = state.metric_names(run);
  const std::string text =
      fmt::format("ended without the primary metric \"{}\"", state.primary_metric());
  if (seen.empty()) return text + "; it logged no metric at all";
  const std::string hint = base::did_you_mean(state.primary_metric(), seen);
  return text + "; it logged " + base::join(seen, ", ") + (hint.empty() ? "" : ";" + hint);
}

}  // namespace hdrive::scheduler
