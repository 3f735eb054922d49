// SPDX-License-Identifier: Apache-2.0
#include "compute/devices.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "compute/launcher.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

// How much of a lock file is read to say who holds it.
constexpr std::size_t kHolderBytes = 4096;

// Entries of a directory that `counts` counts; 0 where there is no directory.
template <class Counts>
int count_entries(const fs::path& directory, Counts counts) {
  std::error_code error;
  int found = 0;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (counts(entry->path())) ++found;
  return found;
}

bool is_nvidia_device(const fs::path& path) {
  const std::string name = path.filename();
  return name.size() > 6 && name.starts_with("nvidia") &&
         std::all_of(name.begin() + 6, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A node of AMD's topology is a GPU if it has SIMD units; processors are nodes, too.
bool is_amd_gpu(const fs::path& node) {
  const auto properties = base::read_file(node / "properties");
  if (!properties) return false;
  for (const std::string_view line : base::split(*properties, '\n'))
    if (line.starts_with("simd_count ")) return line.substr(11) != "0";
  return false;
}

// The directory of the locks: only this user's, or a stranger could hold its sweeps up.
Result<void> prepare_lock_directory(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return base::system_error(directory, "create the directory of the GPUs' locks", errno);
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0)
    return base::system_error(directory, "look at", errno);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 022) != 0)
    return Error{directory.string(),
                 "the locks of the GPUs belong there, but it is not a directory that you alone can "
                 "write to; remove it, or set gpus_shared: true",
                 Error::Kind::not_allowed};
  return {};
}

std::string file_name_of(const std::string& gpu) {
  std::string name = "gpu-";
  for (const char c : gpu)
    name += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' ? c : '_';
  return name + ".lock";
}

Error in_use(const std::string& gpu, const fs::path& lock) {
  const auto holder = base::read_file_end(lock, kHolderBytes);
  return {"GPU " + gpu,
          "is used by another sweep of yours" +
              (holder && !holder->empty() ? " (" + *holder + ")" : "") +
              "; it is waited for, or set gpus_shared: true in both to share it",
          Error::Kind::busy};
}

}  // namespace

std::vector<std::string> find_gpus_below(const fs::path& root) {
  int count = count_entries(root / "proc/driver/nvidia/gpus", [](const auto&) { return true; });
  if (count == 0) count = count_entries(root / "dev", is_nvidia_device);
  if (count == 0) count = count_entries(root / "sys/class/kfd/kfd/topology/nodes", is_amd_gpu);
  std::vector<std::string> gpus;
  for (int gpu = 0; gpu < count; ++gpu) gpus.push_back(std::to_string(gpu));
  return gpus;
}

DevicePool::DevicePool(const DeviceOptions& options, std::vector<int> cpus)
    : options_(options), all_cpus_(std::move(cpus)) {
  for (const std::string& gpu : options_.gpus) gpus_.push_back({gpu, 0, nullptr});
  if (gpus_.empty()) return;
  if (options_.gpus_per_run < 1)
    runs_a_gpu_ = static_cast<int>(std::floor(1 / options_.gpus_per_run + 1e-9));
  gpus_a_run_ = std::max(1, static_cast<int>(std::lround(options_.gpus_per_run)));
  first_lock_fd_ = Launcher::kFirstFreeFd + gpus_a_run_;
}

Result<DevicePool> DevicePool::make(const DeviceOptions& options, std::vector<int> cpus) {
  DevicePool pool(options, std::move(cpus));
  if (static_cast<std::size_t>(pool.gpus_a_run_) > pool.gpus_.size())
    return Error{"gpus_per_run, or gpus of resources",
                 fmt::format("is {}, but there {}: {}", pool.gpus_a_run_,
                             pool.gpus_.size() == 1 ? "is one GPU"
                                                    : fmt::format("are {} GPUs", pool.gpus_.size()),
                             base::join(options.gpus, ", ")),
                 Error::Kind::invalid};
  if (static_cast<std::size_t>(options.cpus_per_run) > pool.all_cpus_.size())
    return Error{
        "cpus_per_run, or cpus of resources",
        fmt::format("is {}, but {} may be used here", options.cpus_per_run,
                    base::plural(static_cast<std::int64_t>(pool.all_cpus_.size()), "processor")),
        Error::Kind::invalid};
  if (!pool.gpus_.empty() && !options.lock_directory.empty())
    if (auto ready = prepare_lock_directory(options.lock_directory); !ready) return ready.error();
  return pool;
}

DevicePool::Gpu* DevicePool::gpu_named(const std::string& name) {
  const auto found =
      std::find_if(gpus_.begin(), gpus_.end(), [&](const Gpu& gpu) { return gpu.name == name; });
  return found == gpus_.end() ? nullptr : &*found;
}

Result<void> DevicePool::take_lock(Gpu& gpu) {
  if (gpu.lock || options_.lock_directory.empty()) return {};
  const fs::path path = options_.lock_directory / file_name_of(gpu.name);
  base::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file) file.reset(::fcntl(file.get(), F_DUPFD_CLOEXEC, first_lock_fd_));
  if (!file) return base::system_error(path, "open", errno);
  if (::flock(file.get(), (options_.share_gpus ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    // A run of this sweep that an earlier engine started holds it.
    if (errno == EWOULDBLOCK && gpu.runs > 0) return {};
    return errno == EWOULDBLOCK ? in_use(gpu.name, path) : base::system_error(path, "lock", errno);
  }
  // Who has it, for those who wait; that it cannot be written changes nothing.
  if (::ftruncate(file.get(), 0) == 0 &&
      ::pwrite(file.get(), options_.holder.data(), options_.holder.size(), 0) < 0)
    errno = 0;
  gpu.lock = std::make_shared<base::UniqueFd>(std::move(file));
  return {};
}

Result<void> DevicePool::take_gpus(DeviceShare& share) {
  std::optional<Error> refused;
  for (Gpu& gpu : gpus_) {
    if (share.gpus.size() == static_cast<std::size_t>(gpus_a_run_)) break;
    if (gpu.runs >= runs_a_gpu_) continue;
    if (auto locked = take_lock(gpu); !locked) {
      if (!refused) refused = locked.error();
      continue;
    }
    share.gpus.push_back(gpu.name);
    if (gpu.lock) share.locks.push_back(gpu.lock);
  }
  if (share.gpus.size() == static_cast<std::size_t>(gpus_a_run_)) return {};
  // Those that are free but too few are given back to whoever else waits.
  for (Gpu& gpu : gpus_)
    if (gpu.runs == 0) gpu.lock.reset();
  if (refused) return *refused;
  return Error{"", "all GPUs are in use by other runs of this sweep", Error::Kind::busy};
}

Result<DeviceShare> DevicePool::take(RunId run) {
  DeviceShare share;
  if (gpus_a_run_ > 0)
    if (auto taken = take_gpus(share); !taken) return taken.error();
  for (const int cpu : all_cpus_) {
    if (share.cpus.size() == static_cast<std::size_t>(options_.cpus_per_run)) break;
    if (!cpu_users_.contains(cpu)) share.cpus.push_back(cpu);
  }
  if (share.cpus.size() < static_cast<std::size_t>(options_.cpus_per_run))
    return Error{"", "all processors are in use by other runs of this sweep", Error::Kind::busy};
  adopt(run, share);
  return share;
}

void DevicePool::adopt(RunId run, const DeviceShare& share) {
  DeviceShare known;
  known.locks = share.locks;
  for (const std::string& name : share.gpus) {
    Gpu* gpu = gpu_named(name);
    if (!gpu) continue;
    ++gpu->runs;
    known.gpus.push_back(name);
  }
  for (const int cpu : share.cpus)
    if (cpu_users_.emplace(cpu, run).second) known.cpus.push_back(cpu);
  shares_[run] = std::move(known);
}

void DevicePool::release(RunId run) {
  const auto found = shares_.extract(run);
  if (!found) return;
  for (const std::string& name : found.mapped().gpus) {
    Gpu* gpu = gpu_named(name);
    if (--gpu->runs == 0)
      gpu->lock.reset();
    else
      (void)take_lock(*gpu);  // the run that held it for all may be the one that ended
  }
  for (const int cpu : found.mapped().cpus) cpu_users_.erase(cpu);
}

std::optional<TargetCapacity> DevicePool::capacity() const {
  std::optional<TargetCapacity> least;
  const auto consider = [&](std::int64_t runs, std::string limit) {
    if (!least || runs < least->runs) least = TargetCapacity{runs, std::move(limit)};
  };
  const auto gpus = static_cast<std::int64_t>(gpus_.size());
  if (gpus_a_run_ > 0)
    consider(gpus * runs_a_gpu_ / gpus_a_run_,
             fmt::format("{}, {} a run (gpus, gpus_per_run)", base::plural(gpus, "GPU"),
                         base::shortest(options_.gpus_per_run)));
  const auto cpus = static_cast<std::int64_t>(all_cpus_.size());
  if (options_.cpus_per_run > 0)
    consider(cpus / options_.cpus_per_run,
             fmt::format("{}, {} a run (cpus_per_run)", base::plural(cpus, "processor"),
                         options_.cpus_per_run));
  return least;
}

}  // namespace hdrive::compute

namespace hdrive {

std::vector<std::string> find_gpus(const std::optional<std::string>& visible) {
  if (!visible) return compute::find_gpus_below("/");
  std::vector<std::string> gpus;
  for (const std::string_view gpu : base::split(*visible, ',')) {
    // As CUDA reads it: what follows an invalid number is not there.
    const std::string_view name = base::trim(gpu);
    if (name.empty() || name.starts_with("-")) break;
    // One named twice is one still: runs would wait for each other's lock.
    if (std::find(gpus.begin(), gpus.end(), name) == gpus.end()) gpus.emplace_back(name);
  }
  return gpus;
}

}  // namespace hdrive
