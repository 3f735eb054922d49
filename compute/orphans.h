// SPDX-License-Identifier: Apache-2.0
//
// What a killed supervisor left alive of its run. Such processes are known by the run directory in
// their environment, and by the supervisor's session. Called by the local target, one thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "hdrive/result.h"

namespace hdrive::compute {

/// Of whose run orphans are looked for.
struct OrphanedRun {
  std::filesystem::path directory;
  /// The dead supervisor's session, if it is a child that was not reaped; else 0: the number may be
  /// a stranger's by now.
  pid_t session = 0;
};

/// Who lives in a run's directory.
enum class Inhabitants {
  supervisors,  ///< nobody but supervisors
  programs,     ///< also a program, or what it started
};

/// The run directories that living processes carry in their environment. One look through /proc. An
/// Error: there may be others.
Result<std::map<std::string, Inhabitants>> directories_of_living();

/// Sends SIGKILL to the orphans of all these runs, in one look through /proc. Returns how many
/// living ones each of them had: where that is none, none is left. An Error: there may be others.
Result<std::vector<int>> kill_orphans(const std::vector<OrphanedRun>& runs);

}  // namespace hdrive::compute
