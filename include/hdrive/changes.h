// SPDX-License-Identifier: Apache-2.0
//
// Change: what can happen in a sweep, as data, and what is constant in it. Everything that is
// stored, replayed and told to listeners is one of these.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/policy.h"
#include "hdrive/target.h"
#include "hdrive/value.h"

namespace hdrive {

/// A sweep's constant facts.
struct SweepHeader {
  std::string id;          ///< "HD_<uuid>"
  std::string name;        ///< may be empty
  std::string experiment;  ///< may be empty
  std::string config;      ///< the whole specification as hdconfig.yml text (to_hdconfig)
  std::string metric;      ///< the primary metric
  Goal goal = Goal::maximize;
  std::string version;  ///< of the hdrive that made it
  Time created{};
  std::string snapshot = "";  ///< of the source folder its runs start from; empty: none was taken
  /// What else was true when it was made, by name: the state of the git repository, ...
  std::map<std::string, std::string> properties = {};
};

/// HyperDrive's words for a whole sweep (reference, 10.10), and why it ended.
enum class SweepStatus {
  running,
  completed,
  failed,
  canceled,
  paused,  ///< no new runs are started until it is resumed; those that run go on
};
std::string_view to_string(SweepStatus status);  ///< "Running", "Completed", ..., "Paused"
std::optional<SweepStatus> sweep_status_from(std::string_view text);
/// Completed, failed or canceled.
bool is_over(SweepStatus status);

/// What ended a sweep, or the session of it that an engine ran.
enum class SweepEnd {
  none,         ///< it has not ended
  all_runs,     ///< max_total_runs were created and have ended
  exhausted,    ///< the search space has nothing left
  duration,     ///< max_duration_minutes were over
  user,         ///< `hdrive stop`
  interrupt,    ///< Ctrl-C, SIGTERM; `hdrive resume` goes on
  hopeless,     ///< nothing could succeed, or no run logs the primary metric
  error,        ///< the engine could not go on: a sampler's error, a store that cannot write
  target,       ///< the best value reached stop_at
  no_progress,  ///< stop_without_progress runs in a row brought nothing better
  failing,      ///< stop_after_consecutive_failures runs in a row failed; `hdrive resume` goes on
  blocked,      ///< no run could be started for long: its program is gone, say; as `failing`
};
std::string_view to_string(SweepEnd end);  ///< the enumerator's name
std::optional<SweepEnd> sweep_end_from(std::string_view text);

/// A run of an earlier sweep was taken over, before the first run of this one.
struct EarlierRunTaken {
  std::int64_t number = 0;  ///< from 0 in the order taken over
  EarlierRun earlier;
  Time at{};
};
/// A parameter set was drawn; the run exists from here on and counts against max_total_runs.
struct RunProposed {
  RunId run = 0;
  Assignment parameters;
  std::string reason;  ///< the sampler's
  Time at{};
  /// The next run that goes on, or the next of SweepSpec::start_points, not the sampler's choice.
  bool start_point = false;
};
/// Its target has taken it over and starts it when there is room: a scheduler's queue.
struct RunSubmitted {
  RunId run = 0;
  int attempt = 1;
  std::string handle;  ///< what its target calls it: a job's id
  Time at{};
};
/// Its target has lost contact with it, or has it again. It may be alive all the while.
struct RunContact {
  RunId run = 0;
  int attempt = 1;
  bool lost = false;
  std::string why;  ///< one sentence; empty where there is contact
  Time at{};
};
/// Since when the target of a run has no contact with it, and why.
struct LostContact {
  Time since{};
  std::string why;
};
/// Its program runs.
struct RunStarted {
  RunId run = 0;
  int attempt = 1;
  std::int64_t pid = 0;
  Time at{};
  std::optional<int> slot = {};  ///< which of the places for concurrent runs it has, from 0
};
/// It logged metrics, of any name.
struct RunMetrics {
  RunId run = 0;
  int attempt = 1;
  std::vector<Metric> metrics;
  std::string cursor;  ///< the target's: up to where these were read
  Time at{};           ///< when they were received; the time of a metric that has none of its own
};
/// The policy looked at it: the last verdict of a turn for each run, and every stop.
struct RunJudged {
  RunId run = 0;
  int attempt = 1;
  Verdict verdict;
  std::string reason;  ///< Policy::explain
  Time at{};
};
/// It was asked to end, and why; RunEnded follows.
struct RunCanceling {
  RunId run = 0;
  int attempt = 1;
  EndCause cause = EndCause::none;
  std::string reason;
  Time at{};
};
/// It is over.
struct RunEnded {
  RunId run = 0;
  int attempt = 1;
  RunStatus status = RunStatus::completed;
  EndCause cause = EndCause::exited;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string reason;       ///< one sentence, as `hdrive show` prints it
  std::string stderr_tail;  ///< of a failed run
  Time at{};
  std::optional<Duration> cpu_time = {};         ///< of all its processes, where the target knows
  std::optional<std::int64_t> peak_memory = {};  ///< bytes resident, where the target knows
};
/// It is to be tried again, as the next attempt.
struct RunRequeued {
  RunId run = 0;
  int attempt = 2;  ///< the new one
  std::string reason;
  Time at{};
  EndCause cause =
      EndCause::lost;  ///< what became of the attempt before; lost and failed ones are counted
};
/// The sweep began, went on (`running`), paused or ended.
struct SweepChanged {
  SweepStatus status = SweepStatus::running;
  SweepEnd end = SweepEnd::none;
  std::string reason;  ///< one sentence
  Duration active{};   ///< active time used so far, over all sessions
  Time at{};
};
/// Something worth telling, kept with the sweep: a run without the primary metric, a damaged line.
struct Noted {
  enum class Level { info, warning, error };
  Level level = Level::info;
  std::optional<RunId> run;
  std::string text;
  Time at{};
};
/// The specification was changed, and all that happened was kept.
struct SweepEdited {
  std::string config;  ///< the whole new specification; takes the place of SweepHeader::config
  std::string what;    ///< "max_total_runs: 10 -> 20"
  Time at{};
};
/// A request was carried out or refused; stored with what it led to. Not told by `replay`.
struct RequestAnswered {
  std::int64_t request = 0;
  bool accepted = false;
  std::string text;  ///< for whoever asked: what was done, or why not
  Time at{};
};
using Change = std::variant<RunProposed, RunStarted, RunMetrics, RunJudged, RunCanceling, RunEnded,
                            RunRequeued, SweepChanged, Noted, SweepEdited, RequestAnswered,
                            EarlierRunTaken, RunSubmitted, RunContact>;

}  // namespace hdrive
