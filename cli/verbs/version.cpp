// SPDX-License-Identifier: Apache-2.0
#include "hdrive/version.h"

#include <string>

#include "cli/argument_parser.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {

Action setup_version(ArgumentParser& /*parser*/, std::vector<std::string>& /*arguments*/) {
  return [] {
    print("hdrive " + std::string(version()) + "\n");
    return static_cast<int>(kDone);
  };
}

}  // namespace hdrive::cli
