// SPDX-License-Identifier: Apache-2.0
//
// Numbers with units, as people write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "config/yaml_reader.h"

namespace hdrive::config {

/// "16 GB", "512MiB", 1024. Nothing where it is no number of bytes.
std::optional<std::uint64_t> bytes_of(const Node& node);

/// Seconds above 0, a number with a unit ("90s", "10m", "2h", "7d"), or ISO 8601's duration.
std::optional<std::chrono::milliseconds> duration_of(const Node& node);
inline constexpr const char* kDurationAllowed =
    "seconds above 0, or a number with s, m, h or d behind it, such as 10m";

}  // namespace hdrive::config
