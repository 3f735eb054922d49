// SPDX-License-Identifier: Apache-2.0
//
// FailureDetector: tells when a sweep cannot succeed, from the first runs that
// ended by themselves; and when it has stopped succeeding, from the latest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hdrive/spec.h"
#include "hdrive/state.h"

namespace hdrive::scheduler {

/// Failures are those of one session: a resumed sweep gets a new chance, since
/// somebody may have mended the script. What succeeded in any session shows
/// that something can.
class FailureDetector {
 public:
  /// The specification outlives it and may change.
  explicit FailureDetector(const SweepSpec& spec) : spec_(spec) {}

  /// Looks at the runs of earlier sessions.
  void load(const History& history);

  /// Looks at an attempt that has just ended, before the run is queued again if
  /// it will be.
  void observe_attempt(RunId run, const SweepState& state);
  /// Looks at a run that has just ended and is not tried again.
  void observe(RunId run, const SweepState& state);

  /// Why nothing can succeed, if the first max(3, max_concurrent_runs) runs all
  /// failed, or none of them logged the primary metric (reference, 10.13).
  std::optional<std::string> hopeless(const SweepState& state) const;

  /// "10 runs in a row failed (stop_after_consecutive_failures)" and how the
  /// latest did, while that is so. A run that still trains may yet prove
  /// otherwise.
  std::optional<std::string> failing() const;

 private:
  /// Whether it shows that something can succeed: it gave a result, or one is
  /// not asked for.
  bool shows_success(RunId run, const History& history) const;

  const SweepSpec& spec_;
  std::int64_t failed_ = 0;  // these two: of the kinds that are judged
  std::int64_t without_metric_ = 0;
  bool succeeded_ = false;
  RunId last_failed_ = -1;
  std::int64_t in_a_row_ = 0;  // failed attempts
  std::string latest_;         // how the latest of them did
};

/// "ended without the primary metric ...", with the names that were seen and
/// the nearest one; of a run that logged nothing, where azureml.core may have
/// logged it instead.
std::string missing_metric(RunId run, const SweepState& state, AzuremlSdk azureml_sdk);

}  // namespace hdrive::scheduler
