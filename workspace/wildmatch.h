// SPDX-License-Identifier: Apache-2.0
//
// git's glob patterns (wildmatch): `*`, `?`, `[...]`, `\` and `**`.
#pragma once

#include <string_view>

namespace hdrive::workspace {

enum class Wild {
  name,  ///< `*` and `?` match any character
  path,  ///< they do not match '/', and `**` between slashes matches any number of folders
};

/// Whether the whole of `text` matches. A pattern so wound that it takes more than a million steps
/// matches nothing.
bool wild_match(std::string_view pattern, std::string_view text, Wild kind);

}  // namespace hdrive::workspace
