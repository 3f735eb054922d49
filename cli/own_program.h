// SPDX-License-Identifier: Apache-2.0
//
// This program started again: to go on by itself, or to carry out a verb for somebody else.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/portal.h"

namespace hdrive::cli {

/// Our own program, under its name where it still has one.
std::string own_program();

/// Runs a verb in a process of its own, to its end or for ten minutes, with `variables` added to its environment. It
/// hears no Ctrl-C of this terminal.
PortalAnswer run_verb(const PortalCommand& command,
                      const std::vector<std::pair<std::string, std::string>>& variables);

}  // namespace hdrive::cli
