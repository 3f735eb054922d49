// SPDX-License-Identifier: Apache-2.0
//
// Starts supervisors. The supervisor's program comes with the library and is started from memory
// (memfd); where that is refused, from a file beside the runs. Owned by the local target; one
// thread.
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
  /// `from_memory`: whether to try memory first; false in tests only. `most_kept`: how many
  /// descriptors a supervisor is given to keep at most.
  explicit Launcher(bool from_memory = true, int most_kept = 0);

  /// Starts a supervisor in a session of its own with all signals blocked, by posix_spawn: a fork
  /// would copy the page tables of a large engine. `pipe` becomes its descriptor kPipeFd, those of
  /// `kept` (each at least kFirstFreeFd + most_kept) the ones behind it. It may use the processors
  /// `cpus` alone; none: all that this process may. `fallback` is the directory for the file.
  Result<pid_t> start(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment, int pipe,
                      const std::filesystem::path& fallback, const std::vector<int>& kept = {},
                      const std::vector<int>& cpus = {});

  /// Descriptors from here on are in nobody's way, if as many are added as there are to keep.
  static constexpr int kFirstFreeFd = 16;

 private:
  base::UniqueFd memory_;
  std::string program_;  // the path that is executed; empty: none yet
};

}  // namespace hdrive::compute
