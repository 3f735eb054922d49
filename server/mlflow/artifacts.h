// SPDX-License-Identifier: Apache-2.0
//
// Files below a folder of artifacts, by paths that come from outside: no name leads out of the folder, and no link is
// followed, whoever made it. Called from the server's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "server/http.h"

namespace hdrive::server::mlflow {

struct ArtifactEntry {
  std::string name;
  bool is_directory = false;
  std::uint64_t size = 0;
};

class Artifacts {
 public:
  /// `folder` may be missing; the first upload makes it, in a directory that is there.
  explicit Artifacts(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// What is in a folder, by name. Nothing of one that is not there, and of a file.
  std::vector<ArtifactEntry> list(const std::vector<std::string>& path) const;
  /// A Fault where there is no such file.
  FileBody open(const std::vector<std::string>& path) const;
  /// A file that is seen under its name when all of it has come; one of that name before is replaced then.
  std::unique_ptr<Upload> upload(const std::vector<std::string>& path) const;
  /// A file, or a folder with all that is in it.
  void remove(const std::vector<std::string>& path) const;

 private:
  Result<base::UniqueFd> folder_of(const std::vector<std::string>& path, bool make) const;

  std::filesystem::path folder_;
};

}  // namespace hdrive::server::mlflow
