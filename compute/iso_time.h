// SPDX-License-Identifier: Apache-2.0
//
// A metric's time as a program writes it. A pure function.
#pragma once

#include <optional>
#include <string_view>

#include "hdrive/clock.h"

namespace hdrive::compute {

/// Seconds since 1970 ("1767225600.25"), or ISO 8601 ("2026-01-01T00:00:00.25Z", "... +01:00"; UTC
/// where no offset is given). Nothing for other text, and beyond the years 1970 to 2200.
std::optional<Time> parse_time(std::string_view text);

}  // namespace hdrive::compute
