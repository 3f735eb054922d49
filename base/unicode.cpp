// SPDX-License-Identifier: Apache-2.0
#include "base/unicode.h"

#include <algorithm>

#include "base/text.h"

namespace hdrive::base {
namespace {

struct Range {
  char32_t first, last;
};

constexpr Range kControls[] = {
    {0x0000, 0x001F},    // C0
    {0x007F, 0x009F},    // DEL and C1
    {0x00AD, 0x00AD},    // soft hyphen
    {0x061C, 0x061C},    // Arabic letter mark
    {0x180E, 0x180E},    // Mongolian vowel separator, invisible
    {0x200B, 0x200B},    // zero-width space
    {0x200E, 0x200F},    // direction marks
    {0x2028, 0x202E},    // line and paragraph separators, direction embeddings and overrides
    {0x2060, 0x206F},    // word joiner, invisible operators, direction isolates
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFF9, 0xFFFB},    // interlinear annotation
    {0xE0000, 0xE007F},  // tags
};

}  // namespace

std::string_view take_character(std::string_view& text, char32_t& code) {
  const auto first = static_cast<unsigned char>(text[0]);
  std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  length = std::min(length, text.size());
  code = length == 1 ? first : first & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i)
    code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
  const std::string_view character = text.substr(0, length);
  text.remove_prefix(length);
  return character;
}

bool is_control(char32_t c) {
  return std::any_of(std::begin(kControls), std::end(kControls),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

bool has_control(std::string_view text) {
  const std::string utf8 = to_utf8(text);
  for (std::string_view rest = utf8; !rest.empty();) {
    char32_t code = 0;
    take_character(rest, code);
    if (is_control(code)) return true;
  }
  return false;
}

}  // namespace hdrive::base
