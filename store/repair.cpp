// SPDX-License-Identifier: Apache-2.0
//
// Rebuilds a sweep's database. What the database itself still tells comes first, since it knows the reasons
// and the times; the run directories tell the rest. The new database is made in a folder of its own and
// takes its place only when it is complete; the damaged one is kept under another name.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "hdrive/store.h"
#include "store/exact.h"
#include "store/ownership.h"
#include "store/reader.h"
#include "store/replay.h"
#include "store/salvage.h"
#include "store/schema.h"
#include "store/sweep_file.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using store::Database;
using store::Row;

// What is known of one attempt, in the order in which it is told.
struct Attempt {
  std::optional<RunRequeued> requeued;
  std::optional<RunStarted> started;
  std::optional<RunMetrics> metrics;
  std::vector<RunJudged> verdicts;
  std::optional<RunCanceling> canceling;
  std::optional<RunEnded> ended;
};
struct KnownRun {
  std::optional<RunProposed> proposed;
  std::map<int, Attempt> attempts;
};
struct Known {
  std::map<RunId, KnownRun> runs;
  std::vector<Change> before, after;  // what is not of a run: before the runs, and behind them
};

class Collector {
 public:
  explicit Collector(Known& known) : known_(known) {}

  void operator()(const RunProposed& it) { known_.runs[it.run].proposed = it; }
  void operator()(const RunStarted& it) { of(it).started = it; }
  void operator()(const RunMetrics& it) {
    Attempt& attempt = of(it);
    if (!attempt.metrics) {
      attempt.metrics = it;
      return;
    }
    std::vector<Metric>& all = attempt.metrics->metrics;
    all.insert(all.end(), it.metrics.begin(), it.metrics.end());
  }
  void operator()(const RunJudged& it) { of(it).verdicts.push_back(it); }
  void operator()(const RunCanceling& it) { of(it).canceling = it; }
  void operator()(const RunEnded& it) { of(it).ended = it; }
  void operator()(const RunRequeued& it) { of(it).requeued = it; }
  void operator()(const SweepChanged& it) { known_.before.emplace_back(it); }
  void operator()(const SweepEdited& it) { known_.before.emplace_back(it); }
  void operator()(const Noted& it) { known_.after.emplace_back(it); }
  void operator()(const RequestAnswered&) {}

 private:
  template <class Change>
  Attempt& of(const Change& it) {
    return known_.runs[it.run].attempts[it.attempt];
  }

  Known& known_;
};

Result<void> collect(Database& database, Known& known, store::Seal* seal) {
  store::ReplayOptions options;
  options.seal = seal;
  Collector collector(known);
  return store::replay(database, options,
                       [&](const Change& change) { std::visit(collector, change); });
}

// Makes tables agree of which parts are missing, so that they can be replayed.
void reconcile(Database& database) {
  std::vector<RunId> unreadable;
  (void)database.each("SELECT number, hyperparameters, hyperparameters_exact FROM runs",
                      [&](const Row& row) {
                        if (!store::restore(row.bytes(1), row.bytes(2)))
                          unreadable.push_back(row.integer(0));
                      });
  for (const RunId run : unreadable) (void)database.run("DELETE FROM runs WHERE number = ?1", run);
  // Stands for a run of which the row is lost; an empty `run_id` tells it from others.
  (void)database.execute(
      "DELETE FROM runs WHERE number < 0 OR number > (SELECT 2 * count(*) + 1000 FROM runs);"
      "WITH RECURSIVE n(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM n "
      "WHERE number < (SELECT max(number) FROM runs)) "
      "INSERT OR IGNORE INTO runs(number, run_id, status, attempt, created, hyperparameters, "
      "proposal) "
      "SELECT number, '', 'Queued', 1, 0, '{}', '' FROM n WHERE (SELECT count(*) FROM runs) > 0;"
      "DELETE FROM earlier_attempts WHERE attempt >= (SELECT attempt FROM runs WHERE number = run);"
      "DELETE FROM metrics WHERE NOT EXISTS (SELECT 1 FROM runs WHERE number = run AND (attempt = "
      "metrics.attempt OR EXISTS (SELECT 1 FROM earlier_attempts e WHERE e.run = metrics.run AND "
      "e.attempt = metrics.attempt)))");
}

// ---- what a directory adds ----------------------------------------------------------------------

RunEnded ended_as(const RecordedAttempt& attempt, RunId run) {
  const RunExited& exited = *attempt.exited;
  RunEnded end{run,
               attempt.attempt,
               RunStatus::failed,
               EndCause::exited,
               exited.exit_code,
               exited.signal,
               exited.note,
               exited.stderr_tail,
               attempt.ended.value_or(Time{})};
  if (exited.not_started) {
    end.cause = EndCause::not_started;
  } else if (exited.over_time) {
    end.status = RunStatus::canceled;
    end.cause = EndCause::time_limit;
    end.reason = "its time limit was over";
  } else if (attempt.canceled) {
    end.status = RunStatus::canceled;
    end.cause = EndCause::user;
    end.reason = "it was cancelled; why was lost with the database";
  } else if (exited.signal) {
    end.cause = EndCause::signaled;
    end.reason = fmt::format("ended by signal {}", *exited.signal);
  } else if (exited.exit_code == 0) {
    end.status = RunStatus::completed;
    end.reason = "completed";
  } else {
    end.reason = fmt::format("exited with code {}", exited.exit_code.value_or(-1));
  }
  return end;
}

// What the directory tells of an attempt, where the database does not.
void add_recorded(const RecordedAttempt& recorded, RunId run, Attempt& attempt) {
  const Time began = recorded.started.value_or(recorded.proposed.value_or(Time{}));
  if (!attempt.started) attempt.started = RunStarted{run, recorded.attempt, recorded.pid, began};
  const std::size_t known = attempt.metrics ? attempt.metrics->metrics.size() : 0;
  if (recorded.metrics.size() > known) {
    const Time at = attempt.metrics ? attempt.metrics->at : recorded.ended.value_or(began);
    attempt.metrics = RunMetrics{run, recorded.attempt, recorded.metrics, recorded.position, at};
  }
  if (!attempt.ended && recorded.exited) attempt.ended = ended_as(recorded, run);
}

Time time_of(const KnownRun& run) {
  if (run.proposed) return run.proposed->at;
  for (const auto& [number, attempt] : run.attempts)
    if (attempt.started) return attempt.started->at;
  return {};
}

// The run's changes in an order every store takes.
void tell_run(RunId run, const KnownRun& known, std::vector<Change>& changes) {
  changes.emplace_back(*known.proposed);
  const int last = known.attempts.empty() ? 1 : std::max(1, known.attempts.rbegin()->first);
  for (int number = 1; number <= last; ++number) {
    const auto found = known.attempts.find(number);
    const Attempt attempt = found == known.attempts.end() ? Attempt{} : found->second;
    if (number > 1)
      changes.emplace_back(attempt.requeued.value_or(
          RunRequeued{run, number, "it was tried again; why was lost with the database",
                      time_of(known), EndCause::interrupt}));
    if (attempt.started) changes.emplace_back(*attempt.started);
    if (attempt.metrics) changes.emplace_back(*attempt.metrics);
    for (const RunJudged& verdict : attempt.verdicts) changes.emplace_back(verdict);
    if (attempt.canceling) changes.emplace_back(*attempt.canceling);
    if (attempt.ended) changes.emplace_back(*attempt.ended);
  }
}

// ---- the repair ---------------------------------------------------------------------------------

class Repair {
 public:
  Repair(const fs::path& directory, const ReadRunDirectory& read_run)
      : directory_(directory), read_run_(read_run), workshop_(directory / "repair.tmp") {}

  Result<RepairReport> run() {
    std::error_code error;
    if (!fs::is_directory(directory_, error))
      return Error{directory_.string(), "is not the directory of a sweep"};
    auto ownership = store::Ownership::take(directory_);
    if (!ownership) return ownership.error();
    const auto sound = is_sound(ownership->found_steps());
    if (!sound) return sound.error();
    report_.sound = *sound;
    if (report_.sound) return report_;
    fs::remove_all(workshop_, error);
    if (auto made = base::make_directories(workshop_); !made) return made.error();
    const Result<void> done = rebuild();
    // The count of steps starts anew with the new file.
    if (done) ownership->note_steps(0);
    fs::remove_all(workshop_, error);
    if (!done) return done.error();
    return report_;
  }

 private:
  fs::path database() const { return store::database_file(directory_); }

  // Whether there is nothing to repair; an Error where a repair is not what helps.
  Result<bool> is_sound(std::int64_t noted) {
    std::error_code error;
    if (!fs::is_regular_file(database(), error)) return false;
    if (::access(database().c_str(), R_OK) != 0)
      return base::system_error(database(), "read", errno);
    auto opened = Database::open(database(), Database::Mode::read);
    if (!opened) return false;
    if (const auto version = store::schema_version(**opened);
        version && *version > store::kSchemaVersion && version_is_ours(**opened))
      return store::check_schema(**opened, true).error();
    auto reader = store::open_reader(directory_);
    if (!reader) return false;
    const auto header = store::read_header(**reader);
    if (!header || !store::check_steps(**reader, noted, *header)) return false;
    store::Seal seal(store::Seal::Source::as_stored);
    Known known;
    return static_cast<bool>(collect(**reader, known, &seal)) &&
           static_cast<bool>(store::check_integrity(**reader));
  }

  static bool version_is_ours(Database& opened) {
    const auto schema = store::check_schema(opened, true);
    return !schema && schema.error().message().find("newer hdrive") != std::string::npos;
  }

  Result<void> rebuild() {
    const fs::path scratch = store::database_file(workshop_);
    const bool salvaged = salvage(scratch);
    if (!header_) {
      auto kept = store::read_sweep_file(directory_);
      if (!kept)
        return Error{
            directory_.string(),
            fmt::format("cannot be repaired: neither sweep.db nor sweep.json tells what was "
                        "swept ({}); a sweep.json of another sweep of the same "
                        "configuration, with this directory's name as its \"id\", would do",
                        kept.error().message())};
      header_ = *kept;
      report_.restored.push_back("the configuration, from sweep.json");
    }
    read_directories();
    auto written = salvaged && whole_ ? extend() : write_anew(scratch);
    if (!written) return written;
    return put_in_place();
  }

  // Reads the damaged database; false: all of it is lost.
  bool salvage(const fs::path& scratch) {
    std::error_code error;
    if (!fs::is_regular_file(database(), error)) {
      report_.lost.push_back("the database is not there");
      return false;
    }
    auto salvaged = store::salvage(database(), scratch);
    if (!salvaged) {
      report_.lost.push_back("nothing could be read of the database");
      return false;
    }
    Database& database = *salvaged->database;
    report_.lost.insert(report_.lost.end(), salvaged->lost.begin(), salvaged->lost.end());
    if (const auto header = store::read_header(database)) {
      const auto seal = store::read_seal(database);
      const auto digest = store::Seal::of(*header, store::Seal::Source::as_stored);
      if (!seal || !seal->header || *seal->header == digest) header_ = *header;
    }
    store::Seal seal(store::Seal::Source::as_stored);
    whole_ = salvaged->whole && header_ && collect(database, known_, &seal);
    if (whole_) return true;
    known_ = {};
    reconcile(database);
    if (collect(database, known_, nullptr)) {
      forget_placeholders(database);
      return true;
    }
    known_ = {};
    report_.lost.push_back("the tables of the database contradict each other");
    return false;
  }

  void forget_placeholders(Database& database) {
    (void)database.each("SELECT number FROM runs WHERE run_id = ''",
                        [this](const Row& row) { known_.runs[row.integer(0)].proposed.reset(); });
  }

  // Adds what the run directories tell. Of a whole database only what it has not come to know is missing.
  void read_directories() {
    std::error_code error;
    for (fs::directory_iterator entry(directory_ / "runs", error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (name.empty() || name.find_first_not_of("0123456789") != std::string::npos) continue;
      if (name.size() < 10) read_directory(entry->path(), std::stol(name));
    }
  }

  void read_directory(const fs::path& path, RunId run) {
    const auto found = known_.runs.find(run);
    const bool in_database = found != known_.runs.end() && found->second.proposed;
    if (whole_ && in_database) return read_later_attempts(path, run, found->second);
    const auto recorded = read_run_(path, run, *header_);
    if (!recorded || recorded->attempts.empty()) return;
    for (const std::string& fault : recorded->faults)
      report_.lost.push_back(fmt::format("run {}: {}", run, fault));
    KnownRun& known = known_.runs[run];
    if (!known.proposed && recorded->parameters) {
      const Time at = recorded->attempts.front().proposed.value_or(Time{});
      known.proposed = RunProposed{run, *recorded->parameters, recorded->proposal, at};
      ++report_.from_directories;
    }
    for (const RecordedAttempt& attempt : recorded->attempts)
      add_recorded(attempt, run, known.attempts[attempt.attempt]);
  }

  // Attempts the database has not come to know stay open: the engine that resumes finds them.
  void read_later_attempts(const fs::path& path, RunId run, const KnownRun& known) {
    const int last = known.attempts.empty() ? 1 : std::max(1, known.attempts.rbegin()->first);
    std::error_code error;
    if (!fs::exists(path / fmt::format("attempt-{}", last), error)) return;
    const auto recorded = read_run_(path, run, *header_);
    if (!recorded) return;
    for (const RecordedAttempt& attempt : recorded->attempts) {
      if (attempt.attempt <= last) continue;
      const Time at = attempt.proposed.value_or(Time{});
      later_.emplace_back(RunRequeued{run, attempt.attempt,
                                      "it was tried again; why was lost with the database", at,
                                      EndCause::interrupt});
      later_.emplace_back(
          RunStarted{run, attempt.attempt, attempt.pid, attempt.started.value_or(at)});
    }
  }

  // Runs are numbered without gaps; of one in a gap nothing is left but that it was.
  void fill_gaps() {
    if (known_.runs.empty()) return;
    const RunId last = known_.runs.rbegin()->first;
    for (RunId run = 0; run <= last; ++run) {
      KnownRun& known = known_.runs[run];
      if (known.proposed) continue;
      known.proposed = RunProposed{run, {}, "lost with the database", time_of(known)};
      report_.lost.push_back(fmt::format("run {}: its parameters", run));
      if (!known.attempts.empty() && known.attempts.rbegin()->second.ended) continue;
      const int attempt = known.attempts.empty() ? 1 : known.attempts.rbegin()->first;
      known.attempts[attempt].ended = RunEnded{run,
                                               attempt,
                                               RunStatus::failed,
                                               EndCause::lost,
                                               {},
                                               {},
                                               "its parameters were lost with the database",
                                               "",
                                               time_of(known)};
    }
  }

  Result<void> append_runs(Store& store, RunId first) {
    std::vector<Change> changes;
    for (auto it = known_.runs.lower_bound(first); it != known_.runs.end(); ++it) {
      tell_run(it->first, it->second, changes);
      if (auto done = store.append(changes); !done) return done;
      changes.clear();
    }
    return {};
  }

  Result<void> finish(Store& store) {
    for (const auto& [run, known] : known_.runs)
      for (const auto& [number, attempt] : known.attempts)
        if (attempt.metrics)
          report_.metrics += static_cast<std::int64_t>(attempt.metrics->metrics.size());
    report_.runs = static_cast<std::int64_t>(known_.runs.size());
    if (report_.from_directories > 0)
      report_.restored.push_back(
          fmt::format("{} from run directories", base::plural(report_.from_directories, "run")));
    if (report_.runs > report_.from_directories)
      report_.restored.push_back(fmt::format(
          "{} from the database", base::plural(report_.runs - report_.from_directories, "run")));
    const std::vector<Change> note{Noted{
        Noted::Level::warning,
        {},
        fmt::format("the database was repaired: {} restored; {}", base::plural(report_.runs, "run"),
                    report_.lost.empty() ? "nothing is known to be lost"
                                         : "lost: " + base::join(report_.lost, ", ")),
        Time{}}};
    return store.append(note);
  }

  // All rows were read and are as they were written: the copy is the new database.
  Result<void> extend() {
    const RunId first = known_.runs.empty() ? 0 : whole_runs();
    {
      auto opened = Database::open(store::database_file(workshop_), Database::Mode::write);
      if (!opened) return opened.error();
      Result<void> forgotten = (*opened)->run("DELETE FROM seal");
      if (forgotten) forgotten = (*opened)->run("INSERT INTO seal VALUES(0, NULL, NULL)");
      if (!forgotten) return forgotten;
    }
    fill_gaps();
    auto store = open_sqlite_store(workshop_);
    if (!store) return store.error();
    if (auto done = (*store)->append(later_); !done) return done;
    if (auto done = append_runs(**store, first); !done) return done;
    return finish(**store);
  }

  RunId whole_runs() const {
    RunId next = 0;
    std::error_code error;
    auto opened = Database::open(store::database_file(workshop_), Database::Mode::read);
    if (opened)
      (void)(*opened)->each("SELECT count(*) FROM runs",
                            [&](const Row& row) { next = row.integer(0); });
    return next;
  }

  Result<void> write_anew(const fs::path& scratch) {
    store::remove_database(scratch);
    fill_gaps();
    auto store = create_sqlite_store(workshop_, *header_);
    if (!store) return store.error();
    if (auto done = (*store)->append(known_.before); !done) return done;
    if (auto done = append_runs(**store, 0); !done) return done;
    if (auto done = (*store)->append(known_.after); !done) return done;
    return finish(**store);
  }

  Result<void> put_in_place() {
    std::error_code error;
    const fs::path file = database();
    if (fs::exists(file, error)) {
      fs::path aside;
      for (int i = 1; aside.empty() || fs::exists(aside, error); ++i)
        aside = fmt::format("{}.damaged-{}", file.string(), i);
      for (const char* suffix : {"-wal", "-journal"})
        if (fs::exists(file.string() + suffix, error))
          fs::rename(file.string() + suffix, aside.string() + suffix, error);
      fs::remove(file.string() + "-shm", error);
      // Linked first, so that the sweep is at no moment without a database.
      fs::create_hard_link(file, aside, error);
      if (error) fs::rename(file, aside, error);
      if (error) return base::system_error(aside, "keep the damaged database as", error.value());
      report_.kept = aside;
    }
    fs::rename(store::database_file(workshop_), file, error);
    if (error)
      return base::system_error(file, "put the repaired database in place of", error.value());
    return store::write_sweep_file(directory_, *header_);
  }

  const fs::path& directory_;
  const ReadRunDirectory& read_run_;
  fs::path workshop_;
  std::optional<SweepHeader> header_;
  Known known_;
  std::vector<Change> later_;  // than what a whole database knows
  bool whole_ = false;
  RepairReport report_;
};

}  // namespace

Result<RepairReport> repair_sweep(const fs::path& directory, const ReadRunDirectory& read_run) {
  return Repair(directory, read_run).run();
}

}  // namespace hdrive
