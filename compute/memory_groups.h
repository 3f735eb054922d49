// SPDX-License-Identifier: Apache-2.0
//
// Keeps the memory of runs below what they ask for, by control groups of the kernel, where this process may make some:
// version 1 below its own group; version 2 beside or below it, in a part of the tree that was delegated to it. Owned by the
// local target; one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hdrive/result.h"
#include "hdrive/target.h"

namespace hdrive::compute {

class MemoryGroups {
 public:
  /// Looks for a place. `mounts` is where the kernel's tree of groups is, `own` the file that says in which of them this
  /// process is.
  explicit MemoryGroups(std::filesystem::path mounts = "/sys/fs/cgroup",
                        std::filesystem::path own = "/proc/self/cgroup");

  static std::string name_of(const RunRequest& request);
  /// A new group for processes that together may have so many bytes; its folder, whose cgroup.procs takes them in. An Error
  /// says why there can be none.
  Result<std::filesystem::path> make(const std::string& name, std::uint64_t bytes);
  /// Removes the group of that name once nothing is in it any more.
  void remove(const std::string& name);

 private:
  enum class Version { none, first, second };

  void look();
  bool is_place(const std::filesystem::path& folder, Version version);
  void remove_left();

  std::filesystem::path mounts_, own_;
  bool looked_ = false;
  Version version_ = Version::none;
  std::filesystem::path place_;  // where groups are made
  std::string why_not_;
  std::vector<std::filesystem::path> left_;  // in which something still was
};

}  // namespace hdrive::compute
