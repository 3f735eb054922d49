// SPDX-License-Identifier: Apache-2.0
//
// Starts supervisors. The supervisor's program comes with the library and is started from memory (memfd);
// where that is refused, from a file beside the runs. Owned by the local target; one thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "hdrive/result.h"

namespace hdrive::compute {

class Launcher {
 public:
  /// `from_memory`: whether to try memory first; false in tests only.
  explicit Launcher(bool from_memory = true);

  /// Starts a supervisor in a session of its own with all signals blocked, by posix_spawn: a fork would
  /// copy the page tables of a large engine. `pipe` becomes its descriptor kPipeFd. `fallback` is the
  /// directory for the file.
  Result<pid_t> start(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment, int pipe,
                      const std::filesystem::path& fallback);

 private:
  base::UniqueFd memory_;
  std::string program_;  // the path that is executed; empty: none yet
};

}  // namespace hdrive::compute
