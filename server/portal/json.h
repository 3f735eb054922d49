// SPDX-License-Identifier: Apache-2.0
//
// Values as the API writes them. Pure functions.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "hdrive/clock.h"
#include "hdrive/value.h"

namespace hdrive::server::portal {

using Json = nlohmann::ordered_json;

/// NaN and infinities as the strings "NaN", "Infinity", "-Infinity".
Json number(double value);
Json number(const std::optional<double>& value);
/// ISO 8601 in UTC; null for the epoch, which stands for "not yet".
Json moment(Time time);
Json moment(const std::optional<Time>& time);
Json seconds(Duration duration);
Json seconds(const std::optional<Duration>& duration);
/// Bytes that are no UTF-8 become U+FFFD.
Json text(std::string_view bytes);
Json value_json(const Value& value);
/// As an object, names without the dashes in front.
Json parameters_json(const Assignment& parameters);

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// What stands in a column for what is not there.
inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Seconds since the epoch; NaN for the epoch itself.
double epoch_seconds(Time time);

}  // namespace hdrive::server::portal
