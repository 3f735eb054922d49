// SPDX-License-Identifier: Apache-2.0
//
// One simulated sweep from its first engine to its last.
#pragma once

#include <optional>
#include <string>

#include "tests/simulation/world.h"

namespace hdrive::simulation {

struct Outcome {
  std::optional<Violation> violation;
  std::string trace;  ///< what happened, where that was asked for
  std::int64_t sessions = 0, crashes = 0, runs = 0, attempts = 0, edits = 0;
};

Outcome simulate(std::uint64_t seed, Fault fault = Fault::none, bool tracing = false);

}  // namespace hdrive::simulation
