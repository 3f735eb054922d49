// SPDX-License-Identifier: Apache-2.0
//
// SweepState: all that is known of a sweep, as the sum of its changes. Kept by an engine, by ask
// and tell, and by whoever replays a stored sweep. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hdrive/changes.h"
#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/policy.h"
#include "hdrive/target.h"

namespace hdrive {

/// All that is known of a sweep: the one mutator of live and resumed sweeps alike. Also what a
/// reader of a stored sweep replays into. One thread at a time.
class SweepState {
 public:
  /// An engine forgets the verdicts of runs that have ended; its store keeps them.
  enum class Verdicts { of_all_runs, of_live_runs };
  /// `primary_metric` is the exact name that feeds the history.
  SweepState(std::string primary_metric, Goal goal, Verdicts kept = Verdicts::of_all_runs);
  ~SweepState();
  SweepState(SweepState&&) noexcept;
  SweepState& operator=(SweepState&&) noexcept;

  /// Takes over a change, in the order recorded.
  void apply(const Change& change);
  /// The same for metrics, and calls `after_report(run)` after each report of the primary metric,
  /// so that a policy sees every interval even where several came at once.
  void apply(const RunMetrics& metrics, const std::function<void(RunId)>& after_report);

  const std::string& primary_metric() const;
  const History& history() const;
  SweepStatus status() const;
  SweepEnd end() const;
  const std::string& reason() const;
  /// Active time used by all sessions; of a sweep that runs, up to the last recorded change of any
  /// kind, or up to `now` if that is later.
  Duration active(Time now = {}) const;
  Time began() const;    ///< first change of status; epoch: none yet
  Time changed() const;  ///< latest change of status
  Time latest() const;   ///< latest change of any kind

  /// Why a run was asked to end; `none` if it was not.
  EndCause canceling(RunId run) const;
  const std::string& canceling_reason(RunId run) const;
  /// The run's latest verdict, if it was ever judged and the verdict is kept (see Verdicts).
  struct Judged {
    Verdict verdict;
    std::string reason;
  };
  std::optional<Judged> judged(RunId run) const;
  /// How many of the start points were proposed.
  std::int64_t start_points_used() const;
  /// How many runs are repeats of others (SweepSpec::repeat_best), which do not count against
  /// max_total_runs; and how many do.
  std::int64_t repeats() const;
  std::int64_t counted_runs() const { return history().size() - repeats(); }
  /// How many runs a policy stopped.
  std::int64_t stopped_by_policy() const;
  /// The names of the metrics any run has logged.
  const std::set<std::string>& metric_names() const;
  /// Those the run has logged in its current attempt, sorted.
  std::vector<std::string> metric_names(RunId run) const;
  /// How many of the run's attempts were lost.
  int lost_attempts(RunId run) const;
  /// The slot its latest attempt had; nothing: it was never started.
  std::optional<int> slot(RunId run) const;
  /// How many failed and were tried again by themselves (max_failed_retries).
  int failed_attempts(RunId run) const;
  /// Up to where its metrics were read, in the words of its target.
  const std::string& cursor(RunId run) const;
  /// What its target calls it; empty: it calls it nothing.
  const std::string& handle(RunId run) const;
  /// Nothing: there is contact, or it has ended.
  std::optional<LostContact> lost_contact(RunId run) const;
  std::int64_t pid(RunId run) const;
  const std::string& stderr_tail(RunId run) const;
  const std::vector<Noted>& notes() const;
  /// How its specification was changed, oldest first; `config` of the latest alone.
  const std::vector<SweepEdited>& edits() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hdrive
