// SPDX-License-Identifier: Apache-2.0
//
// Rules by which a sweep ends with success before its budget is used up: a
// value that is good enough (stop_at), and no better one for so many runs
// (stop_without_progress). One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hdrive/spec.h"
#include "hdrive/state.h"

namespace hdrive::scheduler {

/// "run 7 reached accuracy 0.991, and stop_at is 0.99"; nothing while no run
/// has.
std::optional<std::string> target_reached(const SweepSpec& spec, const SweepState& state);

/// Counts the runs that brought nothing better. Failed ones and those that were
/// cut off say nothing of the parameters, so they do not count.
class ProgressWatch {
 public:
  /// The specification outlives it and may change.
  explicit ProgressWatch(const SweepSpec& spec) : spec_(spec) {}

  /// Looks at the runs of earlier sessions, in the order in which they ended.
  void load(const History& history);
  /// Looks at a run that has just ended.
  void observe(RunId run, const History& history);

  /// "20 runs in a row brought nothing better than 0.93 of run 7
  /// (stop_without_progress)".
  std::optional<std::string> stalled(const History& history) const;

 private:
  const SweepSpec& spec_;
  std::optional<double> best_;  // when the latest of them ended
  std::int64_t without_ = 0;
};

}  // namespace hdrive::scheduler
