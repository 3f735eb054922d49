// SPDX-License-Identifier: Apache-2.0
#include "store/replay.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "store/attempt_row.h"
#include "store/earlier_rows.h"
#include "store/edit_rows.h"
#include "store/exact.h"
#include "store/metric_rows.h"
#include "store/seal_table.h"
#include "store/words.h"

namespace hdrive::store {
namespace {

using Tell = std::function<void(const Change&)>;

constexpr char kSweepChanges[] =
    "SELECT status, ended_by, reason, active_seconds, time FROM sweep_changes ORDER BY id";
constexpr char kNotes[] = "SELECT level, run, text, time FROM notes ORDER BY id";
constexpr char kProposals[] =
    "SELECT number, hyperparameters, hyperparameters_exact, proposal, created, attempt, "
    "start_point FROM runs ORDER BY number";
constexpr char kEarlierAttempts[] =
    "SELECT run, " HDRIVE_EARLIER_ATTEMPT_COLUMNS " FROM earlier_attempts ORDER BY run, attempt";
constexpr char kCurrentAttempts[] =
    "SELECT number, " HDRIVE_CURRENT_ATTEMPT_COLUMNS " FROM runs ORDER BY number";
constexpr char kVerdicts[] = "SELECT " HDRIVE_VERDICT_COLUMNS
                             " FROM verdicts WHERE run = ?1 AND attempt = ?2 ORDER BY interval";
constexpr char kMetricNames[] = "SELECT id, name FROM metric_names";
constexpr char kAllMetrics[] = "SELECT id, attempt, name, step, value, time FROM metric_values";
constexpr char kMetricsNamed[] =
    "SELECT id, attempt, name, step, value, time FROM metric_values WHERE name = ?1";
constexpr char kSummaries[] =
    "SELECT run, name, count, finite, last, last_step, least, greatest FROM run_metrics";
constexpr char kDigests[] =
    "SELECT number, facts_digest, metrics_digest, verdicts_digest, figures_digest FROM runs";
constexpr char kStatus[] = "SELECT status, ended_by, reason, active_seconds, changed FROM sweep";

/// Metrics lie run by run, each in the order they came, and are read once, in that order. All runs are opened
/// first, move from attempt to attempt as their metrics pass by, and are closed at the end.
class Replay {
 public:
  Replay(Database& database, const ReplayOptions& options, const Tell& tell)
      : database_(database), options_(options), tell_(tell) {}

  Result<void> all() {
    using Step = Result<void> (Replay::*)();
    static constexpr Step kSteps[] = {
        &Replay::sweep_changes, &Replay::edits,      &Replay::earlier_runs,
        &Replay::load_attempts, &Replay::open_runs,  &Replay::read_names,
        &Replay::metrics,       &Replay::close_runs, &Replay::notes,
        &Replay::check_seal,    &Replay::check_runs, &Replay::check_summaries,
        &Replay::check_parts};
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
    sealed_ = *row;
    if (!row->digest || *row->digest == options_.seal->digest()) return {};
    return damaged(database_.path(), "what it holds is not what was written");
  }

  // An older version has no digests of parts.
  bool has_parts() const { return options_.seal && sealed_.parts; }

  // What each row tells of itself for those who look at only a few.
  Result<void> check_runs() {
    if (!has_parts()) return {};
    return database_.each(kDigests, [this](const Row& row) {
      const RunId run = row.integer(0);
      const auto same = [&](int column, std::uint64_t digest) {
        return !row.null(column) && static_cast<std::uint64_t>(row.integer(column)) == digest;
      };
      const Seal& seal = *options_.seal;
      if (!same(1, seal.facts(run)) || !same(2, seal.metrics(run)) ||
          !same(3, seal.verdicts(run)) || !same(4, figures_of_runs_[static_cast<std::size_t>(run)]))
        disagree(run);
    });
  }

  Result<void> check_summaries() {
    if (!options_.seal) return {};
    FigureDigests kept;
    Result<void> read = database_.each(kSummaries, [&](const Row& row) {
      const auto name = names_.find(row.integer(1));
      if (name == names_.end()) return disagree(row.integer(0));
      kept[name->first] += Seal::of(row.integer(0), name->second, read_summary(row, /*first=*/2));
    });
    if (!read) return read;
    const auto sealed = read_figure_digests(database_);
    if (!sealed) return sealed.error();
    for (const auto& [number, name] : names_) {
      const std::uint64_t computed = figures_of_metrics_[number];
      const auto of_seal = sealed->find(number);
      const bool as_sealed = of_seal != sealed->end() && of_seal->second == computed;
      if (kept[number] == computed && (as_sealed || !has_parts())) continue;
      return damaged(
          database_.path(),
          fmt::format("what it says in short of the metric \"{}\" does not agree with its values",
                      base::to_utf8(name)));
    }
    return {};
  }

  Result<void> check_parts() {
    if (!has_parts()) return {};
    std::uint64_t names = 0;
    for (const auto& [number, name] : names_) names += Seal::of_name(number, name);
    const Result<SweepStanding> standing = read_standing(database_);
    if (!standing) return standing.error();
    if (options_.seal->parts() == sealed_.parts->of && names == sealed_.parts->names &&
        standing->digest == sealed_.parts->of.status)
      return {};
    return damaged(database_.path(), "what it says in short does not agree with the rest");
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
    return read_edits(database_, [this](const SweepEdited& edit) { say(edit); });
  }

  Result<void> earlier_runs() {
    return read_earlier(database_, [this](const EarlierRunTaken& it) { say(it); });
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
      int number = 0;
      for (; next != earlier.end() && next->run == current.run; ++next, ++progress.last) {
        if (next->number != ++number) return disagree(current.run);
        attempts_.push_back(std::move(*next));
      }
      if (current.number != number + 1) return disagree(current.run);
      attempts_.push_back(std::move(current));
      runs_.push_back(progress);
      figures_of_runs_.push_back(0);
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

  Result<void> read_names() {
    return database_.each(kMetricNames,
                          [this](const Row& row) { names_[row.integer(0)] = row.text(1); });
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
                          : database_.each(kMetricsNamed, take, number_of(name));
    flush();
    end_summaries();
    return read;
  }

  std::int64_t number_of(const std::string& name) const {
    for (const auto& [number, text] : names_)
      if (text == name) return number;
    return -1;
  }

  void counted_metric(const Row& row) {
    const RunId run = run_of_key(row.integer(0));
    // Digests are sums: they do not tell that pages of one run have changed places.
    if (std::exchange(last_key_, row.integer(0)) >= row.integer(0)) return disagree(run);
    const std::int64_t number = row.integer(2);
    const auto name = names_.find(number);
    if (name == names_.end()) return disagree(run);
    const double value = row.real(4);
    const auto step = row.maybe_integer(3);
    if (run != summarized_.first || row.small(1) != summarized_.second) {
      flush();
      end_summaries();
      summarized_ = {run, row.small(1)};
      if (!advance_to(run, row.small(1))) return disagree(run);
    }
    options_.seal->add_metric(run, row.small(1), name->second, value, step, row.time(5));
    summaries_[number].add(value, step);
    if (options_.metrics && (options_.only_metric.empty() || options_.only_metric == name->second))
      metric(row);
  }

  // Only of a run's current attempt something is kept in short.
  void end_summaries() {
    const auto [run, attempt] = summarized_;
    if (run >= 0 && run < static_cast<RunId>(runs_.size()) &&
        attempts_[runs_[static_cast<std::size_t>(run)].last].number == attempt)
      for (const auto& [name, summary] : summaries_) {
        const std::uint64_t digest = Seal::of(run, names_.at(name), summary);
        figures_of_runs_[static_cast<std::size_t>(run)] += digest;
        figures_of_metrics_[name] += digest;
      }
    summaries_.clear();
  }

  void metric(const Row& row) {
    const RunId run = run_of_key(row.integer(0));
    const int attempt = row.small(1);
    const auto name = names_.find(row.integer(2));
    if (name == names_.end()) return disagree(run);
    auto& batch = std::get<RunMetrics>(batch_);
    if (batch.metrics.empty() || batch.run != run || batch.attempt != attempt ||
        batch.metrics.size() == kBatch) {
      flush();
      if (!move_to(run, attempt)) return disagree(run);
    }
    Metric& metric = batch.metrics.emplace_back();
    metric.name = name->second;
    metric.step = row.maybe_integer(3);
    metric.value = row.real(4);
    metric.time = row.time(5);
  }

  // Makes `attempt` the run's current one.
  bool advance_to(RunId run, int attempt) {
    if (run < 0 || run >= static_cast<RunId>(runs_.size())) return false;
    Progress& progress = runs_[static_cast<std::size_t>(run)];
    while (attempts_[progress.now].number < attempt && progress.now < progress.last)
      advance(progress);
    return attempts_[progress.now].number == attempt;
  }

  // And the batch one of it.
  bool move_to(RunId run, int attempt) {
    if (!advance_to(run, attempt)) return false;
    Progress& progress = runs_[static_cast<std::size_t>(run)];
    const Attempt& current = attempts_[progress.now];
    auto& batch = std::get<RunMetrics>(batch_);
    batch.run = run;
    batch.attempt = attempt;
    batch.cursor = current.cursor;
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
    if (attempt.submitted) say(*attempt.submitted);
    if (attempt.contact) say(*attempt.contact);
    if (attempt.started) say(*attempt.started);
  }

  void close(const Attempt& attempt, bool told_metrics) {
    if (attempt.reported && !told_metrics)
      say(RunMetrics{attempt.run, attempt.number, {}, attempt.cursor, *attempt.reported});
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
  std::unordered_map<std::int64_t, std::string> names_;  // of metrics
  SealRow sealed_;
  // Each metric of the attempt that is being read, in short; and the digests of all, by run and by metric.
  std::pair<RunId, int> summarized_{-1, 0};
  std::int64_t last_key_ = -1;  // of a metric
  std::map<std::int64_t, MetricSummary> summaries_;
  std::vector<std::uint64_t> figures_of_runs_;
  FigureDigests figures_of_metrics_;
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

Result<SweepStanding> read_standing(Database& database) {
  SweepStanding standing;
  bool begun = false;
  Result<void> read = database.each(kStatus, [&](const Row& row) {
    standing.latest = {sweep_status_from(row.bytes(0)).value_or(SweepStatus::running),
                       sweep_end_from(row.bytes(1)).value_or(SweepEnd::none), row.text(2),
                       row.duration(3), row.time(4)};
    begun = !row.null(4);
  });
  if (!read) return read.error();
  if (begun) standing.digest = Seal::of(standing.latest, Seal::Source::as_stored);
  return standing;
}

Result<void> replay(Database& database, const ReplayOptions& options,
                    const std::function<void(const Change&)>& tell) {
  return Replay(database, options, tell).all();
}

}  // namespace hdrive::store
