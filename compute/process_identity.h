// SPDX-License-Identifier: Apache-2.0
//
// Which process a pid means. A pid alone may have been given to another process since; with its start
// time and the boot of the machine it names one process for ever. Called by the local target, one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"
#include "compute/run_directory.h"
#include "hdrive/clock.h"

namespace hdrive::compute {

/// The id of this boot of the machine; empty where the system does not tell.
std::string boot_id();

/// pidfd_open: a descriptor that means this process and no later one, and that polls readable when it
/// has ended. Empty: there is no such process.
base::UniqueFd open_process(pid_t pid);

/// Sends a signal to the process; one that has ended is left in peace.
void send_signal(const base::UniqueFd& process, int signal);

/// Whether the process is stopped, as by SIGSTOP.
bool is_stopped(pid_t pid);

/// The supervisor that the record means, if it is alive (a zombie is not).
base::UniqueFd find_supervisor(const SupervisorRecord& record, const std::string& boot);

/// How long a process with this start time has been there. By the machine's own count (its sleep included),
/// so that no setting of its clock changes it. Nothing where the system does not tell.
std::optional<Duration> age_of(std::int64_t start_time);

/// Ends, with SIGKILL, all processes of a run whose supervisor is gone: those with the run directory in
/// their environment, and those in the supervisor's session. `session` is 0 unless the supervisor is a
/// child that was not reaped: the number of any other may be a stranger's by now. Returns how many; less
/// than zero if some could not be ended.
int end_orphans(const std::filesystem::path& run_directory, pid_t session);

}  // namespace hdrive::compute
