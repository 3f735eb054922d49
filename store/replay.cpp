// SPDX-License-Identifier: Apache-2.0
#include "store/replay.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "store/exact.h"
#include "store/schema.h"
#include "store/words.h"

namespace hdrive::store {
namespace {

using Tell = std::function<void(const Change&)>;

constexpr char kSweepChanges[] =
    "SELECT status, ended_by, reason, active_seconds, time FROM sweep_changes ORDER BY id";
constexpr char kEdits[] = "SELECT config, what, time FROM edits ORDER BY id";
constexpr char kNotes[] = "SELECT level, run, text, time FROM notes ORDER BY id";
constexpr char kProposals[] =
    "SELECT number, hyperparameters, hyperparameters_exact, proposal, created, attempt, "
    "start_point FROM runs ORDER BY number";
// Both tables of attempts give the columns that `read_attempt` expects.
#define HDRIVE_ATTEMPT_COLUMNS                                                              \
  "attempt, started, pid, reported, metrics_position, output_position, canceling, "         \
  "canceling_reason, canceling_at, ended, status, ended_by, exit_code, signal, reason, "    \
  "stderr_tail, queued_again, queued_again_cause, queued_again_reason, slot, cpu_seconds, " \
  "peak_memory_bytes"
constexpr char kEarlierAttempts[] =
    "SELECT run, " HDRIVE_ATTEMPT_COLUMNS " FROM earlier_attempts ORDER BY run, attempt";
constexpr char kCurrentAttempts[] =
    "SELECT number, " HDRIVE_ATTEMPT_COLUMNS " FROM runs ORDER BY number";
#undef HDRIVE_ATTEMPT_COLUMNS
constexpr char kVerdicts[] =
    "SELECT run, attempt, action, interval, finding, value, threshold, peers, leader, note, "
    "reason, time FROM verdicts WHERE run = ?1 AND attempt = ?2 ORDER BY interval";
constexpr char kAllMetrics[] = "SELECT run, attempt, name, step, value, time FROM metrics";
constexpr char kMetricsNamed[] =
    "SELECT run, attempt, name, step, value, time FROM metrics WHERE name = ?1";

/// One attempt of a run, but for its metrics and verdicts.
struct Attempt {
  RunId run = 0;
  int number = 1;
  std::optional<RunRequeued> requeued;  // what made it, unless it is the first
  std::optional<RunStarted> started;
  std::optional<Time> reported;  // when metrics of it were last received
  IntakePosition position;
  std::optional<RunCanceling> canceling;
  std::optional<RunEnded> ended;
};

Attempt read_attempt(const Row& row) {
  Attempt it;
  it.run = row.integer(0);
  it.number = row.small(1);
  if (!row.null(2))
    it.started = RunStarted{it.run, it.number, row.integer(3), row.time(2), row.maybe_small(20)};
  if (!row.null(4)) it.reported = row.time(4);
  it.position = {static_cast<std::uint64_t>(row.integer(5)),
                 static_cast<std::uint64_t>(row.integer(6))};
  if (!row.null(9))
    it.canceling =
        RunCanceling{it.run, it.number, end_cause_from(row.bytes(7)).value_or(EndCause::none),
                     row.text(8), row.time(9)};
  if (!row.null(10))
    it.ended = RunEnded{it.run,
                        it.number,
                        run_status_from(row.bytes(11)).value_or(RunStatus::failed),
                        end_cause_from(row.bytes(12)).value_or(EndCause::none),
                        row.maybe_small(13),
                        row.maybe_small(14),
                        row.text(15),
                        row.text(16),
                        row.time(10),
                        row.maybe_duration(21),
                        row.maybe_integer(22)};
  if (!row.null(17))
    it.requeued = RunRequeued{it.run, it.number, row.text(19), row.time(17),
                              end_cause_from(row.bytes(18)).value_or(EndCause::none)};
  return it;
}

RunJudged read_verdict(const Row& row) {
  RunJudged judged{row.integer(0), row.small(1), Verdict{}, row.text(10), row.time(11)};
  Verdict& verdict = judged.verdict;
  verdict.action = meaning(kActions, row.bytes(2)).value_or(Verdict::Action::keep);
  verdict.interval = row.integer(3);
  verdict.finding = meaning(kFindings, row.bytes(4)).value_or(Verdict::Finding::other);
  verdict.value = row.real(5);
  verdict.threshold = row.real(6);
  verdict.peers = row.integer(7);
  verdict.leader = row.maybe_integer(8).value_or(-1);
  verdict.note = row.text(9);
  return judged;
}

/// Metrics lie in the order they came, those of many runs mixed, and are read once, in that order. So all
/// runs are opened first, move from attempt to attempt as their metrics pass by, and are closed at the end.
class Replay {
 public:
  Replay(Database& database, const ReplayOptions& options, const Tell& tell)
      : database_(database), options_(options), tell_(tell) {}

  Result<void> all() {
    using Step = Result<void> (Replay::*)();
    static constexpr Step kSteps[] = {
        &Replay::sweep_changes, &Replay::edits,      &Replay::load_attempts, &Replay::open_runs,
        &Replay::metrics,       &Replay::close_runs, &Replay::notes,         &Replay::check_seal};
    Result<Transaction> snapshot = Transaction::begin(database_, Transaction::Kind::read);
    if (!snapshot) return snapshot.error();
    for (const Step step : kSteps) {
      if (Result<void> done = (this->*step)(); !done) return done;
      if (fault_) return *fault_;
    }
    return {};
  }

 private:
  void say(const Change& change) {
    if (options_.seal) {
      // Metrics were added one by one, the others too.
      if (const auto* batch = std::get_if<RunMetrics>(&change))
        options_.seal->add_report(*batch);
      else
        options_.seal->add(change);
    }
    tell_(change);
  }

  Result<void> check_seal() {
    if (!options_.seal) return {};
    Result<SealRow> row = read_seal(database_);
    if (!row) return row.error();
    if (!row->digest || *row->digest == options_.seal->digest()) return {};
    return damaged(database_.path(), "what it holds is not what was written");
  }

  /// Where a run is on its way through its attempts, as places in `attempts_`.
  struct Progress {
    std::size_t now = 0;
    std::size_t last = 0;
    bool told_metrics = false;  // of the attempt `now`
  };

  Result<void> sweep_changes() {
    return database_.each(kSweepChanges, [this](const Row& row) {
      say(SweepChanged{sweep_status_from(row.bytes(0)).value_or(SweepStatus::running),
                       sweep_end_from(row.bytes(1)).value_or(SweepEnd::none), row.text(2),
                       row.duration(3), row.time(4)});
    });
  }

  Result<void> edits() {
    return database_.each(kEdits, [this](const Row& row) {
      say(SweepEdited{row.text(0), row.text(1), row.time(2)});
    });
  }

  Result<void> notes() {
    return database_.each(kNotes, [this](const Row& row) {
      say(Noted{meaning(kLevels, row.bytes(0)).value_or(Noted::Level::info), row.maybe_integer(1),
                row.text(2), row.time(3)});
    });
  }

  Result<void> load_attempts() {
    std::vector<Attempt> earlier;
    Result<void> read = database_.each(
        kEarlierAttempts, [&](const Row& row) { earlier.push_back(read_attempt(row)); });
    if (!read) return read;
    auto next = earlier.begin();
    return database_.each(kCurrentAttempts, [&](const Row& row) {
      Attempt current = read_attempt(row);
      if (current.run != static_cast<RunId>(runs_.size())) return disagree(current.run);
      Progress progress{attempts_.size(), attempts_.size()};
      for (; next != earlier.end() && next->run == current.run; ++next, ++progress.last)
        attempts_.push_back(std::move(*next));
      attempts_.push_back(std::move(current));
      runs_.push_back(progress);
    });
  }

  Result<void> open_runs() {
    return database_.each(kProposals, [this](const Row& row) {
      const RunId run = row.integer(0);
      Result<Assignment> parameters = restore(row.bytes(1), row.bytes(2));
      if (!parameters) {
        fault(damaged(database_.path(), fmt::format("the parameters of run {} cannot be read ({})",
                                                    run, parameters.error().message())));
        return;
      }
      say(RunProposed{run, std::move(*parameters), row.text(3), row.time(4), row.integer(6) != 0});
      open(attempts_[runs_[static_cast<std::size_t>(run)].now]);
    });
  }

  Result<void> metrics() {
    const auto take = [this](const Row& row) { metric(row); };
    const auto count = [this](const Row& row) { counted_metric(row); };
    const std::string& name = options_.only_metric;
    Result<void> read;
    if (options_.seal)
      read = database_.each(kAllMetrics, count);
    else if (options_.metrics)
      read = name.empty() ? database_.each(kAllMetrics, take)
                          : database_.each(kMetricsNamed, take, name);
    flush();
    return read;
  }

  void counted_metric(const Row& row) {
    const std::string_view name = row.bytes(2);
    options_.seal->add_metric(row.integer(0), row.small(1), name, row.real(4), row.maybe_integer(3),
                              row.time(5));
    if (options_.metrics && (options_.only_metric.empty() || options_.only_metric == name))
      metric(row);
  }

  void metric(const Row& row) {
    const RunId run = row.integer(0);
    const int attempt = row.small(1);
    auto& batch = std::get<RunMetrics>(batch_);
    if (batch.metrics.empty() || batch.run != run || batch.attempt != attempt ||
        batch.metrics.size() == kBatch) {
      flush();
      if (!move_to(run, attempt)) return disagree(run);
    }
    Metric& metric = batch.metrics.emplace_back();
    metric.name.assign(row.bytes(2));
    metric.step = row.maybe_integer(3);
    metric.value = row.real(4);
    metric.time = row.time(5);
  }

  // Makes `attempt` the run's current one and the batch one of it.
  bool move_to(RunId run, int attempt) {
    if (run < 0 || run >= static_cast<RunId>(runs_.size())) return false;
    Progress& progress = runs_[static_cast<std::size_t>(run)];
    while (attempts_[progress.now].number < attempt && progress.now < progress.last)
      advance(progress);
    const Attempt& current = attempts_[progress.now];
    if (current.number != attempt) return false;
    auto& batch = std::get<RunMetrics>(batch_);
    batch.run = run;
    batch.attempt = attempt;
    batch.position = current.position;
    batch.at = current.reported.value_or(Time{});
    progress.told_metrics = true;
    return true;
  }

  void flush() {
    auto& batch = std::get<RunMetrics>(batch_);
    if (!batch.metrics.empty()) say(batch_);
    batch.metrics.clear();
  }

  Result<void> close_runs() {
    for (Progress& progress : runs_) {
      while (progress.now < progress.last) advance(progress);
      close(attempts_[progress.now], progress.told_metrics);
      if (fault_) break;
    }
    return {};
  }

  void advance(Progress& progress) {
    close(attempts_[progress.now], std::exchange(progress.told_metrics, false));
    open(attempts_[++progress.now]);
  }

  void open(const Attempt& attempt) {
    if (attempt.requeued) say(*attempt.requeued);
    if (attempt.started) say(*attempt.started);
  }

  void close(const Attempt& attempt, bool told_metrics) {
    if (attempt.reported && !told_metrics)
      say(RunMetrics{attempt.run, attempt.number, {}, attempt.position, *attempt.reported});
    const auto judged = [this](const Row& row) { say(read_verdict(row)); };
    if (Result<void> told = database_.each(kVerdicts, judged, attempt.run, attempt.number); !told)
      fault(told.error());
    if (attempt.canceling) say(*attempt.canceling);
    if (attempt.ended) say(*attempt.ended);
  }

  void fault(Error error) {
    if (!fault_) fault_ = std::move(error);
  }
  void disagree(RunId run) {
    fault(damaged(database_.path(), fmt::format("its tables do not agree about run {}", run)));
  }

  static constexpr std::size_t kBatch = 4096;

  Database& database_;
  const ReplayOptions& options_;
  const Tell& tell_;
  std::vector<Attempt> attempts_;  // run by run, in their order
  std::vector<Progress> runs_;
  Change batch_ = RunMetrics{};
  std::optional<Error> fault_;
};

}  // namespace

Result<SweepHeader> read_header(Database& database) {
  static constexpr char kSelect[] =
      "SELECT id, name, experiment, config, metric, goal, version, created, snapshot, "
      "properties FROM sweep";
  std::optional<SweepHeader> header;
  Result<void> read = database.each(kSelect, [&](const Row& row) {
    header = {row.text(0), row.text(1),
              row.text(2), row.text(3),
              row.text(4), meaning(kGoals, row.bytes(5)).value_or(Goal::maximize),
              row.text(6), row.time(7),
              row.text(8), properties_from_json(row.bytes(9))};
  });
  if (!read) return read.error();
  if (!header || header->id.empty()) return damaged(database.path(), "it holds no sweep");
  return *header;
}

Result<void> replay(Database& database, const ReplayOptions& options,
                    const std::function<void(const Change&)>& tell) {
  return Replay(database, options, tell).all();
}

}  // namespace hdrive::store
