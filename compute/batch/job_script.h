// SPDX-License-Identifier: Apache-2.0
//
// The script of a run's job: a few lines that become the run's supervisor. Called by the batch target; pure.
#pragma once

#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hdrive/target.h"

namespace hdrive::compute {

/// How the name of the file begins that a job makes in its run's directory before anything else;
/// the attempt's number follows. It tells a job that ended before its run from one that never began.
inline constexpr char kJobMark[] = ".job-";

struct JobScript {
  std::span<const std::string> directives;  ///< lines at its head
  std::span<const std::string> setup;       ///< lines before the run
  std::filesystem::path supervisor;         ///< the program, on the shared file system
  std::filesystem::path python;             ///< put in front of PYTHONPATH
  std::filesystem::path commands;           ///< put behind PATH; may be empty
  std::string claim;
  std::chrono::milliseconds beat{1000};
  bool apart = false;  ///< see BatchSystem::supervisor_apart
};

/// For a shell of POSIX. The variables of the run are those that the job has by itself, and on top
/// of them the run's own. An Error: a text cannot be handed over.
Result<std::string> job_script(const RunRequest& request, const JobScript& parts);

/// A word for the shell.
std::string shell_quoted(std::string_view text);

}  // namespace hdrive::compute
