// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <memory>

#include "cli/argument_parser.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {

Action setup_completion(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto shell = std::make_shared<std::string>();
  parser.choice("shell", *shell, {"bash", "zsh", "fish"}, "SHELL", "bash, zsh or fish").required =
      true;
  return [shell] {
    print(completion_script(*shell));
    return static_cast<int>(kDone);
  };
}

}  // namespace hdrive::cli
