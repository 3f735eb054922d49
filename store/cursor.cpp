// SPDX-License-Identifier: Apache-2.0
#include "store/cursor.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace hdrive::store {
namespace {

constexpr std::uint64_t kVersion = 2;

}  // namespace

std::string Cursor::text() const {
  return fmt::format("{}:{}:{}:{}:{}:{}:{}:{}:{}:{}", kVersion, inode, steps + 1, notes.last,
                     notes.digest, edits.last, edits.digest, changes.last, changes.digest, names);
}

std::optional<Cursor> Cursor::from(std::string_view text) {
  std::array<std::uint64_t, 10> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, numbers[i]);
    const bool last = i + 1 == numbers.size();
    if (error != std::errc() || (last ? rest != end : (rest == end || *rest != ':')))
      return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()) + (last ? 0 : 1));
  }
  if (numbers[0] != kVersion) return std::nullopt;
  const auto table = [&](std::size_t at) {
    return Table{static_cast<std::int64_t>(numbers[at]), numbers[at + 1]};
  };
  return Cursor{numbers[1], static_cast<std::int64_t>(numbers[2]) - 1, table(3), table(5),
                table(7),   static_cast<std::int64_t>(numbers[9])};
}

}  // namespace hdrive::store
