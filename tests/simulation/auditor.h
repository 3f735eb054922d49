// SPDX-License-Identifier: Apache-2.0
//
// Auditor: keeps books of its own, simple enough to be right, beside those of the engine, and compares
// both with what is true in the world, at every step. Throws Violation where an invariant is broken.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/naive_policy.h"
#include "tests/simulation/world.h"

namespace hdrive::simulation {

class Auditor final : public Listener {
 public:
  explicit Auditor(World& world);

  /// The specification in force, edits included.
  const SweepSpec& spec() const { return spec_; }
  const SweepState& state() const { return state_; }
  const std::string& config() const { return config_; }

  // ---- for broken engines ------------------------------------------------------------------------
  void assume_paused() { paused_ = true; }
  /// A run that is stored and was not begun.
  std::optional<RunRequest> some_queued_run() const;

  // ---- what the engine does ----------------------------------------------------------------------
  /// It stored these.
  void on_append(const std::vector<Change>& changes);
  /// It is about to start a process, or to cancel one.
  void on_start(const RunRequest& request);
  void on_cancel(RunId run, CancelMode mode);
  /// It has done all that it decided.
  void on_wait() const;
  /// It tells its listeners.
  void on_change(const Change& change, const SweepState& state) override;
  void tell_of(const Change& change);

  // ---- between sessions --------------------------------------------------------------------------
  void begin_session();
  /// The engine came to an end, or died.
  void after_session(Store& store, bool died);
  void on_result(const Result<SweepSummary>& result);
  /// Nothing more will happen.
  void at_the_end();

 private:
  enum class Phase { queued, running, ended };
  struct Life {
    int attempt = 1;
    Phase phase = Phase::queued;
    EndCause canceling = EndCause::none;
    EndCause ended_by = EndCause::none;
    std::size_t metrics = 0;   // of this attempt
    int lost = 0, failed = 0;  // attempts that were tried again
    bool unreachable = false;  // its target has no contact with it
    bool stop_due = false;     // a stop verdict was due in this attempt
    std::int64_t stop_due_at = 0;
    std::map<std::int64_t, NaiveVerdict> verdicts;  // by interval
  };

  void require(bool holds, const char* invariant, const std::string& what) const;
  Life& life(RunId run);
  Life& current(RunId run, int attempt, const char* what);

  void see(const RunProposed& it);
  void see(const RunSubmitted& it);
  void see(const RunContact& it);
  void see(const RunStarted& it);
  void see(const RunMetrics& it);
  void see(const RunJudged& it);
  void see(const RunCanceling& it);
  void see(const RunEnded& it);
  void see(const RunRequeued& it);
  void see(const SweepChanged& it);
  void see(const SweepEdited& it);
  void see(const RequestAnswered& it);
  void see(const Noted&) {}
  void see(const EarlierRunTaken&) {}
  void judge(Life& life, RunId run, double value);
  void check_end(const RunEnded& it, const Life& life) const;
  void check_debts();

  World& world_;
  SweepSpec spec_;
  std::string config_;
  SweepState state_;               // what a replay gives
  testing::NaiveHistory history_;  // by itself
  std::vector<Life> lives_;
  std::set<std::string> points_;      // of a grid
  bool paused_ = false;               // by somebody
  std::int64_t failed_in_a_row_ = 0;  // in this session
  bool first_of_session_ = false;
  Time status_at_{};
  Duration active_{};
  SweepStatus status_ = SweepStatus::running;

  // Of the append that is being looked at.
  std::set<RunId> owed_verdicts_, owed_cancellations_;
  bool edited_ = false;

  std::vector<std::size_t> told_;  // kinds of the changes told in this session
  std::vector<std::size_t> stored_;
};

/// All that a replay must give again.
std::string text_of(const SweepState& state);

}  // namespace hdrive::simulation
