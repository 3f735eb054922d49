// SPDX-License-Identifier: Apache-2.0
//
// History: the runs of one sweep and what they reported, with fast answers for policies and
// samplers; and what it took over from earlier sweeps.
//
// The scheduler writes it; samplers and policies read it. One thread at a time. Every answer
// depends only on what was recorded, not on the order in which different runs were recorded.
// Interval N of a run is its N-th report of the primary metric, from 1. NaN and infinite reports
// count as reports, but never as a best value, in a mean or in a median; a run with only such
// reports is worse than any other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/value.h"

namespace hdrive {

/// A run's number in its sweep, from 0 in the order of proposals.
using RunId = std::int64_t;

enum class Goal { minimize, maximize };

/// "Minimize" / "Maximize", HyperDrive's words.
std::string_view to_string(Goal goal);

/// Where a run is in its life. Legal ways: queued -> running -> completed | failed | canceled,
/// queued -> failed | canceled, and back to queued when a run is tried again.
enum class RunStatus { queued, running, completed, failed, canceled };

/// HyperDrive's words: "Queued", "Running", "Completed", "Failed", "Canceled".
std::string_view to_string(RunStatus status);

/// completed, failed or canceled.
bool is_terminal(RunStatus status);

/// What ended a run.
enum class EndCause {
  none,         ///< it has not ended
  exited,       ///< by itself, with whatever exit code
  signaled,     ///< killed by a signal hdrive did not send
  not_started,  ///< its program could not be started
  policy,       ///< a policy stopped it
  user,         ///< `hdrive stop` on this run
  interrupt,    ///< the sweep was stopped (Ctrl-C, `hdrive stop`); a resumed sweep tries it again
  time_limit,   ///< it ran longer than max_run_duration_seconds
  budget,       ///< max_duration_minutes of the sweep were over; a resumed sweep tries it again
  sweep_ended,  ///< the sweep stopped itself, for instance because nothing could succeed
  lost,         ///< it vanished, for instance with the machine, and no retries were left
  silent,       ///< it reported nothing for max_silent_seconds
};

/// "policy", "time_limit", ...: the enumerator's name; what is stored and printed.
std::string_view to_string(EndCause cause);
std::optional<RunStatus> run_status_from(std::string_view text);
std::optional<EndCause> end_cause_from(std::string_view text);

/// One run.
struct Run {
  RunId id = 0;
  int attempt = 1;  ///< from 1; more after the run was tried again
  RunStatus status = RunStatus::queued;
  EndCause ended_by = EndCause::none;
  Assignment parameters;
  std::string proposal;          ///< why the sampler chose these parameters
  std::string reason;            ///< why it ended as it did; empty while it runs
  std::optional<int> exit_code;  ///< of the training program, where it exited
  std::optional<int> signal;     ///< that killed the training program, where one did
  Time created{};                ///< proposed and stored
  Time started{};                ///< its program was started (the latest attempt); epoch: not yet
  Time ended{};                  ///< epoch: not yet
};

/// A run of an earlier sweep, as a new one took it over (SweepSpec::resume_from).
struct EarlierRun {
  std::string sweep;  ///< the earlier sweep's id
  RunId run = 0;      ///< its number there
  Assignment parameters;
  RunStatus status = RunStatus::completed;  ///< it had ended
  EndCause ended_by = EndCause::exited;
  bool goes_on = false;         ///< it is started again here (SweepSpec::resume_child_runs)
  std::vector<double> reports;  ///< of the primary metric, oldest first

  bool operator==(const EarlierRun&) const;  ///< a NaN equals a NaN
};

/// The runs and their primary metric.
///
/// Runs of earlier sweeps have numbers below 0, the last one taken over -1. What is asked over the
/// runs at an interval counts them, so policies compare with them; all else is about the sweep's
/// own. A sampler that learns from them reads `with_earlier()`.
class History {
 public:
  explicit History(Goal goal);
  ~History();
  History(History&&) noexcept;
  History& operator=(History&&) noexcept;

  /// The same as it is now, for another thread to read while this one goes on. Of the same version
  /// and identity: it must not be changed.
  History snapshot() const;

  // ---- recording: by the scheduler's one mutator, and by tests ---------------------------------

  /// Takes over a run of an earlier sweep; before the first run of this one.
  void add_earlier(EarlierRun run);
  /// Adds a run; its id must be `size()`.
  void add(Run run);
  /// Moves a run on in its life, legal ways only. Use `restart` for a new attempt.
  void set_status(RunId id, RunStatus status, EndCause ended_by = EndCause::none);
  /// The run's record, to fill in times, exit code and texts. Status goes through `set_status`.
  Run& edit(RunId id);
  /// One more report of the primary metric.
  void report(RunId id, double value);
  /// A new attempt: the run is queued again, its attempt is counted up, and its reports are
  /// forgotten as well as how the attempt before ended (cause, reason, exit code, signal, start and
  /// end).
  void restart(RunId id);

  // ---- the runs --------------------------------------------------------------------------------

  Goal goal() const;
  std::int64_t size() const;
  const Run& run(RunId id) const;
  /// How many runs have this status.
  std::int64_t count(RunStatus status) const;
  /// Grows with every change, and no two histories of a process ever have the same: a cache keyed
  /// by it is never stale.
  std::uint64_t version() const;
  /// Which history of this process it is. Runs are only ever added and their parameters never
  /// change, so what was derived from the parameters of the first n runs stays true of the same
  /// history.
  std::uint64_t identity() const;
  /// How many times a run began again: while it stays the same, a run that has ended stays as it
  /// is.
  std::int64_t restarts() const;
  /// The first run with exactly these parameters, if any.
  std::optional<RunId> find(const Assignment& parameters) const;

  /// Whether `a` is strictly better than `b` under the goal; a number is better than NaN or
  /// infinity.
  bool better(double a, double b) const;

  // ---- runs of earlier sweeps ------------------------------------------------------------------

  /// How many were taken over.
  std::int64_t earlier() const;
  /// The number-th of them, from 0, without its reports: those are `reports(number - earlier())`.
  const EarlierRun& earlier_run(std::int64_t number) const;
  /// The same history with the earlier runs in front: they are its runs 0 ... earlier() - 1, and
  /// run n is its run earlier() + n. It lives as long as this one and changes with it. `Run::id`
  /// stays a run's number in its own sweep. The history itself where there are none.
  const History& with_earlier() const;
  /// "run 7"; of an earlier one "run 7 of HD_1a2b3c4d".
  std::string name(RunId id) const;

  // ---- the primary metric ----------------------------------------------------------------------

  /// The run's reports, oldest first, NaN and infinities included.
  std::span<const double> reports(RunId id) const;
  /// best_r(N): the best of the run's first N reports (all, if it has fewer). Nothing where none of
  /// them is finite. O(1).
  std::optional<double> best(RunId id, std::int64_t interval) const;
  /// The best of all its reports.
  std::optional<double> best(RunId id) const;
  /// avg_r(N): the mean of the finite ones among the first N reports. O(1).
  std::optional<double> average(RunId id, std::int64_t interval) const;
  /// The best run of all by `best(id)`; a tie goes to the earliest. Nothing before the first finite
  /// report. `include` can leave out runs by status.
  struct Include {
    bool failed = true;
    bool canceled = true;
  };
  std::optional<RunId> incumbent() const { return incumbent(Include{}); }
  std::optional<RunId> incumbent(Include include) const;

  // ---- over the runs with at least N reports: O(log runs) each ---------------------------------

  /// How many runs have at least N reports.
  std::int64_t count_at(std::int64_t interval) const;

  struct Leader {
    RunId run = 0;     ///< below 0: of an earlier sweep
    double value = 0;  ///< best_r(N)
  };
  /// The run with the best best_r(N), of any state; a tie goes to the earliest.
  std::optional<Leader> leader_at(std::int64_t interval) const;

  struct Median {
    double value = 0;
    std::int64_t peers = 0;  ///< how many runs it was drawn from
  };
  /// The median of avg_s(N) over the other runs s; the mean of the middle two where their number is
  /// even. Nothing without another run that has a finite average.
  std::optional<Median> median_average_of_others(RunId except, std::int64_t interval) const;

  enum class Ranked { all, unfinished };
  struct Rank {
    std::int64_t from_worst = 0;  ///< 1 is the worst
    std::int64_t of = 0;          ///< how many were ranked
  };
  /// The run's place by best_r(N); in a tie the later run is worse. The run itself is always
  /// ranked.
  Rank rank_at(RunId id, std::int64_t interval, Ranked ranked) const;
  /// best_r(N) of the run at this place from the worst (1 ... of); NaN where it has none.
  double value_at_rank(std::int64_t from_worst, std::int64_t interval, Ranked ranked) const;

 private:
  struct Impl;
  std::int64_t first() const;
  std::size_t index(RunId id) const;
  void show_whole();

  std::shared_ptr<Impl> impl_;
  bool with_earlier_ = false;
};

}  // namespace hdrive
