// SPDX-License-Identifier: Apache-2.0
#include "workspace/file_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/text.h"
#include "workspace/manifest.h"

namespace hdrive::workspace {
namespace {

constexpr std::string_view kFirstLine = "hdrive-index 1";
constexpr std::chrono::seconds kUnsure{2};

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

template <class Integer>
bool parse(std::string_view word, Integer& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

FileStamp stamp_of(const struct stat& status) {
  return {static_cast<std::uint64_t>(status.st_size), status.st_dev, status.st_ino,
          nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

FileIndex::FileIndex(std::filesystem::path file) : file_(std::move(file)) {
  const auto text = base::read_file(file_);
  if (!text) return;
  const auto lines = base::split(*text, '\n');
  if (lines.front() != kFirstLine) return;
  for (const std::string_view line : lines) {
    const auto words = base::split(line, ' ');
    Known known;
    FileStamp& stamp = known.stamp;
    if (words.size() != 7 || !is_digest(words[5]) || !parse(words[0], stamp.size) ||
        !parse(words[1], stamp.device) || !parse(words[2], stamp.inode) ||
        !parse(words[3], stamp.modified) || !parse(words[4], stamp.changed))
      continue;
    known.digest = words[5];
    before_[unescaped(words[6])] = std::move(known);
  }
}

std::optional<std::string> FileIndex::find(const std::string& path, const FileStamp& stamp) const {
  const auto found = before_.find(path);
  if (found == before_.end() || found->second.stamp != stamp) return std::nullopt;
  return found->second.digest;
}

void FileIndex::note(const std::string& path, const FileStamp& stamp, const std::string& digest,
                     Time now) {
  const auto sure =
      std::chrono::duration_cast<std::chrono::nanoseconds>((now - kUnsure).time_since_epoch());
  if (std::max(stamp.modified, stamp.changed) < sure.count()) now_[path] = {stamp, digest};
}

Result<void> FileIndex::write() const {
  std::string text = std::string(kFirstLine) + "\n";
  for (const auto& [path, known] : now_) {
    const FileStamp& stamp = known.stamp;
    text += fmt::format("{} {} {} {} {} {} {}\n", stamp.size, stamp.device, stamp.inode,
                        stamp.modified, stamp.changed, known.digest, escaped(path));
  }
  return base::write_file_atomically(file_, text);
}

}  // namespace hdrive::workspace
