// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace hdrive::workspace {

/// Removes a folder with all in it, also where a program took away its own permission. Links are
/// not followed.
void remove_tree(const std::filesystem::path& folder);

}  // namespace hdrive::workspace
