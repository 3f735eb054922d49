// SPDX-License-Identifier: Apache-2.0
//
// The working folder of a run that has ended, made ready for another. Making a dozen files and
// removing them again costs a short run more than its work does (on ext4 without a journal a new
// file passes over each one that was removed in the last minutes); looking at them costs a tenth.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "hdrive/workspace.h"

namespace hdrive::workspace {

/// A snapshot whose files are copied into working folders, read once.
struct SnapshotTree {
  std::vector<SnapshotEntry> entries;
  std::vector<std::string> folders;   ///< in the order to make them
  std::vector<std::string> contents;  ///< of a small tree, by entry; empty: it is not small
};

/// Where a working folder's links lead: to the run's own.
inline constexpr struct {
  const char *name, *target;
} kRunLinks[] = {{"outputs", "../outputs"}, {"logs", "../logs"}};

/// How a working folder of a small tree was when it was made.
class Original {
 public:
  /// Looks at a folder that was just made. Where that fails, `renew` finds everything changed.
  Original(const SnapshotTree& tree, int folder);

  /// Takes away what a run has added to the folder. False: it has changed or removed something
  /// else, and the folder is of no more use.
  bool renew(const std::filesystem::path& folder) const;

 private:
  struct File {
    std::string path, content;
    mode_t mode = 0;
  };
  struct Folder {
    mode_t mode = 0;
    std::set<std::string, std::less<>> names;  // of what is in it
  };

  bool note_folder(int folder, const std::string& path);
  void note_name(const std::string& path);
  bool has_folder(const std::filesystem::path& root, int folder, const std::string& path,
                  const Folder& original) const;
  static bool has_file(int folder, const File& original);

  std::map<std::string, Folder> folders_;  // the folder itself as ""
  std::vector<File> files_;
  std::map<std::string, std::string> links_;  // to their targets
  bool sound_ = false;
};

}  // namespace hdrive::workspace
