// SPDX-License-Identifier: Apache-2.0
//
// What the last capture of a source folder read, so that the next one reads only what has changed
// since.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "hdrive/clock.h"
#include "hdrive/result.h"

namespace hdrive::workspace {

/// A file as the system describes it: equal descriptions, equal content.
struct FileStamp {
  std::uint64_t size = 0, device = 0, inode = 0;
  std::int64_t modified = 0, changed = 0;  ///< ns since 1970; the second of them nobody can set
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const struct stat& status);

class FileIndex {
 public:
  /// Reads it; a missing or damaged one is empty.
  explicit FileIndex(std::filesystem::path file);

  /// The digest of a file that has not changed since it was read.
  std::optional<std::string> find(const std::string& path, const FileStamp& stamp) const;

  /// A file that changed in the two seconds before `now` is not noted: it may change again without
  /// its times telling, as coarse as some file systems' are.
  void note(const std::string& path, const FileStamp& stamp, const std::string& digest, Time now);

  /// What was noted takes the place of what was read.
  Result<void> write() const;

 private:
  struct Known {
    FileStamp stamp;
    std::string digest;
  };
  std::filesystem::path file_;
  std::map<std::string, Known> before_, now_;
};

}  // namespace hdrive::workspace
