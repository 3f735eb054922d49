// SPDX-License-Identifier: Apache-2.0
//
// Other programs: found in a PATH, run to their end. Used by the builders of environments.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/result.h"

namespace hdrive::environment {

/// The program `name` in `search_path`; nothing if there is none that may be run.
std::optional<std::filesystem::path> find_program(const std::string& search_path,
                                                  const std::string& name);

struct ToolRun {
  std::vector<std::string> command;         ///< the program by its full path
  std::vector<std::string> variables = {};  ///< "NAME=value", beside those of this process
  std::filesystem::path directory = {};     ///< where it starts; empty: here
  /// Stays open in the program and what it starts: a lock that is held as long as one of them
  /// lives. -1: none.
  int kept_fd = -1;
};

/// What it printed, standard error included, if it exits with 0. Else an Error with the last lines.
Result<std::string> run_tool(const ToolRun& run);
/// The same with all that it prints appended to the file `log`.
Result<void> run_tool(const ToolRun& run, const std::filesystem::path& log);

}  // namespace hdrive::environment
