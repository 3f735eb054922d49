// SPDX-License-Identifier: Apache-2.0
#include "store/schema.h"

#include <fmt/format.h>

#include <system_error>

#include "base/file.h"

namespace hdrive::store {
namespace {

// The table of metrics has no index: a sweep appends millions of rows and reads them in the order they
// came, and a whole scan of a million takes 0.1 s.
constexpr char kVersion1[] = R"sql(
CREATE TABLE sweep(
  id TEXT NOT NULL, name TEXT NOT NULL, experiment TEXT NOT NULL,
  metric TEXT NOT NULL, goal TEXT NOT NULL,
  status TEXT NOT NULL, ended_by TEXT, reason TEXT NOT NULL,
  active_seconds REAL NOT NULL, created REAL NOT NULL, changed REAL,
  version TEXT NOT NULL, config TEXT NOT NULL);

CREATE TABLE runs(
  number INTEGER PRIMARY KEY, run_id TEXT NOT NULL,
  status TEXT NOT NULL, ended_by TEXT, attempt INTEGER NOT NULL,
  created REAL NOT NULL, started REAL, ended REAL,
  exit_code INTEGER, signal INTEGER, pid INTEGER,
  reported REAL, metrics_position INTEGER NOT NULL DEFAULT 0,
  output_position INTEGER NOT NULL DEFAULT 0,
  canceling TEXT, canceling_reason TEXT, canceling_at REAL,
  queued_again REAL, queued_again_cause TEXT, queued_again_reason TEXT,
  hyperparameters TEXT NOT NULL, proposal TEXT NOT NULL,
  reason TEXT, stderr_tail TEXT, hyperparameters_exact TEXT);

CREATE TABLE earlier_attempts(
  run INTEGER NOT NULL, attempt INTEGER NOT NULL,
  status TEXT NOT NULL, ended_by TEXT,
  started REAL, ended REAL, exit_code INTEGER, signal INTEGER, pid INTEGER,
  reported REAL, metrics_position INTEGER NOT NULL, output_position INTEGER NOT NULL,
  canceling TEXT, canceling_reason TEXT, canceling_at REAL,
  queued_again REAL, queued_again_cause TEXT, queued_again_reason TEXT,
  reason TEXT, stderr_tail TEXT,
  PRIMARY KEY(run, attempt)) WITHOUT ROWID;

CREATE TABLE metrics(
  run INTEGER NOT NULL, attempt INTEGER NOT NULL, name TEXT NOT NULL,
  step INTEGER, value REAL, time REAL NOT NULL);

CREATE TABLE verdicts(
  run INTEGER NOT NULL, attempt INTEGER NOT NULL, action TEXT NOT NULL,
  interval INTEGER NOT NULL, finding TEXT NOT NULL,
  value REAL, threshold REAL, peers INTEGER NOT NULL, leader INTEGER,
  note TEXT NOT NULL, reason TEXT NOT NULL, time REAL NOT NULL,
  PRIMARY KEY(run, attempt, action)) WITHOUT ROWID;

CREATE TABLE sweep_changes(
  id INTEGER PRIMARY KEY, status TEXT NOT NULL, ended_by TEXT, reason TEXT NOT NULL,
  active_seconds REAL NOT NULL, time REAL NOT NULL);

CREATE TABLE notes(
  id INTEGER PRIMARY KEY, level TEXT NOT NULL, run INTEGER, text TEXT NOT NULL,
  time REAL NOT NULL);

CREATE TABLE requests(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, run INTEGER,
  asked REAL NOT NULL DEFAULT ((julianday('now') - 2440587.5) * 86400.0), taken REAL);

CREATE VIEW best AS
  SELECT number, run_id, status, ended_by, attempt,
         iif(goal = 'Maximize', highest, lowest) AS best_primary_metric,
         reports, ended - started AS seconds, hyperparameters
  FROM (SELECT goal FROM sweep), runs
  JOIN (SELECT run, attempt AS of, count(*) AS reports, min(value) AS lowest,
               max(value) AS highest
        FROM metrics
        WHERE name = (SELECT metric FROM sweep) AND value > -9e999 AND value < 9e999
        GROUP BY run, attempt)
    ON run = number AND of = attempt
  ORDER BY iif(goal = 'Maximize', -highest, lowest), number;

CREATE VIEW parameters AS
  SELECT number AS run, key AS name, value, type
  FROM runs, json_each(hyperparameters);
)sql";

// What is asked of a sweep has a text and an answer; changes of the specification are kept.
constexpr char kVersion2[] = R"sql(
ALTER TABLE requests ADD COLUMN payload TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN answered REAL;
ALTER TABLE requests ADD COLUMN accepted INTEGER;
ALTER TABLE requests ADD COLUMN answer TEXT;
ALTER TABLE runs ADD COLUMN start_point INTEGER NOT NULL DEFAULT 0;

CREATE TABLE edits(
  id INTEGER PRIMARY KEY, what TEXT NOT NULL, config TEXT NOT NULL, time REAL NOT NULL);
)sql";

// To change the tables: a step with the next number and its SQL at the end of this list, kSchemaVersion as
// high as that, the tables in docs/store.md, and a database of the version before in tests/unit/store (see
// migration_test.cpp). A step that hdrive was released with is never touched again. All steps that a
// database lacks run in one transaction; readers run them on a copy in memory, so a step only takes what is
// in the database, and is quick.
struct Migration {
  int to;
  const char* sql;
};
constexpr Migration kMigrations[] = {{1, kVersion1}, {2, kVersion2}};

Result<int> read_pragma(Database& database, const char* pragma) {
  int value = 0;
  Result<void> read = database.each(pragma, [&](const Row& row) { value = row.small(0); });
  if (!read) return read.error();
  return value;
}

}  // namespace

Result<int> schema_version(Database& database) {
  return read_pragma(database, "PRAGMA user_version");
}

Result<void> expect_database(const std::filesystem::path& sweep_directory) {
  std::error_code error;
  if (std::filesystem::exists(database_file(sweep_directory), error)) return {};
  if (error) return base::system_error(database_file(sweep_directory), "open", error.value());
  return Error{sweep_directory.string(), "holds no sweep: there is no sweep.db in it"};
}

Result<void> migrate(Database& database) {
  Result<Transaction> transaction = Transaction::begin(database, Transaction::Kind::write);
  if (!transaction) return transaction.error();
  Result<int> version = schema_version(database);
  if (!version) return version.error();
  if (*version == kSchemaVersion) return {};
  for (const Migration& migration : kMigrations) {
    if (migration.to <= *version) continue;
    if (Result<void> done = database.execute(migration.sql); !done) return done;
  }
  const std::string stamp = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                        kApplicationId, kSchemaVersion);
  if (Result<void> done = database.execute(stamp.c_str()); !done) return done;
  return transaction->commit();
}

Result<void> check_schema(Database& database, bool older_is_fine) {
  Result<int> application = read_pragma(database, "PRAGMA application_id");
  if (!application) return application.error();
  if (*application != kApplicationId)
    return Error{database.path().string(), "is not a sweep's database: hdrive did not make it"};
  Result<int> version = schema_version(database);
  if (!version) return version.error();
  if (*version > kSchemaVersion)
    return Error{database.path().string(),
                 fmt::format("was written by a newer hdrive (its tables have version {}, this one, "
                             "hdrive {}, knows them up to {}); use that hdrive, or a later one",
                             *version, HDRIVE_VERSION, kSchemaVersion)};
  if (*version < kSchemaVersion && !older_is_fine)
    return Error{
        database.path().string(),
        fmt::format("was written by an older hdrive (its tables have version {}, this "
                    "program writes {}); while that one runs the sweep, ask it with the same "
                    "program; afterwards `hdrive resume` brings the sweep up to date",
                    *version, kSchemaVersion)};
  return {};
}

}  // namespace hdrive::store
