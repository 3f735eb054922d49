// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/terminal.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {

Action setup_completion(CLI::App& app, std::vector<std::string>& /*arguments*/) {
  auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "bash, zsh or fish")
      ->option_text("SHELL")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  return [shell] {
    print(completion_script(*shell));
    return static_cast<int>(kDone);
  };
}

}  // namespace hdrive::cli
