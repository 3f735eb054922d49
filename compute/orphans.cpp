// SPDX-License-Identifier: Apache-2.0
#include "compute/orphans.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/file.h"
#include "compute/process_identity.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute {
namespace {

constexpr std::string_view kVariable = "HDRIVE_RUN_DIR=";
// The kernel takes 6 MB of arguments and variables.
constexpr std::size_t kMostEnvironment = 8 << 20;

Result<std::vector<pid_t>> all_processes() {
  DIR* directory = ::opendir("/proc");
  if (!directory) return base::system_error("/proc", "open the directory", errno);
  std::vector<pid_t> pids;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
      pids.push_back(std::atoi(entry->d_name));
    errno = 0;
  }
  const int error = errno;
  ::closedir(directory);
  if (error != 0) return base::system_error("/proc", "read the directory", error);
  return pids;
}

// A process that is gone, or another user's, is none that could be ended here.
bool is_none_of_ours(const Error& error) {
  return error.kind == Error::Kind::not_found || error.kind == Error::Kind::not_allowed;
}

// Empty: it carries none.
Result<std::string> run_directory_of(pid_t pid) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/environ", kMostEnvironment);
  if (!text && is_none_of_ours(text.error())) return std::string();
  if (!text) return text.error();
  const std::string_view variables = *text;
  for (std::size_t at = 0; at < variables.size();) {
    const std::size_t end = std::min(variables.find('\0', at), variables.size());
    const std::string_view variable = variables.substr(at, end - at);
    if (variable.starts_with(kVariable)) return std::string(variable.substr(kVariable.size()));
    at = end + 1;
  }
  return std::string();
}

// By the name it was started with. What cannot be read is taken for a program.
bool is_supervisor(pid_t pid) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/cmdline", kMostEnvironment);
  return text && text->substr(0, text->find('\0')) == protocol::kSupervisorName;
}

class Hunt {
 public:
  explicit Hunt(const std::vector<OrphanedRun>& runs) : found_(runs.size()) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      by_directory_[runs[i].directory.native()] = i;
      if (runs[i].session > 1) by_session_[runs[i].session] = i;
    }
  }

  Result<void> look_at(pid_t pid) {
    auto run = run_of(pid);
    if (!run) return run.error();
    if (!*run) return {};
    // Opened, and looked at again: the pid may mean another process since.
    const base::UniqueFd process = open_process(pid);
    if (!process && means_no_process(errno)) return {};
    if (!process) return base::system_error("", "open a process", errno);
    run = run_of(pid);
    if (!run) return run.error();
    const auto stat = read_stat(pid);
    if (!stat) return stat.error();
    if (!*run || !*stat || !(*stat)->alive()) return {};
    ++found_[**run];
    send_signal(process, SIGKILL);
    return {};
  }

  std::vector<int> found() && { return std::move(found_); }

 private:
  Result<std::optional<std::size_t>> run_of(pid_t pid) {
    const auto directory = run_directory_of(pid);
    if (!directory) return directory.error();
    if (const auto known = by_directory_.find(*directory); known != by_directory_.end())
      return std::optional(known->second);
    if (by_session_.empty()) return std::optional<std::size_t>();
    const auto stat = read_stat(pid);
    if (!stat && !is_none_of_ours(stat.error())) return stat.error();
    if (!stat || !*stat || !(*stat)->alive()) return std::optional<std::size_t>();
    const auto known = by_session_.find((*stat)->session);
    return known == by_session_.end() ? std::optional<std::size_t>() : std::optional(known->second);
  }

  std::unordered_map<std::string, std::size_t> by_directory_;
  std::unordered_map<pid_t, std::size_t> by_session_;
  std::vector<int> found_;
};

}  // namespace

Result<std::map<std::string, Inhabitants>> directories_of_living() {
  const auto pids = all_processes();
  if (!pids) return pids.error();
  std::map<std::string, Inhabitants> directories;
  for (const pid_t pid : *pids) {
    auto directory = run_directory_of(pid);
    if (!directory) return directory.error();
    if (directory->empty()) continue;
    auto& inhabitants = directories.try_emplace(*directory, Inhabitants::supervisors).first->second;
    if (!is_supervisor(pid)) inhabitants = Inhabitants::programs;
  }
  return directories;
}

Result<std::vector<int>> kill_orphans(const std::vector<OrphanedRun>& runs) {
  const auto pids = all_processes();
  if (!pids) return pids.error();
  Hunt hunt(runs);
  for (const pid_t pid : *pids) {
    if (pid == ::getpid() || pid <= 1) continue;
    if (auto looked = hunt.look_at(pid); !looked) return looked.error();
  }
  return std::move(hunt).found();
}

}  // namespace hdrive::compute
