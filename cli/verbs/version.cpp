// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <string>

#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {

Action setup_version(CLI::App& /*app*/, std::vector<std::string>& /*arguments*/) {
  return [] {
    print("hdrive " + std::string(version()) + "\n");
    return static_cast<int>(kDone);
  };
}

}  // namespace hdrive::cli
