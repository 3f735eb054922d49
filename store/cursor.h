// SPDX-License-Identifier: Apache-2.0
//
// Cursor: up to where a reader has told what came. With the digests of what it told, so that what comes next can be
// compared with the digest of all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hdrive::store {

struct Cursor {
  std::uint64_t inode = 0;  ///< of the database
  std::int64_t steps = -1;  ///< -1: nothing yet
  /// The last rows told of the tables with the same names.
  struct Table {
    std::int64_t last = 0;
    std::uint64_t digest = 0;  ///< of all rows up to it
  };
  Table notes, edits, changes;
  std::int64_t names = 0;

  std::string text() const;
  /// Nothing: it is none.
  static std::optional<Cursor> from(std::string_view text);
};

}  // namespace hdrive::store
