// SPDX-License-Identifier: Apache-2.0
//
// Running a sweep: the engine's loop, ask and tell for those who own theirs, and the state both keep.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/listener.h"
#include "hdrive/policy.h"
#include "hdrive/result.h"
#include "hdrive/sampler.h"
#include "hdrive/spec.h"
#include "hdrive/store.h"
#include "hdrive/target.h"

namespace hdrive {

/// All that is known of a sweep: the one mutator of live and resumed sweeps alike. Also what a reader
/// of a stored sweep replays into. One thread at a time.
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
  /// The same for metrics, and calls `after_report(run)` after each report of the primary metric, so
  /// that a policy sees every interval even where several came at once.
  void apply(const RunMetrics& metrics, const std::function<void(RunId)>& after_report);

  const std::string& primary_metric() const;
  const History& history() const;
  SweepStatus status() const;
  SweepEnd end() const;
  const std::string& reason() const;
  /// Active time used by all sessions; of a sweep that runs, up to the last recorded change of any kind,
  /// or up to `now` if that is later.
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
  /// How many runs a policy stopped.
  std::int64_t stopped_by_policy() const;
  /// The names of the metrics any run has logged.
  const std::set<std::string>& metric_names() const;
  /// Those the run has logged in its current attempt, sorted.
  std::vector<std::string> metric_names(RunId run) const;
  /// How many of the run's attempts were lost.
  int lost_attempts(RunId run) const;
  IntakePosition position(RunId run) const;
  std::int64_t pid(RunId run) const;
  const std::string& stderr_tail(RunId run) const;
  const std::vector<Noted>& notes() const;
  /// How its specification was changed, oldest first.
  const std::vector<SweepEdited>& edits() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

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
  /// Compute that stopping early saved: for each stopped run, the mean duration of the completed runs
  /// minus its own, where positive. Nothing without a completed run.
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
/// All runs in the order of their numbers.
std::vector<RunReport> report_runs(const SweepState& state, const std::string& sweep_id);
/// HyperDrive's get_children_sorted_by_primary_metric: best first, runs without a value last, also
/// under `reverse`; ties by number.
void sort_by_primary_metric(std::vector<RunReport>& runs, Goal goal, bool reverse = false);
/// A JSON object: `run_id`, `hyperparameters`, `best_primary_metric`, `status`, then the rest in the
/// order of the struct; times as ISO 8601 in UTC, null where there is none yet.
std::string to_json(const RunReport& run);

/// Stops a sweep from any thread: once to cancel its runs and keep everything, twice to kill them.
/// Copies share one signal. Not for signal handlers: hand signals over to a thread first.
class StopSignal {
 public:
  StopSignal();
  /// The first call asks for a clean stop, each later one for an immediate one.
  void request();
  /// How often `request` was called: 0, 1, or 2 for more.
  int level() const;
  /// Requested when the level next rises above `level`.
  std::stop_token token(int level) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// What a sweep runs with. Empty ones are made from the specification.
struct SweepParts {
  std::shared_ptr<Store> store;  ///< null: in memory. One that holds runs is resumed.
  std::shared_ptr<SweepState>
      state;  ///< null: replayed from the store. Else just that, to be moved from
  std::shared_ptr<ComputeTarget> target;  ///< required by run_sweep
  std::shared_ptr<Clock> clock;           ///< null: the steady clock
  std::shared_ptr<Sampler> sampler;       ///< null: spec.sampling
  std::shared_ptr<const Policy> policy;   ///< null: spec.policy
  std::vector<std::shared_ptr<Listener>> listeners;
  std::filesystem::path directory;  ///< where the run directories go; may be empty in-process
};

/// Runs a sweep to its end, or goes on with the one in the store. Blocks; nothing else of the process is
/// touched. An Error: it could not begin, or could not go on (its runs are cancelled then). Runs that
/// fail are no error.
Result<SweepSummary> run_sweep(const SweepSpec& spec, const SweepParts& parts,
                               StopSignal stop = StopSignal());

/// The shortest way: maximise or minimise a C++ callable in memory.
Result<SweepSummary> tune(const SweepSpec& spec, Objective objective,
                          std::vector<std::shared_ptr<Listener>> listeners = {},
                          StopSignal stop = StopSignal());

// ---- changing a sweep, and going on with it -----------------------------------------------------

/// Keys and their new values as YAML, as `--set` takes them; "start_points+" adds one point.
using Settings = std::vector<std::pair<std::string, std::string>>;
/// As the payload of Request::Kind::update_sweep, and back.
std::string write_settings(const Settings& settings);
Settings read_settings(const std::string& text);

/// A specification that was changed while all that happened is kept.
struct SpecEdit {
  SweepSpec spec;
  std::string config;  ///< the same as hdconfig.yml text; what SweepEdited records
  std::string what;    ///< "max_total_runs: 10 -> 20"; empty: nothing changes
};
/// Budgets, concurrency, durations, retries, the policy and the options of both algorithms may change.
/// Fails, naming what and why, where the result is no sound specification or where the `runs` there are
/// would lose their meaning: the space, the sampler, the seed, the primary metric and its goal stay.
Result<SpecEdit> edit_spec(const SweepSpec& spec, const Settings& settings, std::int64_t runs);

/// Why a session could start no run.
struct NothingLeft {
  std::string why;      ///< "all of its 10 runs have ended"
  std::string setting;  ///< what would change that: "max_total_runs=20"; empty: nothing would
};
/// Nothing if a resumed sweep has something to do.
std::optional<NothingLeft> nothing_left(const SweepSpec& spec, const SweepState& state);

/// A specification checked as a whole, as `run_sweep` does first: limits positive, expressions sound,
/// sampler and policy made.
Result<void> check(const SweepSpec& spec);

/// "HD_<uuid>", random.
std::string new_sweep_id();
/// The constant facts of a new sweep of this specification, with an id of its own.
SweepHeader new_sweep_header(const SweepSpec& spec, Time created);
/// A random seed, for specifications without one. At most 2^53, so that every reader keeps it exactly.
std::uint64_t new_seed();
/// "HD_<uuid>_<n>".
std::string run_id(const std::string& sweep_id, RunId run);
/// "0.1.0", the version of this library.
std::string_view version();

/// Ask and tell: the sampler, the policy and the store without a loop. For programs that start their
/// training themselves; `hdrive session` is this for other languages. One thread at a time.
///
/// Of the specification's limits max_total_runs and max_duration count; how many runs are open at once, how
/// long one takes and when failures are hopeless is the program's affair.
class AskTell {
 public:
  /// Begins, or goes on with what the store holds; runs that were asked and never told stay open.
  static Result<AskTell> open(const SweepSpec& spec, const SweepParts& parts = {});
  ~AskTell();
  AskTell(AskTell&&) noexcept;
  AskTell& operator=(AskTell&&) noexcept;

  struct Asked {
    std::optional<RunId> run;  ///< nothing: done, and `reason` says why
    Assignment parameters;
    std::string reason;
    int attempt = 1;  ///< more for a run that `retry_open` let be handed out again
  };
  /// The next parameter set; durable before it returns.
  Result<Asked> ask();
  /// Worth calling when all that is to be asked for now was asked for: while the runs train, a sampler that
  /// fits a model gets ready for the next result, on a thread of its own. Returns at once; no answer depends on it.
  void prepare();
  /// Carries out what other processes asked of this sweep (`hdrive enqueue`, `update`, `stop`) since it was last
  /// looked at. All that ask and tell do so too; this is for while the program waits.
  void attend();
  /// For a program that begins anew with the sweep of an earlier one: `ask` hands out the runs that were cut
  /// off before any new one, each as a new attempt without reports. Until then such a run can still be told.
  /// How many there are.
  std::int64_t retry_open();
  /// A report on the way; the verdict says whether to go on. A stop verdict (the policy's, or another
  /// process's `hdrive stop`) leaves the run open until it is told to have ended in any of the ways below;
  /// it then counts as stopped early whichever that is, a value told then as its last report.
  struct Reported {
    Verdict verdict;
    std::string reason;
  };
  Result<Reported> report(RunId run, double value, std::optional<std::int64_t> step = std::nullopt);
  /// The run is done with this final value. What could not be stored, this or any other word on a run, is stored
  /// and counts once when the same is told again.
  Result<void> tell(RunId run, double value);
  /// The run is done with what it reported.
  Result<void> complete(RunId run);
  /// The run was given up after a stop verdict.
  Result<void> stopped(RunId run);
  Result<void> fail(RunId run, const std::string& why = "");
  /// Records how the sweep ended, or that it can be gone on with; runs that are open stay so. Nothing is lost
  /// without it: the sweep then looks like one whose engine vanished.
  Result<void> close();
  const SweepState& state() const;

 private:
  struct Impl;
  explicit AskTell(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hdrive
