// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/gang_record.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "compute/run_directory.h"

namespace hdrive::compute::remote {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostOfStderr = 16 << 10;

fs::path record_of(const fs::path& directory) { return directory / "nodes" / "hosts"; }

}  // namespace

Result<void> write_gang_record(const fs::path& directory, const GangRecord& record) {
  const fs::path file = record_of(directory);
  // A sweep's directory that is gone is not made anew.
  if (auto made = base::make_directories(file.parent_path(), 3); !made) return made;
  return base::write_file_atomically(
      file, std::to_string(record.attempt) + "\n" + base::join(record.hosts, "\n") + "\n", true);
}

Result<std::optional<GangRecord>> read_gang_record(const fs::path& directory) {
  const auto text = base::read_file(record_of(directory));
  if (!text && text.error().kind == Error::Kind::not_found) return std::optional<GangRecord>();
  if (!text) return text.error();
  GangRecord record;
  for (const std::string_view line : base::split(std::string_view(*text), '\n')) {
    if (record.attempt == 0)
      std::from_chars(line.data(), line.data() + line.size(), record.attempt);
    else if (!line.empty())
      record.hosts.emplace_back(line);
  }
  return std::optional(std::move(record));
}

void remove_gang_record(const fs::path& directory, std::size_t nodes) {
  std::error_code ignored;
  fs::remove(record_of(directory), ignored);
  for (std::size_t node = 1; node < nodes; ++node)
    fs::remove(directory_of_node(directory, node), ignored);
  fs::remove(directory / "nodes", ignored);
}

std::string gang_handle(const std::vector<std::string>& hosts) { return base::join(hosts, "+"); }

std::vector<std::string> hosts_in(std::string_view handle) {
  std::vector<std::string> hosts;
  if (handle.empty()) return hosts;
  for (const std::string_view host : base::split(handle, '+')) hosts.emplace_back(host);
  return hosts;
}

std::string gang_cursor(const std::vector<std::string>& cursors) {
  return base::join(cursors, "|");
}

std::string cursor_of_node(std::string_view cursor, std::size_t node) {
  const auto parts = base::split(cursor, '|');
  return node < parts.size() ? std::string(parts[node]) : "";
}

void take_end_of_node(const fs::path& directory, std::size_t node, const std::string& host) {
  const fs::path there = directory_of_node(directory, node);
  if (const auto end = base::read_file(there / "exit.json"))
    (void)base::write_file_atomically(directory / "exit.json", *end);
  const auto said = base::read_file_end(there / "stderr.log", kMostOfStderr);
  if (!said || said->empty()) return;
  const std::string text = "hdrive: on " + host + ":\n" + *said;
  const auto before = base::read_file_end(directory / "stderr.log", text.size());
  if (before && *before == text) return;  // by an engine that died then
  const auto file =
      base::open_regular(AT_FDCWD, directory / "stderr.log", O_WRONLY | O_APPEND | O_CREAT);
  if (file && ::write(file->get(), text.data(), text.size()) < 0) return;  // nodes/ has it as well
}

void gather_processes(const fs::path& directory, std::size_t node) {
  const fs::path from = directory_of_node(directory, node) / "processes",
                 to = directory / "processes";
  std::error_code error;
  fs::create_directory(to, error);
  for (fs::directory_iterator at(from, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (fs::is_directory(at->symlink_status(ignored)))
      fs::rename(at->path(), to / at->path().filename(), ignored);
  }
}

}  // namespace hdrive::compute::remote
