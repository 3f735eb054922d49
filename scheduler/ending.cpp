// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ending.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace hdrive::scheduler {

SweepStatus status_after(SweepEnd end, const History& history) {
  switch (end) {
    case SweepEnd::user:
    case SweepEnd::interrupt:
      return SweepStatus::canceled;
    case SweepEnd::hopeless:
    case SweepEnd::failing:
    case SweepEnd::blocked:
    case SweepEnd::error:
      return SweepStatus::failed;
    case SweepEnd::target:
      return SweepStatus::completed;
    default:
      break;
  }
  for (RunId run = 0; run < history.size(); ++run) {
    const Run& record = history.run(run);
    if (record.status == RunStatus::completed) return SweepStatus::completed;
    if (record.ended_by == EndCause::policy && history.best(run)) return SweepStatus::completed;
  }
  return SweepStatus::failed;
}

std::string none_completed(const History& history) {
  if (status_after(SweepEnd::all_runs, history) != SweepStatus::failed) return "";
  std::int64_t late = 0, stopped = 0, canceled = 0;
  for (RunId run = 0; run < history.size(); ++run) {
    const EndCause cause = history.run(run).ended_by;
    if (cause == EndCause::time_limit) ++late;
    if (cause == EndCause::policy) ++stopped;
    if (cause == EndCause::user) ++canceled;
  }
  const std::pair<std::int64_t, std::string_view> parts[] = {
      {history.count(RunStatus::failed), "failed"},
      {late, "ran longer than max_run_duration_seconds"},
      {stopped, "stopped by the policy without a finite value"},
      {canceled, "stopped by `hdrive stop`"}};
  std::vector<std::string> told;
  for (const auto& [runs, what] : parts)
    if (runs > 0) told.push_back(fmt::format("{} {}", runs, what));
  return "; none completed" + (told.empty() ? "" : ": " + base::join(told, ", "));
}

std::string all_ended(const History& history) {
  return (history.size() == 1 ? "the run has ended"
                              : fmt::format("all {} runs have ended", history.size())) +
         none_completed(history);
}

std::optional<std::string> policy_without_use(const SweepSpec& spec, const History& history) {
  constexpr int kEnough = 3;
  if (spec.policy.name == SweepSpec().policy.name) return std::nullopt;
  int completed = 0;
  for (RunId run = 0; run < history.size(); ++run) {
    const std::size_t reports = history.reports(run).size();
    if (reports > 1) return std::nullopt;
    if (reports == 1 && history.run(run).status == RunStatus::completed) ++completed;
  }
  if (completed < kEnough) return std::nullopt;
  return fmt::format(
      "no run reported {} more than once, at its end, so the policy ({}) saves no time and may cut "
      "off what a script does after its report; report after each epoch, or leave the policy out",
      spec.primary_metric, spec.policy.name);
}

std::string why_not_stopped(const History& history, std::optional<RunId> run) {
  if (!run) return "no run was named";
  if (*run >= 0 && *run < history.size())
    return fmt::format("run {} is over already ({})", *run, to_string(history.run(*run).status));
  if (history.size() == 0) return fmt::format("run {} has not begun; there are no runs yet", *run);
  return fmt::format("run {} has not begun; there {} {}", *run, history.size() == 1 ? "is" : "are",
                     base::plural(history.size(), "run"));
}

std::string time_budget(const SweepSpec& spec) {
  const double minutes = static_cast<double>(spec.max_duration.count()) / 60'000;
  return fmt::format("max_duration_minutes ({})", base::shortest(minutes));
}

}  // namespace hdrive::scheduler
