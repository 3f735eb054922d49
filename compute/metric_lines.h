// SPDX-License-Identifier: Apache-2.0
//
// One line of metrics.jsonl, read (docs/metric-protocol.md). Called by the intake for every line a
// run writes, on the sweep's thread; pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "hdrive/target.h"

namespace hdrive::compute {

/// The longest name of a metric, in bytes.
inline constexpr std::size_t kLongestMetricName = 255;
/// The longest line of metrics.jsonl that is read.
inline constexpr std::size_t kLongestMetricLine = 1 << 20;

enum class LineKind {
  metric,  ///< read
  blank,   ///< nothing on it
  wrong,   ///< not to be used; `fault` says why
};

/// Reads `line` (without its newline) into `metric`. `fault` is also set where the metric can be
/// used, but not its step or time; otherwise it is left alone.
LineKind parse_metric_line(std::string_view line, Metric& metric, std::string& fault);

/// What is wrong with the name of a metric, or nullptr. `name` is made valid UTF-8.
const char* check_metric_name(std::string& name);

}  // namespace hdrive::compute
