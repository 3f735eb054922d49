// SPDX-License-Identifier: Apache-2.0
//
// BatchTarget: each run is a job of a batch system, and the job is the run's supervisor. Its directory, on a file system
// that the nodes share, tells what happens to it; the system only tells what becomes of jobs. Used on the sweep's
// thread; runs outlive it.
//
// That no run is started twice hangs on no answer of the system: a job's supervisor begins only while its claim is
// there, and a claim is taken away before a run counts as never begun. So a submission whose answer was lost, a job that
// the system forgot or requeued, two jobs of one run all come to the same: one of them begins, or none.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "compute/batch/batch_system.h"
#include "compute/batch/commands.h"
#include "compute/event_files.h"
#include "compute/intake.h"
#include "compute/output_patterns.h"
#include "compute/run_directory.h"
#include "compute/run_records.h"
#include "compute/wait_point.h"
#include "hdrive/target.h"

namespace hdrive::compute {

/// How often things are looked at. Tests are in more of a hurry than batch systems.
struct BatchTiming {
  Duration poll = std::chrono::seconds{5};         ///< the system is asked for the jobs' states
  Duration look = std::chrono::milliseconds{250};  ///< run directories are looked at, if few
  std::chrono::milliseconds beat{1000};            ///< a supervisor's sign of life
  /// How long a job that is over may take until its run's exit.json is seen.
  Duration patience = std::chrono::seconds{20};
  Duration command_limit = std::chrono::seconds{60};  ///< what a command may take
};

class BatchTarget final : public ComputeTarget {
 public:
  static Result<std::shared_ptr<BatchTarget>> make(std::unique_ptr<BatchSystem> system,
                                                   const LocalTargetOptions& options,
                                                   std::shared_ptr<Clock> clock,
                                                   const BatchTiming& timing);

  Result<void> start(const RunRequest& request) override;
  Result<void> adopt(std::span<const RunRequest> requests) override;
  void cancel(RunId run, CancelMode mode) override;
  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override;
  Readiness readiness() override;
  std::string describe() const override { return "jobs of " + system_->name(); }

 private:
  struct Live {
    RunRequest request;
    std::string name;  // of its job
    std::string job;   // its id; empty: not known
    Intake intake;
    EventFiles events;  // whose scalars become lines of its metrics
    off_t metrics_seen = -1, output_seen = -1, mlflow_seen = -1;
    bool files_open = false;
    bool submitting = false;  // in the queue of submissions, or on its way
    bool alone = false;       // was refused in an array: to be submitted by itself
    bool accepted = false, began = false, unreachable = false;
    std::optional<SupervisorRecord> supervisor;
    // What is told once it is certain that it never began.
    std::optional<TargetEvent> never;
    std::optional<CancelMode> cancel, asked;  // wanted; and told to its supervisor
    std::optional<Time> asked_at;
    bool system_asked = false;            // to end the job
    JobStatus status;                     // the latest
    Time known{};                         // since when the system ought to know the job
    Time seen{};                          // when the question was asked whose answer last named it
    int absent = 0;                       // so many answers in a row did not name it
    std::optional<Time> waits_for_state;  // it has ended; why is still to be heard
    std::optional<Time> over;             // since then the job is over and exit.json missing
    timespec beat{};                      // the last sign of life seen since
    Time beat_seen{};
  };

  BatchTarget(std::unique_ptr<BatchSystem> system, const LocalTargetOptions& options,
              std::shared_ptr<Clock> clock, OutputPatterns patterns, Commands commands,
              const BatchTiming& timing);

  Result<RunRequest> complete(const RunRequest& request);
  Result<void> install(const std::filesystem::path& directory);
  Result<std::string> script_of(const RunRequest& request) const;
  Result<ServerAccess> access_of(const RunRequest& request) const;
  Result<void> prepare(const RunRequest& request, Live& live);
  Result<void> make_work(const RunRequest& request);
  void discard(const RunRequest& request);
  static void remove_marks(const RunRequest& request);
  void open_files(Live& live, RunFiles files);
  BatchJob job_of(const Live& live) const;

  void submit_waiting();
  void submit(RunId run);
  bool submit_together();
  void take_array(const std::vector<std::pair<RunId, int>>& runs, RunId base,
                  const CommandOutput& output);
  void take_job(RunId run, int attempt, const Result<std::string>& job);
  void defer_waiting(const Error& error);
  void refuse(Live& live, const Error& error);
  void take_submission(RunId run, int attempt, const CommandOutput& output);
  void ask_for_states(Time now);
  void ask_next();
  void ask_history(std::vector<std::string> jobs, Time asked);
  void take_states();
  void match(const std::vector<JobStatus>& states, Time asked);
  void count_absent(Time asked);
  void lose_contact(const std::string& why);
  void send_cancels();
  Result<void> run_command(const BatchSystem::Words& words, Commands::Done done);

  bool look(RunId run, Live& live, Time now, std::vector<TargetEvent>& events);
  bool settle_never(Live& live, std::vector<TargetEvent>& events);
  void tell_began(Live& live, const std::optional<ExitRecord>& end,
                  std::vector<TargetEvent>& events);
  bool read_metrics(int directory, Live& live, bool last, std::vector<TargetEvent>& events);
  void pass_on_cancel(Live& live, Time now);
  bool judge(Live& live, Time now, std::vector<TargetEvent>& events);
  bool is_silent(Live& live, Time now) const;
  bool is_requeued(const Live& live) const;
  bool needs_state(const Live& live, const ExitRecord& record) const;
  bool forgotten(const Live& live) const { return live.absent >= 2; }
  void tell_exit(Live& live, const ExitRecord& record, std::vector<TargetEvent>& events);
  void tell_lost(Live& live, std::vector<TargetEvent>& events);
  TargetEvent never_began(const Live& live) const;
  void tidy(const Live& live, const ExitRecord& record);
  void tell_unreachable(Live& live, const std::string& why, std::vector<TargetEvent>& events);
  void tell_reachable(Live& live, std::vector<TargetEvent>& events);
  Duration look_interval() const;
  Time next_moment(Time deadline) const;

  std::unique_ptr<BatchSystem> system_;
  LocalTargetOptions options_;
  std::shared_ptr<Clock> clock_;
  OutputPatterns patterns_;
  Commands commands_;
  BatchTiming timing_;
  WorkingFolders folders_;
  SpareDirectories spares_;
  std::string claim_;
  std::filesystem::path installed_;  // where the supervisor and the modules are

  WaitPoint point_;
  std::map<RunId, Live> live_;
  std::deque<RunId> submissions_;
  int submitting_ = 0;
  std::set<std::string> to_cancel_, to_signal_, to_kill_;  // jobs, for the next commands
  std::vector<TargetEvent> notes_;                         // to be told with the next events
  // Commands for the states that are to be run, and what those said that have ended.
  struct Question {
    Time asked{};
    std::vector<std::string> jobs;
    std::deque<BatchSystem::Words> left;
    int running = 0;
    std::vector<JobStatus> states;
    std::string failure;
  };
  Question question_;
  bool asking_ = false;     // one is asked
  bool arrays_ = true;      // whether there are job arrays
  bool history_ = true;     // whether there is one
  std::string no_contact_;  // why; empty: there is
  Time next_ask_{}, next_look_{};
  IntakeBudget budget_;
  std::string buffer_;
};

/// What the makers of targets do with a system that they have made: its jobs as a target, the queue asked so often.
Result<std::shared_ptr<ComputeTarget>> make_batch_target(
    Result<std::unique_ptr<BatchSystem>> system, std::chrono::milliseconds poll,
    const LocalTargetOptions& runs, std::shared_ptr<Clock> clock);

}  // namespace hdrive::compute
