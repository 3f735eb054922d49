// SPDX-License-Identifier: Apache-2.0
//
// Start points: what is tried before the sampler is asked. A pure function of specification and
// state, so that a resumed sweep goes on with the same point. Used by the journal.
#pragma once

#include <optional>

#include "hdrive/spec.h"
#include "hdrive/state.h"

namespace hdrive::scheduler {

/// The next run as the first of `spec.start_points` that was not proposed yet, without its time;
/// nothing if all were. What the point leaves out is drawn at random, as the random sampler would
/// for that run.
std::optional<RunProposed> next_start_point(const SweepSpec& spec, const SweepState& state);

}  // namespace hdrive::scheduler
