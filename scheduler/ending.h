// SPDX-License-Identifier: Apache-2.0
//
// How a sweep's end is told. Pure functions; the loop and ask/tell use them.
#pragma once

#include <string>

#include "hdrive/store.h"

namespace hdrive::scheduler {

/// What becomes of a sweep that ended so with these runs (reference, 10.10): completed if any run gave a
/// result.
SweepStatus status_after(SweepEnd end, const History& history);

/// "all 20 runs have ended".
std::string all_ended(const History& history);

}  // namespace hdrive::scheduler
