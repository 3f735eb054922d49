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
  SearchSpace space;
  /// The value at a parameter set for one seed: smaller is better, 0 is the best. `noise` draws from a
  /// normal distribution.
  std::function<std::function<double(const Assignment&)>(std::uint64_t seed)> make;
  double noise = 0;  ///< standard deviation of what is reported beside the value
  /// Ten reports a run on its way to the value, at a pace of its own; what is worse than the median of the
  /// completed runs after three is stopped.
  bool curves = false;
};

/// d2, d5, d10, d20, mixed, conditional, tables, noisy, stopped; or all (but d20 and conditional).
std::vector<Task> suite(const std::string& name);

}  // namespace hdrive::quality
