// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/metrics_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>
#include <unordered_set>

#include "base/file.h"
#include "base/text.h"
#include "hdrive/target.h"
#include "server/mlflow/journal.h"

namespace hdrive::server::mlflow {
namespace {

// By whose lines a new engine knows what was logged already.
constexpr std::uint64_t kTail = 512 << 10;
constexpr std::size_t kChunk = 256 << 10;
constexpr std::size_t kLongestLine = 1 << 20;
// 2200-01-01: beyond it the protocol takes no time, and the metric counts as logged when it was read.
constexpr std::int64_t kLatest = 7'258'118'400'000;
// Names of metrics are the program's: a run that makes up a new one at each step does not fill the memory.
constexpr std::size_t kMostNames = 100'000;
// Of a position in the history: which file it is in stands above where.
constexpr int kPlaceShift = 56;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
  return hash ^ hash >> 29;
}

std::uint64_t hash_of(const Point& point) {
  std::uint64_t hash = 0xCBF29CE484222325ull;
  for (const char c : point.name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  const double value = std::isnan(point.value) ? std::nan("") : point.value + 0.0;
  hash = mixed(hash, std::bit_cast<std::uint64_t>(value));
  hash = mixed(hash, static_cast<std::uint64_t>(point.timestamp));
  hash = mixed(hash, static_cast<std::uint64_t>(point.step));
  return hash == 0 ? 1 : hash;
}

// Milliseconds as the protocol's seconds.
std::string seconds(std::int64_t milliseconds) {
  return fmt::format(", \"time\": {}.{:03}", milliseconds / 1000, milliseconds % 1000);
}

std::string line_of(const Point& point) {
  const bool has_time = point.timestamp >= 0 && point.timestamp < kLatest;
  return fmt::format("{{\"name\": {}, \"value\": {}, \"step\": {}{}}}\n",
                     base::json_string(point.name), base::json_number(point.value), point.step,
                     has_time ? seconds(point.timestamp) : "");
}

std::optional<Point> point_of(std::string_view line) {
  const auto metric = metric_of_line(line);
  if (!metric) return std::nullopt;
  Point point{metric->name, metric->value, 0, metric->step.value_or(0)};
  if (metric->time)
    point.timestamp =
        std::chrono::round<std::chrono::milliseconds>(*metric->time).time_since_epoch().count();
  return point;
}

// Tells each complete line from `position` on, and where it ends, until `line` has enough. The end of the last line
// that was told, or of what was passed over, since no line of the protocol is that long.
std::uint64_t each_line(int fd, std::uint64_t position,
                        const std::function<bool(std::string_view, std::uint64_t)>& line) {
  std::string text;
  std::size_t searched = 0;
  while (true) {
    const std::size_t held = text.size();
    text.resize(held + kChunk);
    const ssize_t count =
        ::pread(fd, text.data() + held, kChunk, static_cast<off_t>(position + held));
    text.resize(held + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count <= 0) return position;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text.find('\n', std::max(begin, searched))) != text.npos;) {
      const bool enough =
          !line(std::string_view(text).substr(begin, end - begin), position + end + 1);
      begin = end + 1;
      if (enough) return position + begin;
    }
    position += begin;
    text.erase(0, begin);
    if (text.size() > kLongestLine) {
      position += text.size();
      text.clear();
    }
    searched = text.size();
  }
}

bool is_later(const Point& a, const Point& b) {
  return std::tuple(a.step, a.timestamp, a.value) >= std::tuple(b.step, b.timestamp, b.value) ||
         std::isnan(b.value);
}

}  // namespace

// ---- what was logged lately ---------------------------------------------------------------------

bool RecentHashes::find(const Table& table, std::uint64_t hash) {
  if (table.empty()) return false;
  for (std::size_t i = hash % kSlots; table[i] != 0; i = (i + 1) % kSlots)
    if (table[i] == hash) return true;
  return false;
}

bool RecentHashes::contains(std::uint64_t hash) const {
  return find(young_, hash) || find(old_, hash);
}

bool RecentHashes::insert(std::uint64_t hash) {
  if (contains(hash)) return false;
  if (young_.empty()) young_.resize(kSlots);
  if (count_ == kMost) {
    old_.swap(young_);
    young_.assign(kSlots, 0);
    count_ = 0;
  }
  std::size_t i = hash % kSlots;
  while (young_[i] != 0) i = (i + 1) % kSlots;
  young_[i] = hash;
  ++count_;
  return true;
}

void RecentHashes::clear() {
  young_ = {};
  old_ = {};
  count_ = 0;
}

// ---- the file -----------------------------------------------------------------------------------

void MetricsFile::look_at_tail(int fd, std::uint64_t size) {
  recent_.clear();
  line_is_open_ = !ends_with_newline(fd, size);
  // The line that the tail begins within is no metric, or one too many: neither does harm.
  each_line(fd, size > kTail ? size - kTail : 0, [&](std::string_view line, std::uint64_t) {
    if (const auto point = point_of(line)) recent_.insert(hash_of(*point));
    return true;
  });
}

Result<int> MetricsFile::open() {
  // The last that is there: beside one that others bring stands one of our own.
  auto file = files_.append_to(places_.back().path, made_here_);
  path_ = places_.back().path;
  if (!file && file.error().kind == Error::Kind::not_found && places_.size() > 1) {
    path_ = places_.front().path;
    file = files_.append_to(path_, made_here_);
  }
  if (!file) return file.error();
  if (file->inode != inode_) {
    inode_ = file->inode;
    look_at_tail(file->fd, file->size);
  }
  return file->fd;
}

Result<void> MetricsFile::append(const std::vector<Point>& points) {
  const auto fd = open();
  if (!fd) return fd.error();
  // Within a request, too, the same point twice is one.
  std::unordered_set<std::uint64_t> here;
  std::string text = line_is_open_ ? "\n" : "";
  const std::size_t before = text.size();
  std::vector<std::pair<std::size_t, std::uint64_t>> ends;  // of the lines, and whose they are
  for (const Point& point : points) {
    const std::uint64_t hash = hash_of(point);
    if (recent_.contains(hash) || (points.size() > 1 && !here.insert(hash).second)) continue;
    text += line_of(point);
    ends.emplace_back(text.size(), hash);
  }
  if (text.size() == before) return {};
  std::size_t written = 0;
  auto done = write_all(*fd, path_, text, written);
  for (const auto& [end, hash] : ends)
    if (end <= written) recent_.insert(hash);
  if (written > 0) line_is_open_ = text[written - 1] != '\n';
  return done;
}

const std::map<std::string, Point>& MetricsFile::latest() {
  std::vector<base::UniqueFd> opened;
  bool as_before = true;
  for (Place& place : places_) {
    auto fd = base::open_regular(AT_FDCWD, place.path, O_RDONLY);
    struct stat status {};
    const bool there = fd && ::fstat(fd->get(), &status) == 0;
    const ino_t inode = there ? status.st_ino : 0;
    // One that has come since adds to what is known; another one in its place makes all of it anew.
    as_before &= place.inode == 0 || (inode == place.inode &&
                                      static_cast<std::uint64_t>(status.st_size) >= place.position);
    place.inode = inode;
    opened.push_back(there ? *std::move(fd) : base::UniqueFd());
  }
  if (!as_before) latest_.clear();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    if (!as_before || !opened[i]) place.position = 0;
    if (opened[i]) place.position = read_latest(opened[i].get(), place.position);
  }
  return latest_;
}

std::uint64_t MetricsFile::read_latest(int fd, std::uint64_t position) {
  return each_line(fd, position, [&](std::string_view line, std::uint64_t) {
    auto point = point_of(line);
    if (!point) return true;
    const auto found = latest_.find(point->name);
    if (found == latest_.end() && latest_.size() < kMostNames)
      latest_.emplace(point->name, *point);
    else if (found != latest_.end() && is_later(*point, found->second))
      found->second = *std::move(point);
    return true;
  });
}

MetricsFile::Page MetricsFile::history(const std::string& name, std::uint64_t position,
                                       std::size_t most) const {
  Page page;
  for (std::size_t i = position >> kPlaceShift; i < places_.size() && !page.next; ++i) {
    const std::uint64_t place = std::uint64_t{i} << kPlaceShift;
    const std::uint64_t begin = position >> kPlaceShift == i ? position - place : 0;
    const auto fd = base::open_regular(AT_FDCWD, places_[i].path, O_RDONLY);
    if (!fd) continue;
    each_line(fd->get(), begin, [&](std::string_view line, std::uint64_t end) {
      // Most lines of other metrics need not be read.
      if (line.find(name) == line.npos && line.find('\\') == line.npos) return true;
      auto point = point_of(line);
      if (!point || point->name != name) return true;
      page.points.push_back(*std::move(point));
      if (page.points.size() < most) return true;
      page.next = place + end;
      return false;
    });
  }
  return page;
}

}  // namespace hdrive::server::mlflow
