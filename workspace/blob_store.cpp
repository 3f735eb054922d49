// SPDX-License-Identifier: Apache-2.0
#include "workspace/blob_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/sha256.h"
#include "workspace/manifest.h"

namespace hdrive::workspace {
namespace {

// Of the whole process: several threads may capture into one store, each through an object of its
// own.
std::atomic<std::uint64_t> temporaries{0};

namespace fs = std::filesystem;

// All blobs have this time, 2000-01-01, so that one that somebody wrote to is known by its own; and
// not the epoch, since ZIP archives know no time before 1980.
constexpr std::time_t kBlobTime = 946'684'800;

// From here on one sync of the file system costs less than one of each file.
constexpr std::size_t kManyFiles = 32;

mode_t mode_of(const SnapshotEntry& file) { return file.executable ? 0555 : 0444; }

}  // namespace

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

Result<void> BlobStore::prepare() const {
  for (const char* name : {"blobs", "trees", "index"})
    if (auto made = base::make_directories(folder_ / name); !made) return made;
  return {};
}

fs::path BlobStore::manifest_path(const std::string& id) const { return folder_ / "trees" / id; }

fs::path BlobStore::blob_path(const SnapshotEntry& file) const {
  return folder_ / "blobs" / file.digest.substr(0, 2) /
         (file.digest.substr(2) + (file.executable ? "x" : ""));
}

bool BlobStore::holds(const SnapshotEntry& file) const {
  struct stat status {};
  return ::lstat(blob_path(file).c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         (status.st_mode & 07777) == mode_of(file) &&
         static_cast<std::uint64_t>(status.st_size) == file.size &&
         status.st_mtim.tv_sec == kBlobTime && status.st_mtim.tv_nsec == 0;
}

Result<void> BlobStore::put(const SnapshotEntry& file, std::string_view content) {
  const fs::path path = blob_path(file);
  const fs::path temporary =
      folder_ / "blobs" /
      (".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(++temporaries));
  ::unlink(temporary.c_str());  // of a process before that had our number
  base::UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return base::system_error(path, "create", errno);
  const timespec times[2] = {{kBlobTime, 0}, {kBlobTime, 0}};
  errno = EIO;
  bool done = write_all(fd.get(), content) && ::fchmod(fd.get(), mode_of(file)) == 0 &&
              ::futimens(fd.get(), times) == 0;
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0) {
    ::mkdir(path.parent_path().c_str(), 0700);
    done = ::rename(temporary.c_str(), path.c_str()) == 0;
  }
  if (!done) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return base::system_error(path, "store the file", error);
  }
  unsynced_.push_back(path);
  return {};
}

Result<std::string> BlobStore::read(const SnapshotEntry& file) const {
  const fs::path path = blob_path(file);
  auto content = base::read_file(path);
  if (!content) return content;
  if (base::sha256(*content) != file.digest)
    return Error{path.string(), "is not the content it was stored with", Error::Kind::damaged};
  return content;
}

Result<void> BlobStore::put_manifest(const std::string& id, std::string_view text) {
  if (const auto there = base::read_file(manifest_path(id)); there && *there == text) return {};
  return base::write_file_atomically(manifest_path(id), text, true);
}

Result<std::vector<SnapshotEntry>> BlobStore::read_manifest(const std::string& id) const {
  const fs::path path = manifest_path(id);
  if (!is_digest(id)) return Error{path.string(), "is no snapshot's name", Error::Kind::invalid};
  const auto text = base::read_file(path);
  if (!text) return text.error();
  if (base::sha256(*text) != id)
    return Error{path.string(), "is damaged: it is not what its name says", Error::Kind::damaged};
  auto entries = parse_manifest(*text);
  if (!entries) return Error{path.string(), entries.error().what, entries.error().kind};
  return entries;
}

Result<void> BlobStore::sync() {
  if (unsynced_.size() > kManyFiles) {
    const base::UniqueFd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::syncfs(folder.get()) != 0) return base::system_error(folder_, "sync", errno);
    unsynced_.clear();
    return {};
  }
  for (const fs::path& path : unsynced_)
    for (const fs::path& each : {path, path.parent_path()}) {
      const base::UniqueFd fd(::open(each.c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd || ::fsync(fd.get()) != 0) return base::system_error(each, "sync", errno);
    }
  unsynced_.clear();
  return {};
}

std::shared_ptr<void> BlobStore::lock(bool shared) const {
  auto fd = std::make_shared<base::UniqueFd>(
      ::open((folder_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  const int kind = shared ? LOCK_SH : LOCK_EX | LOCK_NB;
  while (*fd && ::flock(fd->get(), kind) != 0)
    if (errno != EINTR) return nullptr;
  return *fd ? fd : nullptr;
}

}  // namespace hdrive::workspace
