// SPDX-License-Identifier: Apache-2.0
#include "compute/process_identity.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "base/text.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

std::string proc(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// The text of a link in /proc; empty: it cannot be read.
std::string link_text(const std::string& path) {
  char text[4096];
  const ssize_t length = ::readlink(path.c_str(), text, sizeof text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : "";
}

// "pid:[4026531836]"
std::int64_t own_pid_namespace() {
  const std::string text = link_text("/proc/self/ns/pid");
  const std::size_t open = text.find('[');
  return open == std::string::npos ? 0 : std::atoll(text.c_str() + open + 1);
}

std::string supervisor(const SupervisorRecord& record) {
  return "its supervisor (pid " + std::to_string(record.pid) + ")";
}

Error unknown(const SupervisorRecord& record, const std::string& why, Error::Kind kind) {
  return {"", supervisor(record) + " may still be alive: " + why, kind};
}

Error in_another_namespace(const SupervisorRecord& record, const fs::path& directory) {
  return unknown(
      record,
      "it was started in another PID namespace (a container?), whose processes cannot be "
      "seen here; go on there, or if that is gone, remove " +
          (directory / "supervisor.json").string() + " and those of the other runs that were alive",
      Error::Kind::not_allowed);
}

constexpr int kLongestExitMs = 1000;

bool ends_within(const base::UniqueFd& process, int milliseconds) {
  pollfd watched{process.get(), POLLIN, 0};
  return ::poll(&watched, 1, milliseconds) > 0;
}

// On its way out a process gives up its directory a moment before it has ended.
bool is_leaving(pid_t pid) {
  return ::access(proc(pid, "cwd").c_str(), F_OK) != 0 && errno == ENOENT;
}

// Whether the process lives in this directory: by its number, also where that was renamed
// meanwhile; by its name where a file system gives numbers anew.
Result<bool> lives_in(pid_t pid, const fs::path& directory) {
  struct stat its {
  }, ours{};
  const std::string link = proc(pid, "cwd");
  if (::stat(link.c_str(), &its) != 0) return base::system_error(link, "look at", errno);
  if (::stat(directory.c_str(), &ours) != 0) return base::system_error(directory, "look at", errno);
  if (its.st_dev == ours.st_dev && its.st_ino == ours.st_ino) return true;
  return link_text(link) == directory.native();
}

Error of_another_directory(const SupervisorRecord& record) {
  const std::string place = link_text(proc(static_cast<pid_t>(record.pid), "cwd"));
  return {"",
          supervisor(record) + " is alive, but looks after a run in " + base::json_string(place) +
              ": this directory is a copy of that one. Resume the sweep there, or wait until its "
              "runs have ended",
          Error::Kind::busy};
}

}  // namespace

Result<ProcessSpace> look_around() {
  const std::string self = link_text("/proc/self");
  if (self != std::to_string(::getpid()))
    return Error{"/proc",
                 self.empty() ? "it cannot be read, and processes cannot be told from each other "
                                "without it; mount it (mount -t proc proc /proc)"
                              : "it is that of another PID namespace; mount the one of this "
                                "namespace (unshare --mount-proc)",
                 Error::Kind::not_found};
  const base::UniqueFd process = open_process(::getpid());
  if (!process) {
    Error error = base::system_error("", "watch processes (pidfd_open)", errno);
    if (errno == ENOSYS) error.what += "; Linux 5.3 or later is needed";
    return error;
  }
  const auto boot = base::read_file("/proc/sys/kernel/random/boot_id");
  if (!boot) return boot.error();
  return ProcessSpace{std::string(base::trim(*boot)), own_pid_namespace()};
}

// EINVAL and ENOENT: the number is a thread's of some other process by now.
bool means_no_process(int error) { return error == ESRCH || error == EINVAL || error == ENOENT; }

base::UniqueFd open_process(pid_t pid) {
  return base::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool has_ended(const base::UniqueFd& process) { return ends_within(process, 0); }

void send_signal(const base::UniqueFd& process, int signal) {
  ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

bool is_stopped(pid_t pid) {
  const auto stat = read_stat(pid);
  return stat && *stat && (*stat)->state == 'T';
}

// "pid (name) state ppid pgrp session ...", field 22 the start time.
Result<std::optional<ProcessStat>> read_stat(pid_t pid) {
  const std::optional<ProcessStat> none;
  const auto text = base::read_file(proc(pid, "stat"));
  if (!text && text.error().kind == Error::Kind::not_found) return none;
  if (!text) return text.error();
  const std::size_t name_end = text->rfind(')');
  if (name_end == std::string::npos) return none;
  const auto fields = base::split(std::string_view(*text).substr(name_end + 1), ' ');
  if (fields.size() < 21 || fields[1].empty()) return none;
  ProcessStat stat;
  stat.state = fields[1][0];
  stat.session = std::atoi(std::string(fields[4]).c_str());
  stat.start_time = std::atoll(std::string(fields[20]).c_str());
  return std::optional(stat);
}

Result<base::UniqueFd> find_supervisor(const SupervisorRecord& record, const fs::path& directory,
                                       const ProcessSpace& here) {
  if (record.pid <= 1 || record.pid > INT32_MAX) return base::UniqueFd();  // no process has it
  if (record.boot_id != here.boot_id) return base::UniqueFd();  // all of that boot are gone
  if (record.pid_namespace != 0 && here.pid_namespace != 0 &&
      record.pid_namespace != here.pid_namespace)
    return in_another_namespace(record, directory);
  const auto pid = static_cast<pid_t>(record.pid);
  // Opened first, compared then: what is compared cannot be younger than what was opened, unless
  // that has ended, and then its signals go nowhere.
  base::UniqueFd process = open_process(pid);
  if (!process && means_no_process(errno)) return base::UniqueFd();
  if (!process) {
    const Error error = base::system_error("", "look at it", errno);
    return unknown(record, error.what, error.kind);
  }
  const auto stat = read_stat(pid);
  if (has_ended(process)) return base::UniqueFd();
  if (!stat) return unknown(record, stat.error().message(), stat.error().kind);
  if (!*stat)
    return unknown(record, "it does not show in /proc (hidepid?)", Error::Kind::not_allowed);
  if (!(*stat)->alive() || (*stat)->start_time != record.start_time) return base::UniqueFd();
  const auto belongs = lives_in(pid, directory);
  if (has_ended(process)) return base::UniqueFd();
  if (!belongs && is_leaving(pid) && ends_within(process, kLongestExitMs)) return base::UniqueFd();
  if (!belongs) return unknown(record, belongs.error().message(), belongs.error().kind);
  if (!*belongs) return of_another_directory(record);
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

}  // namespace hdrive::compute
