// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/host_lease.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "base/file.h"
#include "base/sha256.h"

namespace hdrive::compute::remote {
namespace {

namespace fs = std::filesystem;

// Anybody may make names there: the folder has to be ours alone.
Result<void> make_folder(const fs::path& folder) {
  const auto fail = [&](const Error& error) {
    return Error{"",
                 fmt::format("lost_after needs the folder {} on this host, for its own user alone: "
                             "{}; mend that, or leave lost_after out",
                             folder.string(), error.what),
                 error.kind};
  };
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(base::system_error("", "create it", errno));
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0) return fail(base::system_error("", "look at", errno));
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 022) != 0)
    return fail({"", "others can write there", Error::Kind::not_allowed});
  return {};
}

}  // namespace

std::int64_t time_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * std::int64_t{1'000'000} + now.tv_nsec / 1000;
}

HostLease::HostLease(const fs::path& runs)
    : file_(fmt::format("/dev/shm/hdrive-leases-{}/{}", ::geteuid(),
                        base::sha256(runs.native()).substr(0, 32))) {}

Result<void> HostLease::set(std::int64_t end) const {
  if (auto made = make_folder(file_.parent_path()); !made) return made;
  return base::write_file_atomically(file_, std::to_string(end) + "\n");
}

Result<void> HostLease::lift() const {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(file_, ignored))) return {};
  return set(std::numeric_limits<std::int64_t>::max());
}

void HostLease::remove() const {
  std::error_code ignored;
  fs::remove(file_, ignored);
}

}  // namespace hdrive::compute::remote
