// SPDX-License-Identifier: Apache-2.0
#include "compute/event_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "base/json.h"
#include "base/text.h"
#include "compute/metric_lines.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "tfevents";  // in the name of every event file
constexpr std::string_view kKey = "\"tensorboard\": \"";
constexpr const char* kPassedOver = ".passed-over-events";
constexpr std::size_t kChunk = 1 << 20;
constexpr int kChunksAtOnce = 4;
constexpr int kDeepest = 8;
constexpr std::size_t kMostFiles = 1000, kMostEntries = 20'000;

std::string name_of(const std::string& file, const std::string& tag) {
  // As TensorBoard shows it: the folder below logs is the name of a run.
  const std::size_t slash = file.rfind('/');
  std::string name = slash == file.npos ? tag : file.substr(0, slash + 1) + tag;
  if (check_metric_name(name) != nullptr) name.clear();
  return name;
}

// Where the scalar stands: "<record>.<place> <file>".
std::string line_of(const std::string& file, const ScalarEvent& event, std::uint64_t from) {
  const std::string name = name_of(file, event.tag);
  if (name.empty()) return "";
  const std::string time = event.wall_time > 0 && std::isfinite(event.wall_time)
                               ? fmt::format(", \"time\": {:.6f}", event.wall_time)
                               : "";
  return fmt::format("{{\"name\": {}, \"value\": {}, \"step\": {}{}, {}{}.{} {}\n",
                     base::json_string(name), base::json_number(event.value), event.step, time,
                     kKey, from + event.record, event.place,
                     base::json_string(file).substr(1) + "}");
}

// Reads "<record>.<place> <file>" back.
struct Place {
  std::uint64_t record = 0;
  int place = 0;
  std::string file;
};
std::optional<Place> place_in(std::string_view line) {
  const std::size_t key = line.find(kKey);
  if (key == line.npos) return std::nullopt;
  const auto parsed = base::parse_json(line);
  if (!parsed.is_object() || !parsed.contains("tensorboard") || !parsed["tensorboard"].is_string())
    return std::nullopt;
  const auto text = parsed["tensorboard"].get<std::string>();
  Place place;
  const char* const end = text.data() + text.size();
  const auto record = std::from_chars(text.data(), end, place.record);
  if (record.ec != std::errc() || record.ptr == end || *record.ptr != '.') return std::nullopt;
  const auto number = std::from_chars(record.ptr + 1, end, place.place);
  if (number.ec != std::errc() || number.ptr == end || *number.ptr != ' ') return std::nullopt;
  place.file.assign(number.ptr + 1, end);
  return place;
}

std::string read_at(int file, std::uint64_t from, std::size_t size) {
  std::string bytes(size, '\0');
  const ssize_t count = ::pread(file, bytes.data(), size, static_cast<off_t>(from));
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

EventFiles EventFiles::begin(const fs::path& directory) {
  EventFiles events;
  events.directory_ = directory;
  std::string passed;
  for (const std::string& name : events.files()) {
    std::error_code error;
    const auto size = fs::file_size(directory / "logs" / name, error);
    if (error) continue;
    events.positions_[name] = {size, 0, false};
    passed += fmt::format("{} {}\n", size, name);
  }
  std::error_code ignored;
  fs::remove(directory / kPassedOver, ignored);
  if (!passed.empty()) (void)base::write_file_atomically(directory / kPassedOver, passed);
  return events;
}

EventFiles EventFiles::resume(const fs::path& directory) {
  EventFiles events;
  events.directory_ = directory;
  const auto passed = base::read_file(directory / kPassedOver);
  for (const std::string_view line : base::split(passed ? *passed : std::string_view(), '\n')) {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size);
    if (error == std::errc() && end < line.data() + line.size())
      events.positions_[std::string(end + 1, line.data() + line.size())] = {size, 0, false};
  }
  const auto written = base::read_file(directory / "metrics.jsonl");
  for (const std::string_view line : base::split(written ? *written : std::string_view(), '\n'))
    if (auto place = place_in(line)) {
      Position& at = events.positions_[place->file];
      if (std::pair(place->record, place->place + 1) > std::pair(at.record, at.taken))
        at = {place->record, place->place + 1, false};
    }
  return events;
}

void EventFiles::take_over(bool last, std::vector<std::string>& faults) {
  if (directory_.empty()) return;
  for (const std::string& name : files()) {
    Position& at = positions_[name];
    for (int chunks = 0; last || chunks < kChunksAtOnce; ++chunks)
      if (!take_over(name, at, faults)) break;
  }
}

// A chunk of a file. False: there is no more, for now.
bool EventFiles::take_over(const std::string& name, Position& at,
                           std::vector<std::string>& faults) {
  if (at.lost) return false;
  const auto file = base::open_regular(directory_ / "logs" / name);
  if (!file) {
    tell_once(name, file.error().message(), faults);
    return false;
  }
  std::string bytes = read_at(file->get(), at.record, kChunk);
  EventRecords read = read_events(bytes);
  if (read.used == 0 && read.wanted > bytes.size() && bytes.size() == kChunk) {
    bytes = read_at(file->get(), at.record, read.wanted);
    read = read_events(bytes);
  }
  if (read.damaged > 0)
    tell_once(name, "holds records with wrong checksums, which were left out", faults);
  // Those of its first record that were taken over before.
  std::erase_if(read.scalars, [&](const ScalarEvent& event) {
    return event.record == 0 && event.place < at.taken;
  });
  if (!append(name, read.scalars, at)) return false;
  if (read.used > 0) at = {at.record + read.used, 0, false};
  if (read.lost) {
    at.lost = true;
    tell_once(
        name,
        fmt::format("is no event file, or damaged: nothing behind byte {} can be read", at.record),
        faults);
  }
  return read.used > 0;
}

bool EventFiles::append(const std::string& name, const std::vector<ScalarEvent>& scalars,
                        const Position& from) const {
  std::string text;
  for (const ScalarEvent& event : scalars) text += line_of(name, event, from.record);
  if (text.empty()) return true;
  const auto file = base::open_regular(AT_FDCWD, directory_ / "metrics.jsonl", O_WRONLY | O_APPEND);
  return file && write_all(file->get(), text);
}

// Their paths below logs, in their order: the names begin with the time of their making.
std::vector<std::string> EventFiles::files() const {
  std::vector<std::string> names;
  const fs::path logs = directory_ / "logs";
  std::error_code error;
  if (!fs::is_directory(fs::symlink_status(logs, error))) return names;
  fs::recursive_directory_iterator entry(logs, fs::directory_options::skip_permission_denied,
                                         error);
  std::size_t looked_at = 0;
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    if (++looked_at > kMostEntries || names.size() == kMostFiles) break;
    if (entry.depth() >= kDeepest) entry.disable_recursion_pending();
    std::error_code gone;
    if (entry->path().filename().native().find(kMark) == std::string::npos ||
        !fs::is_regular_file(entry->symlink_status(gone)))
      continue;
    names.push_back(entry->path().lexically_relative(logs).generic_string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void EventFiles::tell_once(const std::string& name, const std::string& fault,
                           std::vector<std::string>& faults) {
  if (told_.insert(name).second) faults.push_back("logs/" + base::to_utf8(name) + ": " + fault);
}

}  // namespace hdrive::compute
