// SPDX-License-Identifier: Apache-2.0
#include "compute/line_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hdrive::compute {
namespace {

constexpr std::size_t kChunk = 256 << 10;

std::size_t read_at(int fd, char* buffer, std::size_t size, std::uint64_t position) {
  while (true) {
    const ssize_t count = ::pread(fd, buffer, size, static_cast<off_t>(position));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return 0;
  }
}

}  // namespace

LineFile::LineFile(base::UniqueFd fd, std::uint64_t position, Rules rules)
    : fd_(std::move(fd)), position_(position), rules_(rules) {
  char before = '\n';
  if (position_ > 0 && read_at(fd_.get(), &before, 1, position_ - 1) == 1)
    skipping_ = before != '\n' && !(rules_.carriage_return_ends_line && before == '\r');
}

LineFile::Progress LineFile::read(std::string& buffer, std::size_t budget, bool last,
                                  const Sink& sink) {
  Progress progress;
  if (!fd_) return progress;
  std::size_t size = kChunk;
  while (progress.bytes < budget) {
    if (buffer.size() < size) buffer.resize(size);
    const std::size_t count = read_at(fd_.get(), buffer.data(), size, position_);
    if (count == 0 && was_truncated()) {
      progress.truncated = true;
      continue;
    }
    const bool full = count == size;
    const std::size_t taken =
        take_lines({buffer.data(), count}, last && !full, size > rules_.longest_line, sink);
    position_ += taken;
    progress.bytes += count;
    if (!full) return progress;
    // Not one whole line in it: look at more.
    if (taken == 0) size = rules_.longest_line + kChunk;
  }
  progress.at_end = false;
  return progress;
}

// Returns how much of `text` is done with. `final`: nothing follows it. `full`: a line that does not end
// within it is too long.
std::size_t LineFile::take_lines(std::string_view text, bool final, bool full, const Sink& sink) {
  std::size_t from = 0;
  const auto tell = [&](std::string_view line, std::size_t offset) {
    const bool cut = line.size() > rules_.longest_line;
    sink({line.substr(0, rules_.longest_line), position_ + offset, cut});
  };
  if (skipping_) {
    const std::size_t end = find_end(text, 0);
    if (end == std::string_view::npos) return text.size();
    skipping_ = false;
    from = end + 1;
  }
  while (true) {
    const std::size_t end = find_end(text, from);
    if (end == std::string_view::npos) break;
    tell(text.substr(from, end - from), from);
    from = end + 1;
  }
  const std::string_view rest = text.substr(from);
  if (final && !rest.empty()) {
    tell(rest, from);
    return text.size();
  }
  if (rest.size() > rules_.longest_line && (full || from > 0)) {
    tell(rest, from);
    skipping_ = true;
    return text.size();
  }
  return from;
}

std::size_t LineFile::find_end(std::string_view text, std::size_t from) const {
  if (from >= text.size()) return std::string_view::npos;
  const char* begin = text.data() + from;
  const std::size_t length = text.size() - from;
  const auto* newline = static_cast<const char*>(std::memchr(begin, '\n', length));
  if (rules_.carriage_return_ends_line) {
    const std::size_t until = newline ? static_cast<std::size_t>(newline - begin) : length;
    const auto* other = static_cast<const char*>(std::memchr(begin, '\r', until));
    if (other) newline = other;
  }
  return newline ? static_cast<std::size_t>(newline - text.data()) : std::string_view::npos;
}

bool LineFile::was_truncated() {
  struct stat status {};
  if (position_ == 0 || ::fstat(fd_.get(), &status) != 0) return false;
  if (static_cast<std::uint64_t>(status.st_size) >= position_) return false;
  position_ = 0;
  skipping_ = false;
  return true;
}

std::uint64_t LineFile::line_number(std::uint64_t offset) const {
  std::uint64_t number = 1;
  std::string buffer(kChunk, '\0');
  for (std::uint64_t at = 0; at < offset;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, offset - at));
    const std::size_t count = read_at(fd_.get(), buffer.data(), wanted, at);
    if (count == 0) break;
    number += static_cast<std::uint64_t>(
        std::count(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count), '\n'));
    at += count;
  }
  return number;
}

}  // namespace hdrive::compute
