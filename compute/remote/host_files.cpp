// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/host_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/file.h"

namespace hdrive::compute::remote {
namespace {

namespace fs = std::filesystem;

// So that the events of runs are not kept waiting by files.
constexpr std::size_t kBudget = 4 << 20;
constexpr int kDeepest = 32;
constexpr const char* kAppended[] = {"run.json", "metrics.jsonl", "stdout.log", "stderr.log"};
constexpr std::string_view kExit = "exit.json";

// What stays where it is: the working folder, the supervisor's own, and claims.
bool stays(std::string_view name) {
  return name == "work" || name == "supervisor.json" || name == kExit || name.starts_with(".") ||
         name.starts_with("attempt-");
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

HostFiles::HostFiles(fs::path directory, RunId run, int attempt,
                     const std::map<std::string, std::uint64_t>& have)
    : directory_(std::move(directory)), run_(run), attempt_(attempt) {
  for (const auto& [path, size] : have) sent_[path] = {size, 0, 0, true};
}

Message HostFiles::about(const char* is, const std::string& path) const {
  return {{"is", is}, {"run", run_}, {"attempt", attempt_}, {"path", path}};
}

// Without `complete` only what grew. True: nothing more of it is to be sent now.
bool HostFiles::send_file(const std::string& path, bool complete, std::size_t& budget,
                          const Send& send) {
  const auto file = base::open_regular(directory_ / path);
  struct stat status {};
  if (!file || ::fstat(file->get(), &status) != 0) return true;
  Sent& sent = sent_[path];
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::int64_t modified = nanoseconds(status.st_mtim);
  const bool another = sent.inode != 0 && sent.inode != status.st_ino;
  const bool rewritten = complete && sent.inode != 0 && size == sent.size &&
                         modified != sent.modified && sent.size > 0;
  if (another || rewritten || size < sent.size) sent = {};
  sent.inode = status.st_ino;
  if (sent.there && size == sent.size) sent.modified = modified;
  std::string buffer(kPart, '\0');
  while (sent.size < size || (complete && !sent.there)) {
    if (budget == 0) return false;
    const ssize_t count = ::pread(file->get(), buffer.data(), std::min(buffer.size(), budget),
                                  static_cast<off_t>(sent.size));
    if (count < 0) return true;
    Message part = about("part", path);
    part["offset"] = sent.size;
    part["executable"] = (status.st_mode & S_IXUSR) != 0;
    part["bytes"] = bytes_of({buffer.data(), static_cast<std::size_t>(count)});
    send(part);
    sent.there = true;
    sent.size += static_cast<std::uint64_t>(count);
    sent.modified = modified;
    budget -= static_cast<std::size_t>(count);
    if (count == 0) return true;
  }
  return true;
}

void HostFiles::send_appended(const Send& send) {
  std::size_t budget = kBudget;
  for (const char* path : kAppended)
    if (!send_file(path, false, budget, send)) return;
  rest_.clear();
  list(directory_ / "logs", 1);
  list(directory_ / "processes", 1);
  for (const Entry& entry : std::exchange(rest_, {}))
    if (!entry.folder && !entry.link && !send_file(entry.path, false, budget, send)) return;
}

void HostFiles::list(const fs::path& folder, int depth) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (depth == 0 && stays(at->path().filename().native())) continue;
    const fs::file_status status = at->symlink_status(error);
    const std::string path = at->path().lexically_relative(directory_).native();
    const bool is_folder = fs::is_directory(status), is_link = fs::is_symlink(status);
    if (!is_folder && !is_link && !fs::is_regular_file(status)) continue;
    rest_.push_back({path, is_folder, is_link});
    if (is_folder && depth < kDeepest) list(at->path(), depth + 1);
  }
}

void HostFiles::list_all() {
  rest_.clear();
  list(directory_, 0);
  rest_.push_back({std::string(kExit)});
}

bool HostFiles::send_rest(const Send& send) {
  std::size_t budget = kBudget;
  for (; !rest_.empty(); rest_.pop_front()) {
    const Entry& entry = rest_.front();
    std::error_code error;
    if (entry.folder) {
      send(about("folder", entry.path));
    } else if (entry.link) {
      Message link = about("link", entry.path);
      link["target"] = fs::read_symlink(directory_ / entry.path, error).native();
      if (!error) send(link);
    } else if (!send_file(entry.path, true, budget, send)) {
      return true;
    }
  }
  return false;
}

}  // namespace hdrive::compute::remote
