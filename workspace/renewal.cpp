// SPDX-License-Identifier: Apache-2.0
#include "workspace/renewal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <string_view>

#include "base/file.h"
#include "workspace/removal.h"

namespace hdrive::workspace {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPermissions = 07777;
constexpr int kSafely = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

// In `folder`, which is no link itself; "" is the folder.
base::UniqueFd open_folder(int folder, const std::string& path) {
  return base::UniqueFd(::openat(folder, path.empty() ? "." : path.c_str(), kSafely | O_DIRECTORY));
}

bool has_link(int folder, const std::string& path, std::string_view target) {
  std::array<char, PATH_MAX> text{};
  const ssize_t size = ::readlinkat(folder, path.c_str(), text.data(), text.size());
  return size >= 0 && std::string_view(text.data(), static_cast<std::size_t>(size)) == target;
}

bool has_content(int file, std::string_view content) {
  std::array<char, 1 << 14> part;
  while (true) {
    const ssize_t size = ::read(file, part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    const auto read = static_cast<std::size_t>(size);
    if (size <= 0 || read > content.size() ||
        content.substr(0, read) != std::string_view(part.data(), read))
      return size == 0 && content.empty();
    content.remove_prefix(read);
  }
}

}  // namespace

Original::Original(const SnapshotTree& tree, int folder) {
  sound_ = note_folder(folder, "");
  for (const std::string& path : tree.folders) sound_ = sound_ && note_folder(folder, path);
  for (const auto& link : kRunLinks) links_[link.name] = link.target;
  for (std::size_t i = 0; sound_ && i < tree.entries.size(); ++i) {
    const SnapshotEntry& entry = tree.entries[i];
    struct stat status {};
    if (!entry.target.empty()) links_[entry.path] = entry.target;
    if (entry.digest.empty()) continue;
    sound_ = ::fstatat(folder, entry.path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    files_.push_back({entry.path, tree.contents[i], status.st_mode & kPermissions});
  }
  for (const File& file : files_) note_name(file.path);
  for (const auto& [path, target] : links_) note_name(path);
}

bool Original::note_folder(int folder, const std::string& path) {
  struct stat status {};
  const base::UniqueFd fd = open_folder(folder, path);
  if (!fd || ::fstat(fd.get(), &status) != 0) return false;
  folders_[path].mode = status.st_mode & kPermissions;
  if (!path.empty()) note_name(path);
  return true;
}

void Original::note_name(const std::string& path) {
  const fs::path whole = path;
  folders_[whole.parent_path().string()].names.insert(whole.filename().string());
}

bool Original::renew(const fs::path& folder) const {
  const base::UniqueFd fd(::open(folder.c_str(), kSafely | O_DIRECTORY));
  return sound_ && fd &&
         std::all_of(folders_.begin(), folders_.end(),
                     [&](const auto& one) {
                       return has_folder(folder, fd.get(), one.first, one.second);
                     }) &&
         std::all_of(links_.begin(), links_.end(),
                     [&](const auto& one) { return has_link(fd.get(), one.first, one.second); }) &&
         std::all_of(files_.begin(), files_.end(),
                     [&](const File& file) { return has_file(fd.get(), file); });
}

bool Original::has_folder(const fs::path& root, int folder, const std::string& path,
                          const Folder& original) const {
  struct stat status {};
  const base::UniqueFd fd = open_folder(folder, path);
  if (!fd || ::fstat(fd.get(), &status) != 0 || (status.st_mode & kPermissions) != original.mode)
    return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(
      ::fdopendir(::openat(fd.get(), ".", kSafely | O_DIRECTORY)), ::closedir);
  if (!listing) return false;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || original.names.contains(name)) continue;
    remove_tree(root / path / name);
    if (::faccessat(fd.get(), entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) return false;
  }
  return true;
}

// Another name for it, other permissions or attributes change a file's ctime without its mtime. The
// next run finds it as new as all others.
bool Original::has_file(int folder, const File& original) {
  struct stat status {};
  const base::UniqueFd fd(::openat(folder, original.path.c_str(), kSafely));
  if (!fd || ::fstat(fd.get(), &status) != 0) return false;
  const bool looks_the_same = S_ISREG(status.st_mode) && status.st_nlink == 1 &&
                              (status.st_mode & kPermissions) == original.mode &&
                              static_cast<std::size_t>(status.st_size) == original.content.size() &&
                              status.st_mtim.tv_sec == status.st_ctim.tv_sec &&
                              status.st_mtim.tv_nsec == status.st_ctim.tv_nsec;
  return looks_the_same && has_content(fd.get(), original.content) &&
         ::futimens(fd.get(), nullptr) == 0;
}

}  // namespace hdrive::workspace
