// SPDX-License-Identifier: Apache-2.0
//
// Problems with known minima for native_bench: analytic functions, shifted and rotated anew for each seed,
// over real and mixed spaces, and tables as one finds in tuning.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hdrive/space.h"

namespace hdrive::quality {

struct Task {
  std::string name;
  std::string suite;
  SearchSpace space;
  /// The value at a parameter set for one seed: smaller is better, 0 is the best, NaN: the run fails.
  std::function<std::function<double(const Assignment&)>(std::uint64_t seed)> make;
  double noise = 0;  ///< standard deviation of what is reported beside the value
  /// The same where it depends on the point, in place of `noise`.
  std::function<double(const Assignment&)> deviation = {};
  double floor = 1e-8;  ///< regrets below it count as this when their logarithm is taken
  /// Ten reports a run on its way to the value, at a pace of its own; what is worse than the median of the
  /// completed runs after three is stopped.
  bool curves = false;
};

/// d2, d5, d10, d20, d40, mixed, conditional, tables, noisy, stopped, constructed; or all (but d20, d40, conditional
/// and constructed).
std::vector<Task> suite(const std::string& name);

/// Those of native_constructed.cpp.
std::vector<Task> constructed();

}  // namespace hdrive::quality
