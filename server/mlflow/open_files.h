// SPDX-License-Identifier: Apache-2.0
//
// OpenFiles: files that are appended to again and again, held open between the requests. Those that were not used for
// the longest are closed. Called from the server's thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <string>
#include <unordered_map>

#include "base/file.h"
#include "hdrive/result.h"

namespace hdrive::server::mlflow {

class OpenFiles {
 public:
  /// Holds at most so many, and at least one.
  explicit OpenFiles(std::size_t most) : most_(most) {}

  struct File {
    int fd = -1;  ///< to be read, and appended to; good until the next call
    ino_t inode = 0;
    std::uint64_t size = 0;
  };
  /// The regular file that has this name now: one that is held is looked at by its name first, since the engine moves
  /// the files of an attempt aside. `create`: where there is none it is made.
  Result<File> append_to(const std::filesystem::path& path, bool create);

  std::size_t held() const { return files_.size(); }

 private:
  struct Held {
    std::string path;
    base::UniqueFd fd;
    dev_t device = 0;
    ino_t inode = 0;
  };
  using Place = std::list<Held>::iterator;
  void forget(Place place);

  const std::size_t most_;
  std::list<Held> files_;  // the latest used first
  std::unordered_map<std::string, Place> places_;
};

}  // namespace hdrive::server::mlflow
