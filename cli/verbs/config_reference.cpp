// SPDX-License-Identifier: Apache-2.0

#include "cli/argument_parser.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/config.h"

namespace hdrive::cli {

Action setup_config_reference(ArgumentParser& /*parser*/, std::vector<std::string>& /*arguments*/) {
  return [] {
    print(config_reference());
    return static_cast<int>(kDone);
  };
}

}  // namespace hdrive::cli
