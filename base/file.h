// SPDX-License-Identifier: Apache-2.0
//
// File helpers any program could use: descriptors that close themselves, whole-file reads and
// writes.
#pragma once

#include <cstddef>
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

/// Who may read a file that is made; the umask can only take away from it.
enum class Access : unsigned {
  mine = 0600,    ///< its owner: it may hold secrets
  others = 0644,  ///< anybody
};

/// Opens a file that anybody may have put there. Only a regular file is opened: a link at the end
/// of `path` is not followed, and a FIFO, a device or a directory is told at once instead of
/// waiting for it (Error::Kind::damaged). A relative `path` counts from `directory`; `flags` are
/// open's, `access` is for O_CREAT.
Result<UniqueFd> open_regular(int directory, const std::filesystem::path& path, int flags,
                              Access access = Access::mine);
/// The same for reading, where `path` counts from the working directory.
Result<UniqueFd> open_regular(const std::filesystem::path& path);

/// Opens a directory and no link to one. `parent` as above.
Result<UniqueFd> open_directory(int parent, const std::filesystem::path& path);

/// Of a file that ought to be small no more is ever read into memory.
inline constexpr std::size_t kMostText = std::size_t{1} << 30;

/// The whole of a regular file, or an Error if it is larger than `most` bytes.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t most = kMostText);
/// The same relative to `directory`.
Result<std::string> read_file(int directory, const std::filesystem::path& path, std::size_t most);

/// The last bytes of a regular file, at most `bytes`.
Result<std::string> read_file_end(const std::filesystem::path& path, std::size_t bytes);

/// Replaces the file in one step (a temporary beside it, then rename), so that a reader sees the
/// old text or the new one; from several threads at once, too. With `durable` the text survives a
/// crash of the machine once this returns.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                   bool durable = false, Access access = Access::mine);

/// Writes what a user wants in the file of this name. A regular file is replaced in one step,
/// behind a link, too; one in a directory that cannot be written is written over. What is no file
/// (/dev/stdout, a FIFO, a device) is written to as it is, and a directory is refused.
Result<void> write_output(const std::filesystem::path& path, std::string_view text);

/// Makes the names in a directory survive a crash of the machine, as `durable` does for a file's
/// text.
void sync_directory(const std::filesystem::path& directory);

/// Creates the directory and those above it, for their owner alone; an existing one is fine and
/// stays as it is. At most `most` of them are made: what lies further up must be there.
Result<void> make_directories(const std::filesystem::path& path, int most = 1'000);

}  // namespace hdrive::base
