// SPDX-License-Identifier: Apache-2.0
//
// How many runs this process may have at once, as the system's limits say. Called by the local
// target.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <optional>

#include "hdrive/target.h"

namespace hdrive::compute {

/// Raises this process's soft limits of open files and of processes to the hard ones. Returns the
/// soft limit of open files that it had before anybody called this: its runs get that back, as a
/// program may rely on it.
rlim_t raise_limits();

/// What `runs` runs beside those that are alive would take: the least of what the limits leave.
/// `descriptors`: how many one run takes in this process.
std::optional<TargetCapacity> capacity_of_this_process(std::int64_t alive, int descriptors);

}  // namespace hdrive::compute
