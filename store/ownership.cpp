// SPDX-License-Identifier: Apache-2.0
#include "store/ownership.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <utility>

namespace hdrive::store {
namespace {

std::filesystem::path lock_file(const std::filesystem::path& sweep_directory) {
  return sweep_directory / "engine.lock";
}

// The lock belongs to the open file, not to the process: closing another descriptor of the file, as any
// reader in this process does, leaves it.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return "this host";
  return name;
}

// "<pid> <host> <steps>"
struct LockText {
  Owner owner;
  std::int64_t steps = 0;
};
LockText read_lock(int fd) {
  char text[512];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  std::istringstream stream(std::string(text, size > 0 ? static_cast<std::size_t>(size) : 0));
  LockText lock;
  stream >> lock.owner.pid >> lock.owner.host >> lock.steps;
  return lock;
}

Error taken(const std::filesystem::path& directory) {
  const std::optional<Owner> owner = owner_of(directory);
  if (!owner || owner->pid == 0)
    return {directory.string(), "another process is just starting or ending as its engine",
            Error::Kind::busy};
  return {directory.string(),
          fmt::format("the sweep is run by process {} on {}; stop it first (`hdrive stop {}`), or "
                      "wait until it has ended",
                      owner->pid, owner->host, directory.filename().string()),
          Error::Kind::busy};
}

// Somebody put something else there than a file.
Error unusable(Error error) {
  if (error.kind == Error::Kind::damaged) error.what += "; remove it, and try again";
  return error;
}

bool is_dead(const std::optional<Owner>& owner) {
  if (!owner || owner->pid <= 0) return true;
  return owner->host == host_name() && ::kill(static_cast<pid_t>(owner->pid), 0) != 0 &&
         errno == ESRCH;
}

// Whether the open file is the one of that name; of two that are not the same the lock of one says nothing.
bool is_in_place(int fd, const std::filesystem::path& path) {
  struct stat mine {
  }, there{};
  return ::fstat(fd, &mine) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

// Locks the file, at once or soon. A process that an engine was just starting when it was killed has the
// engine's files open until it is a program of its own: that lasts a moment, more on a busy machine.
bool lock(int fd, const std::filesystem::path& directory) {
  constexpr int kPause = 5, kPatience = 250, kPatienceWithDead = 10000;  // milliseconds
  for (int waited = 0;; waited += kPause) {
    if (try_lock(fd)) return true;
    const int error = errno;
    const bool hopeless = (error != EAGAIN && error != EACCES) || waited >= kPatienceWithDead ||
                          (waited >= kPatience && !is_dead(owner_of(directory)));
    errno = error;
    if (hopeless) return false;
    ::poll(nullptr, 0, kPause);
  }
}

void make_private(const std::filesystem::path& path, mode_t all) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return;
  // Of another owner's it fails, and stays as that one wants it.
  if ((status.st_mode & 077) != 0) (void)::chmod(path.c_str(), status.st_mode & all);
}

}  // namespace

bool try_lock(int fd) {
  struct flock whole = whole_file();
  return ::fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

void make_private(const std::filesystem::path& sweep_directory) {
  make_private(sweep_directory, 0700);
  for (const char* name : {"engine.lock", "sweep.db", "sweep.db-wal", "sweep.db-shm",
                           "sweep.db-journal", "sweep.json", "engine.log"})
    make_private(sweep_directory / name, 0600);
}

Result<Ownership> Ownership::take(const std::filesystem::path& sweep_directory) {
  const std::filesystem::path path = lock_file(sweep_directory);
  auto file = base::open_regular(AT_FDCWD, path, O_RDWR | O_CREAT);
  if (!file) return unusable(file.error());
  base::UniqueFd fd = *std::move(file);
  if (!lock(fd.get(), sweep_directory)) {
    if (errno == EAGAIN || errno == EACCES) return taken(sweep_directory);
    return base::system_error(path, "lock", errno);
  }
  if (!is_in_place(fd.get(), path)) return taken(sweep_directory);
  make_private(sweep_directory);
  const std::int64_t steps = read_lock(fd.get()).steps;
  Ownership ownership(path, std::move(fd), fmt::format("{} {}", ::getpid(), host_name()));
  ownership.found_steps_ = steps;
  if (::ftruncate(ownership.fd_.get(), 0) != 0 || !ownership.write(steps))
    return base::system_error(path, "write", errno);
  return ownership;
}

bool Ownership::write(std::int64_t steps) {
  // Always as long as before, so that a full disk does not matter.
  const std::string text = fmt::format("{} {:019}\n", prefix_, steps);
  return ::pwrite(fd_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

Result<void> Ownership::keep() {
  if (is_in_place(fd_.get(), file_)) return {};
  // Whoever makes the new file and has its lock owns the sweep: this process or, if it comes too late, another one.
  auto anew = base::open_regular(AT_FDCWD, file_, O_RDWR | O_CREAT | O_EXCL);
  if (anew && try_lock(anew->get()) && is_in_place(anew->get(), file_)) {
    fd_ = *std::move(anew);
    note_steps(noted_steps_);
    return {};
  }
  if (!anew && lies_outside(anew.error().kind)) return anew.error();
  return Error{file_.string(),
               "was replaced while it was in use, so another process may run this sweep by now; "
               "nothing more is written by this one"};
}

void Ownership::note_steps(std::int64_t steps) {
  noted_steps_ = steps;
  (void)write(steps);
}

std::int64_t noted_steps(const std::filesystem::path& sweep_directory) {
  const auto file = base::open_regular(lock_file(sweep_directory));
  return file ? read_lock(file->get()).steps : 0;
}

std::optional<Owner> owner_of(const std::filesystem::path& sweep_directory) {
  const auto file = base::open_regular(lock_file(sweep_directory));
  if (!file) return std::nullopt;
  struct flock lock = whole_file();
  if (::fcntl(file->get(), F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  return read_lock(file->get()).owner;
}

}  // namespace hdrive::store
