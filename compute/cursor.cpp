// SPDX-License-Identifier: Apache-2.0
//
// How far the files of a run directory have been read, as text.
#include <charconv>

#include "hdrive/target.h"

namespace hdrive {

std::string to_cursor(const IntakePosition& position) {
  if (position == IntakePosition{}) return {};
  return std::to_string(position.metrics) + ' ' + std::to_string(position.output);
}

std::optional<IntakePosition> position_from(std::string_view cursor) {
  IntakePosition position;
  if (cursor.empty()) return position;
  const char* const end = cursor.data() + cursor.size();
  const auto metrics = std::from_chars(cursor.data(), end, position.metrics);
  if (metrics.ec != std::errc{} || metrics.ptr == end || *metrics.ptr != ' ') return std::nullopt;
  const auto output = std::from_chars(metrics.ptr + 1, end, position.output);
  if (output.ec != std::errc{} || output.ptr != end) return std::nullopt;
  return position;
}

}  // namespace hdrive
