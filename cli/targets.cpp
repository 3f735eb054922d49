// SPDX-License-Identifier: Apache-2.0
#include "cli/targets.h"

#include "cli/terminal.h"
#include "hdrive/targets.h"

namespace hdrive::cli {

std::vector<std::filesystem::path> targets_files_here() {
  std::error_code ignored;
  return targets_files(std::filesystem::current_path(ignored), environment);
}

}  // namespace hdrive::cli
