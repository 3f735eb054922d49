// SPDX-License-Identifier: Apache-2.0
//
// Text for a reader who may take time: a pager, a terminal stopped with Ctrl-S.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hdrive::cli {

/// Writes to a descriptor what it takes at once and keeps the rest, so that whoever prints is never held up. What
/// nobody reads is left out beyond some megabytes, and counted. The text is made harmless for terminals.
class PatientWriter {
 public:
  explicit PatientWriter(int fd) : fd_(fd) {}

  /// Whole lines, with their ends.
  void add(std::string_view lines);
  /// As much of what is kept as can be written now.
  void flush();
  /// All that is kept, however long it takes.
  void finish();

 private:
  void tell_left_out();

  int fd_;
  std::string kept_;
  std::int64_t left_out_ = 0;
};

}  // namespace hdrive::cli
