// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/open_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <iterator>
#include <utility>

namespace hdrive::server::mlflow {

void OpenFiles::forget(Place place) {
  places_.erase(place->path);
  files_.erase(place);
}

Result<OpenFiles::File> OpenFiles::append_to(const std::filesystem::path& path, bool create) {
  struct stat status {};
  if (const auto found = places_.find(path.native()); found != places_.end()) {
    const Place place = found->second;
    // As long as it is open nothing else has its inode.
    if (::lstat(path.c_str(), &status) == 0 && status.st_ino == place->inode &&
        status.st_dev == place->device) {
      files_.splice(files_.begin(), files_, place);
      return File{place->fd.get(), place->inode, static_cast<std::uint64_t>(status.st_size)};
    }
    forget(place);
  }
  auto fd = base::open_regular(AT_FDCWD, path, O_RDWR | O_APPEND | (create ? O_CREAT : 0));
  if (!fd) return fd.error();
  if (::fstat(fd->get(), &status) != 0) return base::system_error(path, "look at", errno);
  if (!files_.empty() && files_.size() >= most_) forget(std::prev(files_.end()));
  files_.push_front({path.native(), *std::move(fd), status.st_dev, status.st_ino});
  places_[path.native()] = files_.begin();
  return File{files_.front().fd.get(), status.st_ino, static_cast<std::uint64_t>(status.st_size)};
}

}  // namespace hdrive::server::mlflow
