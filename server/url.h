// SPDX-License-Identifier: Apache-2.0
//
// Paths and queries of URLs, which anybody may have written. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hdrive::server {

/// The text with each %XX replaced by its byte. Nothing where an escape is cut short or no hexadecimal number, or where
/// a zero byte comes of it. In a query a "+" is a blank.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank = false);

/// Names and values of "a=1&b=2", decoded, in their order. Nothing where one cannot be decoded.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

/// The names of a path relative to some folder, decoded already. Nothing where one of them would lead elsewhere ("..",
/// "."), where there is an empty one, or a name is longer than a file's may be.
std::optional<std::vector<std::string>> path_parts(std::string_view path);

}  // namespace hdrive::server
