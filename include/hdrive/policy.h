// SPDX-License-Identifier: Apache-2.0
//
// Policy: decides, at each report of a run's primary metric, whether the run goes on. Implement it
// to bring your own.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "hdrive/history.h"
#include "hdrive/registry.h"
#include "hdrive/result.h"

namespace hdrive {

/// A decision and the numbers it rests on. The sentence is made by `Policy::explain`, only where
/// somebody will read it: a sweep judges far more often than it stops.
struct Verdict {
  enum class Action { keep, stop };
  enum class Finding {
    not_due,   ///< the policy does not fire at this interval
    no_peers,  ///< nothing to compare with
    within,    ///< compared, and kept
    beyond,    ///< compared, and stopped
    other      ///< see `note`: a policy of one's own
  };
  Action action = Action::keep;
  Finding finding = Finding::not_due;
  std::int64_t interval = 0;  ///< the report at which the run was judged, from 1
  std::int64_t peers = 0;     ///< how many runs the threshold was drawn from
  double value = std::numeric_limits<double>::quiet_NaN();      ///< the judged run's
  double threshold = std::numeric_limits<double>::quiet_NaN();  ///< what it was compared with
  RunId leader = -1;  ///< the run that set the threshold, where it was one
  std::string note;   ///< anything else worth telling; taken over by `explain`
  /// The leader's value at this interval. For `explain`; not stored.
  double leader_value = std::numeric_limits<double>::quiet_NaN();
};

/// Judges runs.
///
/// Pure: the same run and history give the same verdict. `judge` runs on the thread of the sweep,
/// for every report of the primary metric, so it should take a microsecond, not a millisecond:
/// `History` keeps the order statistics. The policy outlives the sweep.
class Policy {
 public:
  virtual ~Policy() = default;

  /// Called right after run `id` reported; its interval is `history.reports(id).size()`.
  virtual Verdict judge(RunId id, const History& history) const = 0;

  /// The verdict as a sentence: which value was compared with which threshold, drawn from which
  /// runs, or why the policy did not fire.
  virtual std::string explain(const Verdict& verdict) const = 0;

  /// One line for the user: the algorithm and its settings.
  virtual std::string describe() const = 0;
};

/// The policy of `policy_algorithms()` that `spec` names. Fails where the options contradict each
/// other (both slacks, or neither), saying what is allowed.
Result<std::shared_ptr<const Policy>> make_policy(const AlgorithmSpec& spec, Goal goal);

}  // namespace hdrive
