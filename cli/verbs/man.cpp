// SPDX-License-Identifier: Apache-2.0
#include "cli/argument_parser.h"
#include "cli/manual.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {

Action setup_man(ArgumentParser& /*parser*/, std::vector<std::string>& /*arguments*/) {
  return [] {
    print(manual_page());
    return static_cast<int>(kDone);
  };
}

}  // namespace hdrive::cli
