// SPDX-License-Identifier: Apache-2.0
//
// SweepReader: looks at a stored sweep, also while an engine runs it, at a cost that follows from
// what is asked and not from what the sweep holds. The command, and whatever shows sweeps
// elsewhere, stand on it.
//
//   auto reader = hdrive::SweepReader::open(".hdrive/HD_1a2b...");
//   auto page = (*reader)->runs({.order = {RunOrder::By::best}, .limit = 20});  // the 20 best
//   auto curve = (*reader)->series({{7}, "loss", 500});  // run 7, 500 points at most
//   while (watching) {
//     auto news = (*reader)->refresh();  // what changed since
//     for (RunId run : news->runs) redraw(*(*reader)->run(run));
//   }
//
// Threading: a reader is used by one thread at a time; several readers of one sweep need nothing of
// each other. It never makes the engine wait: each call reads in a short transaction and holds
// nothing between calls.
// Cost: `open` and `refresh` well under a millisecond where nothing changed, a run some tens of
// microseconds, a page as much as its runs and a glance at each run (100,000 runs: 50 to 100 ms),
// as do `totals`; a text, and an order by what only the run itself tells (its parameters, when it
// was created), read each run.
// Memory: what is returned, and 40 bytes a run once more than single runs were asked for.
// Nothing is told that is not what was written, and nothing is left out: what belongs together has
// a digest. Where `each_run` and `each_metric` fail, what they told before is not all there is.
// Errors: Kind::not_found where the sweep or a run is not there (any more), damaged where what was
// read is not what was written, busy and no_resources pass by themselves. A reader can be used on
// after an error.
// Units: moments and durations as in clock.h, memory in bytes. Metrics are those of a run's current
// attempt unless something else is said.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/changes.h"
#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/result.h"
#include "hdrive/target.h"

namespace hdrive {

/// One metric of a run in short.
struct MetricFigures {
  std::string name;
  std::int64_t count = 0;       ///< how many values
  std::int64_t not_finite = 0;  ///< NaN and infinities among them
  double last = 0;
  std::optional<std::int64_t> last_step;
  std::optional<double> least, greatest;  ///< of the finite ones

  std::optional<double> best(Goal goal) const { return goal == Goal::maximize ? greatest : least; }
};

/// A run as it stands.
struct StoredRun {
  Run run;
  bool start_point = false;                 ///< its parameters were given, not drawn
  std::int64_t pid = 0;                     ///< 0: none
  std::string handle;                       ///< what its target calls it; empty: nothing
  std::optional<LostContact> lost_contact;  ///< nothing: there is contact, or it has ended
  std::optional<int> slot;
  std::optional<Duration> cpu_time;
  std::optional<std::int64_t> peak_memory;
  EndCause canceling = EndCause::none;  ///< why it was asked to end
  std::string canceling_reason;
  std::string stderr_tail;
  std::optional<RunRequeued> requeued;  ///< what made this attempt, unless it is the first
  std::optional<Time> reported;         ///< when metrics were last received
  std::vector<MetricFigures> metrics;   ///< by name

  /// Null: it has logged none of this name.
  const MetricFigures* metric(std::string_view name) const;
};

/// Which runs: those for which all that is given is true.
struct RunFilter {
  std::vector<RunStatus> statuses;   ///< one of these; empty: any
  std::optional<RunId> from, below;  ///< from <= number < below
  std::string text;  ///< somewhere in its parameters, its reason or why it was chosen; case aside
};
/// In which order. Runs without a value come last; among equals the number decides.
struct RunOrder {
  enum class By {
    number,
    status,
    created,
    started,
    ended,
    duration,
    attempt,
    cpu_time,
    peak_memory,
    parameter,  ///< `name`
    best,       ///< of the metric `name` (empty: the primary one), best first
    last,       ///< the last value of the metric `name` (empty: the primary one)
  };
  By by = By::number;
  std::string name = "";
  bool descending = false;  ///< of `best`: worst first
};
struct RunQuery {
  RunFilter filter = {};
  RunOrder order = {};
  std::int64_t offset = 0;  ///< how many to pass over
  std::optional<std::int64_t> limit = {};
};
struct RunPage {
  std::vector<StoredRun> runs;
  std::int64_t matching = 0;  ///< how many the filter lets through, on all pages
};

struct SeriesQuery {
  std::vector<RunId> runs;
  std::string metric;
  /// At most so many points of each run, at least 4; 0: all. Of each stretch the least and the
  /// greatest value stay, and the first and the last of all, so that peaks are never lost.
  std::int64_t max_points = 0;
  std::int64_t from =
      0;  ///< only values from this place on: a client that has n of them asks from n
};
struct Series {
  struct Point {
    std::int64_t place = 0;  ///< which value of the metric it is, from 0
    std::optional<std::int64_t> step;
    double value = 0;
    Time time{};
  };
  RunId run = 0;
  int attempt = 1;         ///< another one than before: all places begin anew
  std::int64_t count = 0;  ///< how many values there are, told or not
  std::vector<Point> points;
};
/// `points` with at most so many (see SeriesQuery::max_points).
std::vector<Series::Point> thin_out(std::vector<Series::Point> points, std::int64_t max_points);

/// Over all runs.
struct SweepTotals {
  std::array<std::int64_t, 5> by_status{};  ///< by RunStatus
  std::int64_t stopped = 0;                 ///< by a policy; counted among the canceled, too
  Duration compute{};                       ///< the runs' durations; of live ones up to `now`
  /// What stopping early saved: for each stopped run the mean of the completed ones minus its own,
  /// where positive. Nothing without a completed run.
  std::optional<Duration> saved;
  std::optional<RunId> best;  ///< by the primary metric; a tie goes to the earliest
  double best_value = 0;
  Time latest{};  ///< of the latest change of a run

  std::int64_t runs() const;
  std::int64_t of(RunStatus status) const { return by_status[static_cast<std::size_t>(status)]; }
};
/// One metric over all runs.
struct MetricTotals {
  std::string name;
  std::int64_t runs = 0;   ///< that logged it
  std::int64_t count = 0;  ///< of values
  std::optional<double> least, greatest;
};
/// What is told of a run without reading it.
struct RunOutline {
  RunId run = 0;
  int attempt = 1;
  RunStatus status = RunStatus::queued;
  EndCause ended_by = EndCause::none;
  std::optional<Time> started, ended;
  std::optional<double> best;  ///< of the primary metric
};
/// The primary metric's best value so far, at the runs that raised it, by number.
struct Improvement {
  RunId run = 0;
  double value = 0;
};

/// One logged value with its run, as stored.
struct StoredMetric {
  RunId run = 0;
  int attempt = 1;
  Metric metric;  ///< `time` is always set
};

/// What came since the cursor.
struct Increment {
  /// Nothing known before holds any more: the database was repaired, or another one took its place.
  /// What follows is all there is.
  bool replaced = false;
  std::vector<RunId> runs;  ///< new, or changed in any way; each once
  std::vector<SweepChanged> status;
  std::vector<SweepEdited> edits;  ///< only the last one has a `config`: the one that holds now
  std::vector<Noted> notes;
  std::vector<std::string> metric_names;

  bool empty() const {
    return !replaced && runs.empty() && status.empty() && edits.empty() && notes.empty() &&
           metric_names.empty();
  }
};

class SweepReader {
 public:
  /// The sweep in this directory. `cursor` is what an earlier reader's `cursor()` told: the first
  /// `refresh` tells what came since; empty: all. One that means nothing here counts as empty, and
  /// as `replaced`.
  static Result<std::unique_ptr<SweepReader>> open(const std::filesystem::path& directory,
                                                   const std::string& cursor = "");
  virtual ~SweepReader() = default;

  /// What came since the last call, or since the cursor.
  virtual Result<Increment> refresh() = 0;
  /// Up to where `refresh` has told, as text to keep; it holds across processes.
  virtual std::string cursor() const = 0;
  /// Goes on from now: what there is is not told.
  virtual Result<void> skip() = 0;

  /// The process that runs the sweep now. No reading of the database: it is a look at a lock.
  virtual std::optional<std::int64_t> engine() const = 0;
  /// How it stands, as `find_sweep` tells it.
  virtual Result<SweepEntry> entry() = 0;
  /// Its description, as of now: `config` changes with edits.
  virtual Result<SweepHeader> header() = 0;
  virtual Result<RunPage> runs(const RunQuery& query) = 0;
  /// The same one by one, however many they are: no more than one is in memory. `tell` must not use
  /// the reader.
  virtual Result<void> each_run(const RunQuery& query,
                                const std::function<void(const StoredRun&)>& tell) = 0;
  virtual Result<StoredRun> run(RunId run) = 0;
  /// The verdict on it that counts: the policy's stop, else its latest.
  virtual Result<std::optional<RunJudged>> judged(RunId run) = 0;
  virtual Result<std::vector<Series>> series(const SeriesQuery& query) = 0;
  /// Every value of one run or of all, of all attempts, run by run; nothing is kept in memory.
  virtual Result<void> each_metric(std::optional<RunId> run,
                                   const std::function<void(const StoredMetric&)>& tell) = 0;
  /// `now`: where an engine runs the sweep, so that its live runs count up to then.
  virtual Result<SweepTotals> totals(std::optional<Time> now = std::nullopt) = 0;
  virtual Result<std::vector<MetricTotals>> metric_totals() = 0;
  virtual Result<std::vector<Improvement>> improvements() = 0;
  /// Of all runs, by number.
  virtual Result<std::vector<RunOutline>> outlines() = 0;
  /// In the order in which they first came.
  virtual Result<std::vector<std::string>> metric_names() = 0;
  /// Of the parameters of all runs, in the order of the first run that has them.
  virtual Result<std::vector<std::string>> parameter_names() = 0;
  virtual Result<std::vector<Noted>> notes() = 0;
  /// Only the last one has a `config`: the one that holds now.
  virtual Result<std::vector<SweepEdited>> edits() = 0;
  /// Reads all that is stored of the run's metrics and checks it against its digest, and what is
  /// kept of them in short against both. The other calls check what they read; `replay_sweep`
  /// checks everything.
  virtual Result<void> check(RunId run) = 0;
};

// ---- in one call --------------------------------------------------------------------------------

/// Replays a sweep on disk without owning it, and checks all of it.
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

/// The metrics of one run (all attempts), or of all runs, run by run; those of each oldest first.
/// Checked.
Result<std::vector<StoredMetric>> read_metrics(const std::filesystem::path& directory,
                                               std::optional<RunId> run);

}  // namespace hdrive
