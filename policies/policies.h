// SPDX-License-Identifier: Apache-2.0
//
// The policies of this folder: what each can be told, and how to make it. The registry calls these.
//
// All are pure and immutable, so that one may serve several sweeps. They are judged by their goal,
// which is the history's.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "hdrive/policy.h"
#include "policies/schedule.h"

namespace hdrive::policies {

/// Stops a run whose best value lags too far behind the best of all runs. Exactly one slack is set.
struct BanditOptions {
  Goal goal = Goal::maximize;
  Schedule schedule;
  std::optional<double> slack_factor;  ///< as a fraction of the best value, >= 0
  std::optional<double> slack_amount;  ///< in the metric's unit, >= 0
};
std::shared_ptr<const Policy> make_bandit(const BanditOptions& options);

/// Stops a run whose best value is worse than the median of the other runs' averages.
struct MedianStoppingOptions {
  Goal goal = Goal::maximize;
  Schedule schedule;
};
std::shared_ptr<const Policy> make_median_stopping(const MedianStoppingOptions& options);

/// Stops the worst runs of each interval.
struct TruncationSelectionOptions {
  Schedule schedule;
  std::int64_t truncation_percentage = 10;  ///< of the ranked runs, 1 to 99
  bool exclude_finished_jobs = false;       ///< rank only runs that have not ended
};
std::shared_ptr<const Policy> make_truncation_selection(const TruncationSelectionOptions& options);

/// Stops nothing.
std::shared_ptr<const Policy> make_no_termination();

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
