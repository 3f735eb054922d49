// SPDX-License-Identifier: Apache-2.0
#include "server/url.h"

#include "base/text.h"

namespace hdrive::server {
namespace {

constexpr std::size_t kLongestFileName = 255;  // NAME_MAX of Linux's file systems

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    decoded += c;
  }
  return decoded;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(
    std::string_view query) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const std::string_view field : base::split(query, '&')) {
    if (field.empty()) continue;
    const std::size_t mark = field.find('=');
    auto name = percent_decoded(field.substr(0, mark), true);
    auto value =
        percent_decoded(mark == field.npos ? std::string_view() : field.substr(mark + 1), true);
    if (!name || !value) return std::nullopt;
    fields.emplace_back(*std::move(name), *std::move(value));
  }
  return fields;
}

std::optional<std::vector<std::string>> path_parts(std::string_view path) {
  std::vector<std::string> parts;
  if (path.empty()) return parts;
  for (const std::string_view part : base::split(path, '/')) {
    if (part.empty() || part == "." || part == ".." || part.size() > kLongestFileName ||
        part.find('\0') != part.npos)
      return std::nullopt;
    parts.emplace_back(part);
  }
  return parts;
}

}  // namespace hdrive::server
