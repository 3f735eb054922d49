// SPDX-License-Identifier: Apache-2.0
//
// The description of a snapshot: a text whose digest is the snapshot's id (docs/run-directory.md
// has the format).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hdrive/workspace.h"

namespace hdrive::workspace {

/// Blanks, '%' and control characters as %XX, so that a path is one word of a line.
std::string escaped(std::string_view text);
std::string unescaped(std::string_view word);

/// Entries in any order.
std::string write_manifest(std::vector<SnapshotEntry> entries);

/// Fails where a line is none, or a path would lead out of a folder.
Result<std::vector<SnapshotEntry>> parse_manifest(std::string_view text);

/// An entry that is neither file nor link: a folder with nothing in it.
inline bool is_folder(const SnapshotEntry& entry) {
  return entry.digest.empty() && entry.target.empty();
}

/// 64 hexadecimal digits.
bool is_digest(std::string_view text);

}  // namespace hdrive::workspace
