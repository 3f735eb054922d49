// SPDX-License-Identifier: Apache-2.0
//
// What the rows of the schema of hdconfig.yml share: bounds, and writing what is not the default.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/schema.h"
#include "config/write.h"
#include "hdrive/spec.h"

namespace hdrive::config::rows {

constexpr double kMostRuns = 1e9;
constexpr double kCenturyMinutes = 52'560'000;
constexpr double kCenturySeconds = kCenturyMinutes * 60;

// What SweepSpec says where a key is absent: the writer leaves such keys out.
inline const SweepSpec kDefaults;

inline std::string unless_default(bool is_default, std::string text) {
  return is_default ? std::string() : std::move(text);
}

inline std::string write_boolean(bool value, bool by_default) {
  return unless_default(value == by_default, value ? "true" : "false");
}

inline std::string write_integer(std::int64_t value, std::int64_t by_default) {
  return unless_default(value == by_default, std::to_string(value));
}

template <class Duration>
std::string write_duration(Duration value, Duration by_default, double unit) {
  return unless_default(value == by_default,
                        base::shortest(static_cast<double>(value.count()) / unit));
}

inline std::string write_text(const std::string& text) {
  return unless_default(text.empty(), yaml_text(text));
}

}  // namespace hdrive::config::rows

namespace hdrive::config {

/// The sweep's server, and who reaches it.
std::vector<KeyInfo> rows_of_server();

/// How a sweep begins, when it stops, what is done at its end: the last rows of schema().
std::vector<KeyInfo> rows_of_ends();

}  // namespace hdrive::config
