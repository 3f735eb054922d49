// SPDX-License-Identifier: Apache-2.0
#include "server/access.h"

#include <string>

#include "base/base64.h"
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

}  // namespace

bool authorizes(std::string_view header, std::string_view token) {
  const std::size_t blank = header.find(' ');
  if (token.empty() || blank == header.npos) return false;
  const std::string scheme = base::lower(header.substr(0, blank));
  const std::string_view rest = base::trim(header.substr(blank + 1));
  if (scheme == "bearer") return same(rest, token);
  if (scheme != "basic") return false;
  const auto pair = base::base64_decoded(rest);
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  return colon != std::string::npos && same(std::string_view(*pair).substr(colon + 1), token);
}

}  // namespace hdrive::server
