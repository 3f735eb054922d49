// SPDX-License-Identifier: Apache-2.0
#include "compute/process_identity.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>

#include "base/text.h"

namespace hdrive::compute {
namespace {

struct Stat {
  char state = 'X';
  pid_t session = 0;
  std::int64_t start_time = 0;
};

// /proc/<pid>/stat: "pid (name) state ppid pgrp session ...", field 22 the start time.
std::optional<Stat> read_stat(pid_t pid) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return std::nullopt;
  const std::size_t name_end = text->rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  const auto fields = base::split(std::string_view(*text).substr(name_end + 1), ' ');
  if (fields.size() < 21 || fields[1].empty()) return std::nullopt;
  Stat stat;
  stat.state = fields[1][0];
  stat.session = std::atoi(std::string(fields[4]).c_str());
  stat.start_time = std::atoll(std::string(fields[20]).c_str());
  return stat;
}

bool alive(const Stat& stat) { return stat.state != 'Z' && stat.state != 'X'; }

bool has_variable(pid_t pid, const std::string& variable) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/environ");
  if (!text) return false;
  const std::string framed = std::string(1, '\0') + *text;
  return framed.find(std::string(1, '\0') + variable + std::string(1, '\0')) != std::string::npos;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  DIR* directory = ::opendir("/proc");
  if (!directory) return pids;
  while (const dirent* entry = ::readdir(directory))
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
      pids.push_back(std::atoi(entry->d_name));
  ::closedir(directory);
  return pids;
}

}  // namespace

std::string boot_id() {
  const auto text = base::read_file("/proc/sys/kernel/random/boot_id");
  return text ? std::string(base::trim(*text)) : "";
}

base::UniqueFd open_process(pid_t pid) {
  return base::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

void send_signal(const base::UniqueFd& process, int signal) {
  ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

bool is_stopped(pid_t pid) {
  const auto stat = read_stat(pid);
  return stat && stat->state == 'T';
}

base::UniqueFd find_supervisor(const SupervisorRecord& record, const std::string& boot) {
  if (record.pid <= 1 || boot.empty() || record.boot_id != boot) return {};
  const auto pid = static_cast<pid_t>(record.pid);
  // Opened first, compared then: what is compared cannot be younger than what was opened, unless that has
  // ended, and then its signals go nowhere.
  base::UniqueFd process = open_process(pid);
  const auto stat = read_stat(pid);
  if (!process || !stat || !alive(*stat) || stat->start_time != record.start_time) return {};
  return process;
}

std::optional<Duration> age_of(std::int64_t start_time) {
  const auto text = base::read_file("/proc/uptime");  // "seconds idle-seconds"
  const auto uptime =
      text ? base::parse_number(std::string_view(*text).substr(0, text->find(' '))) : std::nullopt;
  const long ticks = ::sysconf(_SC_CLK_TCK);
  if (!uptime || ticks <= 0) return std::nullopt;
  const double age = *uptime - static_cast<double>(start_time) / static_cast<double>(ticks);
  return std::max(Duration{}, Duration(static_cast<std::int64_t>(age * 1e6)));
}

int end_orphans(const std::filesystem::path& run_directory, pid_t session) {
  const std::string variable = "HDRIVE_RUN_DIR=" + run_directory.native();
  const pid_t self = ::getpid();
  std::set<pid_t> ended;
  constexpr int kRounds = 500;  // of 2 ms and more
  for (int round = 0; round < kRounds; ++round) {
    bool found = false;
    for (const pid_t pid : all_processes()) {
      if (pid == self || pid <= 1) continue;
      const base::UniqueFd process = open_process(pid);
      const auto stat = read_stat(pid);
      if (!process || !stat || !alive(*stat)) continue;
      const bool ours = (session > 1 && stat->session == session) || has_variable(pid, variable);
      if (!ours) continue;
      found = true;
      ended.insert(pid);
      send_signal(process, SIGKILL);
    }
    if (!found) return static_cast<int>(ended.size());
    ::poll(nullptr, 0, 2);
  }
  return -1;
}

}  // namespace hdrive::compute
