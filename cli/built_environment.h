// SPDX-License-Identifier: Apache-2.0
//
// The environment that was built for a sweep, when the sweep goes on: what it was made of is kept
// with the sweep, so that one that was removed meanwhile can be built again.
#pragma once

#include "hdrive/config.h"
#include "hdrive/store.h"

namespace hdrive::cli {

/// Notes in the header what the environment of the runs is made of, if they have one.
void note_environment(const Surroundings& wanted, SweepHeader& header);

/// The header of a sweep that is to go on, its environment being there: one that is gone is built
/// again, which is told unless `quiet`; where it lies elsewhere then, the configuration says so. A
/// Failure where it cannot be had, or what it was made of is not known.
SweepHeader with_environment(const SweepHeader& header, const SweepSpec& spec, bool quiet);

}  // namespace hdrive::cli
