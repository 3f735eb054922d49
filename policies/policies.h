// SPDX-License-Identifier: Apache-2.0
//
// The policies' rows, and what several of them compute alike.
//
// A new policy is one file, policies/NAME.cpp, with its class (final, hidden) and its row at the end,
// and one line in policies.inc. A row's `make` is called with checked options. All policies are pure
// and immutable, so that one may serve several sweeps; they are judged by their goal, which is the
// history's.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "hdrive/algorithm_table.h"
#include "hdrive/policy.h"
#include "policies/schedule.h"

namespace hdrive::policies {

using MadePolicy = Result<std::shared_ptr<const Policy>>;
using PolicyTable = AlgorithmTable<MadePolicy (*)(const Options& options, Goal goal)>;

#define POLICY(name) PolicyTable::Row name##_row();
#include "policies/policies.inc"
#undef POLICY

/// A policy of this class, as `make` returns it.
template <class Of, class... Settings>
MadePolicy made(Settings&&... settings) {
  return std::shared_ptr<const Policy>(std::make_shared<Of>(std::forward<Settings>(settings)...));
}

/// A policy that looks at a run's reports by a schedule and compares its best value with a threshold
/// drawn from other runs.
class ScheduledPolicy : public Policy {
 public:
  explicit ScheduledPolicy(const Schedule& schedule) : schedule_(schedule) {}

  Verdict judge(RunId id, const History& history) const final;
  std::string explain(const Verdict& verdict) const final;

 protected:
  const Schedule& schedule() const { return schedule_; }

 private:
  /// Of a run that is due, whose interval and best value, NaN without one, are in the verdict.
  virtual Verdict compare(Verdict verdict, RunId id, const History& history) const = 0;
  /// Why there was nothing to compare with.
  virtual std::string alone(const Verdict& verdict) const;
  /// What was compared with what. `beyond`: the run was stopped.
  virtual std::string compared(const Verdict& verdict, bool beyond) const = 0;

  Schedule schedule_;
};

/// How far rounding may have moved a threshold that sums made of numbers as large as `scale`.
inline double rounding(double threshold, double scale) {
  // Each by itself, since their sum may be too large for a number; an infinite threshold is not
  // rounded.
  constexpr double kUnit = 2 * std::numeric_limits<double>::epsilon();
  const double moved = kUnit * std::abs(scale) + kUnit * std::abs(threshold);
  return std::isfinite(moved) ? moved : 0;
}

/// Whether `value` (NaN: none) is worse than `threshold` by more than rounding: 0.6 is not below
/// 0.8 - 0.2.
inline bool is_beyond(double value, double threshold, double scale, Goal goal) {
  if (std::isnan(value)) return true;
  const double behind = goal == Goal::maximize ? threshold - value : value - threshold;
  return behind > rounding(threshold, scale);
}

/// The verdict with its last words: stop, or keep.
inline Verdict conclude(Verdict verdict, bool stop) {
  verdict.finding = stop ? Verdict::Finding::beyond : Verdict::Finding::within;
  verdict.action = stop ? Verdict::Action::stop : Verdict::Action::keep;
  return verdict;
}

}  // namespace hdrive::policies
