// SPDX-License-Identifier: Apache-2.0
#include "store/schema.h"

#include <fmt/format.h>

#include <system_error>

#include "base/file.h"
#include "base/text.h"

namespace hdrive::store {
namespace {

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

// How the database tells that nothing of it is damaged or missing (store/seal.h).
constexpr char kVersion3[] = R"sql(
CREATE TABLE seal(steps INTEGER NOT NULL, digest INTEGER, header INTEGER);
INSERT INTO seal VALUES(0, NULL, NULL);
)sql";

// What a run used and where it ran; what was true of the source when the sweep was made. And what makes a
// look cheap in a large sweep. Values lie run by run: the key is (run << 32) + their place in the run. Names
// are kept once, what is asked most often of each metric of a run is kept beside it, and the seal's row tells
// which runs changed last (store/recent_changes.h) and what all parts add up to (store/seal_table.h).
constexpr char kVersion4[] = R"sql(
ALTER TABLE sweep ADD COLUMN snapshot TEXT NOT NULL DEFAULT '';
ALTER TABLE sweep ADD COLUMN properties TEXT NOT NULL DEFAULT '{}';
ALTER TABLE runs ADD COLUMN slot INTEGER;
ALTER TABLE runs ADD COLUMN cpu_seconds REAL;
ALTER TABLE runs ADD COLUMN peak_memory_bytes INTEGER;
ALTER TABLE earlier_attempts ADD COLUMN slot INTEGER;
ALTER TABLE earlier_attempts ADD COLUMN cpu_seconds REAL;
ALTER TABLE earlier_attempts ADD COLUMN peak_memory_bytes INTEGER;

ALTER TABLE runs ADD COLUMN logged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN facts_digest INTEGER;
ALTER TABLE runs ADD COLUMN metrics_digest INTEGER;
ALTER TABLE runs ADD COLUMN verdicts_digest INTEGER;
ALTER TABLE runs ADD COLUMN figures_digest INTEGER;
ALTER TABLE earlier_attempts ADD COLUMN metrics_digest INTEGER;

CREATE TABLE metric_names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE metric_values(
  id INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, name INTEGER NOT NULL,
  step INTEGER, value REAL, time REAL NOT NULL);
CREATE TABLE run_metrics(
  name INTEGER NOT NULL, run INTEGER NOT NULL, count INTEGER NOT NULL, finite INTEGER NOT NULL,
  last REAL, last_step INTEGER, least REAL, greatest REAL, PRIMARY KEY(name, run)) WITHOUT ROWID;
ALTER TABLE seal ADD COLUMN recent BLOB;
ALTER TABLE seal ADD COLUMN runs INTEGER;
ALTER TABLE seal ADD COLUMN states INTEGER;
ALTER TABLE seal ADD COLUMN status INTEGER;
ALTER TABLE seal ADD COLUMN changes INTEGER;
ALTER TABLE seal ADD COLUMN notes INTEGER;
ALTER TABLE seal ADD COLUMN edits INTEGER;
ALTER TABLE seal ADD COLUMN names INTEGER;
ALTER TABLE seal ADD COLUMN latest REAL;
ALTER TABLE seal ADD COLUMN own INTEGER;
ALTER TABLE edits ADD COLUMN head INTEGER;
ALTER TABLE edits ADD COLUMN tail INTEGER;

INSERT INTO metric_names(name) SELECT name FROM metrics GROUP BY name ORDER BY min(rowid);
INSERT INTO metric_values(id, attempt, name, step, value, time)
  SELECT (run << 32) + row_number() OVER (PARTITION BY run ORDER BY m.rowid) - 1,
         attempt, n.id, step, value, time
  FROM metrics m JOIN metric_names n ON n.name = m.name ORDER BY 1;
UPDATE runs SET logged = (SELECT count(*) FROM metric_values
                          WHERE id BETWEEN number << 32 AND (number << 32) + 4294967295);

DROP VIEW best;
DROP TABLE metrics;
CREATE VIEW metrics AS
  SELECT v.id >> 32 AS run, attempt, n.name AS name, step, value, time
  FROM metric_values v JOIN metric_names n ON n.id = v.name;
CREATE VIEW best AS
  SELECT number, run_id, r.status, r.ended_by, attempt,
         iif(goal = 'Maximize', greatest, least) AS best_primary_metric,
         finite AS reports, ended - started AS seconds, hyperparameters
  FROM sweep JOIN metric_names n ON n.name = metric
  JOIN run_metrics m ON m.name = n.id AND finite > 0 JOIN runs r ON number = run
  ORDER BY iif(goal = 'Maximize', -greatest, least), number;
)sql";

// What is kept in short, from all values. Part of a step, and of repairs.
constexpr char kSummarize[] = R"sql(
DELETE FROM run_metrics;
INSERT INTO run_metrics
  SELECT g.name, run, count, finite, l.value, l.step, least, greatest
  FROM (SELECT v.name, r.number AS run, count(*) AS count, max(v.id) AS latest,
               count(*) FILTER (WHERE value > -9e999 AND value < 9e999) AS finite,
               min(value) FILTER (WHERE value > -9e999 AND value < 9e999) AS least,
               max(value) FILTER (WHERE value > -9e999 AND value < 9e999) AS greatest
        FROM metric_values v JOIN runs r ON r.number = v.id >> 32 AND r.attempt = v.attempt
        GROUP BY v.name, r.number) g
  JOIN metric_values l ON l.id = latest;
)sql";

// What the sweep took over from earlier ones when it was made.
constexpr char kVersion5[] = R"sql(
CREATE TABLE earlier_runs(
  number INTEGER PRIMARY KEY, sweep TEXT NOT NULL, run INTEGER NOT NULL,
  status TEXT NOT NULL, ended_by TEXT, goes_on INTEGER NOT NULL,
  hyperparameters TEXT NOT NULL, hyperparameters_exact TEXT,
  reports TEXT NOT NULL, taken REAL NOT NULL);
)sql";

// How far the metrics of a run were read became its target's own words; and what a target calls it, and whether there
// is contact with it.
constexpr char kVersion6[] = R"sql(
ALTER TABLE runs ADD COLUMN cursor TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN submitted REAL;
ALTER TABLE runs ADD COLUMN handle TEXT;
ALTER TABLE runs ADD COLUMN unreachable REAL;
ALTER TABLE runs ADD COLUMN unreachable_reason TEXT;
ALTER TABLE earlier_attempts ADD COLUMN cursor TEXT NOT NULL DEFAULT '';
ALTER TABLE earlier_attempts ADD COLUMN submitted REAL;
ALTER TABLE earlier_attempts ADD COLUMN handle TEXT;
UPDATE runs SET cursor = metrics_position || ' ' || output_position
  WHERE metrics_position <> 0 OR output_position <> 0;
UPDATE earlier_attempts SET cursor = metrics_position || ' ' || output_position
  WHERE metrics_position <> 0 OR output_position <> 0;
ALTER TABLE runs DROP COLUMN metrics_position;
ALTER TABLE runs DROP COLUMN output_position;
ALTER TABLE earlier_attempts DROP COLUMN metrics_position;
ALTER TABLE earlier_attempts DROP COLUMN output_position;
)sql";

// To change the tables: a step with the next number and its SQL at the end of this list, kSchemaVersion as
// high as that, the tables in docs/store.md, and a database of the version before in tests/unit/store (see
// migration_test.cpp). A step that hdrive was released with is never touched again. All steps that a
// database lacks run in one transaction; readers run them on a copy in memory, so a step only takes what is
// in the database, and is quick: seconds for a million values.
struct Migration {
  int to;
  const char* sql;
};
constexpr Migration kMigrations[] = {{1, kVersion1}, {2, kVersion2},  {3, kVersion3},
                                     {4, kVersion4}, {4, kSummarize}, {5, kVersion5},
                                     {6, kVersion6}};

// What SQLite keeps to describe them.
Result<std::string> description_of_tables(Database& database) {
  std::string text;
  Result<void> read =
      database.each("SELECT type || name || ifnull(sql, '') FROM sqlite_schema ORDER BY type, name",
                    [&](const Row& row) { text += row.text(0) + '\n'; });
  if (!read) return read.error();
  return text;
}

// Only an older database lacks what the last step made, whatever version it says it has.
bool has_newest_table(Database& database) {
  bool found = false;
  const auto read = database.each("SELECT 1 FROM sqlite_schema WHERE name = 'earlier_runs'",
                                  [&](const Row&) { found = true; });
  return found || !read;  // what cannot be read is told by whoever needs it
}

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

int version_of_tables(Database& database) {
  const auto found = description_of_tables(database);
  if (!found) return 0;
  for (int version = kSchemaVersion; version > 0; --version) {
    const auto fresh = Database::in_memory(database.path());
    if (!fresh || !migrate(**fresh, version)) return 0;
    const auto description = description_of_tables(**fresh);
    if (description && *description == *found) return version;
  }
  return 0;
}

Error database_gone(const std::filesystem::path& sweep_directory) {
  return {database_file(sweep_directory).string(), "is gone, and the sweep's other files are there",
          Error::Kind::damaged,
          std::filesystem::absolute(sweep_directory).lexically_normal().string()};
}

Result<void> expect_database(const std::filesystem::path& sweep_directory) {
  std::error_code error;
  const std::filesystem::path file = database_file(sweep_directory);
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (std::filesystem::is_regular_file(status)) {
    // SQLite takes an empty file for a database without tables.
    if (std::filesystem::file_size(file, error) == 0 && !error) return damaged(file, "it is empty");
    return {};
  }
  if (std::filesystem::is_directory(status)) return damaged(file, "it is a directory");
  if (std::filesystem::exists(status)) return damaged(file, "it is not a file");
  if (error && error != std::errc::no_such_file_or_directory)
    return base::system_error(file, "open", error.value());
  if (std::filesystem::exists(sweep_directory / "sweep.json", error))
    return database_gone(sweep_directory);
  return Error{sweep_directory.string(), "holds no sweep: there is no sweep.db in it",
               Error::Kind::not_found};
}

Result<void> summarize_metrics(Database& database) { return database.execute(kSummarize); }

Result<void> migrate(Database& database, int to) {
  Result<Transaction> transaction = Transaction::begin(database, Transaction::Kind::write);
  if (!transaction) return transaction.error();
  Result<int> version = schema_version(database);
  if (!version) return version.error();
  if (*version >= to) return {};
  for (const Migration& migration : kMigrations) {
    if (migration.to <= *version || migration.to > to) continue;
    if (Result<void> done = database.execute(migration.sql); !done) return done;
  }
  const std::string stamp =
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, to);
  if (Result<void> done = database.execute(stamp.c_str()); !done) return done;
  return transaction->commit();
}

Result<void> check_integrity(Database& database) {
  std::string finding;
  Result<void> read =
      database.each("PRAGMA quick_check(1)", [&](const Row& row) { finding = row.text(0); });
  if (!read) return read;
  if (finding == "ok") return {};
  return damaged(database.path(), finding);
}

Result<void> check_schema(Database& database, bool older_is_fine) {
  Result<int> application = read_pragma(database, "PRAGMA application_id");
  if (!application) return application.error();
  std::error_code error;
  if (*application != kApplicationId &&
      std::filesystem::exists(database.path().parent_path() / "sweep.json", error))
    return damaged(database.path(), "it does not say any more that it is a sweep's database");
  if (*application != kApplicationId)
    return Error{database.path().string(), "is not a sweep's database: hdrive did not make it"};
  Result<int> version = schema_version(database);
  if (!version) return version.error();
  if (*version == kSchemaVersion && has_newest_table(database)) return {};
  // Each version has tables of its own.
  if (const int of_tables = version_of_tables(database); of_tables != 0 && of_tables != *version)
    return damaged(database.path(),
                   fmt::format("it says that its tables have version {}, and they have version {}",
                               *version, of_tables));
  if (*version > kSchemaVersion)
    return Error{database.path().string(),
                 fmt::format("was written by a newer hdrive (its tables have version {}, this one, "
                             "hdrive {}, knows them up to {}); use that hdrive, or a later one",
                             *version, HDRIVE_VERSION, kSchemaVersion)};
  if (!older_is_fine)
    return Error{
        database.path().string(),
        fmt::format("was written by an older hdrive (its tables have version {}, this "
                    "program writes {}); while that one runs the sweep, ask it with the same "
                    "program; afterwards `hdrive resume` brings the sweep up to date",
                    *version, kSchemaVersion)};
  return {};
}

}  // namespace hdrive::store
