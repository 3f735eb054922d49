// SPDX-License-Identifier: Apache-2.0
//
// Repeats: the best parameter sets of a sweep, run again at its end with new seeds
// (SweepSpec::repeat_best), and what came of it. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hdrive/history.h"

namespace hdrive {

/// Of which run a run is the repeat. Kept as the sentence that says why its parameters were chosen.
struct Repeat {
  RunId of = 0;
  std::int64_t number = 1, times = 1;  ///< the number-th of so many, from 1

  bool operator==(const Repeat&) const = default;
};
/// How the sentence of each repeat begins, and no other.
inline constexpr std::string_view kRepeatBegins = "repeat of run ";
/// "repeat of run 17 (2 of 5)".
std::string to_text(const Repeat& repeat);
/// What a run's `proposal` says; nothing for a run that is no repeat.
std::optional<Repeat> repeat_from(std::string_view proposal);

/// What the repeats of one run came to. The run itself is not among them: it was chosen for its
/// value, which flatters it.
struct RepeatedRun {
  RunId run = 0;
  std::vector<double> values;  ///< the finite best values of the repeats that completed
  double mean = 0;             ///< NaN without a value
  /// The mean lies within so much of what further repeats would come to, with 95 % confidence
  /// (Student's t); NaN with fewer than two values.
  double half_width = 0;
};
/// The best mean first; those without a value last, ties in the order of the runs' numbers.
std::vector<RepeatedRun> repeated_runs(
    const std::vector<std::pair<Repeat, std::optional<double>>>& results, Goal goal);

}  // namespace hdrive
