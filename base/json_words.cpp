// SPDX-License-Identifier: Apache-2.0
#include "base/json_words.h"

#include <algorithm>

#include "base/text.h"

namespace hdrive::base {
namespace {

bool ends_word(char c) {
  return std::string_view(" \t\r\n,}]:{[\"").find(c) != std::string_view::npos;
}

}  // namespace

std::string quote_bare_words(std::string_view text) {
  std::string result;
  result.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i)
        if (text[i] == '\\') ++i;
      i = std::min(i + 1, text.size());
      result += text.substr(begin, i - begin);
      continue;
    }
    if (ends_word(text[i])) {
      result += text[i++];
      continue;
    }
    while (i < text.size() && !ends_word(text[i])) ++i;
    const std::string_view word = text.substr(begin, i - begin);
    if (word == "true" || word == "false" || word == "null")
      result += word;
    else
      result += base::json_string(word);
  }
  return result;
}

bool nests_deeper(std::string_view json, int levels) {
  int level = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++i;
    if (quoted) continue;
    if (c == '[' || c == '{') ++level;
    if (c == ']' || c == '}') --level;
    if (level > levels) return true;
  }
  return false;
}

}  // namespace hdrive::base
