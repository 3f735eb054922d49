// SPDX-License-Identifier: Apache-2.0
//
// What `-o FILE` names, written piece by piece in constant memory.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "hdrive/result.h"

namespace hdrive::cli {

/// A regular file takes its place only when `finish` succeeds: nobody ever sees half of it. What is
/// no regular file (a pipe, /dev/null) is written as it is, and so is the standard output ("" or
/// "-"). One thread.
class OutputFile {
 public:
  static Result<OutputFile> open(const std::string& name);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  /// Without `finish` nothing is left of it.
  ~OutputFile();

  void write(std::string_view text);
  /// Whether somebody has something of it already, though it is not finished.
  bool was_seen() const { return flushed_ && unfinished_.empty(); }
  /// An Error tells also of writes that failed.
  Result<void> finish();

 private:
  OutputFile() = default;
  Result<OutputFile> open_in_place(int flags);
  void flush();

  std::filesystem::path path_, unfinished_;
  base::UniqueFd fd_;           // invalid: the standard output
  std::optional<mode_t> mode_;  // that of the file it replaces
  std::string buffer_;
  bool flushed_ = false;
  int error_ = 0;
};

/// A Failure where `-o` names a directory; asked before what is to be written is made.
void refuse_directory(const std::string& file);

/// Writes all of it, and tells on stderr where it is and how large. A Failure where it cannot be written.
void write_output(const std::string& file, std::string_view text);

}  // namespace hdrive::cli
