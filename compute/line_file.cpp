// SPDX-License-Identifier: Apache-2.0
#include "compute/line_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hdrive::compute {
namespace {

constexpr std::size_t kChunk = 256 << 10;
// By so many bytes a reader sees that what it has read is still there.
constexpr std::size_t kTail = 64;
// A reader that begins further on does not count the lines before it: that takes too long.
constexpr std::uint64_t kMostCounted = 64 << 20;

// Nothing: the disk could not read it.
std::optional<std::size_t> read_at(int fd, char* buffer, std::size_t size, std::uint64_t position) {
  while (true) {
    const ssize_t count = ::pread(fd, buffer, size, static_cast<off_t>(position));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return std::nullopt;
  }
}

}  // namespace

LineFile::LineFile(base::UniqueFd fd, std::uint64_t position, Rules rules)
    : fd_(std::move(fd)), position_(position), rules_(rules), began_(position) {
  if (position_ == 0) return;
  remember_tail();
  if (tail_.empty()) return;
  const char before = tail_.back();
  skipping_ = before != '\n' && !(rules_.carriage_return_ends_line && before == '\r');
}

LineFile::Progress LineFile::read(std::string& buffer, std::size_t budget, bool last,
                                  const Sink& sink) {
  Progress progress;
  if (!fd_) return progress;
  std::size_t size = kChunk, taken = 0;
  do {
    if (skipping_) skip_hole();
    bool full = false;
    auto text = next_text(buffer, size, full);
    if (!text) {
      // Once in a call: a program that overwrites it all the time holds nobody up.
      if (std::exchange(progress.began_anew, true)) break;
      continue;
    }
    taken = take_lines(*text, last && !full, size > rules_.longest_line, sink);
    progress.bytes += text->size();
    advance(*text, taken);
    if (!full) return progress;
    // Not one whole line in it: look at more, whatever the budget, or it would be looked at for
    // ever.
    size = taken == 0 ? rules_.longest_line + kChunk : kChunk;
  } while (taken == 0 || progress.bytes < budget);
  progress.at_end = false;
  return progress;
}

// What follows position_; nothing where what was read before it is not there any more. `full`:
// there may be more.
std::optional<std::string_view> LineFile::next_text(std::string& buffer, std::size_t size,
                                                    bool& full) {
  if (buffer.size() < size) buffer.resize(size);
  const auto count = read_at(fd_.get(), buffer.data(), size, position_ - tail_.size());
  if (!count) return std::string_view();
  if (!std::string_view(buffer.data(), *count).starts_with(tail_)) {
    begin_anew();
    return std::nullopt;
  }
  full = *count == size;
  return std::string_view(buffer.data() + tail_.size(), *count - tail_.size());
}

// `text` is preceded by the tail.
void LineFile::advance(std::string_view text, std::size_t taken) {
  if (taken == 0) return;
  const std::size_t length = std::min(kTail, tail_.size() + taken);
  tail_.assign(text.data() + taken - length, length);
  position_ += taken;
}

void LineFile::begin_anew() {
  position_ = 0;
  skipping_ = false;
  tail_.clear();
  began_ = 0;
  newlines_ = 0;
  newlines_before_.reset();
}

void LineFile::remember_tail() {
  tail_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kTail, position_)));
  const std::size_t length = tail_.size();
  tail_.resize(read_at(fd_.get(), tail_.data(), length, position_ - length).value_or(0));
  // Shorter than what was read from it: that shows when it is read next.
  if (tail_.size() < length) tail_.assign(length, '\n');
}

bool LineFile::is(const base::UniqueFd& file) const {
  struct stat mine {
  }, its{};
  return ::fstat(fd_.get(), &mine) == 0 && ::fstat(file.get(), &its) == 0 &&
         mine.st_dev == its.st_dev && mine.st_ino == its.st_ino;
}

// To the next byte that was written, which is where the line can end at the earliest.
void LineFile::skip_hole() {
  // Its size first: what is written after that was looked at is no hole.
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return;
  const off_t data = ::lseek(fd_.get(), static_cast<off_t>(position_), SEEK_DATA);
  std::uint64_t next = position_;
  if (data >= 0)
    next = static_cast<std::uint64_t>(data);
  else if (errno == ENXIO)
    next = static_cast<std::uint64_t>(status.st_size);
  if (next < position_ + kTail) return;
  position_ = next;
  tail_.assign(kTail, '\0');
}

// Returns how much of `text` is done with. `final`: nothing follows it. `full`: a line that does
// not end within it is too long.
std::size_t LineFile::take_lines(std::string_view text, bool final, bool full, const Sink& sink) {
  std::size_t from = 0;
  const auto tell = [&](std::string_view line, std::size_t offset) {
    const bool cut = line.size() > rules_.longest_line;
    sink({line.substr(0, rules_.longest_line), position_ + offset, newlines_, cut});
  };
  if (skipping_) {
    const std::size_t end = find_end(text, 0);
    if (end == std::string_view::npos) return text.size();
    skipping_ = false;
    count(text[end]);
    from = end + 1;
  }
  while (true) {
    const std::size_t end = find_end(text, from);
    if (end == std::string_view::npos) break;
    tell(text.substr(from, end - from), from);
    count(text[end]);
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

void LineFile::count(char line_end) {
  if (line_end == '\n') ++newlines_;
}

std::optional<std::uint64_t> LineFile::line_number(const Line& line) {
  if (began_ > kMostCounted) return std::nullopt;
  if (!newlines_before_) {
    newlines_before_ = 0;
    std::string buffer(kChunk, '\0');
    for (std::uint64_t at = 0; at < began_;) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, began_ - at));
      const std::size_t count = read_at(fd_.get(), buffer.data(), wanted, at).value_or(0);
      if (count == 0) break;
      const auto end = buffer.begin() + static_cast<std::ptrdiff_t>(count);
      *newlines_before_ += static_cast<std::uint64_t>(std::count(buffer.begin(), end, '\n'));
      at += count;
    }
  }
  return *newlines_before_ + line.newlines + 1;
}

}  // namespace hdrive::compute
