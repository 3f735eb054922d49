// SPDX-License-Identifier: Apache-2.0
//
// File helpers any program could use: descriptors that close themselves, whole-file reads and writes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "hdrive/result.h"

namespace hdrive::base {

/// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// The kind of what the system calls by this errno.
Error::Kind error_kind(int error_number);

/// An Error of the form "<path>: cannot <what>: <the system's words for errno>", with its kind.
Error system_error(const std::filesystem::path& path, std::string_view what, int error_number);

/// The whole file.
Result<std::string> read_file(const std::filesystem::path& path);

/// The file's last bytes, at most `bytes`.
Result<std::string> read_file_end(const std::filesystem::path& path, std::size_t bytes);

/// Replaces the file in one step (a temporary beside it, then rename), so that a reader sees the old text
/// or the new one. With `durable` the text survives a crash of the machine once this returns.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                   bool durable = false);

/// Creates the directory and those above it; an existing one is fine.
Result<void> make_directories(const std::filesystem::path& path);

}  // namespace hdrive::base
