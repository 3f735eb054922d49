// SPDX-License-Identifier: Apache-2.0
//
// Which process a pid means, and what can be known of it. A pid alone may have been given to
// another process since; with its start time, the boot of the machine and the PID namespace it
// names one process for ever. What cannot be looked at is an Error and never "gone". Called by the
// local target, one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"
#include "compute/run_records.h"
#include "hdrive/clock.h"

namespace hdrive::compute {

/// Where the pids that are seen here count.
struct ProcessSpace {
  std::string boot_id;             ///< of this boot of the machine
  std::int64_t pid_namespace = 0;  ///< 0: the system does not tell
};
/// An Error: processes cannot be told from each other here (no /proc, or that of another PID
/// namespace; a kernel without pidfd_open).
Result<ProcessSpace> look_around();

/// pidfd_open: a descriptor that means this process and no later one, and that polls readable when
/// it has ended. Empty: there is none, and errno says why.
base::UniqueFd open_process(pid_t pid);
/// Whether that errno says that no process has the pid. Any other says nothing.
bool means_no_process(int error);

/// Whether the process has ended.
bool has_ended(const base::UniqueFd& process);

/// Sends a signal to the process; one that has ended is left in peace.
void send_signal(const base::UniqueFd& process, int signal);

/// Whether the process is stopped, as by SIGSTOP.
bool is_stopped(pid_t pid);

/// What /proc/<pid>/stat tells.
struct ProcessStat {
  char state = 'X';
  pid_t session = 0;
  std::int64_t start_time = 0;
  bool alive() const { return state != 'Z' && state != 'X'; }
};
/// Nothing: there is no such process that could be seen.
Result<std::optional<ProcessStat>> read_stat(pid_t pid);

/// The supervisor that the record in `directory` means, if it is alive and looks after a run in
/// that very directory. Empty: it is gone, which is proven. An Error: it may be alive, but cannot
/// be looked at, or it is alive in another directory, of which this one is a copy.
Result<base::UniqueFd> find_supervisor(const SupervisorRecord& record,
                                       const std::filesystem::path& directory,
                                       const ProcessSpace& here);

/// How long a process with this start time has been there. By the machine's own count (its sleep
/// included), so that no setting of its clock changes it. Nothing where the system does not tell.
std::optional<Duration> age_of(std::int64_t start_time);

}  // namespace hdrive::compute
