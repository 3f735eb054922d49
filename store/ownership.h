// SPDX-License-Identifier: Apache-2.0
//
// Who runs a sweep: the process that holds the lock on `engine.lock` in its directory.
//
// The lock is the system's and goes with the process, however that ends; a file left behind means nothing.
// Programs the engine starts do not inherit it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"
#include "hdrive/result.h"

namespace hdrive::store {

/// The lock, held as long as this lives.
class Ownership {
 public:
  /// Fails, naming process and host, if another process (or another part of this one) has it. Waits a
  /// quarter of a second for it, and some seconds where the one that has it is dead: what it was just
  /// starting may hold it for another moment.
  static Result<Ownership> take(const std::filesystem::path& sweep_directory);

 private:
  explicit Ownership(base::UniqueFd fd) : fd_(std::move(fd)) {}

  base::UniqueFd fd_;
};

struct Owner {
  std::int64_t pid = 0;  ///< 0: it is just starting
  std::string host;
};
/// Who owns the sweep now. Looks without locking, so that looking never stands in an engine's way.
std::optional<Owner> owner_of(const std::filesystem::path& sweep_directory);

}  // namespace hdrive::store
