// SPDX-License-Identifier: Apache-2.0
//
// How far the files of a run directory have been read, as text.
#include <charconv>

#include "hdrive/target.h"

namespace hdrive {

std::string to_cursor(const IntakePosition& position) {
  if (position == IntakePosition{}) return {};
  std::string text = std::to_string(position.metrics) + ' ' + std::to_string(position.output);
  if (position.mlflow != 0) text += ' ' + std::to_string(position.mlflow);
  return text;
}

std::optional<IntakePosition> position_from(std::string_view cursor) {
  IntakePosition position;
  if (cursor.empty()) return position;
  const char* const end = cursor.data() + cursor.size();
  const auto metrics = std::from_chars(cursor.data(), end, position.metrics);
  if (metrics.ec != std::errc{} || metrics.ptr == end || *metrics.ptr != ' ') return std::nullopt;
  const auto output = std::from_chars(metrics.ptr + 1, end, position.output);
  if (output.ec != std::errc{}) return std::nullopt;
  if (output.ptr == end) return position;
  if (*output.ptr != ' ') return std::nullopt;
  const auto mlflow = std::from_chars(output.ptr + 1, end, position.mlflow);
  if (mlflow.ec != std::errc{} || mlflow.ptr != end) return std::nullopt;
  return position;
}

}  // namespace hdrive
