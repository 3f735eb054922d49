// SPDX-License-Identifier: Apache-2.0
#include "server/access.h"

#include <optional>
#include <string>

#include "base/text.h"

namespace hdrive::server {
namespace {

// In a time that does not tell how much of it was right.
bool same(std::string_view given, std::string_view token) {
  unsigned char difference = given.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i] ^ token[i % token.size()]);
  return difference == 0;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string decoded;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xFFFFFF;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    decoded += static_cast<char>(bits >> held & 0xFF);
  }
  return decoded;
}

}  // namespace

bool authorizes(std::string_view header, std::string_view token) {
  const std::size_t blank = header.find(' ');
  if (token.empty() || blank == header.npos) return false;
  const std::string scheme = base::lower(header.substr(0, blank));
  const std::string_view rest = base::trim(header.substr(blank + 1));
  if (scheme == "bearer") return same(rest, token);
  if (scheme != "basic") return false;
  const auto pair = base64_decoded(rest);
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  return colon != std::string::npos && same(std::string_view(*pair).substr(colon + 1), token);
}

}  // namespace hdrive::server
