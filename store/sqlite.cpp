// SPDX-License-Identifier: Apache-2.0
//
// The store in a database file, as the engine that owns the sweep uses it.
#include "store/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "hdrive/store.h"
#include "store/change_rows.h"
#include "store/database.h"
#include "store/exact.h"
#include "store/file_system.h"
#include "store/order.h"
#include "store/ownership.h"
#include "store/replay.h"
#include "store/request_rows.h"
#include "store/schema.h"
#include "store/seal_table.h"
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

// How long a step of the engine waits for another's lock. The loop that decides stands still meanwhile: a step
// that was refused is tried again at a later turn.
constexpr std::chrono::milliseconds kEnginePatience{50};

class SqliteStore final : public Store {
 public:
  SqliteStore(Ownership ownership, std::unique_ptr<Database> database)
      : ownership_(std::move(ownership)), database_(std::move(database)) {}

  // Reads what every later call relies on: all of it.
  Result<void> load(const std::function<void(const Change&)>& tell) {
    Result<SweepHeader> header = store::read_header(*database_);
    if (!header) return header.error();
    if (auto sound = store::check_steps(*database_, ownership_.found_steps(), *header); !sound)
      return sound;
    if (auto loaded = rows_.load(*std::move(header), tell); !loaded) return loaded;
    ownership_.note_steps(rows_.steps());
    return database_->each(kSelectAttempts, [&](const Row& row) { order_.load(row.small(0)); });
  }

  Result<void> answer_for_the_dead(std::int64_t latest) {
    return requests_.answer_for_the_dead(latest);
  }

  // From now on it is the engine's loop that waits, and the files are those that it writes.
  Result<void> become_live() {
    database_->wait_for_locks(kEnginePatience);
    if (Result<void> gathers = database_->gather_commits(); !gathers) return gathers;
    return database_->expect_in_place();
  }

  const SweepHeader& header() const override { return rows_.header(); }

  Result<void> append(std::span<const Change> changes) override {
    if (changes.empty()) return {};
    if (Result<void> sound = order_.check(changes); !sound) return sound;
    if (Result<void> there = database_->expect_in_place(); !there) return there;
    if (Result<void> mine = ownership_.keep(); !mine) return mine;
    if (Result<void> kept = rows_.append(changes); !kept) return kept;
    ownership_.note_steps(rows_.steps());
    order_.take(changes);
    // The file beside the database is for repairs alone: that it cannot be written stops nothing.
    const auto edits = [](const Change& it) { return std::holds_alternative<SweepEdited>(it); };
    if (std::any_of(changes.begin(), changes.end(), edits))
      (void)store::write_sweep_file(database_->path().parent_path(), header());
    return {};
  }

  Result<void> replay(const std::string& only_metric,
                      const std::function<void(const Change&)>& tell) override {
    store::ReplayOptions options;  // it was checked when it was opened
    options.only_metric = only_metric;
    return store::replay(*database_, options, tell);
  }

  Result<std::vector<Request>> take_requests() override { return requests_.take(); }
  bool takes_requests() const override { return true; }

 private:
  // Destroyed in the opposite order: the database is closed before another engine may own it.
  Ownership ownership_;
  std::unique_ptr<Database> database_;
  store::ChangeRows rows_{*database_};
  store::RequestRows requests_{*database_};
  store::ChangeOrder order_;
};

// Whatever is wrong with the database is told when it is opened.
Result<std::int64_t> latest_request_in(const std::filesystem::path& directory) {
  auto database = Database::open(store::database_file(directory), Database::Mode::write);
  if (!database) return 0;
  const auto latest = store::latest_request(**database);
  if (!latest && !passes_by_itself(latest.error().kind)) return 0;
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
  if (auto done = result->answer_for_the_dead(latest_request); !done) return done.error();
  // Of a sweep that was made before there was one, or has lost it: a repair may depend on it.
  if (!store::read_sweep_file(directory))
    (void)store::write_sweep_file(directory, result->header());
  if (auto done = result->become_live(); !done) return done.error();
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
  const Result<std::int64_t> latest = latest_request_in(directory);
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
