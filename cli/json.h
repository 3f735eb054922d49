// SPDX-License-Identifier: Apache-2.0
//
// JSON of more than one level, as verbs print it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/json_fwd.h"
#include "hdrive/clock.h"

namespace hdrive::cli {

/// A number as hdrive writes it to JSON: NaN and infinities as the strings "NaN", "Infinity",
/// "-Infinity".
OrderedJson json_number(double number);
/// A moment as ISO 8601 in UTC; null for the epoch.
OrderedJson json_time(Time time);

/// On one line, without a newline; bytes that are no UTF-8 replaced.
std::string compact(const OrderedJson& json);
/// Indented, with a newline at its end.
std::string pretty(const OrderedJson& json);

}  // namespace hdrive::cli
