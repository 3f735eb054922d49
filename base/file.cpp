// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace hdrive::base {
namespace {

Result<std::string> read_from(int fd, const std::filesystem::path& path) {
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(path, "read", errno);
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Error::Kind error_kind(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return Error::Kind::no_room;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return Error::Kind::no_resources;
    case EBUSY:
    case ETXTBSY:
      return Error::Kind::busy;
    case EACCES:
    case EPERM:
    case EROFS:
      return Error::Kind::not_allowed;
    case ENOENT:
    case ENOTDIR:
      return Error::Kind::not_found;
    default:
      return Error::Kind::other;
  }
}

Error system_error(const std::filesystem::path& path, std::string_view what, int error_number) {
  return {path.string(),
          "cannot " + std::string(what) + ": " + std::generic_category().message(error_number),
          error_kind(error_number)};
}

Result<std::string> read_file(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(path, "open", errno);
  return read_from(fd.get(), path);
}

Result<std::string> read_file_end(const std::filesystem::path& path, std::size_t bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(path, "open", errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error(path, "stat", errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > bytes && ::lseek(fd.get(), static_cast<off_t>(size - bytes), SEEK_SET) < 0)
    return system_error(path, "seek", errno);
  return read_from(fd.get(), path);
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                   bool durable) {
  std::filesystem::path temporary = path;
  temporary += ".tmp" + std::to_string(::getpid());
  const auto fail = [&](std::string_view what) -> Result<void> {
    const int error_number = errno;
    ::unlink(temporary.c_str());
    return system_error(path, what, error_number);
  };
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return system_error(path, "create", errno);
  while (!text.empty()) {
    const ssize_t count = ::write(fd.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("write");
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (durable && ::fdatasync(fd.get()) != 0) return fail("sync");
  fd.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail("rename");
  if (durable) {
    const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
    const UniqueFd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) ::fsync(directory.get());
  }
  return {};
}

Result<void> make_directories(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return system_error(path, "create the directory", error.value());
  return {};
}

}  // namespace hdrive::base
