// SPDX-License-Identifier: Apache-2.0
//
// Store: what happened in a sweep, durably. One database a sweep, beside its run directories.
//
// Everything that happens is a Change. The scheduler appends the changes of one turn of its loop in one
// transaction, and only then believes them; a resumed sweep replays them through the same mutator.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/policy.h"
#include "hdrive/result.h"
#include "hdrive/target.h"
#include "hdrive/value.h"

namespace hdrive {

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
  none,       ///< it has not ended
  all_runs,   ///< max_total_runs were created and have ended
  exhausted,  ///< the search space has nothing left
  duration,   ///< max_duration_minutes were over
  user,       ///< `hdrive stop`
  interrupt,  ///< Ctrl-C, SIGTERM; `hdrive resume` goes on
  hopeless,   ///< nothing could succeed, or no run logs the primary metric
  error,      ///< the engine could not go on: a sampler's error, a store that cannot write
};
std::string_view to_string(SweepEnd end);  ///< the enumerator's name
std::optional<SweepEnd> sweep_end_from(std::string_view text);

// ---- changes ------------------------------------------------------------------------------------

/// A parameter set was drawn; the run exists from here on and counts against max_total_runs.
struct RunProposed {
  RunId run = 0;
  Assignment parameters;
  std::string reason;  ///< the sampler's
  Time at{};
  bool start_point = false;  ///< the next of SweepSpec::start_points, not the sampler's choice
};
/// Its program runs.
struct RunStarted {
  RunId run = 0;
  int attempt = 1;
  std::int64_t pid = 0;
  Time at{};
};
/// It logged metrics, of any name.
struct RunMetrics {
  RunId run = 0;
  int attempt = 1;
  std::vector<Metric> metrics;
  IntakePosition position;
  Time at{};  ///< when they were received; the time of a metric that has none of its own
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
};
/// It is to be tried again, as the next attempt.
struct RunRequeued {
  RunId run = 0;
  int attempt = 2;  ///< the new one
  std::string reason;
  Time at{};
  EndCause cause = EndCause::lost;  ///< what became of the attempt before; lost ones are counted
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
                            RunRequeued, SweepChanged, Noted, SweepEdited, RequestAnswered>;

/// What another process asks of a live sweep. The engine hears it within a turn of its loop and answers
/// with RequestAnswered.
struct Request {
  enum class Kind {
    stop_sweep,
    stop_run,
    pause_sweep,   ///< start no more runs; those that run go on
    resume_sweep,  ///< of a paused one
    update_sweep,  ///< change its specification
  };
  std::int64_t id = 0;
  Kind kind = Kind::stop_sweep;
  std::optional<RunId> run;  ///< for stop_run
  std::string payload;       ///< for update_sweep: the settings (see `write_settings`)
};

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
};

/// Keeps one sweep's facts. Used by one thread. A failed append leaves the store as it was.
class Store {
 public:
  virtual ~Store() = default;

  virtual const SweepHeader& header() const = 0;

  /// Records the changes in one transaction; when it returns, they survive a crash of the machine.
  /// Refused as a whole if they are out of order: runs are proposed by number from 0, and all else is of
  /// a proposed run's current attempt.
  virtual Result<void> append(std::span<const Change> changes) = 0;

  /// Tells every change recorded, those of a run in their order. Replaying them gives the state the
  /// engine had. Only metrics named `only_metric` are told, all if it is empty. Metrics may come in
  /// other batches than they were recorded in, each with the last position of its attempt, and before
  /// the verdicts on them; of the verdicts of an attempt only the latest of each action are told.
  virtual Result<void> replay(const std::string& only_metric,
                              const std::function<void(const Change&)>& tell) = 0;

  /// Requests of other processes not taken before, each told once, also where nothing can be written.
  /// Cheap when there are none.
  virtual Result<std::vector<Request>> take_requests() = 0;

  /// Whether other processes can leave requests, so that the engine looks for them now and then.
  virtual bool takes_requests() const = 0;
};

/// A store in memory, gone with the process.
std::shared_ptr<Store> make_memory_store(SweepHeader header);

/// Creates `directory` with a new database in it, and owns the sweep until destroyed.
Result<std::shared_ptr<Store>> create_sqlite_store(const std::filesystem::path& directory,
                                                   const SweepHeader& header);

/// Opens an existing sweep as its engine. Fails, naming the process, if another engine owns it. `tell` hears
/// what `Store::replay` would tell while all of it is read and checked anyway; believe it only if the
/// opening succeeds.
Result<std::shared_ptr<Store>> open_sqlite_store(
    const std::filesystem::path& directory,
    const std::function<void(const Change&)>& tell = nullptr);

// ---- reading sweeps, also while an engine runs them ---------------------------------------------

/// A sweep as it stands on disk.
struct SweepEntry {
  SweepHeader header;
  std::filesystem::path directory;
  SweepStatus status = SweepStatus::running;
  SweepEnd end = SweepEnd::none;
  std::string reason;
  Duration active{};
  Time changed{};                      ///< of the last change of status
  std::optional<std::int64_t> engine;  ///< process that runs it now
  std::int64_t runs = 0, live = 0, completed = 0, failed = 0, canceled = 0;
};

/// All sweeps below `home` (".hdrive"), oldest first. A directory that cannot be read becomes an entry
/// of `problems`, not a failure of the whole list.
std::vector<SweepEntry> list_sweeps(const std::filesystem::path& home,
                                    std::vector<Error>* problems);

/// The sweep `selector` names: an id, a unique prefix of one (with or without "HD_"), a sweep's name, a
/// path of its directory, or "last". Fails naming the candidates or the nearest match.
Result<SweepEntry> find_sweep(const std::filesystem::path& home, const std::string& selector);

/// Replays a sweep on disk without owning it.
Result<void> replay_sweep(const std::filesystem::path& directory, const std::string& only_metric,
                          const std::function<void(const Change&)>& tell);

/// How one run stands.
struct RunStanding {
  int attempt = 1;
  RunStatus status = RunStatus::queued;
  EndCause ended_by = EndCause::none;
};

/// Asks for one run without a replay: one row is read. Fails if there is no such run.
Result<RunStanding> read_run(const std::filesystem::path& directory, RunId run);

/// One logged value with its run, as stored.
struct StoredMetric {
  RunId run = 0;
  int attempt = 1;
  Metric metric;  ///< `time` is always set
};

/// The metrics of one run (all attempts), or of all, oldest first.
Result<std::vector<StoredMetric>> read_metrics(const std::filesystem::path& directory,
                                               std::optional<RunId> run);

/// Leaves a request for the engine that runs the sweep, and gives its id. Fails if none does.
Result<std::int64_t> leave_request(const std::filesystem::path& directory, const Request& request);

/// What the engine answered.
struct Answer {
  bool accepted = false;
  std::string text;
};
/// Nothing: it has not answered yet. An engine that died never will.
Result<std::optional<Answer>> read_answer(const std::filesystem::path& directory,
                                          std::int64_t request);

// ---- repairing ----------------------------------------------------------------------------------

/// What `repair_sweep` found and did.
struct RepairReport {
  bool sound = false;          ///< the database was sound, and nothing was changed
  std::filesystem::path kept;  ///< the damaged file under its new name; empty: there was none
  std::int64_t runs = 0;       ///< in the rebuilt database
  std::int64_t from_directories = 0;        ///< of those, runs the database no longer told of
  std::int64_t metrics = 0;                 ///< in the rebuilt database
  std::vector<std::string> restored, lost;  ///< sentences
};

/// What the directory of a run tells (read_run_directory), with the configuration of its sweep.
using ReadRunDirectory = std::function<Result<RecordedRun>(const std::filesystem::path& directory,
                                                           RunId run, const SweepHeader& header)>;

/// Rebuilds a damaged or missing database: what of it can be read, what sweep.json tells, and what the
/// run directories tell. The damaged file is kept. Refused while an engine owns the sweep, and where the
/// database is sound. Fails, changing nothing, where not even the sweep's description is left.
Result<RepairReport> repair_sweep(const std::filesystem::path& directory,
                                  const ReadRunDirectory& read_run);

/// The directory of one run inside its sweep's: `<sweep>/runs/<n>`.
std::filesystem::path run_directory(const std::filesystem::path& sweep_directory, RunId run);

}  // namespace hdrive
