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

  /// What the engine before noted.
  std::int64_t found_steps() const { return found_steps_; }
  /// Whether the lock is still that of the sweep. Where somebody deleted its file (which looks like one that was left
  /// behind) it is made and locked anew; where another file is in its place, another engine may have the sweep.
  Result<void> keep();
  /// Tells, beside the database, how many steps it holds. Costs a microsecond: it is not synced, so after
  /// a crash of the machine it may tell fewer, and never more.
  void note_steps(std::int64_t steps);

 private:
  bool write(std::int64_t steps);
  Ownership(std::filesystem::path file, base::UniqueFd fd, std::string prefix)
      : file_(std::move(file)), fd_(std::move(fd)), prefix_(std::move(prefix)) {}

  std::filesystem::path file_;
  base::UniqueFd fd_;
  std::int64_t found_steps_ = 0;
  std::int64_t noted_steps_ = 0;
  std::string prefix_;  // of the file's text: pid and host
};

/// Takes the system's lock on an open file, if nobody has it: it goes with the last descriptor. False: errno says why.
bool try_lock(int fd);

/// Takes the permissions of all others from a sweep's directory and from what the store keeps in it. Its configuration
/// may hold secrets, and who can open the files beside the database can hold up whoever writes it.
void make_private(const std::filesystem::path& sweep_directory);

struct Owner {
  std::int64_t pid = 0;  ///< 0: it is just starting
  std::string host;
};
/// The steps an engine noted last; 0: none, or it cannot be read.
std::int64_t noted_steps(const std::filesystem::path& sweep_directory);
/// Who owns the sweep now. Looks without locking, so that looking never stands in an engine's way.
std::optional<Owner> owner_of(const std::filesystem::path& sweep_directory);

}  // namespace hdrive::store
