// SPDX-License-Identifier: Apache-2.0
//
// Where this user's targets are written down.
#pragma once

#include <filesystem>
#include <vector>

namespace hdrive::cli {

/// targets.yml of the working directory, and the user's.
std::vector<std::filesystem::path> targets_files_here();

}  // namespace hdrive::cli
