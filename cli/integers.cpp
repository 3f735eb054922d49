// SPDX-License-Identifier: Apache-2.0
#include "cli/integers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

#include "base/text.h"

namespace hdrive::cli {
namespace {

template <class Integer>
Result<Integer> parse(std::string_view text, Integer least) {
  const std::string_view word = base::trim(text);
  const char* const end = word.data() + word.size();
  Integer number{};
  const auto read = std::from_chars(word.data(), end, number);
  if (read.ec == std::errc{} && read.ptr == end && number >= least) return number;
  const std::string_view digits = word.substr(word.starts_with('-') ? 1 : 0);
  const bool whole = !digits.empty() && std::all_of(digits.begin(), digits.end(),
                                                    [](char c) { return c >= '0' && c <= '9'; });
  return Error{"", fmt::format("\"{}\" is {}; allowed: a whole number from {} to {}", word,
                               whole ? "out of range" : "no whole number", least,
                               std::numeric_limits<Integer>::max())};
}

}  // namespace

Result<std::int64_t> parse_integer(std::string_view text, std::int64_t least) {
  return parse(text, least);
}

Result<std::uint64_t> parse_integer(std::string_view text, std::uint64_t least) {
  return parse(text, least);
}

}  // namespace hdrive::cli
