// SPDX-License-Identifier: Apache-2.0
//
// LocalTarget: runs as processes of this machine. Made by make_local_target; used on the sweep's
// thread, except that a stop token may wake `wait` from any. Runs outlive it.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "compute/devices.h"
#include "compute/event_files.h"
#include "compute/intake.h"
#include "compute/launcher.h"
#include "compute/memory_groups.h"
#include "compute/orphans.h"
#include "compute/output_patterns.h"
#include "compute/process_identity.h"
#include "compute/run_directory.h"
#include "compute/run_records.h"
#include "hdrive/target.h"

namespace hdrive::compute {

/// How a LocalTarget starts runs beside others in one folder, on a file system that machines share.
struct SharedRuns {
  std::filesystem::path spares;       ///< a folder for what the next run can use, no other's
  std::chrono::milliseconds beat{0};  ///< how often the runs' supervisors give a sign of life
  bool mlflow = false;                ///< the sweep's server is on another machine (kMlflowMetrics)
  /// Asked when all is ready, before the supervisor starts; false: the run is not to begin. Null:
  /// it may.
  std::function<bool(const RunRequest&)> permit;
};

class LocalTarget final : public ComputeTarget {
 public:
  /// `use_inotify` and `from_memory` are false only in tests, which so see the ways around them.
  static Result<std::shared_ptr<LocalTarget>> make(const LocalTargetOptions& options,
                                                   std::shared_ptr<Clock> clock,
                                                   bool use_inotify = true,
                                                   bool from_memory = true);

  Result<void> start(const RunRequest& request) override;
  Result<void> adopt(std::span<const RunRequest> requests) override;
  /// Finds a run again. Only proof counts: an Error means that it may be alive and cannot be looked
  /// at, or is alive and not this sweep's.
  enum class Found {
    something,  ///< it is alive, or has left a trace: its events come from `wait`
    nothing,    ///< there is no trace of this attempt: it never began
  };
  Result<Found> attach(const RunRequest& request);
  /// Runs that are started from now on end when the lease in this file is over
  /// (supervisor/lease.h).
  void hold_to(std::filesystem::path lease) { lease_ = std::move(lease); }
  /// Before the first run is started.
  void share(SharedRuns shared);
  std::optional<TargetCapacity> capacity() const override;
  void cancel(RunId run, CancelMode mode) override;
  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override;
  Readiness readiness() override;
  std::string describe() const override { return "local processes"; }

 private:
  struct Live {
    RunRequest request;
    base::UniqueFd
        process;  // its supervisor; empty: it has ended, or no descriptor was left for it
    pid_t supervisor = 0;
    bool child = false;        // of this process, so that its pid is its own until it is reaped
    std::int64_t program = 0;  // the training program's pid, once known
    std::int64_t since = 0;    // start time of a supervisor that was found alive; 0: started here
    Time started{};            // when, as the supervisor that was started here has told
    std::optional<std::int64_t> token;  // by which exit.json is known for its supervisor's
    int metrics_watch = -1, output_watch = -1;
    Intake intake;
    EventFiles events;             // whose scalars become lines of its metrics
    bool look_for_events = false;  // when it is told of next
    bool began = false;            // told
    bool ended = false;            // its supervisor is dead; what it left is still to be told
    bool queued = false;           // in queue_
    std::optional<Time> lost;      // since then what is left of it is being ended
    std::optional<Time> unclear;   // since then its exit.json cannot be looked at
    bool unclear_told = false;     // to the user
    bool impatient = false;        // do not wait for it
  };

  LocalTarget(const LocalTargetOptions& options, std::shared_ptr<Clock> clock,
              OutputPatterns patterns, DevicePool devices, bool from_memory);
  Result<void> open_descriptors(bool use_inotify);
  bool watch(const base::UniqueFd& fd, std::uint64_t mark);

  Result<RunRequest> complete(const RunRequest& request);
  Result<std::filesystem::path> python_path(const RunRequest& request);
  Result<void> make_work(const RunRequest& request);
  void set_work_aside(const RunRequest& request);
  void discard(const RunRequest& request);
  Result<void> start_with(RunRequest request, const DeviceShare& share);
  Result<pid_t> launch(const RunRequest& request, const std::filesystem::path& python,
                       const DeviceShare& share, const std::filesystem::path& memory_group);
  std::filesystem::path memory_group(const RunRequest& request);
  Live& follow(RunRequest request, RunFiles files, base::UniqueFd process, pid_t supervisor);
  Result<bool> left_something(const std::filesystem::path& directory);
  int add_watch(RunId run, const std::string& path);
  void remove_watch(int watch);
  static void send(const Live& live, int number);

  Time next_moment(Time deadline) const;
  void look(Duration longest, std::vector<TargetEvent>& events);
  void take_began(std::vector<TargetEvent>& events);
  void tell_began(Live& live, std::vector<TargetEvent>& events);
  void take_modified();
  void end(RunId run, Live& live);
  void poll(Time now);
  void poll_one(RunId run, Live& live);
  void poll_all(Time now);
  void enqueue(RunId run, Live& live);
  void tell(std::vector<TargetEvent>& events);
  static void take_events(Live& live, std::vector<TargetEvent>& events);
  static void look_for_program(Live& live);
  void begin_late(Live& live, std::vector<TargetEvent>& events);
  void finish(RunId run, Live& live, std::vector<TargetEvent>& events);
  bool waits_for_record(Live& live, const Error& error, std::vector<TargetEvent>& events);
  void tell_exit(RunId run, const ExitRecord& record, std::vector<TargetEvent>& events);
  void tell_never_began(RunId run, std::vector<TargetEvent>& events);
  void tidy(const RunRequest& request, const ExitRecord& record);
  void lose(RunId run, Live& live);
  void hunt(Time now, std::vector<TargetEvent>& events);
  void vanish(RunId run, const std::string& note, std::vector<TargetEvent>& events);
  Live take_out(RunId run, std::vector<TargetEvent>& events);
  static std::string reap(const Live& live);

  LocalTargetOptions options_;
  std::shared_ptr<Clock> clock_;
  OutputPatterns patterns_;
  DevicePool devices_;
  Launcher launcher_;
  MemoryGroups memory_;
  bool unlimited_told_ = false;  // that memory is not limited here
  WorkingFolders folders_;
  SpareDirectories spares_;
  ProcessSpace here_;
  rlim_t file_limit_ = 0;        // what the runs are given
  std::filesystem::path lease_;  // empty: none
  SharedRuns shared_;
  std::string claim_;                                 // no other engine's, ever
  std::filesystem::path python_path_;                 // the latest that was installed
  std::filesystem::path given_parent_, real_parent_;  // of the latest run directory

  base::UniqueFd epoll_, wake_, inotify_, pipe_read_, pipe_write_;
  std::unordered_map<RunId, Live> live_;
  std::unordered_map<int, RunId> watched_;  // by inotify's watch numbers
  std::set<RunId> polled_;                  // of which the kernel does not tell everything
  std::deque<RunId> queue_;                 // runs that may have something to tell
  std::vector<TargetEvent> notes_;          // to be told with the next events
  Time next_poll_{}, next_poll_of_all_{};
  std::vector<RunId> lost_;  // whose supervisors died without a word
  Time next_hunt_{};
  Duration hunt_pause_{};
  bool hunt_failed_ = false;  // told
  // The run directories of living processes, while attaching.
  std::optional<std::map<std::string, Inhabitants>> living_;
  std::string buffer_;
};

}  // namespace hdrive::compute
