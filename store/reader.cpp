// SPDX-License-Identifier: Apache-2.0
//
// What anybody may do with a sweep without owning it: read it, and leave a request.
#include "store/reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <system_error>
#include <utility>

#include "hdrive/reader.h"
#include "hdrive/requests.h"
#include "hdrive/store.h"
#include "store/ownership.h"
#include "store/replay.h"
#include "store/schema.h"
#include "store/seal_table.h"
#include "store/words.h"

namespace hdrive {
namespace store {
namespace {

// Whether an engine left changes in the log that are not in the database itself.
bool has_pending_log(const std::filesystem::path& database) {
  std::error_code error;
  const auto size = std::filesystem::file_size(database.string() + "-wal", error);
  return !error && size > 0;
}

// All of it is read for that, and checked.
Result<void> seal_copy(Database& copy) {
  Seal seal(Seal::Source::as_stored);
  ReplayOptions options;
  options.metrics = false;
  options.seal = &seal;
  const auto sound =
      as_damage(copy.path(), [&] { return replay(copy, options, [](const Change&) {}); });
  return sound ? seal_anew(copy, seal) : sound;
}

Result<std::unique_ptr<Database>> open_checked(const std::filesystem::path& path,
                                               Database::Mode mode) {
  auto database = Database::open(path, mode);
  if (!database) return database;
  if (Result<void> sound = check_schema(**database, /*older_is_fine=*/true); !sound)
    return sound.error();
  const Result<int> version = schema_version(**database);
  if (!version) return version.error();
  if (*version == kSchemaVersion) {
    const Result<SealRow> seal = read_seal(**database);
    if (!seal) return seal.error();
    if (seal->parts) return database;
  }
  // Only an engine changes the file. A copy of it can be brought up to date by anybody.
  auto copy = (*database)->copy_to_memory();
  if (!copy) return copy;
  if (Result<void> done = migrate(**copy); !done) return done.error();
  if (Result<void> done = seal_copy(**copy); !done) return done.error();
  return copy;
}

}  // namespace

Result<std::unique_ptr<Database>> open_reader(const std::filesystem::path& sweep_directory) {
  if (Result<void> found = expect_database(sweep_directory); !found) return found.error();
  const std::filesystem::path path = database_file(sweep_directory);
  auto database = open_checked(path, Database::Mode::read);
  if (database || ::faccessat(AT_FDCWD, sweep_directory.c_str(), W_OK, AT_EACCESS) == 0)
    return database;
  // SQLite wants to make files beside the database. Where it may not, the file itself is enough, provided
  // that it holds everything and nobody writes it.
  if (has_pending_log(path))
    return Error{path.string(),
                 "has changes in sweep.db-wal, and its directory cannot be written; copy the "
                 "directory to where you may write and read it there"};
  if (owner_of(sweep_directory)) return database;
  return open_checked(path, Database::Mode::immutable);
}

}  // namespace store

using store::Database;
using store::Row;

namespace {

constexpr char kStandingOfRun[] = "SELECT attempt, status, ended_by FROM runs WHERE number = ?1";
constexpr char kCountRuns[] = "SELECT count(*) FROM runs";
constexpr char kInsertRequest[] =
    "INSERT INTO requests(kind, run, payload) VALUES(?1, ?2, ?3) RETURNING id";
constexpr char kSelectAnswer[] =
    "SELECT accepted, answer FROM requests WHERE id = ?1 AND answered IS NOT NULL";

Result<std::unique_ptr<Database>> open_writer(const std::filesystem::path& directory) {
  if (Result<void> found = store::expect_database(directory); !found) return found.error();
  auto database = Database::open(store::database_file(directory), Database::Mode::write);
  if (!database) return database;
  if (Result<void> sound = store::check_schema(**database, /*older_is_fine=*/false); !sound)
    return sound.error();
  // A request need not outlive the machine, and an engine must not wait until it is on the disk.
  if (Result<void> set = (*database)->execute("PRAGMA synchronous = NORMAL"); !set)
    return set.error();
  return database;
}

Result<RunStanding> standing_of(Database& database, RunId run) {
  std::optional<RunStanding> standing;
  Result<void> read = database.each(
      kStandingOfRun,
      [&](const Row& row) {
        standing = {row.small(0), run_status_from(row.bytes(1)).value_or(RunStatus::queued),
                    end_cause_from(row.bytes(2)).value_or(EndCause::none)};
      },
      run);
  if (!read) return read.error();
  if (standing) return *standing;
  const std::string name = fmt::format("run {}", run);
  std::int64_t runs = 0;
  read = database.each(kCountRuns, [&](const Row& row) { runs = row.integer(0); });
  if (!read) return read.error();
  if (runs == 0) return Error{name, "is not in this sweep, which has no runs yet"};
  return Error{name, fmt::format("is not in this sweep, whose runs are 0 to {}", runs - 1)};
}

// Whether the run can be stopped at all.
Result<void> expect_live(Database& database, RunId run) {
  const auto standing = standing_of(database, run);
  if (!standing) return standing.error();
  if (!is_terminal(standing->status)) return {};
  return Error{fmt::format("run {}", run),
               fmt::format("has ended already ({})", to_string(standing->status))};
}

}  // namespace

namespace {

// Opens it for a reading that leaves nothing out in silence.
Result<std::unique_ptr<Database>> open_whole(const std::filesystem::path& directory) {
  const std::int64_t noted = store::noted_steps(directory);
  auto database = store::open_reader(directory);
  if (!database) return database;
  Result<SweepHeader> header = store::read_header(**database);
  if (!header) return header.error();
  if (Result<void> sound = store::check_steps(**database, noted, *header); !sound)
    return sound.error();
  return database;
}

Result<void> replay_checked(Database& database, store::ReplayOptions options,
                            const std::function<void(const Change&)>& tell) {
  store::Seal seal(store::Seal::Source::as_stored);
  options.seal = &seal;
  return store::as_damage(database.path(), [&] { return store::replay(database, options, tell); });
}

}  // namespace

Result<void> replay_sweep(const std::filesystem::path& directory, const std::string& only_metric,
                          const std::function<void(const Change&)>& tell) {
  auto database = open_whole(directory);
  if (!database) return database.error();
  store::ReplayOptions options;
  options.only_metric = only_metric;
  return replay_checked(**database, options, tell);
}

Result<RunStanding> read_run(const std::filesystem::path& directory, RunId run) {
  auto database = store::open_reader(directory);
  if (!database) return database.error();
  return standing_of(**database, run);
}

Result<std::vector<StoredMetric>> read_metrics(const std::filesystem::path& directory,
                                               std::optional<RunId> run) {
  const auto reader = SweepReader::open(directory);
  if (!reader) return reader.error();
  std::vector<StoredMetric> metrics;
  Result<void> read =
      (*reader)->each_metric(run, [&](const StoredMetric& it) { metrics.push_back(it); });
  if (!read) return read.error();
  return metrics;
}

Result<std::int64_t> leave_request(const std::filesystem::path& directory, const Request& request) {
  if (!store::owner_of(directory))
    return Error{directory.string(), "nothing to ask: no engine runs this sweep now"};
  auto database = open_writer(directory);
  if (!database) return database.error();
  if (request.kind == Request::Kind::stop_run) {
    if (!request.run) return Error{directory.string(), "which run is to be stopped was not said"};
    if (Result<void> live = expect_live(**database, *request.run); !live) return live.error();
  }
  std::int64_t id = 0;
  Result<void> left = (*database)->each(
      kInsertRequest, [&](const Row& row) { id = row.integer(0); },
      store::word(store::kRequests, request.kind), request.run, request.payload);
  if (!left) return left.error();
  return id;
}

Result<std::optional<Answer>> read_answer(const std::filesystem::path& directory,
                                          std::int64_t request) {
  auto database = store::open_reader(directory);
  if (!database) return database.error();
  std::optional<Answer> answer;
  Result<void> read = (*database)->each(
      kSelectAnswer,
      [&](const Row& row) {
        answer = Answer{row.integer(0) != 0, row.text(1)};
      },
      request);
  if (!read) return read.error();
  return answer;
}

}  // namespace hdrive
