// SPDX-License-Identifier: Apache-2.0
//
// RunController: what becomes of the single runs of a session. Starts and cancels them, takes over what the target
// tells, and records how each ended. The loop decides how many there are and when it is over.
//
// One thread. Nothing is done to the world before the loop has stored what was decided (`act`).
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/failure_detector.h"
#include "scheduler/journal.h"
#include "scheduler/live_runs.h"

namespace hdrive::scheduler {

class RunController {
 public:
  /// All three outlive it; the specification may change between turns.
  RunController(const SweepSpec& spec, Journal& journal, ComputeTarget& target)
      : spec_(spec), journal_(journal), target_(target), failures_(spec) {}

  /// Finds out what became of the runs of earlier sessions. Fails if one of them cannot be looked for:
  /// it may be alive, so that neither trying it again nor going on without it would be right.
  Result<void> adopt();

  /// How many runs the target has or is about to get.
  std::int64_t live() const { return live_.size(); }
  std::int64_t queued() const { return static_cast<std::int64_t>(queued_.size()); }
  bool to_start() const { return !starts_.empty(); }
  /// Whether something was decided that `act` will do.
  bool to_act() const { return !starts_.empty() || !cancels_.empty(); }

  /// Decides to start a run: one that waits to be tried (again), or a new one.
  void plan_queued();
  void plan(RunId run);
  /// What was planned and not begun waits again: nothing of it exists outside the books.
  void unplan();

  /// Decides that a live run ends, or all of them.
  void cancel(RunId run, EndCause cause, std::string reason);
  void cancel_all(EndCause cause, const std::string& reason);
  void kill_all();
  /// Cancels the runs whose own time is over.
  void cancel_late();
  /// Ends a run that a user wants ended, whether it has begun or waits. False: it is over already.
  bool stop(RunId run, const std::string& reason);
  /// Queues a run that has ended as its next attempt, because somebody asks for it.
  Answer retry(RunId run);

  /// Does what was decided.
  void act();
  /// Takes over what happened, judging each report.
  void handle(std::vector<TargetEvent>& events);

  /// The earliest moment at which a run's own time is over.
  std::optional<Time> earliest_limit() const {
    return live_.earliest_limit(spec_.max_run_duration);
  }
  /// Why the latest start could not be: a full disk. Its run waits again. Nothing once one could.
  const std::optional<Error>& no_room() const { return no_room_; }
  /// Why nothing can succeed, once that is known.
  const std::optional<std::string>& hopeless() const { return hopeless_; }

 private:
  const History& history() const { return journal_.history(); }
  RunRequest request(RunId run) const;

  Result<void> adopt_run(RunId run);
  void attached(RunId run);
  void gone(RunId run);
  void start(RunId run);

  void on(const RunBegan& began);
  void on(RunReported& reported);
  void on(const RunExited& exited);
  void on(const RunVanished& vanished);
  void on(const TargetNote& note);

  bool is_to_stop(RunId run) const;
  void begin(RunId run, int attempt);
  void lose(RunId run, const std::string& why);
  void record_canceled(RunId run, EndCause cause, const std::string& reason);
  void ended(RunEnded change);

  const SweepSpec& spec_;
  Journal& journal_;
  ComputeTarget& target_;
  FailureDetector failures_;

  LiveRuns live_;
  std::deque<RunId> queued_;                            // exist, and are to be started (again)
  std::deque<RunId> starts_;                            // to start once stored
  std::vector<std::pair<RunId, CancelMode>> cancels_;   // to cancel once stored
  std::vector<std::pair<RunId, std::string>> to_stop_;  // by the policy, in this turn
  std::optional<Error> no_room_;
  std::optional<std::string> hopeless_;
  bool missing_metric_told_ = false;
};

}  // namespace hdrive::scheduler
