// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/json.h"
#include "base/json_words.h"
#include "base/text.h"

namespace hdrive::server::mlflow {
namespace {

constexpr int kMostLevelsOfEntry = 64;
constexpr std::size_t kMostBytes = std::size_t{256} << 20;

// From `position` to `size`, as far as it can be read.
std::string read_rest(const std::filesystem::path& path, std::uint64_t position,
                      std::uint64_t size) {
  const auto fd = base::open_regular(path);
  if (!fd || size - position > kMostBytes) return {};
  std::string text(static_cast<std::size_t>(size - position), '\0');
  std::size_t held = 0;
  while (held < text.size()) {
    const ssize_t count = ::pread(fd->get(), text.data() + held, text.size() - held,
                                  static_cast<off_t>(position + held));
    if (count <= 0) break;
    held += static_cast<std::size_t>(count);
  }
  text.resize(held);
  return text;
}

std::string lines_of(const std::vector<nlohmann::json>& entries) {
  std::string text;
  for (const nlohmann::json& entry : entries) text += base::json_text(entry) + "\n";
  return text;
}

}  // namespace

Result<void> write_all(int fd, const std::filesystem::path& path, std::string_view text,
                       std::size_t& written) {
  written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(fd, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::system_error(path, "write", errno);
    written += static_cast<std::size_t>(count);
  }
  return {};
}

bool is_there(const std::filesystem::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool ends_with_newline(int fd, std::uint64_t size) {
  char last = '\n';
  if (size > 0 && ::pread(fd, &last, 1, static_cast<off_t>(size - 1)) != 1) return false;
  return last == '\n';
}

void Journal::read(const std::function<void()>& forget,
                   const std::function<void(const nlohmann::json&)>& line) {
  struct stat status {};
  const bool there = ::lstat(path_.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  const auto size = there ? static_cast<std::uint64_t>(status.st_size) : 0;
  if (inode_ != (there ? status.st_ino : 0) || size < position_) {
    forget();
    inode_ = there ? status.st_ino : 0;
    position_ = 0;
  }
  if (size == position_) return;
  const std::string text = read_rest(path_, position_, size);
  std::string_view rest = text;
  for (std::size_t end = 0; (end = rest.find('\n')) != rest.npos;) {
    const std::string_view one = rest.substr(0, end);
    position_ += end + 1;
    rest.remove_prefix(end + 1);
    if (base::nests_deeper(one, kMostLevelsOfEntry)) continue;
    const auto entry = base::parse_json(one);
    if (entry.is_object()) line(entry);
  }
}

Result<void> Journal::append(const std::vector<nlohmann::json>& entries) {
  const auto fd = base::open_regular(AT_FDCWD, path_, O_RDWR | O_APPEND | O_CREAT);
  if (!fd) return fd.error();
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0) return base::system_error(path_, "look at", errno);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::string text = ends_with_newline(fd->get(), size) ? "" : "\n";
  text += lines_of(entries);
  std::size_t written = 0;
  auto done = write_all(fd->get(), path_, text, written);
  // Half of it would be taken for the whole by nobody: all of it comes again, or none.
  if (!done && written > 0 && ::ftruncate(fd->get(), status.st_size) != 0) return done;
  return done;
}

}  // namespace hdrive::server::mlflow
