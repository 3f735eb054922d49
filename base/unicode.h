// SPDX-License-Identifier: Apache-2.0
//
// Characters of UTF-8 text, and which of them a terminal would obey. Pure functions, safe from any
// thread.
#pragma once

#include <string_view>

namespace hdrive::base {

/// The character at the front of valid UTF-8, taken off it; `code` is its number. Bytes that are no
/// UTF-8 count as one each.
std::string_view take_character(std::string_view& text, char32_t& code);

/// Whether the character does something to a terminal or to how text around it is read, rather than
/// being seen: C0 and C1 controls (U+009B begins an escape sequence as ESC [ does), line and
/// paragraph separators, what turns the direction of writing, what is invisible. The joiners U+200C
/// and U+200D, which Persian, Hindi and emoji are written with, are none.
bool is_control(char32_t c);

/// Whether there is one in the text, which may be any bytes.
bool has_control(std::string_view text);

}  // namespace hdrive::base
