// SPDX-License-Identifier: Apache-2.0
//
// What short runs left empty, for the directories of the next. A run directory takes ten files and
// folders, seven of which most short runs leave empty: moving them on costs less than removing and
// making them.
#pragma once

#include <filesystem>
#include <utility>
#include <vector>

namespace hdrive::compute {

/// The claim's place in a spare directory.
inline constexpr char kSpareClaim[] = ".claim";

/// Of one engine, for one folder of runs at a time; called on the sweep's thread. What is left when
/// this is destroyed is removed.
class SpareDirectories {
 public:
  SpareDirectories() = default;
  ~SpareDirectories();
  SpareDirectories(const SpareDirectories&) = delete;
  SpareDirectories& operator=(const SpareDirectories&) = delete;

  /// Of several that work in one folder each keeps its spares in a place of its own: this folder, on
  /// the same file system. Before the first is gathered.
  void keep_in(std::filesystem::path folder) { place_ = std::move(folder); }

  /// Takes from the directory of a run that has ended what is as it was made: empty folders and
  /// files, and supervisor.json. The rest stays.
  void gather(const std::filesystem::path& directory);

  /// A spare one becomes `directory`. False: there is none, or `directory` is there already.
  bool take(const std::filesystem::path& directory);

 private:
  void work_in(const std::filesystem::path& runs);
  void clear();

  std::filesystem::path place_;  // empty: ".spare" beside the run directories
  std::filesystem::path runs_, folder_;
  std::vector<std::filesystem::path> spares_;
  int made_ = 0;
};

}  // namespace hdrive::compute
