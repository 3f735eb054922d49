// SPDX-License-Identifier: Apache-2.0
//
// Starting other programs, and what they print. Any thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace hdrive::base {

/// What is to be started. No signal is blocked or ignored in it, whatever this process does.
struct Program {
  enum class Group {
    same,  ///< Ctrl-C at the terminal reaches it, too
    own,   ///< it doesn't, and all that belongs to it can be ended at once
    own_session
  };

  std::vector<std::string> words;  ///< its name, which is looked for in PATH, and its arguments
  std::string file;                ///< what is executed instead of the first of them
  /// "NAME=value"; nothing: the variables of this process.
  std::optional<std::vector<std::string>> environment = std::nullopt;
  std::filesystem::path directory = {};  ///< where it starts; empty: where this process is
  int in = -1;                           ///< -1: there is nothing to read
  int out = -1, err = -1;                ///< -1: those of this process
  int kept = -1;                         ///< a descriptor that it gets under the same number
  Group group = Group::own;
};

/// Starts it; the pid is to be waited for. Returns 0, or errno.
int start_program(const Program& program, pid_t& pid);

/// The variables of this process with these ("NAME=value") in the place of those that are called so.
std::vector<std::string> environment_with(std::vector<std::string> variables);

/// Waits for its end and returns the status, as waitpid has it.
int wait_for(pid_t pid);
/// Its exit code; where a signal has ended it 128 and the signal, as shells say.
int exit_code(int status);

/// A file without a name that begins with `text`, for what a program reads or prints: nobody has to
/// take it meanwhile. Invalid where there is none; errno says why.
UniqueFd file_in_memory(std::string_view text = "");
/// What is in it, from its beginning, so many bytes at most.
std::string text_of(const UniqueFd& file, std::size_t most);

}  // namespace hdrive::base
