// SPDX-License-Identifier: Apache-2.0
#include "hdrive/housekeeping.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>
#include <system_error>

#include "base/file.h"
#include "hdrive/catalog.h"
#include "hdrive/store.h"
#include "hdrive/workspace.h"
#include "store/ownership.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;

// The parts of a run directory, and of those of its earlier attempts, that nothing is read from any
// more when the run has ended.
constexpr const char* kPrunable[] = {"outputs", "checkpoints", "work"};
constexpr std::string_view kEarlierAttempt = "attempt-";

void count(const struct stat& status, DiskUse& use) {
  ++use.entries;
  if (S_ISDIR(status.st_mode) || status.st_nlink == 1)
    use.bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
}

void count_folder(int parent, const char* name, std::int64_t most, DiskUse& use) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* folder = fd < 0 ? nullptr : ::fdopendir(fd);
  if (!folder) {
    if (fd >= 0) ::close(fd);
    return;
  }
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view each = entry->d_name;
    struct stat status {};
    if (each == "." || each == ".." ||
        ::fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (use.entries >= most) {
      use.complete = false;
      break;
    }
    count(status, use);
    if (S_ISDIR(status.st_mode)) count_folder(fd, entry->d_name, most, use);
  }
  ::closedir(folder);
}

void add_prunable_parts(const fs::path& attempt, std::vector<fs::path>& parts) {
  std::error_code error;
  for (const char* name : kPrunable)
    if (fs::is_directory(fs::symlink_status(attempt / name, error)))
      parts.push_back(attempt / name);
}

// Of earlier attempts only the same: their logs, metrics and ends tell why the run was tried again.
std::vector<fs::path> prunable_parts(const fs::path& run) {
  std::vector<fs::path> parts;
  add_prunable_parts(run, parts);
  std::error_code error;
  for (fs::directory_iterator entry(run, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().filename().native().starts_with(kEarlierAttempt) &&
        entry->symlink_status(error).type() == fs::file_type::directory)
      add_prunable_parts(entry->path(), parts);
  return parts;
}

Error not_owned(const fs::path& directory, const Error& error) {
  return {directory.string(), error.message(), Error::Kind::busy};
}

}  // namespace

DiskUse& DiskUse::operator+=(const DiskUse& other) {
  bytes += other.bytes;
  entries += other.entries;
  complete = complete && other.complete;
  return *this;
}

DiskUse disk_use(const fs::path& folder, std::int64_t most_entries) {
  DiskUse use;
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0) return use;
  count(status, use);
  if (S_ISDIR(status.st_mode)) count_folder(AT_FDCWD, folder.c_str(), most_entries, use);
  return use;
}

Result<void> delete_sweep(const fs::path& directory) {
  const auto owned = store::Ownership::take(directory);
  if (!owned) return not_owned(directory, owned.error());
  if (auto ended = expect_no_living_runs(directory); !ended) return ended;
  // Out of every listing at once; what a crash leaves there the next deletion removes.
  const fs::path bin = directory.parent_path() / ".deleted";
  if (auto made = base::make_directories(bin); !made) return made;
  const fs::path gone = bin / fmt::format("{}-{}", directory.filename().string(), ::getpid());
  if (::rename(directory.c_str(), gone.c_str()) != 0)
    return base::system_error(directory, "delete", errno);
  std::error_code error;
  fs::remove_all(bin, error);
  if (error) return base::system_error(bin, "remove what was deleted", error.value());
  return {};
}

DiskUse prunable(const fs::path& directory, const std::vector<RunId>& runs) {
  DiskUse use;
  for (const RunId run : runs)
    for (const fs::path& part : prunable_parts(run_directory(directory, run)))
      use += disk_use(part);
  return use;
}

Result<void> prune_runs(const fs::path& directory, const std::vector<RunId>& runs) {
  const auto owned = store::Ownership::take(directory);
  if (!owned) return not_owned(directory, owned.error());
  if (auto ended = expect_no_living_runs(directory); !ended) return ended;
  for (const RunId run : runs)
    for (const fs::path& part : prunable_parts(run_directory(directory, run))) {
      std::error_code error;
      fs::remove_all(part, error);
      if (error) return base::system_error(part, "remove", error.value());
    }
  return {};
}

Result<std::uint64_t> collect_unused_snapshots(const fs::path& home) {
  std::vector<Error> problems;
  std::set<std::string> used;
  for (const SweepEntry& sweep : list_sweeps(home, &problems))
    if (!sweep.header.snapshot.empty()) used.insert(sweep.header.snapshot);
  if (!problems.empty())
    return Error{home.string(),
                 "snapshots are kept as long as this is so: " + problems.front().message(),
                 problems.front().kind};
  return collect_snapshots(snapshot_store(home), used);
}

}  // namespace hdrive
