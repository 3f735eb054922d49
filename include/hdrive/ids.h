// SPDX-License-Identifier: Apache-2.0
//
// Names, seeds and headers of new sweeps: the only random choices that no seed decides. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "hdrive/changes.h"
#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/spec.h"

namespace hdrive {

/// "HD_<uuid>", random.
std::string new_sweep_id();
/// The constant facts of a new sweep of this specification, with an id of its own. The code behind
/// it is the caller's to add: `snapshot` (capture_source) where the runs start from one,
/// `properties` (git_properties).
SweepHeader new_sweep_header(const SweepSpec& spec, Time created);
/// A random seed, for specifications without one. At most 2^53, so that every reader keeps it
/// exactly.
std::uint64_t new_seed();
/// 256 random bits as 64 hexadecimal digits: what somebody has to know to be let in.
std::string new_token();
/// "HD_<uuid>_<n>".
std::string run_id(const std::string& sweep_id, RunId run);

}  // namespace hdrive
