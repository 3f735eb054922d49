// SPDX-License-Identifier: Apache-2.0
//
// An append-only file of JSON objects, one a line: what is known of an MLflow run, of a model, of the experiments. A
// line that a crash cut short is left out. Called from the server's thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "hdrive/result.h"

namespace hdrive::server::mlflow {

class Journal {
 public:
  explicit Journal(std::filesystem::path path) : path_(std::move(path)) {}

  /// Tells the lines that are new. Where the file is another one or gone (the run was tried again), what was told
  /// before does not hold any more: `forget` is called first.
  void read(const std::function<void()>& forget,
            const std::function<void(const nlohmann::json&)>& line);
  /// Appends the entries with one call, making the file if there is none; they are told by the next `read`.
  Result<void> append(const std::vector<nlohmann::json>& entries);

 private:
  std::filesystem::path path_;
  ino_t inode_ = 0;
  std::uint64_t position_ = 0;  // up to where it was told
};

/// Appends the text to the file with one call where the system allows it. `written`: how much of it is there, also
/// after an Error.
Result<void> write_all(int fd, const std::filesystem::path& path, std::string_view text,
                       std::size_t& written);
bool is_there(const std::filesystem::path& path);
/// Whether the last line of the file has its end.
bool ends_with_newline(int fd, std::uint64_t size);

}  // namespace hdrive::server::mlflow
