// SPDX-License-Identifier: Apache-2.0
//
// Sweeps without a terminal: `--detach` starts this program again as a process of its own session,
// and hands over what it says until the first run has begun. Used by `run` and `resume`.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/listener.h"

namespace hdrive::cli {

class ArgumentParser;

struct Detach {
  bool asked = false;              ///< --detach
  std::optional<int> announce_to;  ///< in the process that was started: where its caller listens
  std::vector<std::string> arguments;  ///< of the verb, as typed
};

/// Declares the options. `verb` and its `arguments` are what to start again.
void add_detach_option(ArgumentParser& parser, Detach& detach, const std::string& verb,
                       const std::vector<std::string>& arguments);

/// Starts the detached process and waits until its first run has begun; prints the sweep's id.
/// Gives the exit code: that of the process where it ended before that.
int start_detached(const Detach& detach, const std::string& output_dir);

/// What the detached process does first of all: it hears no SIGHUP.
void become_detached();

/// Tells the caller the sweep's id when the first run has begun (or two seconds have passed), and
/// from then on everything goes to `log`.
std::shared_ptr<Listener> make_announcer(int announce_to, std::string sweep_id,
                                         std::filesystem::path log);

}  // namespace hdrive::cli
