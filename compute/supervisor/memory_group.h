// SPDX-License-Identifier: Apache-2.0
//
// The control group that limits the memory of a run (compute/memory_groups.h). Used by the supervisor's one thread; allocates
// nothing.
#pragma once

namespace hdrive::supervisor {

/// From here on this process, and what it starts, counts against the limit of the group in this folder; none where it is
/// empty. False, and errno: it could not.
bool join_group(const char* group);

/// How many processes of it the kernel has ended for the limit.
long long killed_for_memory(const char* group);

}  // namespace hdrive::supervisor
