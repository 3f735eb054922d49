// SPDX-License-Identifier: Apache-2.0
#include "compute/memory_groups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/text.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

// The kernel's files take what they are given in one piece, and say so at once.
bool write_value(const fs::path& file, const std::string& value) {
  const base::UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

bool names(const fs::path& file, std::string_view word) {
  const auto text = base::read_file(file);
  if (!text) return false;
  for (const std::string_view each : base::split(std::string_view(*text), ' '))
    if (base::trim(each) == word) return true;
  return false;
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

}  // namespace

MemoryGroups::MemoryGroups(fs::path mounts, fs::path own)
    : mounts_(std::move(mounts)), own_(std::move(own)) {}

std::string MemoryGroups::name_of(const RunRequest& request) {
  return "hdrive-" + request.run_id + "-" + std::to_string(request.attempt);
}

// Whether a group that can be made there could be given a limit. Only trying tells.
bool MemoryGroups::is_place(const fs::path& folder, Version version) {
  if (!is_folder(folder)) return false;
  if (version == Version::second && !names(folder / "cgroup.subtree_control", "memory") &&
      !write_value(folder / "cgroup.subtree_control", "+memory"))
    return false;
  const fs::path trial = folder / ("hdrive-trial-" + std::to_string(::getpid()));
  if (::mkdir(trial.c_str(), 0755) != 0) return false;
  const char* limit = version == Version::first ? "memory.limit_in_bytes" : "memory.max";
  const bool possible = ::access((trial / limit).c_str(), W_OK) == 0 &&
                        ::access((folder / "cgroup.procs").c_str(), W_OK) == 0;
  ::rmdir(trial.c_str());
  if (!possible) return false;
  place_ = folder;
  version_ = version;
  return true;
}

void MemoryGroups::look() {
  looked_ = true;
  const auto text = base::read_file(own_);
  if (!text) {
    why_not_ = "this kernel has no control groups";
    return;
  }
  for (const std::string_view line : base::split(std::string_view(*text), '\n')) {
    const auto parts = base::split(line, ':');
    if (parts.size() < 3) continue;
    const fs::path path = std::string(parts[2].substr(parts[2].empty() ? 0 : 1));
    for (const std::string_view controller : base::split(parts[1], ','))
      if (controller == "memory" && (is_place(mounts_ / "memory" / path, Version::first) ||
                                     is_place(mounts_ / "memory", Version::first)))
        return;
    if (parts[0] != "0") continue;
    for (const fs::path& mount : {mounts_, mounts_ / "unified"}) {
      // A group with processes in it has none below: those beside it are tried first.
      const fs::path group = mount / path;
      if ((!path.empty() && is_place(group.parent_path(), Version::second)) ||
          is_place(group, Version::second))
        return;
    }
  }
  why_not_ =
      "hdrive may make no control groups here; as root it may, and where systemd has delegated "
      "them, as in: "
      "systemd-run --user --scope -p Delegate=yes hdrive run";
}

Result<fs::path> MemoryGroups::make(const std::string& name, std::uint64_t bytes) {
  if (!looked_) look();
  if (version_ == Version::none) return Error{"memory", why_not_, Error::Kind::not_allowed};
  remove_left();
  const fs::path group = place_ / name;
  if (::mkdir(group.c_str(), 0755) != 0 && errno != EEXIST)
    return base::system_error(group, "make the control group", errno);
  const std::string limit = std::to_string(bytes);
  const bool first = version_ == Version::first;
  if (!write_value(group / (first ? "memory.limit_in_bytes" : "memory.max"), limit)) {
    Error error = base::system_error(group, "limit the memory of", errno);
    ::rmdir(group.c_str());
    return error;
  }
  // What it may not have it is not to swap either; without swap these are not there.
  write_value(group / (first ? "memory.memsw.limit_in_bytes" : "memory.swap.max"),
              first ? limit : "0");
  return group;
}

void MemoryGroups::remove(const std::string& name) {
  if (!looked_) look();
  if (version_ == Version::none) return;
  left_.push_back(place_ / name);
  remove_left();
}

void MemoryGroups::remove_left() {
  std::erase_if(
      left_, [](const fs::path& group) { return ::rmdir(group.c_str()) == 0 || errno != EBUSY; });
}

}  // namespace hdrive::compute
