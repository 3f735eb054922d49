// SPDX-License-Identifier: Apache-2.0
//
// ComputeTarget: where runs happen. Local processes, a C++ callable, a simulation; or your own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/distribution.h"
#include "hdrive/history.h"
#include "hdrive/result.h"
#include "hdrive/value.h"
#include "hdrive/workspace.h"

namespace hdrive {

/// One logged value.
struct Metric {
  std::string name;
  double value = 0;                  ///< may be NaN or infinite
  std::optional<std::int64_t> step;  ///< as the script counts; informational
  std::optional<Time> time;  ///< as the script tells; else the time it was received is stored
};

/// How far the files of a run directory have been read, in bytes. As a cursor it is stored with the
/// metrics read from them, so that after a restart no line is read twice and none is lost.
struct IntakePosition {
  std::uint64_t metrics = 0;  ///< of metrics.jsonl
  std::uint64_t output = 0;   ///< of stdout.log, where patterns read metrics from it
  std::uint64_t mlflow = 0;   ///< of mlflow-metrics.jsonl, of runs on other machines
  bool operator==(const IntakePosition&) const = default;
};
/// "1234 56", or "1234 56 78" where the third is there; nothing for the beginning.
std::string to_cursor(const IntakePosition& position);
/// Nothing: it is a cursor of another kind.
std::optional<IntakePosition> position_from(std::string_view cursor);

/// What a run asks of the place where it runs; 0: nothing is asked.
struct RunResources {
  std::int64_t cpus = 0;     ///< processors, of each process where there are several
  double gpus = 0;           ///< of each node; below 1 a part of one
  std::uint64_t memory = 0;  ///< bytes, of each node
  std::int64_t nodes = 1;
  std::int64_t processes_per_node = 1;
  bool operator==(const RunResources&) const = default;
};

/// How many processes a run has on each node: resources.processes_per_node, or what its workers
/// and parameter servers come to.
std::int64_t processes_on_a_node(const RunResources& resources, const Distribution& distribution);

/// What a target needs to start a run, or to find it again.
struct RunRequest {
  RunId run = 0;
  int attempt = 1;
  std::string run_id;  ///< "HD_<uuid>_<n>"
  Assignment parameters;
  std::vector<std::string> arguments;  ///< program first; empty for targets without processes
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to the engine's own
  std::filesystem::path
      working_directory;            ///< where the program starts, unless `workspace` has a snapshot
  Workspace workspace;              ///< with a snapshot: the target makes a working folder from it
  std::filesystem::path directory;  ///< the run directory (docs/run-directory.md)
  std::chrono::milliseconds
      time_limit{};  ///< enforced by the scheduler; a run's supervisor backs it up
  std::chrono::milliseconds cancel_grace{};  ///< between SIGTERM and SIGKILL
  RunResources resources;
  Distribution distribution;
  std::string handle;  ///< for `adopt`: as RunAccepted had it
  std::string cursor;  ///< for `adopt`: where to go on, as RunReported had it; empty: at the start
  /// Which of the places for max_concurrent_runs it has, from 0: HDRIVE_SLOT. No two live runs have
  /// the same.
  int slot = 0;
  /// The devices it has to itself; the target fills these from what it has (DeviceOptions).
  std::vector<std::string> gpus;
  std::vector<int> cpus;
  std::string proposal;  ///< the sampler's reason, kept in run.json
  Time proposed{};       ///< when; kept in run.json
  /// Of a run that goes on from an earlier one (SweepSpec::resume_child_runs): where that one's
  /// outputs are. Empty: it does not, or the sweep has no directory. `arguments` and `environment`
  /// tell a program of it already.
  std::filesystem::path resume_from;
  /// Of a run over several machines which no batch system starts together: which of its nodes this
  /// is. Its processes wait until they are told where the others are (supervisor/protocol.h,
  /// kNodesFile). -1: all of it.
  int node = -1;
};

// ---- what a target tells ------------------------------------------------------------------------

/// The target has taken the run over, and starts it when there is room: it waits in a queue that
/// lives without this engine. At most one a run, before RunBegan; targets that start at once tell
/// none.
struct RunAccepted {
  RunId run = 0;
  int attempt = 1;
  std::string handle;  ///< what the target calls it; stored, and given back to `adopt`
};
/// It could not be handed over for a reason that has nothing to do with it (lies_outside): no
/// room, a program that is not there, a scheduler that is down. Nothing is left of the attempt; the
/// same one may be started again. Only before RunBegan; no other event of the attempt follows.
struct RunDeferred {
  RunId run = 0;
  int attempt = 1;
  Error why;
};
/// Nothing of the run is there: it never began, or all that could tell is gone. The answer to
/// `adopt`, and to a target that has forgotten a run. No other event of the attempt follows.
struct RunNotFound {
  RunId run = 0;
  int attempt = 1;
};
/// The run's program is running.
struct RunBegan {
  RunId run = 0;
  int attempt = 1;
  std::int64_t pid = 0;  ///< 0 where there is no process of this machine
  /// How long it has been running, where the target knows; its start is recorded as that long ago.
  std::optional<Duration> ran;
};
/// The run logged these, in this order.
struct RunReported {
  RunId run = 0;
  int attempt = 1;
  std::vector<Metric> metrics;
  /// Up to where these were read, in words of the target's own; stored with them.
  std::string cursor;
};
/// The run is over, and nothing of it is alive. All it reported was told before.
struct RunExited {
  RunId run = 0;
  int attempt = 1;
  std::optional<int> exit_code;  ///< exactly one of these two, unless it could not be started
  std::optional<int> signal;
  bool not_started = false;               ///< its program could not be started; `note` says why
  bool over_time = false;                 ///< its supervisor ended it at the time limit
  std::string note;                       ///< anything to add for the user, one sentence
  std::string stderr_tail;                ///< the last lines of stderr of a run that failed
  std::optional<Duration> cpu_time = {};  ///< of all its processes, where that is known
  std::optional<std::int64_t> peak_memory = {};  ///< bytes resident, where that is known
  /// How long it ran, where that is known; its end is recorded as so long after its start, and not
  /// as the moment at which somebody looked.
  std::optional<Duration> ran = {};
};
/// The run is gone without having said how it ended, and nothing of it is alive.
struct RunVanished {
  RunId run = 0;
  int attempt = 1;
  std::string note;
};
/// There is no contact with the run, which may be alive and log all the while. It keeps its place
/// and nobody else may start it; what it logs is told once there is contact again.
struct RunUnreachable {
  RunId run = 0;
  int attempt = 1;
  std::string why;  ///< one sentence
};
/// There is contact again. Any other event of the run says so, too.
struct RunReachable {
  RunId run = 0;
  int attempt = 1;
};
/// Something a user should know and that ends nothing: a metrics line that cannot be read.
struct TargetNote {
  std::optional<RunId> run;
  std::string note;
};
using TargetEvent = std::variant<RunAccepted, RunDeferred, RunNotFound, RunBegan, RunReported,
                                 RunExited, RunVanished, RunUnreachable, RunReachable, TargetNote>;

enum class CancelMode {
  graceful,  ///< the run is asked to end, and ended after its grace period
  kill,      ///< it is ended at once
};

/// How many runs can be alive at once where they run.
struct TargetCapacity {
  std::int64_t runs = 0;
  std::string limit;  ///< what allows no more: "4096 open files (ulimit -Hn)"
};

/// When a target's `wait` will have something to tell.
struct Readiness {
  int descriptor = -1;        ///< poll() finds it readable then; -1: there is none
  Time latest = Time::min();  ///< it is to be looked at by then in any case
};

/// Runs training runs.
///
/// All calls come from the thread that runs the sweep, and return soon: what takes long (another
/// machine, a scheduler) the target does meanwhile, and tells by events. The scheduler owns limits
/// and decisions; a target only does as told and reports what happened.
///
/// For each attempt that was started or adopted the events are, in this order: at most one
/// RunAccepted; at most one RunBegan; RunReported in the order the run logged; then exactly one of
/// RunExited, RunVanished, RunDeferred and RunNotFound, after which nothing of the attempt is
/// alive. RunUnreachable and RunReachable may come by turns in between. A run's time counts from
/// `start`, and again from RunBegan; not while it waits in a queue (RunAccepted) or is out of reach
/// before it began. Destroying a target leaves its runs as they are where they
/// can live without it (local processes), and ends them where they can't.
class ComputeTarget {
 public:
  virtual ~ComputeTarget() = default;

  /// Takes over a run, to start it now or when there is room. An Error means that it was not,
  /// nothing is left of the attempt, and no event will come; the same attempt may be started again.
  /// What is found out only later is told by RunDeferred or RunExited::not_started. The runs of a
  /// turn of the sweep come one after the other, and `wait` after them: a target may hand them over
  /// together there.
  virtual Result<void> start(const RunRequest& request) = 0;

  /// Finds runs again that an earlier engine started: their events come from `wait` as if this one
  /// had, but for those stored already. Only proof counts: RunNotFound where it is certain that
  /// nothing is there, RunUnreachable where the target cannot tell yet. An Error means that one of
  /// them may be alive, and somebody has to mend what keeps the target from looking; `where` says
  /// which. Nothing was started or ended then.
  virtual Result<void> adopt(std::span<const RunRequest> requests) = 0;

  /// How many runs the surroundings allow at once, and what allows no more. Nothing: no limit is
  /// known.
  virtual std::optional<TargetCapacity> capacity() const { return std::nullopt; }

  /// Asks for the end of a run, whether it runs or waits; returns at once, and its end follows.
  /// Unknown and ended runs are ignored, repeated calls harmless; `kill` after `graceful` takes
  /// effect at once. A run that cannot be reached is asked as soon as it can.
  virtual void cancel(RunId run, CancelMode mode) = 0;

  /// Appends events to `events`: returns as soon as there is one, at `deadline` (a time of the
  /// sweep's clock), or when `stop` is requested. One call tells a bounded number of events.
  virtual void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) = 0;

  /// For who waits for several targets at once. Without an answer of its own a target is looked at
  /// every few milliseconds.
  virtual Readiness readiness() { return {}; }

  /// One line for the user: "local processes".
  virtual std::string describe() const = 0;
};

// ---- local processes ----------------------------------------------------------------------------

/// Which devices of a machine its runs get, each its own: SweepSpec's gpus, gpus_per_run and
/// cpus_per_run.
struct DeviceOptions {
  std::vector<std::string>
      gpus;  ///< as CUDA_VISIBLE_DEVICES names them; empty: none are handed out
  double gpus_per_run =
      1;  ///< a whole number of GPUs, or a part of one below 1: 0.5 for two runs each
  int cpus_per_run = 0;     ///< processors a run is bound to; 0: runs are not bound
  bool share_gpus = false;  ///< whether other sweeps that say so too may use the same GPUs
  /// Where sweeps of one user tell each other which GPUs are taken; made if it is missing. Empty:
  /// they don't.
  std::filesystem::path lock_directory;
  std::string holder;  ///< who this is, for those who wait for a GPU: "sweep HD_..., process 12"
};

/// The GPUs of this machine by the order of their bus numbers: "0", "1", ... `visible` is the
/// caller's own CUDA_VISIBLE_DEVICES or HIP_VISIBLE_DEVICES, which then are all there is. Empty:
/// none found.
std::vector<std::string> find_gpus(const std::optional<std::string>& visible);

/// How a run on another machine reaches the sweep's server.
struct ServerAccess {
  /// What its environment gets besides: MLFLOW_TRACKING_URI, ...; may be empty.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string url;          ///< what this attempt may use: "https://host:23456/runs/7/attempts/1"
  std::string token;        ///< what is to be shown there
  std::string certificate;  ///< PEM: the server's own; empty: it does not speak TLS itself
};

struct LocalTargetOptions {
  /// Regular expressions that read metrics from stdout (SweepSpec::metric_patterns).
  std::vector<std::string> metric_patterns;
  /// The metric a pattern without a `name` group reports.
  std::string primary_metric;
  /// How much of stderr to hand over when a run failed, in lines.
  int stderr_tail_lines = 20;
  /// Put behind the PATH of the runs: where `hdrive` is, so that scripts find `hdrive log`. May be
  /// empty.
  std::filesystem::path command_path;
  DeviceOptions devices;
  /// What a run's environment gets besides, in place of what the request says of the same names;
  /// asked before each start, on the sweep's thread. Null: nothing.
  std::function<std::vector<std::pair<std::string, std::string>>(const RunRequest&)> environment;
  /// The same for runs on other machines, by which the sweep's server is reached from there.
  /// Nothing, or null: it is not.
  std::function<std::optional<ServerAccess>(const RunRequest&)> elsewhere;
  /// Whether scalars in event files below the runs' logs count (SweepSpec::tensorboard_metrics).
  bool tensorboard_metrics = false;
};

/// Each run is a process group of its own under a small supervisor that owns its whole process
/// tree, in its run directory. Metrics are followed with inotify. Linux.
Result<std::shared_ptr<ComputeTarget>> make_local_target(const LocalTargetOptions& options,
                                                         std::shared_ptr<Clock> clock);

/// What one attempt of a run left in its directory.
struct RecordedAttempt {
  int attempt = 1;
  std::vector<Metric> metrics;  ///< all it logged
  IntakePosition position;      ///< up to where these were read
  std::optional<RunExited> exited;
  bool canceled = false;         ///< it was told to end while it ran
  std::optional<Time> proposed;  ///< as run.json has it
  std::optional<Time> started, ended;
  std::int64_t pid = 0;
};
/// What the directory of a run tells, for rebuilding what was lost elsewhere.
struct RecordedRun {
  RunId run = 0;
  std::optional<Assignment> parameters;
  std::string proposal;                   ///< why these parameters; may be empty
  std::vector<RecordedAttempt> attempts;  ///< oldest first; those that were started
  std::vector<std::string> faults;        ///< what could not be read
};
/// Reads a run directory (docs/run-directory.md) as the local target would have, and changes
/// nothing.
Result<RecordedRun> read_run_directory(const std::filesystem::path& directory, RunId run,
                                       const LocalTargetOptions& options);

/// A line of metrics.jsonl, without its end, as the target reads it (docs/metric-protocol.md).
/// Nothing: it is blank, or cannot be used.
std::optional<Metric> metric_of_line(std::string_view line);

/// What is wrong with a metric pattern; nothing if it is sound.
std::optional<std::string> metric_pattern_fault(const std::string& pattern);

// ---- a C++ callable -----------------------------------------------------------------------------

/// What an objective function sees of its run. Used from the run's own thread.
class RunContext {
 public:
  virtual ~RunContext() = default;
  virtual RunId run() const = 0;
  virtual int attempt() const = 0;  ///< from 1
  virtual int slot() const = 0;     ///< which of the max_concurrent_runs places it has, from 0
  /// The run directory, which is not made for a callable; empty for a sweep without a directory.
  virtual const std::filesystem::path& directory() const = 0;
  /// Where the outputs are of the earlier run that this one goes on from, as a program is told by
  /// --resume-from; empty: it goes on from none, or the sweep has no directory.
  virtual const std::filesystem::path& resume_from() const = 0;
  virtual const Assignment& parameters() const = 0;
  /// The number bound to `name`. Throws std::out_of_range if there is none: a bug of the caller,
  /// which fails the run with that message.
  virtual double number(std::string_view name) const = 0;
  /// The value of `name` as text (to_text). Throws as `number` does.
  virtual std::string text(std::string_view name) const = 0;
  /// Logs a metric; the sweep's policy sees it.
  virtual void report(std::string_view name, double value,
                      std::optional<std::int64_t> step = std::nullopt) = 0;
  /// True once the run was cancelled: return soon, whatever is returned.
  virtual bool stop_requested() const = 0;
  /// Waits until the sweep has judged all that this run has reported, so that it is stopped at the
  /// very report its policy found it not worth going on with, however fast it reports. Whether it
  /// goes on: the contrary of stop_requested() then.
  virtual bool await_verdict() = 0;
};

/// A training run as a function. An exception fails the run, with its message as stderr. It may be
/// called from several threads at once, one a run.
using Objective = std::function<void(RunContext&)>;

/// Each run is a call of `objective` on a thread that it has to itself; threads serve one run after
/// another. Destroying the target waits for them.
std::shared_ptr<ComputeTarget> make_in_process_target(Objective objective,
                                                      std::shared_ptr<Clock> clock);

// ---- a simulation -------------------------------------------------------------------------------

/// A simulated run: what it logs when, and how it ends. Times count from its start.
struct SimulatedRun {
  std::vector<std::pair<Duration, Metric>> reports;  ///< in order of time
  Duration duration{};
  std::optional<int> exit_code = 0;
  std::optional<int> signal;
  bool vanishes = false;  ///< it is lost at its end instead of exiting
  std::string stderr_tail;
  Duration cancel_delay{};  ///< from SIGTERM to its end
};

/// The behaviour of a run, from its parameters and attempt. An Error: it cannot be started.
using RunModel = std::function<Result<SimulatedRun>(const RunRequest&)>;

/// No processes, no real time: `wait` advances `clock` to the next thing that happens. Events of
/// the same moment come in the order of run numbers. Without runs, `wait` advances to the deadline.
std::shared_ptr<ComputeTarget> make_simulated_target(RunModel model,
                                                     std::shared_ptr<SimulatedClock> clock);

// ---- a simulated cluster ------------------------------------------------------------------------

/// How far away it is, and what it has room for.
struct SimulatedClusterOptions {
  Duration submission = std::chrono::seconds{2};      ///< from `start` to the moment it has the run
  Duration latency = std::chrono::milliseconds{300};  ///< how old its news are when they arrive
  std::int64_t slots = 0;  ///< as many run at once, the others wait in order; 0: all run
  /// Between these moments, counted from when it was made, nothing gets there or comes from there.
  std::vector<std::pair<Duration, Duration>> outages;
};

/// A queue on other machines, in simulated time: submissions take seconds, runs wait for room, go
/// on while nobody looks, and are found again by an engine that comes later. For trying what is to
/// work with a real one. One thread at a time.
class SimulatedCluster {
 public:
  SimulatedCluster(RunModel model, const SimulatedClusterOptions& options,
                   std::shared_ptr<SimulatedClock> clock);
  ~SimulatedCluster();

  /// A target for one engine. `wait` advances the clock to the next thing that happens.
  std::shared_ptr<ComputeTarget> connect();

  /// What was ever submitted, by run and attempt.
  struct Job {
    RunId run = 0;
    int attempt = 1;
    std::optional<Time> began, ended;
  };
  std::vector<Job> jobs() const;

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace hdrive
