// SPDX-License-Identifier: Apache-2.0
//
// SweepReader on a sweep's database: what a row tells is checked against the digest in it, and the file's own
// identity tells whether another database took its place.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/file.h"
#include "hdrive/reader.h"
#include "store/attempt_row.h"
#include "store/exact.h"
#include "store/metric_rows.h"
#include "store/ownership.h"
#include "store/reader.h"
#include "store/recent_changes.h"
#include "store/replay.h"
#include "store/run_query.h"
#include "store/schema.h"
#include "store/seal.h"
#include "store/words.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using store::Database;
using store::Row;
using store::Seal;
using store::Transaction;

constexpr char kRun[] =
    "SELECT number, " HDRIVE_ATTEMPT_COLUMNS
    ", hyperparameters, hyperparameters_exact, proposal, created, start_point, facts_digest "
    "FROM runs WHERE number = ?1";
constexpr char kFigures[] =
    "SELECT n.name, count, finite, last, last_step, least, greatest FROM metric_names n "
    "CROSS JOIN run_metrics m ON m.name = n.id AND m.run = ?1 ORDER BY n.name";
constexpr char kJudged[] =
    "SELECT " HDRIVE_VERDICT_COLUMNS
    " FROM verdicts WHERE run = ?1 AND attempt = (SELECT attempt FROM runs WHERE number = ?1) "
    "ORDER BY action = 'stop', interval";
constexpr char kNumberOfName[] = "SELECT id FROM metric_names WHERE name = ?1";
constexpr char kPoints[] =
    "SELECT step, value, time FROM metric_values WHERE id BETWEEN ?1 << 32 AND "
    "(?1 << 32) + 4294967295 AND name = ?2 AND attempt = ?3 ORDER BY id";
constexpr char kAttempt[] = "SELECT attempt FROM runs WHERE number = ?1";
constexpr char kValuesOfAll[] =
    "SELECT id, attempt, name, step, value, time FROM metric_values ORDER BY id";
constexpr char kValuesOfRun[] =
    "SELECT id, attempt, name, step, value, time FROM metric_values "
    "WHERE id BETWEEN ?1 << 32 AND (?1 << 32) + 4294967295 ORDER BY id";
constexpr char kMetricsDigest[] = "SELECT attempt, metrics_digest FROM runs WHERE number = ?1";
constexpr char kStatesOfRuns[] =
    "SELECT status, ended_by, started, ended, created, reported FROM runs";
constexpr char kLowest[] =
    "SELECT run, least FROM run_metrics WHERE name = ?1 AND finite > 0 ORDER BY least, run LIMIT 1";
constexpr char kHighest[] =
    "SELECT run, greatest FROM run_metrics WHERE name = ?1 AND finite > 0 "
    "ORDER BY greatest DESC, run LIMIT 1";
constexpr char kBests[] =
    "SELECT run, least, greatest FROM run_metrics WHERE name = ?1 AND finite > 0 ORDER BY run";
constexpr char kMetricTotals[] =
    "SELECT n.name, count(*), sum(count), min(least), max(greatest) "
    "FROM run_metrics m JOIN metric_names n ON n.id = m.name GROUP BY m.name";
constexpr char kMetricNames[] = "SELECT id, name FROM metric_names WHERE id > ?1 ORDER BY id";
constexpr char kParameterNames[] =
    "SELECT key FROM runs, json_each(hyperparameters) GROUP BY key ORDER BY min(number), min(id)";
constexpr char kNotes[] = "SELECT level, run, text, time, id FROM notes WHERE id > ?1 ORDER BY id";
constexpr char kEdits[] = "SELECT config, what, time, id FROM edits WHERE id > ?1 ORDER BY id";
constexpr char kSweepChanges[] =
    "SELECT status, ended_by, reason, active_seconds, time, id FROM sweep_changes WHERE id > ?1 "
    "ORDER BY id";
constexpr char kChangedRuns[] = "SELECT number FROM runs WHERE changed > ?1 ORDER BY number";
constexpr char kDataVersion[] = "PRAGMA data_version";
constexpr char kLast[] =
    "SELECT ifnull((SELECT max(id) FROM notes), 0), ifnull((SELECT max(id) FROM edits), 0), "
    "ifnull((SELECT max(id) FROM sweep_changes), 0), ifnull((SELECT max(id) FROM metric_names), 0)";

// Which file a database is: another one at the same place is another database.
struct Identity {
  std::uint64_t device = 0, inode = 0;
  bool operator==(const Identity&) const = default;
};

Result<Identity> identify(const fs::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return base::system_error(file, "look at", errno);
  return Identity{static_cast<std::uint64_t>(found.st_dev),
                  static_cast<std::uint64_t>(found.st_ino)};
}

// Up to where has been told.
struct Cursor {
  std::uint64_t inode = 0;
  std::int64_t steps = -1;  // -1: nothing yet
  std::int64_t notes = 0, edits = 0, status = 0, names = 0;

  std::string text() const {
    return fmt::format("1:{}:{}:{}:{}:{}:{}", inode, steps, notes, edits, status, names);
  }
  static std::optional<Cursor> from(std::string_view text);
};

std::optional<Cursor> Cursor::from(std::string_view text) {
  std::array<std::int64_t, 7> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, numbers[i]);
    const bool last = i + 1 == numbers.size();
    if (error != std::errc() || (last ? rest != end : (rest == end || *rest != ':')))
      return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()) + (last ? 0 : 1));
  }
  if (numbers[0] != 1) return std::nullopt;
  return Cursor{static_cast<std::uint64_t>(numbers[1]),
                numbers[2],
                numbers[3],
                numbers[4],
                numbers[5],
                numbers[6]};
}

template <class Number>
std::optional<Number> unless_null(const Row& row, int column, Number value) {
  return row.null(column) ? std::nullopt : std::optional(value);
}

MetricFigures read_figures(const Row& row) {
  return {row.text(0),
          row.integer(1),
          row.integer(1) - row.integer(2),
          row.real(3),
          row.maybe_integer(4),
          unless_null(row, 5, row.real(5)),
          unless_null(row, 6, row.real(6))};
}

class DatabaseReader final : public SweepReader {
 public:
  explicit DatabaseReader(fs::path directory) : directory_(std::move(directory)) {}

  Result<void> begin(const std::string& cursor) {
    if (Result<void> opened = reopen(); !opened) return opened;
    cursor_.inode = identity_.inode;
    if (cursor.empty()) return {};
    const auto given = Cursor::from(cursor);
    if (given && given->inode == identity_.inode)
      cursor_ = *given;
    else
      replaced_ = true;
    return {};
  }

  Result<Increment> refresh() override;
  std::string cursor() const override { return cursor_.text(); }
  Result<void> skip() override;
  std::optional<std::int64_t> engine() const override {
    const auto owner = store::owner_of(directory_);
    return owner ? std::optional(owner->pid) : std::nullopt;
  }
  Result<SweepHeader> header() override { return store::read_header(*database_); }
  Result<RunPage> runs(const RunQuery& query) override;
  Result<void> each_run(const RunQuery& query,
                        const std::function<void(const StoredRun&)>& tell) override;
  Result<StoredRun> run(RunId run) override;
  Result<std::optional<RunJudged>> judged(RunId run) override;
  Result<std::vector<Series>> series(const SeriesQuery& query) override;
  Result<void> each_metric(std::optional<RunId> run,
                           const std::function<void(const StoredMetric&)>& tell) override;
  Result<SweepTotals> totals(std::optional<Time> now) override;
  Result<std::vector<MetricTotals>> metric_totals() override;
  Result<std::vector<Improvement>> improvements() override;
  Result<std::vector<std::string>> metric_names() override;
  Result<std::vector<std::string>> parameter_names() override;
  Result<std::vector<Noted>> notes() override;
  Result<std::vector<SweepEdited>> edits() override;
  Result<void> check(RunId run) override;

 private:
  fs::path file() const { return store::database_file(directory_); }

  Result<void> reopen() {
    const std::int64_t noted = store::noted_steps(directory_);
    const auto identity = identify(file());
    auto database = store::open_reader(directory_);
    if (!database) return database.error();
    if (!identity) return identity.error();
    const auto header = store::read_header(**database);
    if (!header) return header.error();
    if (Result<void> sound = store::check_steps(**database, noted, *header); !sound) return sound;
    database_ = std::move(*database);
    identity_ = *identity;
    data_version_.reset();
    // Of an older version: a copy in memory, which nobody else changes.
    const char* name = sqlite3_db_filename(database_->handle(), "main");
    copied_ = name == nullptr || *name == '\0';
    return {};
  }

  // Whether another file is at the place of the one that is open.
  Result<bool> was_replaced() const {
    const auto now = identify(file());
    if (!now) return now.error();
    return !(*now == identity_);
  }

  Result<void> tell_runs(Increment& news, const store::SealRow& seal);
  Result<void> tell_news(Increment& news, const store::SealRow& seal);
  Result<std::optional<std::int64_t>> number_of(const std::string& metric);
  Result<std::vector<RunId>> numbers(const RunQuery& query);
  Result<StoredRun> read_run(const Row& row);
  Result<void> add_figures(StoredRun& run);
  Result<void> read_best(SweepTotals& totals);
  void add_compute(SweepTotals& totals, std::optional<Time> now, Result<void>& read);

  fs::path directory_;
  std::unique_ptr<Database> database_;
  Identity identity_;
  Cursor cursor_;
  bool replaced_ = false;  // to be told
  bool copied_ = false;
  std::optional<std::int64_t> data_version_;
};

// ---- what changed -------------------------------------------------------------------------------

Result<Increment> DatabaseReader::refresh() {
  const auto gone = was_replaced();
  if (!gone) return gone.error();
  if (*gone || copied_) {
    if (Result<void> opened = reopen(); !opened) return opened.error();
    if (*gone) {
      cursor_ = Cursor{identity_.inode};
      replaced_ = true;
    }
  }
  std::int64_t version = 0;
  Result<void> done =
      database_->each(kDataVersion, [&](const Row& row) { version = row.integer(0); });
  if (!done) return done.error();
  if (data_version_ == version) return Increment{};
  Result<Transaction> moment = Transaction::begin(*database_, Transaction::Kind::read);
  if (!moment) return moment.error();
  const auto seal = store::read_seal(*database_);
  if (!seal) return seal.error();
  Increment news;
  if (seal->steps < cursor_.steps) {
    cursor_ = Cursor{identity_.inode};
    replaced_ = true;
  }
  const Cursor before = cursor_;
  if (Result<void> told = tell_news(news, *seal); !told) {
    cursor_ = before;
    return told.error();
  }
  data_version_ = version;
  news.replaced = std::exchange(replaced_, false);
  return news;
}

// A look at all runs is needed only by one that has not looked for long.
Result<void> DatabaseReader::tell_runs(Increment& news, const store::SealRow& seal) {
  const auto recent = store::RecentChanges::from(seal.recent);
  auto runs = recent ? recent->since(cursor_.steps) : std::nullopt;
  if (runs) {
    news.runs = *std::move(runs);
    return {};
  }
  return database_->each(
      kChangedRuns, [&](const Row& row) { news.runs.push_back(row.integer(0)); }, cursor_.steps);
}

Result<void> DatabaseReader::tell_news(Increment& news, const store::SealRow& seal) {
  Result<void> read = tell_runs(news, seal);
  if (read)
    read = database_->each(
        kSweepChanges,
        [&](const Row& row) {
          news.status.push_back({sweep_status_from(row.bytes(0)).value_or(SweepStatus::running),
                                 sweep_end_from(row.bytes(1)).value_or(SweepEnd::none), row.text(2),
                                 row.duration(3), row.time(4)});
          cursor_.status = row.integer(5);
        },
        cursor_.status);
  if (read)
    read = database_->each(
        kEdits,
        [&](const Row& row) {
          news.edits.push_back({row.text(0), row.text(1), row.time(2)});
          cursor_.edits = row.integer(3);
        },
        cursor_.edits);
  if (read)
    read = database_->each(
        kNotes,
        [&](const Row& row) {
          news.notes.push_back(
              {store::meaning(store::kLevels, row.bytes(0)).value_or(Noted::Level::info),
               row.maybe_integer(1), row.text(2), row.time(3)});
          cursor_.notes = row.integer(4);
        },
        cursor_.notes);
  if (read)
    read = database_->each(
        kMetricNames,
        [&](const Row& row) {
          news.metric_names.push_back(row.text(1));
          cursor_.names = row.integer(0);
        },
        cursor_.names);
  if (read) cursor_.steps = seal.steps;
  return read;
}

Result<void> DatabaseReader::skip() {
  Result<Transaction> moment = Transaction::begin(*database_, Transaction::Kind::read);
  if (!moment) return moment.error();
  const auto seal = store::read_seal(*database_);
  if (!seal) return seal.error();
  replaced_ = false;
  return database_->each(kLast, [&](const Row& row) {
    cursor_ = {identity_.inode, seal->steps,    row.integer(0),
               row.integer(1),  row.integer(2), row.integer(3)};
  });
}

// ---- runs ---------------------------------------------------------------------------------------

Result<std::optional<std::int64_t>> DatabaseReader::number_of(const std::string& metric) {
  std::string name = metric;
  if (name.empty()) {
    const auto described = header();
    if (!described) return described.error();
    name = described->metric;
  }
  std::optional<std::int64_t> number;
  Result<void> read = database_->each(
      kNumberOfName, [&](const Row& row) { number = row.integer(0); }, name);
  if (!read) return read.error();
  return number;
}

// Checks the row against the digest in it.
Result<StoredRun> DatabaseReader::read_run(const Row& row) {
  constexpr int kParameters = 23, kExact = 24, kProposal = 25, kCreated = 26, kStartPoint = 27,
                kDigest = 28;
  const store::Attempt attempt = store::read_attempt(row);
  const auto wrong = [&] {
    return store::damaged(
        database_->path(),
        fmt::format("what it tells of run {} is not what was written", attempt.run));
  };
  Result<Assignment> parameters = store::restore(row.bytes(kParameters), row.bytes(kExact));
  if (!parameters) return wrong();
  const RunProposed proposed{attempt.run, *parameters, row.text(kProposal), row.time(kCreated),
                             row.integer(kStartPoint) != 0};
  if (!row.null(kDigest)) {
    Seal seal(Seal::Source::as_stored, attempt.run);
    seal.add(proposed);
    if (attempt.requeued) seal.add(*attempt.requeued);
    if (attempt.started) seal.add(*attempt.started);
    if (attempt.reported)
      seal.add_report({attempt.run, attempt.number, {}, attempt.position, *attempt.reported});
    if (attempt.canceling) seal.add(*attempt.canceling);
    if (attempt.ended) seal.add(*attempt.ended);
    if (seal.facts(attempt.run) != static_cast<std::uint64_t>(row.integer(kDigest))) return wrong();
  }
  StoredRun stored;
  Run& run = stored.run;
  run.id = attempt.run;
  run.attempt = attempt.number;
  run.status = run_status_from(row.bytes(11)).value_or(RunStatus::queued);
  run.parameters = *std::move(parameters);
  run.proposal = proposed.reason;
  run.created = proposed.at;
  stored.start_point = proposed.start_point;
  stored.reported = attempt.reported;
  stored.requeued = attempt.requeued;
  if (const auto& started = attempt.started) {
    run.started = started->at;
    stored.pid = started->pid;
    stored.slot = started->slot;
  }
  if (const auto& canceling = attempt.canceling) {
    stored.canceling = canceling->cause;
    stored.canceling_reason = canceling->reason;
  }
  if (const auto& ended = attempt.ended) {
    run.ended_by = ended->cause;
    run.reason = ended->reason;
    run.exit_code = ended->exit_code;
    run.signal = ended->signal;
    run.ended = ended->at;
    stored.stderr_tail = ended->stderr_tail;
    stored.cpu_time = ended->cpu_time;
    stored.peak_memory = ended->peak_memory;
  }
  return stored;
}

Result<void> DatabaseReader::add_figures(StoredRun& run) {
  return database_->each(
      kFigures, [&](const Row& row) { run.metrics.push_back(read_figures(row)); }, run.run.id);
}

Result<StoredRun> DatabaseReader::run(RunId number) {
  std::optional<Result<StoredRun>> found;
  Result<void> read = database_->each(
      kRun, [&](const Row& row) { found = read_run(row); }, number);
  if (!read) return read.error();
  if (!found)
    return Error{fmt::format("run {}", number), "is not in this sweep", Error::Kind::not_found};
  if (!*found) return found->error();
  if (Result<void> added = add_figures(**found); !added) return added.error();
  return std::move(*found);
}

Result<std::vector<RunId>> DatabaseReader::numbers(const RunQuery& query) {
  const auto described = header();
  if (!described) return described.error();
  std::optional<std::int64_t> metric;
  if (query.order.by == RunOrder::By::best || query.order.by == RunOrder::By::last) {
    const auto number = number_of(query.order.name);
    if (!number) return number.error();
    metric = *number;
  }
  std::vector<RunId> result;
  const auto take = [&](const Row& row) { result.push_back(row.integer(0)); };
  // SQLite refuses values for places that a statement does not have, so each is mentioned.
  const std::string sql =
      "WITH given AS (SELECT ?1, ?2, ?3) " + store::numbers_sql(query, described->goal);
  Result<void> read =
      database_->each_once(sql, take, store::sought_text(query.filter), query.order.name, metric);
  if (!read) return read.error();
  return result;
}

Result<void> DatabaseReader::each_run(const RunQuery& query,
                                      const std::function<void(const StoredRun&)>& tell) {
  Result<Transaction> moment = Transaction::begin(*database_, Transaction::Kind::read);
  if (!moment) return moment.error();
  const auto found = numbers(query);
  if (!found) return found.error();
  for (const RunId number : *found) {
    const Result<StoredRun> one = run(number);
    if (!one) return one.error();
    tell(*one);
  }
  return {};
}

Result<RunPage> DatabaseReader::runs(const RunQuery& query) {
  RunPage page;
  Result<void> read = each_run(query, [&](const StoredRun& run) { page.runs.push_back(run); });
  if (!read) return read.error();
  const std::string sql = "WITH given AS (SELECT ?1) " + store::count_sql(query);
  read = database_->each_once(
      sql, [&](const Row& row) { page.matching = row.integer(0); },
      store::sought_text(query.filter));
  if (!read) return read.error();
  return page;
}

Result<std::optional<RunJudged>> DatabaseReader::judged(RunId run) {
  std::optional<RunJudged> judged;
  Result<void> read = database_->each(
      kJudged, [&](const Row& row) { judged = store::read_verdict(row); }, run);
  if (!read) return read.error();
  return judged;
}

// ---- metrics ------------------------------------------------------------------------------------

Result<std::vector<Series>> DatabaseReader::series(const SeriesQuery& query) {
  Result<Transaction> moment = Transaction::begin(*database_, Transaction::Kind::read);
  if (!moment) return moment.error();
  const auto number = number_of(query.metric);
  if (!number) return number.error();
  std::vector<Series> result;
  for (const RunId run : query.runs) {
    Series& series = result.emplace_back();
    series.run = run;
    bool known = false;
    Result<void> read = database_->each(
        kAttempt, [&](const Row& row) { known = true, series.attempt = row.small(0); }, run);
    if (!read) return read.error();
    if (!known)
      return Error{fmt::format("run {}", run), "is not in this sweep", Error::Kind::not_found};
    if (!*number) continue;
    read = database_->each(
        kPoints,
        [&](const Row& row) {
          const std::int64_t place = series.count++;
          if (place >= query.from)
            series.points.push_back({place, row.maybe_integer(0), row.real(1), row.time(2)});
        },
        run, **number, series.attempt);
    if (!read) return read.error();
    series.points = thin_out(std::move(series.points), query.max_points);
  }
  return result;
}

Result<void> DatabaseReader::each_metric(std::optional<RunId> run,
                                         const std::function<void(const StoredMetric&)>& tell) {
  Result<Transaction> moment = Transaction::begin(*database_, Transaction::Kind::read);
  if (!moment) return moment.error();
  std::unordered_map<std::int64_t, std::string> names;
  Result<void> read = database_->each(
      kMetricNames, [&](const Row& row) { names[row.integer(0)] = row.text(1); }, std::int64_t{0});
  if (!read) return read;
  StoredMetric stored;
  const auto take = [&](const Row& row) {
    stored.run = store::run_of_key(row.integer(0));
    stored.attempt = row.small(1);
    stored.metric.name = names[row.integer(2)];
    stored.metric.step = row.maybe_integer(3);
    stored.metric.value = row.real(4);
    stored.metric.time = row.time(5);
    tell(stored);
  };
  return run ? database_->each(kValuesOfRun, take, *run) : database_->each(kValuesOfAll, take);
}

Result<void> DatabaseReader::check(RunId run) {
  std::optional<std::uint64_t> expected;
  int attempt = 0;
  Result<void> read = database_->each(
      kMetricsDigest,
      [&](const Row& row) {
        attempt = row.small(0);
        if (!row.null(1)) expected = static_cast<std::uint64_t>(row.integer(1));
      },
      run);
  if (!read || !expected) return read;
  Seal seal(Seal::Source::as_stored, run);
  seal.add(RunProposed{run, {}, "", {}});
  read = each_metric(run, [&](const StoredMetric& it) {
    if (it.attempt == attempt)
      seal.add_metric(run, attempt, it.metric.name, it.metric.value, it.metric.step,
                      *it.metric.time);
  });
  if (!read || seal.metrics(run) == *expected) return read;
  return store::damaged(database_->path(),
                        fmt::format("the metrics of run {} are not what was written", run));
}

// ---- over all runs ------------------------------------------------------------------------------

void DatabaseReader::add_compute(SweepTotals& totals, std::optional<Time> now, Result<void>& read) {
  Duration of_completed{};
  std::vector<Duration> of_stopped;
  read = database_->each(kStatesOfRuns, [&](const Row& row) {
    for (const int moment : {2, 3, 4, 5})
      if (!row.null(moment)) totals.latest = std::max(totals.latest, row.time(moment));
    const RunStatus status = run_status_from(row.bytes(0)).value_or(RunStatus::queued);
    ++totals.by_status[static_cast<std::size_t>(status)];
    std::optional<Time> end = unless_null(row, 3, row.time(3));
    if (status == RunStatus::running && now) end = now;
    const bool timed = end && !row.null(2);
    const Duration took = timed ? std::max(Duration{}, *end - row.time(2)) : Duration{};
    totals.compute += took;
    if (status == RunStatus::completed) of_completed += took;
    if (row.bytes(1) == to_string(EndCause::policy)) of_stopped.push_back(took);
  });
  totals.stopped = static_cast<std::int64_t>(of_stopped.size());
  const std::int64_t completed = totals.of(RunStatus::completed);
  if (completed == 0) return;
  Duration saved{};
  for (const Duration took : of_stopped)
    saved += std::max(Duration{}, of_completed / completed - took);
  totals.saved = saved;
}

Result<void> DatabaseReader::read_best(SweepTotals& totals) {
  const auto described = header();
  if (!described) return described.error();
  const auto number = number_of(described->metric);
  if (!number) return number.error();
  if (!*number) return {};
  const auto take = [&](const Row& row) {
    totals.best = row.integer(0);
    totals.best_value = row.real(1);
  };
  return described->goal == Goal::maximize ? database_->each(kHighest, take, **number)
                                           : database_->each(kLowest, take, **number);
}

Result<SweepTotals> DatabaseReader::totals(std::optional<Time> now) {
  Result<Transaction> moment = Transaction::begin(*database_, Transaction::Kind::read);
  if (!moment) return moment.error();
  SweepTotals totals;
  Result<void> read;
  add_compute(totals, now, read);
  if (read) read = read_best(totals);
  if (!read) return read.error();
  return totals;
}

Result<std::vector<MetricTotals>> DatabaseReader::metric_totals() {
  std::vector<MetricTotals> all;
  Result<void> read = database_->each(kMetricTotals, [&](const Row& row) {
    all.push_back({row.text(0), row.integer(1), row.integer(2), unless_null(row, 3, row.real(3)),
                   unless_null(row, 4, row.real(4))});
  });
  if (!read) return read.error();
  return all;
}

Result<std::vector<Improvement>> DatabaseReader::improvements() {
  const auto described = header();
  if (!described) return described.error();
  const auto number = number_of(described->metric);
  if (!number) return number.error();
  std::vector<Improvement> all;
  if (!*number) return all;
  const bool highest = described->goal == Goal::maximize;
  Result<void> read = database_->each(
      kBests,
      [&](const Row& row) {
        const double value = row.real(highest ? 2 : 1);
        const double before = all.empty() ? 0 : all.back().value;
        if (all.empty() || (highest ? value > before : value < before))
          all.push_back({row.integer(0), value});
      },
      **number);
  if (!read) return read.error();
  return all;
}

Result<std::vector<std::string>> DatabaseReader::metric_names() {
  std::vector<std::string> names;
  Result<void> read = database_->each(
      kMetricNames, [&](const Row& row) { names.push_back(row.text(1)); }, std::int64_t{0});
  if (!read) return read.error();
  return names;
}

Result<std::vector<std::string>> DatabaseReader::parameter_names() {
  std::vector<std::string> names;
  Result<void> read =
      database_->each(kParameterNames, [&](const Row& row) { names.push_back(row.text(0)); });
  if (!read) return read.error();
  return names;
}

Result<std::vector<Noted>> DatabaseReader::notes() {
  std::vector<Noted> notes;
  Result<void> read = database_->each(
      kNotes,
      [&](const Row& row) {
        notes.push_back({store::meaning(store::kLevels, row.bytes(0)).value_or(Noted::Level::info),
                         row.maybe_integer(1), row.text(2), row.time(3)});
      },
      std::int64_t{0});
  if (!read) return read.error();
  return notes;
}

Result<std::vector<SweepEdited>> DatabaseReader::edits() {
  std::vector<SweepEdited> edits;
  Result<void> read = database_->each(
      kEdits,
      [&](const Row& row) {
        edits.push_back({row.text(0), row.text(1), row.time(2)});
      },
      std::int64_t{0});
  if (!read) return read.error();
  return edits;
}

}  // namespace

const MetricFigures* StoredRun::metric(std::string_view name) const {
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const MetricFigures& it) { return it.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

std::int64_t SweepTotals::runs() const {
  std::int64_t sum = 0;
  for (const std::int64_t count : by_status) sum += count;
  return sum;
}

Result<std::unique_ptr<SweepReader>> SweepReader::open(const fs::path& directory,
                                                       const std::string& cursor) {
  auto reader = std::make_unique<DatabaseReader>(directory);
  if (Result<void> begun = reader->begin(cursor); !begun) return begun.error();
  return std::unique_ptr<SweepReader>(std::move(reader));
}

}  // namespace hdrive
