// SPDX-License-Identifier: Apache-2.0
#include "compute/limits.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "base/file.h"
#include "base/text.h"

namespace hdrive::compute {
namespace {

// Left to the engine: its database, its terminal, what a library opens.
constexpr std::int64_t kSpareFiles = 40;
// A supervisor and the program, at the least; and some for what else the user does.
constexpr std::int64_t kProcessesOfRun = 2, kSpareProcesses = 20;

void raise_to_hard_limit(int resource) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
}

// Entries of a directory that are numbers and for which `counts` says yes.
template <class Counts>
std::int64_t numbers_in(const char* path, const Counts& counts) {
  DIR* directory = ::opendir(path);
  if (!directory) return 0;
  std::int64_t count = 0;
  while (const dirent* entry = ::readdir(directory))
    count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && counts(entry->d_name);
  ::closedir(directory);
  return count;
}

std::int64_t open_files() {
  return numbers_in("/proc/self/fd", [](const char*) { return true; });
}

std::int64_t processes_of_user() {
  return numbers_in("/proc", [user = ::getuid()](const char* name) {
    struct stat status {};
    return ::stat((std::string("/proc/") + name).c_str(), &status) == 0 && status.st_uid == user;
  });
}

std::optional<std::int64_t> number_in(const std::string& file) {
  const auto text = base::read_file(file);
  const auto number = text ? base::parse_number(base::trim(*text)) : std::nullopt;
  return number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

class Least {
 public:
  explicit Least(std::int64_t alive) : alive_(alive) {}
  void consider(std::int64_t left, std::int64_t a_run, std::string limit) {
    const std::int64_t runs = alive_ + std::max<std::int64_t>(left, 0) / a_run;
    if (!least_ || runs < least_->runs) least_ = TargetCapacity{runs, std::move(limit)};
  }
  const std::optional<TargetCapacity>& least() const { return least_; }

 private:
  std::int64_t alive_;
  std::optional<TargetCapacity> least_;
};

// The kernel asks nobody who may exceed it.
bool bound_by_user_limit() { return ::getuid() != 0; }

void consider_control_group(Least& least) {
  const auto text = base::read_file("/proc/self/cgroup");  // "0::/user.slice/..."
  const std::size_t at = text ? text->rfind("0::/") : std::string::npos;
  if (at == std::string::npos) return;
  const std::string group = text->substr(at + 3, text->find('\n', at) - at - 3);
  const std::string folder = "/sys/fs/cgroup" + (group == "/" ? "" : group);
  const auto most = number_in(folder + "/pids.max");  // "max" is no number
  const auto now = number_in(folder + "/pids.current");
  if (!most || !now) return;
  least.consider(*most - *now - kSpareProcesses, kProcessesOfRun,
                 std::to_string(*most) + " processes in its control group (pids.max)");
}

}  // namespace

rlim_t raise_limits() {
  static std::atomic<rlim_t> given{0};
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
  if (files.rlim_cur < files.rlim_max) given = files.rlim_cur;
  raise_to_hard_limit(RLIMIT_NOFILE);
  raise_to_hard_limit(RLIMIT_NPROC);
  return given;
}

std::optional<TargetCapacity> capacity_of_this_process(std::int64_t alive, int descriptors) {
  Least least(alive);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    least.consider(static_cast<std::int64_t>(limit.rlim_cur) - open_files() - kSpareFiles,
                   descriptors, std::to_string(limit.rlim_cur) + " open files (ulimit -n)");
  if (bound_by_user_limit() && ::getrlimit(RLIMIT_NPROC, &limit) == 0 &&
      limit.rlim_cur != RLIM_INFINITY)
    least.consider(
        static_cast<std::int64_t>(limit.rlim_cur) - processes_of_user() - kSpareProcesses,
        kProcessesOfRun, std::to_string(limit.rlim_cur) + " processes of this user (ulimit -u)");
  consider_control_group(least);
  return least.least();
}

}  // namespace hdrive::compute
