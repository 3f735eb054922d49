// SPDX-License-Identifier: Apache-2.0
//
// Start points: what is tried before the sampler is asked. A pure function of specification and
// state, so that a resumed sweep goes on with the same point. Used by the journal.
#pragma once

#include <optional>

#include "hdrive/spec.h"
#include "hdrive/state.h"

namespace hdrive::scheduler {

/// The next run as the first that was not proposed yet of the earlier runs that go on, in the order
/// in which they were taken over, and then of `spec.start_points`, without its time; nothing if all
/// were. What the point leaves out is drawn at random, as the random sampler would
/// for that run.
std::optional<RunProposed> next_start_point(const SweepSpec& spec, const SweepState& state);

/// Whether there is one left.
bool has_start_point(const SweepSpec& spec, const SweepState& state);

}  // namespace hdrive::scheduler
