// SPDX-License-Identifier: Apache-2.0
//
// Which GPUs and processors each run of this machine gets. A target that starts runs on one machine
// owns a DevicePool, takes from it before a run starts and gives back when nothing of the run is
// alive. One thread.
//
// Two sweeps of one user keep off each other's GPUs by a lock file a device. The lock belongs to an
// open file that the run's supervisor inherits, so that it lasts as long as the run, also where the
// engine dies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "hdrive/target.h"

namespace hdrive::compute {

/// What one run has to itself, or shares with others of its sweep.
struct DeviceShare {
  std::vector<std::string> gpus;  ///< as CUDA_VISIBLE_DEVICES takes them: "0", "GPU-8f1c..."
  std::vector<int> cpus;          ///< numbers of processors
  /// The locks of its GPUs, for the run's supervisor to inherit.
  std::vector<std::shared_ptr<base::UniqueFd>> locks;

  bool empty() const { return gpus.empty() && cpus.empty(); }
};

/// The GPUs that NVIDIA's or AMD's driver lists below `root`, which is "/" but in tests: "0", "1",
/// ...
std::vector<std::string> find_gpus_below(const std::filesystem::path& root);

class DevicePool {
 public:
  /// With neither GPUs nor processors to hand out, `take` gives empty shares for ever. Fails where
  /// a run needs more than there is. `cpus` are the processors this process may use.
  static Result<DevicePool> make(const DeviceOptions& options, std::vector<int> cpus);

  /// A share for the run. Error::Kind::busy: all devices are in use, by whom is told.
  Result<DeviceShare> take(RunId run);
  /// A run that an earlier engine started has this share; what the pool does not know of it is left
  /// out.
  void adopt(RunId run, const DeviceShare& share);
  void release(RunId run);

  /// How many runs have a share at once. Nothing: there is no limit here.
  std::optional<TargetCapacity> capacity() const;

  /// How many locks a share has at most.
  int most_locks() const { return options_.lock_directory.empty() ? 0 : gpus_a_run_; }

 private:
  struct Gpu {
    std::string name;
    int runs = 0;                          // that have a share of it
    std::shared_ptr<base::UniqueFd> lock;  // null: not ours, or an earlier engine's run holds it
  };

  DevicePool(const DeviceOptions& options, std::vector<int> cpus);

  Result<void> take_gpus(DeviceShare& share);
  Result<void> take_lock(Gpu& gpu);
  Gpu* gpu_named(const std::string& name);

  DeviceOptions options_;
  int runs_a_gpu_ = 1, gpus_a_run_ = 0;
  int first_lock_fd_ = 0;  // clear of the numbers that a supervisor gives meanings to
  std::vector<Gpu> gpus_;
  std::vector<int> all_cpus_;
  std::map<int, RunId> cpu_users_;
  std::map<RunId, DeviceShare> shares_;
};

}  // namespace hdrive::compute
