// SPDX-License-Identifier: Apache-2.0
//
// The processes below this one, found in /proc. This process is a subreaper, so whatever its descendants
// fork, detach or orphan stays below it. Used by the supervisor's one thread; allocates nothing.
#pragma once

#include <sys/types.h>

namespace hdrive::supervisor {

/// SIGTERM, then SIGCONT (for what is frozen), to every descendant that has not had it from here yet.
/// Returns how many living processes that were.
int terminate_descendants();

/// SIGKILL to every descendant and to their process groups, once. What forks meanwhile is left for the
/// next call.
void kill_descendants();

/// Field 22 of /proc/self/stat: with the pid and the boot, this process's identity.
long long own_start_time();

}  // namespace hdrive::supervisor
