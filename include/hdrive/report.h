// SPDX-License-Identifier: Apache-2.0
//
// What came out of a sweep: its summary, and one record a run. Pure functions of a SweepState.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/changes.h"
#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/state.h"
#include "hdrive/value.h"

namespace hdrive {

/// What came out, for a person or a program.
struct SweepSummary {
  SweepStatus status = SweepStatus::running;
  SweepEnd end = SweepEnd::none;
  std::string reason;
  std::int64_t runs = 0, completed = 0, stopped = 0, failed = 0,
               canceled = 0;  ///< stopped: by policy
  std::optional<RunId> best;
  double best_value = 0;
  std::optional<Run> best_run;  ///< the record of `best`: its parameters, how it ended
  Duration elapsed{};           ///< active time of the sweep, all sessions
  Duration compute{};  ///< sum of the runs' durations; of live ones up to now, where that is known
  /// Compute that stopping early saved: for each stopped run, the mean duration of the completed
  /// runs minus its own, where positive. Nothing without a completed run.
  std::optional<Duration> saved;
  std::vector<std::string> warnings;
};
/// `now` where an engine runs the sweep at this moment: its live runs count up to then.
SweepSummary summarize(const SweepState& state, std::optional<Time> now = std::nullopt);

/// One run as it is listed everywhere: tables, JSON, CSV, bindings.
struct RunReport {
  std::string run_id;  ///< "HD_<uuid>_<n>"
  RunId number = 0;
  int attempt = 1;
  RunStatus status = RunStatus::queued;
  EndCause ended_by = EndCause::none;
  Assignment hyperparameters;
  std::optional<double> best_primary_metric;  ///< over its whole series
  std::optional<double> last_primary_metric;
  std::int64_t reports = 0;  ///< of the primary metric
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string proposal;                ///< why these parameters
  std::string reason;                  ///< why it ended as it did
  Time created{}, started{}, ended{};  ///< epoch: not yet
};
/// What a run's record says, without the metrics, which are kept elsewhere.
RunReport report_of(const Run& run, const std::string& sweep_id);
/// All runs in the order of their numbers.
std::vector<RunReport> report_runs(const SweepState& state, const std::string& sweep_id);
/// HyperDrive's get_children_sorted_by_primary_metric: best first, runs without a value last, also
/// under `reverse`; ties by number.
void sort_by_primary_metric(std::vector<RunReport>& runs, Goal goal, bool reverse = false);
/// A JSON object: `run_id`, `hyperparameters`, `best_primary_metric`, `status`, then the rest in
/// the order of the struct; times as ISO 8601 in UTC, null where there is none yet.
std::string to_json(const RunReport& run);

}  // namespace hdrive
