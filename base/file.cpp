// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace hdrive::base {
namespace {

std::string megabytes(std::size_t bytes) {
  constexpr std::size_t kMegabyte = 1 << 20;
  return bytes < kMegabyte ? std::to_string(bytes >> 10) + " kB"
                           : std::to_string(bytes / kMegabyte) + " MB";
}

// From `fd`'s position on, whatever size the file says it has: those of /proc say none.
Result<std::string> read_from(int fd, const std::filesystem::path& path, std::size_t most) {
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(path, "read", errno);
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > most)
      return Error{path.string(), "it is larger than " + megabytes(most) + " and was not read",
                   Error::Kind::damaged};
  }
}

const char* kind_of_file(mode_t mode) {
  if (S_ISREG(mode)) return "a file";
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISLNK(mode)) return "a symbolic link";
  return "a device";
}

Error no_regular_file(const std::filesystem::path& path, mode_t mode) {
  return {path.string(), std::string("it is ") + kind_of_file(mode) + ", not a regular file",
          Error::Kind::damaged};
}

// A name that no other thread or process uses at the same time.
std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  static std::atomic<unsigned long> count{0};
  std::filesystem::path temporary = path;
  temporary += ".tmp" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  return temporary;
}

// Left by a process of the same number that died, if it is there.
UniqueFd create_anew(const std::filesystem::path& path, Access access) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::open(path.c_str(), kFlags, static_cast<mode_t>(access)));
  if (!fd && errno == EEXIST && ::unlink(path.c_str()) == 0)
    fd.reset(::open(path.c_str(), kFlags, static_cast<mode_t>(access)));
  return fd;
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
    case EFBIG:  // the limit of a file's size, which a quota may stand behind
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
    case ESRCH:
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

Result<UniqueFd> open_regular(int directory, const std::filesystem::path& path, int flags,
                              Access access) {
  constexpr int kSafely = O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
  UniqueFd fd(::openat(directory, path.c_str(), flags | kSafely, static_cast<mode_t>(access)));
  struct stat status {};
  if (fd) {
    if (::fstat(fd.get(), &status) != 0) return system_error(path, "stat", errno);
    if (!S_ISREG(status.st_mode)) return no_regular_file(path, status.st_mode);
    return fd;
  }
  // What cannot be opened at all may be no file: ELOOP for links, ENXIO for FIFOs and sockets,
  // EISDIR.
  const int error_number = errno;
  if (error_number != ENOENT &&
      ::fstatat(directory, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      !S_ISREG(status.st_mode))
    return no_regular_file(path, status.st_mode);
  return system_error(path, flags & O_CREAT ? "create" : "open", error_number);
}

Result<UniqueFd> open_regular(const std::filesystem::path& path) {
  return open_regular(AT_FDCWD, path, O_RDONLY);
}

Result<UniqueFd> open_directory(int parent, const std::filesystem::path& path) {
  UniqueFd fd(::openat(parent, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd) return fd;
  const int error_number = errno;
  struct stat status {};
  if (::fstatat(parent, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      !S_ISDIR(status.st_mode))
    return Error{path.string(),
                 std::string("it is ") + kind_of_file(status.st_mode) + ", not a directory",
                 Error::Kind::damaged};
  return system_error(path, "open the directory", error_number);
}

Result<std::string> read_file(int directory, const std::filesystem::path& path, std::size_t most) {
  const auto fd = open_regular(directory, path, O_RDONLY);
  if (!fd) return fd.error();
  return read_from(fd->get(), path, most);
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t most) {
  return read_file(AT_FDCWD, path, most);
}

Result<std::string> read_file_end(const std::filesystem::path& path, std::size_t bytes) {
  const auto fd = open_regular(path);
  if (!fd) return fd.error();
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0) return system_error(path, "stat", errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  const std::size_t from = size > bytes ? size - bytes : 0;
  std::string text(size - from, '\0');  // what is added meanwhile is left out
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t count = ::pread(fd->get(), text.data() + filled, text.size() - filled,
                                  static_cast<off_t>(from + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(path, "read", errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return text;
}

namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

Result<void> write_into(const std::filesystem::path& path, std::string_view text, int flags) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | flags, 0644));
  if (!fd) return system_error(path, "open", errno);
  if (!write_all(fd.get(), text)) return system_error(path, "write", errno);
  return {};
}

// Names of what this process has open, which a new file must not take from it. /dev/shm is a folder
// of files like any other.
bool names_a_descriptor(const std::filesystem::path& path) {
  const std::string& name = path.native();
  return (name.starts_with("/dev/") && !name.starts_with("/dev/shm/")) ||
         name.starts_with("/proc/");
}

}  // namespace

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                   bool durable, Access access) {
  const std::filesystem::path temporary = temporary_beside(path);
  const auto fail = [&](std::string_view what) -> Result<void> {
    const int error_number = errno;
    ::unlink(temporary.c_str());
    return system_error(path, what, error_number);
  };
  UniqueFd fd = create_anew(temporary, access);
  if (!fd) return system_error(path, "create", errno);
  if (!write_all(fd.get(), text)) return fail("write");
  if (durable && ::fdatasync(fd.get()) != 0) return fail("sync");
  fd.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail("rename");
  if (durable) sync_directory(path.has_parent_path() ? path.parent_path() : ".");
  return {};
}

Result<void> write_output(const std::filesystem::path& path, std::string_view text) {
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode))
    return Error{path.string(), "is a directory; name a file in it", Error::Kind::invalid};
  if (there && (!S_ISREG(status.st_mode) || names_a_descriptor(path)))
    return write_into(path, text, O_APPEND);
  std::error_code error;
  if (!there && std::filesystem::is_symlink(path, error)) return write_into(path, text, O_CREAT);
  const auto file = std::filesystem::weakly_canonical(path, error);
  const auto& target = error ? path : file;
  const auto written = write_file_atomically(target, text, false, Access::others);
  if (!there) return written;
  if (!written && written.error().kind == Error::Kind::not_allowed)
    return write_into(path, text, O_TRUNC);
  if (written) (void)::chmod(target.c_str(), status.st_mode & 07777);
  return written;
}

void sync_directory(const std::filesystem::path& path) {
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) ::fsync(directory.get());
}

Result<void> make_directories(const std::filesystem::path& path, int most) {
  constexpr mode_t kMine = 0700;
  if (::mkdir(path.c_str(), kMine) == 0) return {};
  const std::filesystem::path parent = path.parent_path();
  if (errno == ENOENT && !parent.empty() && parent != path && most > 1) {
    if (auto made = make_directories(parent, most - 1); !made) return made;
    if (::mkdir(path.c_str(), kMine) == 0) return {};
  }
  const int error_number = errno;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return {};
  return system_error(path, "create the directory", error_number);
}

}  // namespace hdrive::base
