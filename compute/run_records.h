// SPDX-License-Identifier: Apache-2.0
//
// The files in which a run's supervisor says who looks after the run and how it ended. A training
// program may have put anything in their place. Called by the local target and by repairs; any
// thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "compute/devices.h"
#include "hdrive/clock.h"
#include "hdrive/result.h"

namespace hdrive::compute {

/// supervisor.json: who looks after the run.
struct SupervisorRecord {
  int attempt = 0;
  std::int64_t pid = 0;
  std::int64_t start_time = 0;  ///< in clock ticks after boot, as /proc/<pid>/stat gives it
  std::string boot_id;
  std::int64_t pid_namespace =
      0;  ///< in which its pid counts; 0: an older supervisor, which did not say
  std::int64_t program_pid = 0;
  std::string host;             ///< where it runs; empty: an older supervisor, which did not say
  std::optional<Time> started;  ///< by that machine's clock
  /// Where the run holds to a lease: how long it may take to end after that is over.
  std::optional<Duration> lease_grace;
};

/// exit.json: how the run ended.
struct ExitRecord {
  int attempt = 0;
  std::int64_t pid = 0;  ///< of the training program
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string not_started;  ///< what failed before the program ran: "exec", "chdir", a file's name
  int error_number = 0;     ///< errno of that
  bool over_time = false;
  std::int64_t oom_kills = 0;  ///< processes that the kernel ended for the run's memory limit
  bool lease_over = false;     ///< it was ended because its engine was out of reach for too long
  bool canceled = false;       ///< it was told to end while it ran
  std::int64_t leftovers = 0;  ///< processes it left behind and that were ended
  std::optional<Time> started, ended;
  std::optional<Duration> cpu_time;
  std::optional<std::int64_t> peak_memory;  ///< bytes
  std::optional<std::int64_t> token;        ///< what the supervisor told its engine alone
};

/// An Error: the file cannot be looked at now (descriptors, permission), which says nothing of the
/// run. Nothing: there is none, or what is there is no such record (another version, garbage, a
/// FIFO).
Result<std::optional<SupervisorRecord>> read_supervisor_record(
    const std::filesystem::path& directory);
Result<std::optional<ExitRecord>> read_exit_record(const std::filesystem::path& directory);

/// The GPUs and processors that a run was given, as run.json tells. Nothing where it cannot be
/// read.
DeviceShare recorded_devices(const std::filesystem::path& directory);

}  // namespace hdrive::compute
