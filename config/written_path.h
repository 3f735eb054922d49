// SPDX-License-Identifier: Apache-2.0
//
// Paths as Azure's files have them: after "file:", and with the separators of the machine on which
// they were written.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hdrive::config {

/// The text without "file:" or "file://", and with "/" for each backslash unless there is a file
/// below `directory` whose name has one.
std::string without_windows(const std::filesystem::path& directory, std::string_view text);

/// The path that `text` names, below `directory` unless it is absolute; normal.
std::filesystem::path written_path(const std::filesystem::path& directory, std::string_view text);

/// Whether the text is a full path of Windows, with a drive.
bool is_of_windows(std::string_view text);

}  // namespace hdrive::config
