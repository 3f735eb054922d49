// SPDX-License-Identifier: Apache-2.0
#include "scheduler/stop_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "hdrive/repeats.h"

namespace hdrive::scheduler {

std::optional<std::string> target_reached(const SweepSpec& spec, const SweepState& state) {
  // What a repeat reaches was not looked for.
  if (!spec.stop_at || state.repeats() > 0) return std::nullopt;
  const auto best = state.history().incumbent();
  if (!best) return std::nullopt;
  const double value = *state.history().best(*best);
  if (state.history().better(*spec.stop_at, value)) return std::nullopt;
  return fmt::format("run {} reached {} {}, and stop_at is {}", *best, spec.primary_metric,
                     base::shortest(value), base::shortest(*spec.stop_at));
}

void ProgressWatch::load(const History& history) {
  std::vector<std::pair<Time, RunId>> ended;
  for (RunId run = 0; run < history.size(); ++run)
    if (is_terminal(history.run(run).status)) ended.emplace_back(history.run(run).ended, run);
  std::sort(ended.begin(), ended.end());
  for (const auto& [at, run] : ended) observe(run, history);
}

void ProgressWatch::observe(RunId run, const History& history) {
  const Run& record = history.run(run);
  const bool result = record.status == RunStatus::completed ||
                      record.ended_by == EndCause::policy ||
                      record.ended_by == EndCause::time_limit;
  // A repeat is not meant to be better.
  if (!result || repeat_from(record.proposal)) return;
  const auto value = history.best(run);
  if (value && (!best_ || history.better(*value, *best_))) {
    best_ = value;
    without_ = 0;
  } else if (best_) {
    ++without_;
  }
}

std::optional<std::string> ProgressWatch::stalled(const History& history) const {
  if (spec_.stop_without_progress == 0 || without_ < spec_.stop_without_progress)
    return std::nullopt;
  const auto best = history.incumbent();
  // One that still trains may have got further than all that ended.
  if (best && history.better(*history.best(*best), *best_)) return std::nullopt;
  return fmt::format("{} in a row brought nothing better than {} (stop_without_progress)",
                     base::plural(without_, "run"), base::shortest(*best_));
}

}  // namespace hdrive::scheduler
