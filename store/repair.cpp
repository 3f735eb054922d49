// SPDX-License-Identifier: Apache-2.0
//
// Rebuilds a sweep's database. What the database itself still tells comes first, since it knows the reasons
// and the times; the run directories tell the rest. The new database is made in a folder of its own and
// takes its place only when it is complete; the damaged one is kept under another name.
#include "hdrive/repair.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "hdrive/store.h"
#include "store/known_runs.h"
#include "store/ownership.h"
#include "store/reader.h"
#include "store/recorded.h"
#include "store/replay.h"
#include "store/salvage.h"
#include "store/schema.h"
#include "store/seal_table.h"
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
      : directory_(directory),
        read_run_(read_run),
        workshop_(directory / "repair.tmp"),
        finished_(directory / "repair.done") {}

  Result<RepairReport> run() {
    std::error_code error;
    if (!fs::is_directory(directory_, error))
      return Error{directory_.string(), "is not the directory of a sweep"};
    auto ownership = store::Ownership::take(directory_);
    if (!ownership) return ownership.error();
    const auto sound = is_sound(ownership->found_steps());
    if (!sound) return sound.error();
    report_.sound = *sound;
    Result<void> done;
    if (!report_.sound) done = repair(ownership->found_steps());
    for (const fs::path& folder : {workshop_, finished_}) fs::remove_all(folder, error);
    if (!done) return done.error();
    return report_;
  }

 private:
  fs::path database() const { return store::database_file(directory_); }

  Result<void> repair(std::int64_t noted) {
    const auto finished = finish_earlier_repair();
    if (!finished) return finished.error();
    if (*finished) return {};
    std::error_code error;
    for (const fs::path& folder : {workshop_, finished_}) fs::remove_all(folder, error);
    if (auto made = base::make_directories(workshop_); !made) return made.error();
    if (auto done = rebuild(); !done) return done;
    if (auto done = continue_steps(noted); !done) return done;
    fs::rename(workshop_, finished_, error);
    if (error) return base::system_error(finished_, "create", error.value());
    base::sync_directory(directory_);
    return put_in_place();
  }

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
    // Each edit is told by going back from the configuration that holds now.
    for (auto it = known_.before.rbegin(); it != known_.before.rend(); ++it)
      if (auto* edited = std::get_if<SweepEdited>(&*it)) {
        edited->config = header_->config;
        break;
      }
    read_directories();
    return salvaged && whole_ ? extend() : write_anew(scratch);
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
    const auto seal = store::read_seal(database);
    if (seal) sealed_ = seal->digest;
    if (const auto header = store::read_header(database)) {
      const auto digest = store::Seal::of(*header, store::Seal::Source::as_stored);
      if (!seal || !seal->header || *seal->header == digest) header_ = *header;
    }
    store::Seal read(store::Seal::Source::as_stored);
    whole_ = salvaged->whole && header_ && collect(database, known_, &read);
    if (whole_) return true;
    known_ = {};
    unreadable_ = reconcile(database);
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
    for (const RunId run : directories_of_runs())
      read_directory(run_directory(directory_, run), run);
    if (!whole_) judge_what_was_put_together();
  }

  // Runs have numbers without gaps but for those that never got a directory. A folder far behind all others was put
  // there by somebody else: filling the gap before it would take all memory there is.
  std::set<RunId> directories_of_runs() {
    constexpr RunId kWidestGap = 1'000;
    std::set<RunId> found;
    std::error_code error;
    for (fs::directory_iterator entry(directory_ / "runs", error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (name.empty() || name.find_first_not_of("0123456789") != std::string::npos) continue;
      if (name.size() < 10 && name == std::to_string(std::stol(name)))
        found.insert(std::stol(name));
    }
    RunId last = known_.runs.empty() ? -1 : known_.runs.rbegin()->first;
    for (auto it = found.begin(); it != found.end(); ++it) {
      if (*it > last + kWidestGap) {
        report_.lost.push_back(fmt::format(
            "runs/{}: is of no run of this sweep, whose runs end with {}; ignored{}", *it, last,
            std::next(it) == found.end() ? "" : ", and so are those behind it"));
        found.erase(it, found.end());
        break;
      }
      last = std::max(last, *it);
    }
    return found;
  }

  void read_directory(const fs::path& path, RunId run) {
    const auto found = known_.runs.find(run);
    const bool in_database = found != known_.runs.end() && found->second.proposed;
    if (whole_ && in_database) return read_later_attempts(path, run, found->second);
    const auto recorded = read_run_(path, run, *header_);
    if (!recorded || recorded->attempts.empty()) return;
    for (const std::string& fault : recorded->faults)
      report_.lost.push_back(fmt::format("run {}: {}", run, fault));
    store::take_recorded(*recorded, known_.runs[run], report_.restored);
    if (!in_database && recorded->parameters) ++report_.from_directories;
    compared_.insert(run);
  }

  // Damage was found by the digest, which does not say where it is. Either what was put together agrees with it, so
  // that all is as it was, or a row that no file could be compared with may be wrong.
  void judge_what_was_put_together() {
    for (const RunId run : unreadable_)
      if (const auto it = known_.runs.find(run);
          it != known_.runs.end() && it->second.proposed && it->second.proposed->parameters.empty())
        report_.lost.push_back(fmt::format("run {}: its parameters", run));
    if (sealed_ && store::digest_of(known_) == *sealed_) {
      report_.restored.push_back(
          "all that was written: what was put together agrees with its digest");
      return;
    }
    std::vector<std::string> alone;
    for (const auto& [run, known] : known_.runs)
      if (known.proposed && !known.attempts.empty() && !compared_.contains(run))
        alone.push_back(std::to_string(run));
    if (alone.empty()) return;
    const std::size_t count = alone.size();
    alone.resize(std::min<std::size_t>(count, 10));
    report_.lost.push_back(
        fmt::format("certainty about {} without files to compare the database with ({}{}): a value "
                    "may be wrong",
                    base::plural(static_cast<std::int64_t>(count), "run"), base::join(alone, ", "),
                    count > alone.size() ? ", ..." : ""));
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

  Result<void> append_runs(Store& store, RunId first) {
    std::vector<Change> changes;
    for (auto it = known_.runs.lower_bound(first); it != known_.runs.end(); ++it) {
      tell_run(it->first, it->second, changes);
      if (auto done = store.append(changes); !done) return done;
      changes.clear();
    }
    return {};
  }

  void count() {
    for (const auto& [run, known] : known_.runs)
      for (const auto& [number, attempt] : known.attempts)
        if (attempt.metrics)
          report_.metrics += static_cast<std::int64_t>(attempt.metrics->metrics.size());
    report_.runs = static_cast<std::int64_t>(known_.runs.size());
  }

  Result<void> finish(Store& store) {
    count();
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
      if (forgotten) forgotten = (*opened)->run("INSERT INTO seal(rowid, steps) VALUES(1, 0)");
      if (!forgotten) return forgotten;
    }
    store::fill_gaps(known_, report_.lost);
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
    store::fill_gaps(known_, report_.lost);
    auto store = create_sqlite_store(workshop_, *header_);
    if (!store) return store.error();
    if (auto done = (*store)->append(known_.before); !done) return done;
    if (auto done = append_runs(**store, 0); !done) return done;
    if (auto done = (*store)->append(known_.after); !done) return done;
    return finish(**store);
  }

  // What an engine noted beside the old database must not be more than what the new one has.
  Result<void> continue_steps(std::int64_t noted) {
    auto opened = Database::open(store::database_file(workshop_), Database::Mode::write);
    if (!opened) return opened.error();
    Result<store::SealRow> row = store::read_seal(**opened);
    if (!row) return row.error();
    row->steps = std::max(row->steps, noted);
    return store::write_seal(**opened, *row);
  }

  // From here on a repair that is killed is finished by the next one: the new database is complete, and only has to
  // take its place.
  Result<void> put_in_place() {
    std::error_code error;
    const fs::path file = database();
    const fs::path aside = place_aside(file);
    if (fs::exists(file, error)) {
      // Linked, so that the sweep is at no moment without a database.
      if (!fs::exists(aside, error)) fs::create_hard_link(file, aside, error);
      if (error) fs::rename(file, aside, error);
      if (error) return base::system_error(aside, "keep the damaged database as", error.value());
      report_.kept = aside;
    }
    // Also where the database is gone: SQLite would replay a log that is left over the new one.
    for (const char* suffix : {"-wal", "-journal"})
      if (fs::exists(file.string() + suffix, error)) {
        fs::rename(file.string() + suffix, aside.string() + suffix, error);
        if (error) return base::system_error(file.string() + suffix, "move", error.value());
        if (report_.kept.empty()) report_.kept = aside.string() + suffix;
      }
    fs::remove(file.string() + "-shm", error);
    fs::rename(store::database_file(finished_), file, error);
    if (error)
      return base::system_error(file, "put the repaired database in place of", error.value());
    base::sync_directory(directory_);
    return store::write_sweep_file(directory_, *header_);
  }

  // The name under which the damaged file is kept: a new one, or that which a repair gave it that was killed.
  static fs::path place_aside(const fs::path& file) {
    std::error_code error;
    for (int i = 1;; ++i) {
      const fs::path aside = fmt::format("{}.damaged-{}", file.string(), i);
      if (fs::equivalent(file, aside, error)) return aside;
      const auto is_free = [&](const char* suffix) {
        return !fs::exists(fs::symlink_status(aside.string() + suffix, error));
      };
      if (is_free("") && is_free("-wal") && is_free("-journal")) return aside;
    }
  }

  // Puts the database in place that an earlier repair had made when it was cut short. False: there is none.
  Result<bool> finish_earlier_repair() {
    std::error_code error;
    if (!fs::exists(store::database_file(finished_), error)) return false;
    Known known;
    {
      auto opened = Database::open(store::database_file(finished_), Database::Mode::read);
      if (!opened) return false;
      store::Seal seal(store::Seal::Source::as_stored);
      const auto header = store::read_header(**opened);
      if (!header || !collect(**opened, known, &seal)) return false;
      header_ = *header;
    }
    known_ = std::move(known);
    count();
    report_.restored.push_back("by an earlier repair, which was cut short before its end");
    if (auto done = put_in_place(); !done) return done.error();
    return true;
  }

  const fs::path& directory_;
  const ReadRunDirectory& read_run_;
  fs::path workshop_;  // where the new database is made
  fs::path finished_;  // its name as soon as that is complete
  std::optional<SweepHeader> header_;
  Known known_;
  std::vector<Change> later_;  // than what a whole database knows
  bool whole_ = false;
  std::optional<std::uint64_t> sealed_;  // the digest that the damaged database has
  std::vector<RunId> unreadable_;        // runs without parameters that can be read
  std::set<RunId> compared_;             // runs of which the directory was read
  RepairReport report_;
};

}  // namespace

Result<RepairReport> repair_sweep(const fs::path& directory, const ReadRunDirectory& read_run) {
  return Repair(directory, read_run).run();
}

}  // namespace hdrive
