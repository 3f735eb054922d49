// SPDX-License-Identifier: Apache-2.0
//
// The store in a database file, as the engine that owns the sweep uses it.
#include "store/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "hdrive/ids.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "store/exact.h"
#include "store/file_system.h"
#include "store/metric_rows.h"
#include "store/order.h"
#include "store/ownership.h"
#include "store/recent_changes.h"
#include "store/replay.h"
#include "store/schema.h"
#include "store/sweep_file.h"
#include "store/words.h"

namespace hdrive {
namespace {

using store::Database;
using store::Ownership;
using store::Row;
using store::Transaction;

// A log beside the database needs memory that all processes share. Where other machines may be among them
// the old pages are kept in a file instead: slower, and readers and the engine wait for each other.
constexpr char kLogJournal[] = "PRAGMA journal_mode = WAL";
constexpr char kFileJournal[] = "PRAGMA journal_mode = TRUNCATE";

// FULL: a commit is on the disk before it returns. The rest bounds memory and the file beside the database.
constexpr char kSettings[] =
    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; "
    "PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864";

constexpr char kInsertSweep[] =
    "INSERT INTO sweep(id, name, experiment, metric, goal, status, reason, active_seconds, "
    "created, "
    "version, config, snapshot, properties) "
    "VALUES(?1, ?2, ?3, ?4, ?5, 'Running', '', 0, ?6, ?7, ?8, ?9, ?10)";
constexpr char kSelectAttempts[] = "SELECT attempt FROM runs ORDER BY number";

constexpr char kProposed[] =
    "INSERT INTO runs(number, run_id, status, attempt, created, hyperparameters, proposal, "
    "hyperparameters_exact, start_point, changed, facts_digest, metrics_digest) "
    "VALUES(?1, ?2, 'Queued', 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)";
constexpr char kStarted[] =
    "UPDATE runs SET status = 'Running', started = ?2, pid = ?3, slot = ?4, changed = ?5, "
    "facts_digest = ?6 WHERE number = ?1";
constexpr char kJudged[] =
    "INSERT OR REPLACE INTO verdicts(run, attempt, action, interval, finding, value, threshold, "
    "peers, leader, note, reason, time) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
constexpr char kCanceling[] =
    "UPDATE runs SET canceling = ?2, canceling_reason = ?3, canceling_at = ?4, changed = ?5, "
    "facts_digest = ?6 WHERE number = ?1";
constexpr char kEnded[] =
    "UPDATE runs SET status = ?2, ended_by = ?3, ended = ?4, exit_code = ?5, signal = ?6, "
    "reason = ?7, stderr_tail = ?8, cpu_seconds = ?9, peak_memory_bytes = ?10, "
    "changed = ?11, facts_digest = ?12 WHERE number = ?1";
constexpr char kKeepAttempt[] =
    "INSERT INTO earlier_attempts(run, attempt, status, ended_by, started, ended, exit_code, "
    "signal, "
    "pid, reported, metrics_position, output_position, canceling, canceling_reason, canceling_at, "
    "queued_again, queued_again_cause, queued_again_reason, reason, stderr_tail, slot, "
    "cpu_seconds, "
    "peak_memory_bytes, metrics_digest) "
    "SELECT number, attempt, status, ended_by, started, ended, exit_code, signal, pid, reported, "
    "metrics_position, output_position, canceling, canceling_reason, canceling_at, queued_again, "
    "queued_again_cause, queued_again_reason, reason, stderr_tail, slot, cpu_seconds, "
    "peak_memory_bytes, metrics_digest FROM runs WHERE number = ?1";
constexpr char kRequeued[] =
    "UPDATE runs SET attempt = ?2, queued_again = ?3, queued_again_cause = ?4, "
    "queued_again_reason = ?5, status = 'Queued', ended_by = NULL, started = NULL, ended = NULL, "
    "exit_code = NULL, signal = NULL, pid = NULL, reported = NULL, metrics_position = 0, "
    "output_position = 0, canceling = NULL, canceling_reason = NULL, canceling_at = NULL, "
    "reason = NULL, stderr_tail = NULL, slot = NULL, cpu_seconds = NULL, peak_memory_bytes = NULL, "
    "changed = ?6, facts_digest = ?7, metrics_digest = 0 WHERE number = ?1";
constexpr char kSweepChange[] =
    "INSERT INTO sweep_changes(status, ended_by, reason, active_seconds, time) "
    "VALUES(?1, ?2, ?3, ?4, ?5)";
constexpr char kSweepStatus[] =
    "UPDATE sweep SET status = ?1, ended_by = ?2, reason = ?3, active_seconds = ?4, changed = ?5";
constexpr char kEdit[] = "INSERT INTO edits(config, what, time) VALUES(?1, ?2, ?3)";
constexpr char kConfig[] = "UPDATE sweep SET config = ?1";
constexpr char kAnswered[] =
    "UPDATE requests SET answered = ?2, accepted = ?3, answer = ?4 WHERE id = ?1";
constexpr char kNote[] = "INSERT INTO notes(level, run, text, time) VALUES(?1, ?2, ?3, ?4)";

constexpr char kSealed[] = "UPDATE seal SET steps = ?1, digest = ?2, recent = ?3";
constexpr char kStoredSteps[] = "SELECT steps FROM seal";
constexpr char kUnsealedRuns[] = "SELECT number FROM runs WHERE facts_digest IS NULL";
constexpr char kSealRun[] =
    "UPDATE runs SET facts_digest = ?2, metrics_digest = ?3 WHERE number = ?1";
constexpr char kSealedHeader[] = "UPDATE seal SET header = ?1";

constexpr char kDataVersion[] = "PRAGMA data_version";
constexpr char kLatestRequest[] = "SELECT ifnull(max(id), 0) FROM requests";
constexpr char kOpenRequests[] =
    "SELECT id, kind, run, payload FROM requests WHERE taken IS NULL AND id > ?1 ORDER BY id";
constexpr char kTakeRequests[] =
    "UPDATE requests SET taken = (julianday('now') - 2440587.5) * 86400.0 "
    "WHERE taken IS NULL AND id <= ?1";
// Also those that the engine before took, and did not live to answer.
constexpr char kAnswerForTheDead[] =
    "UPDATE requests SET taken = ifnull(taken, (julianday('now') - 2440587.5) * 86400.0), "
    "answered = (julianday('now') - 2440587.5) * 86400.0, accepted = 0, "
    "answer = 'the engine that was asked died before it carried this out; ask again' "
    "WHERE answered IS NULL AND (id <= ?1 OR taken IS NOT NULL)";
constexpr char kRefuseUnknown[] =
    "UPDATE requests SET answered = (julianday('now') - 2440587.5) * 86400.0, accepted = 0, "
    "answer = 'not known to this engine (hdrive ' || ?2 || '): ' || kind WHERE id = ?1";

// How long a step of the engine waits for another's lock. The loop that decides stands still meanwhile: a step
// that was refused is tried again at a later turn.
constexpr std::chrono::milliseconds kEnginePatience{50};

// NULL where there is nothing yet, so that people can write `WHERE ended_by IS NULL`.
template <class Enum>
std::optional<std::string_view> unless_none(Enum value) {
  return value == Enum::none ? std::nullopt : std::optional(to_string(value));
}

constexpr auto kAppended = store::Seal::Source::as_appended;

class SqliteStore final : public Store {
 public:
  SqliteStore(Ownership ownership, std::unique_ptr<Database> database)
      : ownership_(std::move(ownership)), database_(std::move(database)) {}

  // Reads what every later call relies on: all of it, so whoever wants to hear it is told in passing.
  Result<void> load(const std::function<void(const Change&)>& tell) {
    Result<SweepHeader> header = store::read_header(*database_);
    if (!header) return header.error();
    header_ = *std::move(header);
    if (Result<void> sound = store::check_steps(*database_, ownership_.found_steps(), header_);
        !sound)
      return sound;
    store::ReplayOptions options;
    options.metrics = tell != nullptr;
    options.seal = &seal_;
    const std::function<void(const Change&)> nobody = [](const Change&) {};
    const auto sound = store::as_damage(database_->path(), [&] {
      return store::replay(*database_, options, tell ? tell : nobody);
    });
    if (!sound) return sound;
    seal_.continue_with(store::Seal::Source::as_appended);
    if (auto loaded = metrics_.load(); !loaded) return loaded;
    return database_->each(kSelectAttempts, [&](const Row& row) { order_.load(row.small(0)); });
  }

  // For a database of a version without it, also the first time.
  Result<void> seal() {
    Result<store::SealRow> row = store::read_seal(*database_);
    if (!row) return row.error();
    steps_ = row->steps;
    recent_ = store::RecentChanges(steps_);
    if (!row->digest) {
      if (Result<void> sealed = write_seal(steps_, recent_); !sealed) return sealed;
    }
    if (Result<void> sealed = seal_runs(); !sealed) return sealed;
    if (!row->header) {
      const auto header = store::Seal::of(header_, store::Seal::Source::as_stored);
      if (Result<void> sealed = database_->run(kSealedHeader, header); !sealed) return sealed;
    }
    ownership_.note_steps(steps_);
    return {};
  }

  // What was asked of an engine before and never heard is not meant for this one, and whoever waits for an
  // answer is told. What came later than `latest` was asked of this engine while it was opening the sweep.
  Result<void> answer_for_the_dead(std::int64_t latest) {
    return database_->run(kAnswerForTheDead, latest);
  }

  // From now on it is the engine's loop that waits.
  void become_impatient() { database_->wait_for_locks(kEnginePatience); }

  const SweepHeader& header() const override { return header_; }

  Result<void> append(std::span<const Change> changes) override {
    if (changes.empty()) return {};
    if (Result<void> sound = order_.check(changes); !sound) return sound;
    if (Result<void> there = database_->expect_in_place(); !there) return there;
    if (Result<void> mine = ownership_.keep(); !mine) return mine;
    Result<Transaction> transaction = Transaction::begin(*database_, Transaction::Kind::write);
    if (!transaction) return transaction.error();
    if (Result<void> alone = expect_no_other_writer(); !alone) return alone;
    seal_.mark();
    metrics_.mark();
    store::RecentChanges recent = recent_;
    Result<void> kept;
    for (const Change& change : changes) {
      // What was gathered is of the attempt before.
      if (std::holds_alternative<RunRequeued>(change)) kept = metrics_.flush(step(), seal_);
      if (!kept) break;
      seal_.add(change);
      if (const auto run = changed_run(change)) recent.add(*run, step());
      kept = std::visit([this](const auto& it) { return record(it); }, change);
      if (!kept) break;
    }
    if (kept) kept = metrics_.flush(step(), seal_);
    recent.forget_old();
    if (kept) kept = write_seal(step(), recent);
    if (kept) kept = transaction->commit();
    if (!kept) {
      seal_.undo();
      metrics_.undo();
      return kept;
    }
    ownership_.note_steps(++steps_);
    recent_ = std::move(recent);
    order_.take(changes);
    for (const Change& change : changes)
      if (const auto* edited = std::get_if<SweepEdited>(&change)) take_over(edited->config);
    return {};
  }

  Result<void> replay(const std::string& only_metric,
                      const std::function<void(const Change&)>& tell) override {
    store::ReplayOptions options;  // it was checked when it was opened
    options.only_metric = only_metric;
    return store::replay(*database_, options, tell);
  }

  // The data version changes only when another connection has written.
  Result<std::vector<Request>> take_requests() override {
    std::vector<Request> requests;
    std::int64_t version = 0;
    Result<void> done =
        database_->each(kDataVersion, [&](const Row& row) { version = row.integer(0); });
    if (!done) return done.error();
    if (version == data_version_) {
      refuse_unknown();
      return requests;
    }
    const auto take = [&](const Row& row) {
      taken_ = row.integer(0);
      if (const auto kind = store::meaning(store::kRequests, row.bytes(1)))
        requests.push_back({row.integer(0), *kind, row.maybe_integer(2), row.text(3)});
      else
        unknown_.push_back(row.integer(0));
    };
    const std::int64_t before = taken_;
    done = database_->each(kOpenRequests, take, before);
    if (!done) return done.error();
    data_version_ = version;
    // On a full disk this fails, and the request is heard nevertheless.
    if (taken_ > before) (void)database_->run(kTakeRequests, taken_);
    refuse_unknown();
    return requests;
  }

  bool takes_requests() const override { return true; }

 private:
  // What a later hdrive asks and this one has no word for. Where it cannot be written now, at the next call.
  void refuse_unknown() {
    while (!unknown_.empty() &&
           database_->run(kRefuseUnknown, unknown_.back(), std::string_view(HDRIVE_VERSION)))
      unknown_.pop_back();
  }

  // The file beside the database is for repairs alone: that it cannot be written stops nothing.
  void take_over(const std::string& config) {
    header_.config = config;
    (void)store::write_sweep_file(database_->path().parent_path(), header_);
  }

  // Where locks do nothing, or their file was deleted, two engines may have the same sweep: what one of them does not
  // know it must not write over.
  Result<void> expect_no_other_writer() {
    std::int64_t steps = -1;
    const Result<void> read =
        database_->each(kStoredSteps, [&](const Row& row) { steps = row.integer(0); });
    if (!read || steps == steps_) return read;
    return Error{database_->path().string(),
                 "another process has gone on with this sweep meanwhile; nothing more is written "
                 "by this one"};
  }

  Result<void> write_seal(std::int64_t steps, const store::RecentChanges& recent) {
    return database_->run(kSealed, steps, seal_.digest(), store::Blob{recent.bytes()});
  }

  // The run of which the change alters what a row tells.
  static std::optional<RunId> changed_run(const Change& change) {
    return std::visit(
        [](const auto& it) -> std::optional<RunId> {
          if constexpr (requires { it.run; })
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(it.run)>, RunId>)
              return it.run;
          return std::nullopt;
        },
        change);
  }

  // The number of the append that is being made.
  std::int64_t step() const { return steps_ + 1; }

  // Those of a database of a version without digests of its runs.
  Result<void> seal_runs() {
    std::vector<RunId> runs;
    Result<void> done =
        database_->each(kUnsealedRuns, [&](const Row& row) { runs.push_back(row.integer(0)); });
    if (!done || runs.empty()) return done;
    Result<Transaction> transaction = Transaction::begin(*database_, Transaction::Kind::write);
    if (!transaction) return transaction.error();
    for (const RunId run : runs) {
      done = database_->run(kSealRun, run, seal_.facts(run), seal_.metrics(run));
      if (!done) return done;
    }
    return transaction->commit();
  }

  Result<void> record(const RunProposed& it) {
    metrics_.proposed();
    return database_->run(kProposed, it.run, run_id(header_.id, it.run), it.at,
                          to_json(it.parameters), it.reason, store::lost_in_json(it.parameters),
                          it.start_point ? 1 : 0, step(), seal_.facts(it.run));
  }
  Result<void> record(const RunStarted& it) {
    return database_->run(kStarted, it.run, it.at, it.pid, it.slot, step(), seal_.facts(it.run));
  }
  Result<void> record(const RunMetrics& it) { return metrics_.add(it); }
  Result<void> record(const RunJudged& it) {
    metrics_.touch(it.run);
    const Verdict& verdict = it.verdict;
    std::optional<RunId> leader;
    if (verdict.leader >= 0) leader = verdict.leader;
    return database_->run(kJudged, it.run, it.attempt, store::word(store::kActions, verdict.action),
                          verdict.interval, store::word(store::kFindings, verdict.finding),
                          verdict.value, verdict.threshold, verdict.peers, leader, verdict.note,
                          it.reason, it.at);
  }
  Result<void> record(const RunCanceling& it) {
    return database_->run(kCanceling, it.run, to_string(it.cause), it.reason, it.at, step(),
                          seal_.facts(it.run));
  }
  Result<void> record(const RunEnded& it) {
    return database_->run(kEnded, it.run, to_string(it.status), unless_none(it.cause), it.at,
                          it.exit_code, it.signal, it.reason, it.stderr_tail, it.cpu_time,
                          it.peak_memory, step(), seal_.facts(it.run));
  }
  Result<void> record(const RunRequeued& it) {
    if (Result<void> kept = metrics_.forget(it.run); !kept) return kept;
    if (Result<void> kept = database_->run(kKeepAttempt, it.run); !kept) return kept;
    return database_->run(kRequeued, it.run, it.attempt, it.at, to_string(it.cause), it.reason,
                          step(), seal_.facts(it.run));
  }
  Result<void> record(const SweepChanged& it) {
    const std::string_view status = to_string(it.status);
    const auto end = unless_none(it.end);
    Result<void> kept = database_->run(kSweepChange, status, end, it.reason, it.active, it.at);
    if (!kept) return kept;
    return database_->run(kSweepStatus, status, end, it.reason, it.active, it.at);
  }
  Result<void> record(const SweepEdited& it) {
    Result<void> kept = database_->run(kEdit, it.config, it.what, it.at);
    if (kept) kept = database_->run(kConfig, it.config);
    SweepHeader header = header_;
    header.config = it.config;
    return kept ? database_->run(kSealedHeader, store::Seal::of(header, kAppended)) : kept;
  }
  Result<void> record(const RequestAnswered& it) {
    return database_->run(kAnswered, it.request, it.at, it.accepted ? 1 : 0, it.text);
  }
  Result<void> record(const Noted& it) {
    return database_->run(kNote, store::word(store::kLevels, it.level), it.run, it.text, it.at);
  }

  // Destroyed in the opposite order: the database is closed before another engine may own it.
  Ownership ownership_;
  std::unique_ptr<Database> database_;
  SweepHeader header_;
  store::ChangeOrder order_;
  store::MetricRows metrics_{*database_};
  store::Seal seal_{store::Seal::Source::as_stored};
  std::int64_t steps_ = 0;
  store::RecentChanges recent_;
  std::int64_t data_version_ = 0;
  std::int64_t taken_ = 0;             // the latest request told
  std::vector<std::int64_t> unknown_;  // requests of an unknown kind that are still to be answered
};

// The latest that was asked so far; 0: nothing. Whatever is wrong with the database is told when it is opened.
Result<std::int64_t> latest_request(const std::filesystem::path& directory) {
  auto database = Database::open(store::database_file(directory), Database::Mode::write);
  if (!database) return 0;
  std::int64_t latest = 0;
  const Result<void> read =
      (*database)->each(kLatestRequest, [&](const Row& row) { latest = row.integer(0); });
  if (!read && passes_by_itself(read.error().kind)) return read.error();
  return latest;
}

Result<void> write_new_database(const std::filesystem::path& path, const SweepHeader& header) {
  // SQLite gives what it makes beside a file the permissions of that file.
  if (auto made = base::open_regular(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL); !made)
    return made.error();
  auto database = Database::open(path, Database::Mode::create);
  if (!database) return database.error();
  if (Result<void> done = store::migrate(**database); !done) return done;
  return (*database)->run(kInsertSweep, header.id, header.name, header.experiment, header.metric,
                          store::word(store::kGoals, header.goal), header.created, header.version,
                          header.config, header.snapshot,
                          store::properties_to_json(header.properties));
}

Result<void> choose_journal(Database& database, std::int64_t file_system) {
  const bool network = store::is_network_file_system(file_system);
  std::string mode;
  const auto take = [&](const Row& row) { mode = row.text(0); };
  Result<void> chosen =
      network ? database.each(kFileJournal, take) : database.each(kLogJournal, take);
  if (!chosen || !network || mode == "truncate") return chosen;
  return Error{database.path().string(),
               "lies on a network file system, where its log is not safe, and cannot do without it "
               "while another process has it open; close that one first"};
}

Error say_that_it_waited(Error error) {
  if (error.kind == Error::Kind::busy)
    error.what += fmt::format("; hdrive waited for it for {} seconds", Database::kPatience.count());
  return error;
}

Result<std::shared_ptr<Store>> open_owned(const std::filesystem::path& directory,
                                          Ownership ownership, std::int64_t file_system,
                                          std::int64_t latest_request,
                                          const std::function<void(const Change&)>& tell) {
  auto database = Database::open(store::database_file(directory), Database::Mode::write);
  if (!database) return database.error();
  Database& opened = **database;
  if (auto done = store::check_schema(opened, /*older_is_fine=*/true); !done) return done.error();
  if (auto done = choose_journal(opened, file_system); !done) return done.error();
  if (auto done = opened.execute(kSettings); !done) return done.error();
  if (auto done = store::check_integrity(opened); !done) return done.error();
  if (auto done = store::migrate(opened); !done) return done.error();
  auto result = std::make_shared<SqliteStore>(std::move(ownership), std::move(*database));
  if (auto done = result->load(tell); !done) return done.error();
  if (auto done = result->seal(); !done) return done.error();
  if (auto done = result->answer_for_the_dead(latest_request); !done) return done.error();
  // Of a sweep that was made before there was one, or has lost it: a repair may depend on it.
  if (!store::read_sweep_file(directory))
    (void)store::write_sweep_file(directory, result->header());
  result->become_impatient();
  return std::shared_ptr<Store>(std::move(result));
}

}  // namespace

namespace store {

Result<std::shared_ptr<Store>> create_store_on(const std::filesystem::path& directory,
                                               const SweepHeader& header,
                                               std::int64_t file_system) {
  if (Result<void> made = base::make_directories(directory); !made) return made.error();
  Result<Ownership> ownership = Ownership::take(directory);
  if (!ownership) return ownership.error();
  const std::filesystem::path path = store::database_file(directory);
  std::error_code error;
  if (std::filesystem::exists(path, error))
    return Error{directory.string(),
                 "already holds a sweep; `hdrive resume` goes on with it, another directory starts "
                 "a new one"};
  // Under another name until it is complete: nobody ever sees a database without its sweep.
  const std::filesystem::path unfinished = path.string() + ".new";
  for (const char* suffix : {"", "-wal", "-shm", "-journal"})
    std::filesystem::remove(unfinished.string() + suffix, error);
  if (Result<void> written = write_new_database(unfinished, header); !written)
    return written.error();
  std::filesystem::rename(unfinished, path, error);
  if (error) return base::system_error(path, "create", error.value());
  base::sync_directory(directory);
  base::sync_directory(directory / "..");
  if (Result<void> written = store::write_sweep_file(directory, header); !written)
    return written.error();
  return open_owned(directory, std::move(*ownership), file_system, 0, nullptr);
}

Result<std::shared_ptr<Store>> open_store_on(const std::filesystem::path& directory,
                                             std::int64_t file_system,
                                             const std::function<void(const Change&)>& tell) {
  if (auto found = store::expect_database(directory); !found) return found.error();
  // Before there is a new owner: as soon as there is one, requests are meant for it.
  const Result<std::int64_t> latest = latest_request(directory);
  Result<Ownership> ownership = Ownership::take(directory);
  if (!ownership) return ownership.error();
  if (!latest) return say_that_it_waited(latest.error());
  auto opened = open_owned(directory, std::move(*ownership), file_system, *latest, tell);
  if (!opened) return say_that_it_waited(opened.error());
  return opened;
}

}  // namespace store

Result<std::shared_ptr<Store>> create_sqlite_store(const std::filesystem::path& directory,
                                                   const SweepHeader& header) {
  // Of the file system nothing is known before there is the directory.
  if (Result<void> made = base::make_directories(directory); !made) return made.error();
  return store::create_store_on(directory, header, store::file_system_of(directory));
}

Result<std::shared_ptr<Store>> open_sqlite_store(const std::filesystem::path& directory,
                                                 const std::function<void(const Change&)>& tell) {
  return store::open_store_on(directory, store::file_system_of(directory), tell);
}

}  // namespace hdrive
