// SPDX-License-Identifier: Apache-2.0
//
// What programs write for JSON and JSON lacks: bare NaN and Infinity, numbers beyond a double's
// range.
#pragma once

#include <string>
#include <string_view>

namespace hdrive::base {

/// The text with each bare word in quotes that is none of JSON's own (true, false, null): numbers
/// too, so that none is too large for a parser. What stood in quotes stays as it is.
std::string quote_bare_words(std::string_view text);

/// Whether brackets and braces lie deeper within each other than `levels`. Parsers and what walks
/// over their result may go down once for each level, so that a file of a few hundred kilobytes
/// could end the process.
bool nests_deeper(std::string_view json, int levels);

}  // namespace hdrive::base
