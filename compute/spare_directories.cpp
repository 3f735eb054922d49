// SPDX-License-Identifier: Apache-2.0
#include "compute/spare_directories.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "compute/run_directory.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMost = 64;

// The status of a file with no other name and the permissions it was made with.
std::optional<struct stat> file_as_made(int directory, const char* name) {
  struct stat status {};
  const bool as_made = ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                       S_ISREG(status.st_mode) && (status.st_mode & 07777) == 0600 &&
                       status.st_nlink == 1;
  return as_made ? std::optional(status) : std::nullopt;
}

bool is_empty_file(int directory, const char* name) {
  const auto status = file_as_made(directory, name);
  return status && status->st_size == 0;
}

bool is_empty_folder(int directory, const char* name) {
  const auto folder = base::open_directory(directory, name);
  struct stat status {};
  if (!folder || ::fstat(folder->get(), &status) != 0 || (status.st_mode & 07777) != 0700)
    return false;
  DIR* listing = ::fdopendir(::openat(folder->get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing) return false;
  bool empty = true;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string_view found = entry->d_name;
    empty = empty && (found == "." || found == "..");
  }
  ::closedir(listing);
  return empty;
}

void remove_folder(const fs::path& folder) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

}  // namespace

SpareDirectories::~SpareDirectories() { clear(); }

void SpareDirectories::clear() {
  for (const fs::path& spare : spares_) remove_folder(spare);
  spares_.clear();
  if (!folder_.empty()) ::rmdir(folder_.c_str());
}

// What an engine that died has left there may be half made.
void SpareDirectories::work_in(const fs::path& runs) {
  if (runs_ == runs) return;
  clear();
  runs_ = runs;
  folder_ = place_.empty() ? runs / ".spare" : place_;
  remove_folder(folder_);
}

void SpareDirectories::gather(const fs::path& path) {
  work_in(path.parent_path());
  if (spares_.size() == kMost) return;
  const auto from = base::open_directory(AT_FDCWD, path);
  if (!from) return;
  const fs::path spare = folder_ / std::to_string(++made_);
  if (::mkdir(spare.c_str(), 0700) != 0 &&
      (::mkdir(folder_.c_str(), 0700) != 0 || ::mkdir(spare.c_str(), 0700) != 0))
    return;
  const auto to = base::open_directory(AT_FDCWD, spare);
  if (!to) return remove_folder(spare);
  const auto move = [&](const char* name, const char* as) {
    ::renameat(from->get(), name, to->get(), as);
  };
  for (const char* name : kAttemptFolders)
    if (is_empty_folder(from->get(), name)) move(name, name);
  // Not stderr.log: that it is there says that the supervisor has begun.
  for (const char* name : {"stdout.log", "metrics.jsonl"})
    if (is_empty_file(from->get(), name)) move(name, name);
  if (file_as_made(from->get(), "supervisor.json")) move("supervisor.json", kSpareClaim);
  spares_.push_back(spare);
}

bool SpareDirectories::take(const fs::path& directory) {
  if (spares_.empty() || runs_ != directory.parent_path()) return false;
  const fs::path spare = spares_.back();
  // An empty directory in its place is replaced, any other is left alone.
  if (::rename(spare.c_str(), directory.c_str()) != 0) return false;
  spares_.pop_back();
  return true;
}

}  // namespace hdrive::compute
