// SPDX-License-Identifier: Apache-2.0
//
// Whole numbers as users type them: one that is out of range is an error, and not the nearest that
// is none.
#pragma once

#include <cstdint>
#include <string_view>

#include "hdrive/result.h"

namespace hdrive::cli {

/// The whole number of this type that all of `text` spells, blanks around it aside, and that is not
/// below `least`. The Error says what is allowed.
Result<std::int64_t> parse_integer(std::string_view text, std::int64_t least);
Result<std::uint64_t> parse_integer(std::string_view text, std::uint64_t least);

}  // namespace hdrive::cli
