// SPDX-License-Identifier: Apache-2.0
//
// RunController: the single runs of a session. Starts and cancels them, handles
// what the target tells, and records how each ended. The loop decides how many
// there are and when it is over.
//
// One thread. Nothing is done to the world before the loop has stored what was
// decided (`act`).
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/failure_detector.h"
#include "scheduler/joined_notes.h"
#include "scheduler/journal.h"
#include "scheduler/live_runs.h"
#include "scheduler/stop_rules.h"

namespace hdrive::scheduler {

class RunController {
 public:
  /// All three outlive it; the specification may change between turns.
  RunController(const SweepSpec& spec, Journal& journal, ComputeTarget& target)
      : spec_(spec), journal_(journal), target_(target), failures_(spec), progress_(spec) {}

  /// Sets about finding out what became of the runs of earlier sessions, and
  /// takes what is known of them at once. Fails if one of them cannot be looked
  /// for: it may be alive, so that neither trying it again nor going on without
  /// it would be right.
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
  /// What was planned and not begun waits again: nothing of it exists outside
  /// the journal.
  void unplan();

  /// Decides that a live run ends, or all of them. After `cancel_all` no run
  /// that fails is tried again.
  void cancel(RunId run, EndCause cause, std::string reason);
  void cancel_all(EndCause cause, const std::string& reason);
  void kill_all();
  /// Cancels the runs whose own time is over, and those that were silent for
  /// too long.
  void cancel_late();
  /// Ends a run that a user wants ended, whether it has begun or waits. False:
  /// it is over already.
  bool stop(RunId run, const std::string& reason);
  /// Queues a run that has ended as its next attempt, because somebody asks for
  /// it.
  Answer retry(RunId run);

  /// Does what was decided: all cancellations, and starts until `is_enough` or
  /// one of them cannot be.
  void act(const std::function<bool()>& is_enough);
  /// Ends all that lives, at once and without a record: for a loop that cannot
  /// go on.
  void abandon();
  /// Handles what happened, judging each report.
  void handle(std::vector<TargetEvent>& events);

  /// The earliest moment at which `cancel_late` has something to do.
  std::optional<Time> earliest_limit() const;
  /// Why the latest start could not be, where the cause lies outside the run
  /// (lies_outside): the run waits again. Nothing once a program runs.
  const std::optional<Error>& blocked() const { return blocked_; }
  /// The same, each refusal once.
  std::optional<Error> take_refusal() { return std::exchange(refusal_, std::nullopt); }
  /// Whether a start is under way that will tell whether it is still so.
  bool is_probing() const { return blocked_ && probe_ && live_.all().contains(*probe_); }
  /// Why nothing can succeed, once that is known.
  const std::optional<std::string>& hopeless() const { return hopeless_; }
  /// Why no more runs are to be started, while the latest all failed.
  std::optional<std::string> failing() const { return failures_.failing(); }
  /// Why there is no point in going on, though all is well.
  std::optional<std::string> stalled() const { return progress_.stalled(history()); }

  /// Notes what is to be said once at the end: of runs that were only counted
  /// because others had told the same, and of a policy that had nothing to do.
  void note_at_the_end();

 private:
  const History& history() const { return journal_.history(); }
  RunRequest request(RunId run) const;

  void try_cut_short_again();
  void start(RunId run);
  void postpone(RunId run, Error why);
  void confirm_acceptance();
  void confirm_start(RunId run);

  void on(const RunAccepted& accepted);
  void on(const RunDeferred& deferred);
  void on(const RunNotFound& missing);
  void on(const RunUnreachable& unreachable);
  void on(const RunReachable& reachable);
  void on(const RunBegan& began);
  void on(RunReported& reported);
  void on(const RunExited& exited);
  Time end_time(const RunExited& exited) const;
  void on(const RunVanished& vanished);
  void on(const TargetNote& note);

  void find_again(RunId run);
  void record_start(RunId run, int attempt);
  std::optional<int> slot_of(RunId run) const;
  void lose(RunId run, const std::string& why);
  void record_canceled(RunId run, EndCause cause, const std::string& reason);
  void record_end(RunEnded change);
  bool is_tried_again(const RunEnded& change) const;
  void try_again(RunId run, EndCause cause, const std::string& what);

  const SweepSpec& spec_;
  Journal& journal_;
  ComputeTarget& target_;
  FailureDetector failures_;
  ProgressWatch progress_;
  JoinedNotes notes_;

  LiveRuns live_;
  std::deque<RunId> queued_;                           // exist, and are to be started (again)
  std::deque<RunId> starts_;                           // to start once stored
  std::vector<std::pair<RunId, CancelMode>> cancels_;  // to cancel once stored
  std::vector<RunId> to_stop_;                         // by the policy, in this turn
  std::optional<Error> blocked_, refusal_;
  bool given_back_ = false;     // the one refused last had been taken at first
  std::optional<RunId> probe_;  // started since, and nobody knows yet whether its program runs
  std::optional<std::string> hopeless_;
  bool ending_ = false;
  bool missing_metric_told_ = false;
};

}  // namespace hdrive::scheduler
