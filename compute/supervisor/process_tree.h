// SPDX-License-Identifier: Apache-2.0
//
// The processes below this one, found in /proc by going down from child to child: what that costs
// depends on how many they are, not on how many the machine has. This process is a subreaper, so
// whatever its descendants fork, detach or orphan stays below it. Used by the supervisor's one
// thread; allocates nothing.
#pragma once

#include <sys/types.h>

namespace hdrive::supervisor {

/// SIGTERM, then SIGCONT (for what is frozen), to every descendant that has not had it from here
/// yet. Returns how many living processes that were.
int terminate_descendants();

/// SIGKILL to every descendant and to their process groups, once. What forks meanwhile is left for
/// the next call.
void kill_descendants();

/// Whether the two above cost no more than there are descendants. Where the kernel does not list
/// the children of a process they read all of /proc, and are not to be called often: there may be a
/// thousand supervisors.
bool looking_is_cheap();

/// Field 22 of /proc/self/stat: with the pid and the boot, this process's identity.
long long own_start_time();

/// The number of the PID namespace this process lives in; 0: not known.
long long own_pid_namespace();

}  // namespace hdrive::supervisor
