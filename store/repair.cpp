// SPDX-License-Identifier: Apache-2.0
//
// Rebuilds a sweep's database. What the database itself still tells comes first, since it knows the reasons
// and the times; the run directories tell the rest. The new database is made in a folder of its own and
// takes its place only when it is complete; the damaged one is kept under another name.
#include "hdrive/repair.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "hdrive/store.h"
#include "store/known_runs.h"
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
using store::Known;
using store::KnownRun;
using store::Row;

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
