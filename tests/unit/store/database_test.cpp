// SPDX-License-Identifier: Apache-2.0
#include "store/database.h"

#include <sys/stat.h>

#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "store/schema.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using store::Database;
using store::Row;
using store::Transaction;

namespace {

std::unique_ptr<Database> open(const std::filesystem::path& path) {
  auto database = Database::open(path, Database::Mode::create);
  REQUIRE(database);
  return std::move(*database);
}

std::int64_t count(Database& database) {
  std::int64_t rows = -1;
  REQUIRE(database.each("SELECT count(*) FROM t", [&](const Row& row) { rows = row.integer(0); }));
  return rows;
}

}  // namespace

TEST_CASE("Times come back to the microsecond") {
  test::TemporaryDirectory directory;
  const auto database = open(directory.path() / "a.db");
  REQUIRE(database->execute("CREATE TABLE t(x REAL)"));
  for (std::int64_t step = 0; step < 2000; ++step) {
    const Time time(Duration(-3'700'000'000'000'000 + step * 3'900'000'123'457));
    REQUIRE(database->run("DELETE FROM t"));
    REQUIRE(database->run("INSERT INTO t VALUES(?1)", time));
    Time back{};
    REQUIRE(database->each("SELECT x FROM t", [&](const Row& row) { back = row.time(0); }));
    REQUIRE(back == time);
  }
}

TEST_CASE("Text is TEXT where it is UTF-8, else a BLOB with the same bytes") {
  test::TemporaryDirectory directory;
  const auto database = open(directory.path() / "odd ?#% name.db");
  const auto type_of = [&](const std::string& text) {
    std::string type, back;
    REQUIRE(database->each(
        "SELECT typeof(?1), ?1",
        [&](const Row& row) {
          type = row.text(0);
          back = row.text(1);
        },
        text));
    CHECK(back == text);
    return type;
  };
  CHECK(type_of("") == "text");
  CHECK(type_of("a\xc3\xa4") == "text");
  CHECK(type_of(std::string("a\0b", 3)) == "text");
  CHECK(type_of("a\xe4") == "blob");
  CHECK(std::filesystem::exists(directory.path() / "odd ?#% name.db"));
}

TEST_CASE("A full disk is told, rolls the transaction back and leaves the database usable") {
  test::TemporaryDirectory directory;
  const auto database = open(directory.path() / "a.db");
  REQUIRE(database->execute("PRAGMA journal_mode = WAL; CREATE TABLE t(x TEXT)"));
  REQUIRE(database->run("INSERT INTO t VALUES('kept')"));
  REQUIRE(database->execute("PRAGMA max_page_count = 8"));
  {
    auto transaction = Transaction::begin(*database, Transaction::Kind::write);
    REQUIRE(transaction);
    REQUIRE(database->run("INSERT INTO t VALUES('lost')"));
    auto full = database->run("INSERT INTO t VALUES(?1)", std::string(100'000, 'x'));
    REQUIRE_FALSE(full);
    CHECK_THAT(full.error().message(), Catch::Contains("a.db: the disk is full"));
  }
  CHECK_FALSE(database->in_transaction());
  CHECK(count(*database) == 1);
  REQUIRE(database->execute("PRAGMA max_page_count = 1000"));
  REQUIRE(database->run("INSERT INTO t VALUES(?1)", std::string(100'000, 'x')));
  CHECK(count(*database) == 2);
}

TEST_CASE("A transaction that is not committed leaves nothing, even under an exception") {
  test::TemporaryDirectory directory;
  const auto database = open(directory.path() / "a.db");
  REQUIRE(database->execute("CREATE TABLE t(x); INSERT INTO t VALUES(1), (2)"));
  const auto throwing = [&] {
    auto transaction = Transaction::begin(*database, Transaction::Kind::write);
    REQUIRE(transaction);
    REQUIRE(database->run("INSERT INTO t VALUES(3)"));
    (void)database->each("SELECT x FROM t", [](const Row&) { throw std::runtime_error("no"); });
  };
  CHECK_THROWS(throwing());
  CHECK_FALSE(database->in_transaction());
  CHECK(count(*database) == 2);
}

TEST_CASE("A file that is no sweep's database is refused by name") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "sweep.db";
  SECTION("text") {
    std::ofstream(path) << std::string(5000, 'x');
    auto database = Database::open(path, Database::Mode::read);
    REQUIRE(database);
    auto refused = store::check_schema(**database, false);
    REQUIRE_FALSE(refused);
    CHECK_THAT(
        refused.error().message(),
        Catch::Contains(path.string()) && Catch::Contains("does not begin as a sweep's database"));
  }
  SECTION("another program's database") {
    const auto database = open(path);
    REQUIRE(database->execute("CREATE TABLE t(x)"));
    auto refused = store::check_schema(*database, true);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message() ==
          path.string() + ": is not a sweep's database: hdrive did not make it");
  }
}

TEST_CASE("A schema of another version is refused, or migrated where it is older") {
  test::TemporaryDirectory directory;
  const auto database = open(directory.path() / "sweep.db");
  REQUIRE(store::migrate(*database));
  CHECK(store::check_schema(*database, false));
  REQUIRE(database->execute("CREATE TABLE more(x); PRAGMA user_version = 99"));
  auto newer = store::check_schema(*database, true);
  REQUIRE_FALSE(newer);
  CHECK_THAT(newer.error().what, Catch::Contains("newer hdrive") && Catch::Contains("version 99"));
  REQUIRE(database->execute("PRAGMA user_version = 0"));
  CHECK(store::check_schema(*database, true));
  auto older = store::check_schema(*database, false);
  REQUIRE_FALSE(older);
  CHECK_THAT(older.error().what, Catch::Contains("older hdrive"));
}

TEST_CASE("Each error of SQLite says what to do") {
  const std::pair<int, const char*> cases[] = {
      {SQLITE_FULL, "disk is full"},    {SQLITE_IOERR_WRITE, "because of the disk"},
      {SQLITE_BUSY, "another process"}, {SQLITE_CORRUPT, "hdrive repair"},
      {SQLITE_READONLY, "permissions"}, {SQLITE_CANTOPEN, "cannot be opened"},
      {SQLITE_MISUSE, "cannot be used"}};
  for (const auto& [code, words] : cases)
    CHECK_THAT(store::database_error("x/sweep.db", code, nullptr).message(),
               Catch::StartsWith("x/sweep.db: ") && Catch::Contains(words));
}

TEST_CASE("What SQLite says has a kind, by which a caller decides") {
  using Kind = Error::Kind;
  struct Case {
    int code, system;
    Kind kind;
  };
  static constexpr Case kCases[] = {
      {SQLITE_BUSY, 0, Kind::busy},
      {SQLITE_BUSY_SNAPSHOT, 0, Kind::busy},
      {SQLITE_LOCKED, 0, Kind::busy},
      {SQLITE_PROTOCOL, 0, Kind::busy},
      {SQLITE_FULL, 0, Kind::no_room},
      {SQLITE_IOERR_WRITE, ENOSPC, Kind::no_room},
      {SQLITE_IOERR_WRITE, EDQUOT, Kind::no_room},
      {SQLITE_IOERR_WRITE, EFBIG, Kind::no_room},
      {SQLITE_IOERR_SHMSIZE, 0, Kind::no_room},
      {SQLITE_IOERR_READ, EIO, Kind::other},
      {SQLITE_IOERR_NOMEM, 0, Kind::no_resources},
      {SQLITE_NOMEM, 0, Kind::no_resources},
      {SQLITE_CANTOPEN, EMFILE, Kind::no_resources},
      {SQLITE_CANTOPEN, EACCES, Kind::not_allowed},
      {SQLITE_CANTOPEN, ENOENT, Kind::not_found},
      {SQLITE_CANTOPEN_ISDIR, 0, Kind::damaged},
      {SQLITE_READONLY, 0, Kind::not_allowed},
      {SQLITE_READONLY_DIRECTORY, 0, Kind::not_allowed},
      {SQLITE_READONLY_DBMOVED, 0, Kind::not_found},
      {SQLITE_PERM, 0, Kind::not_allowed},
      {SQLITE_CORRUPT, 0, Kind::damaged},
      {SQLITE_CORRUPT_INDEX, 0, Kind::damaged},
      {SQLITE_NOTADB, 0, Kind::damaged},
      {SQLITE_ERROR, 0, Kind::damaged},
      {SQLITE_TOOBIG, 0, Kind::invalid},
      {SQLITE_MISUSE, 0, Kind::other},
  };
  for (const Case& it : kCases) {
    INFO(sqlite3_errstr(it.code) << " " << it.code << " with " << it.system);
    CHECK(store::error_kind(it.code, it.system) == it.kind);
  }
}

TEST_CASE(
    "A file that is deleted, moved or replaced while it is open is noticed, and one moved back is "
    "not") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "a.db", elsewhere = directory.path() / "b.db";
  const auto database = open(path);
  REQUIRE(database->execute("CREATE TABLE t(x REAL)"));
  CHECK(database->expect_in_place());
  std::filesystem::rename(path, elsewhere);
  const auto gone = database->expect_in_place();
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind ==
        Error::Kind::other);  // in a folder that is there, runs are found again
  CHECK_THAT(gone.error().message(), Catch::Contains("a.db: was deleted or moved"));
  std::ofstream(path) << "another";
  const auto replaced = database->expect_in_place();
  REQUIRE_FALSE(replaced);
  CHECK_THAT(replaced.error().message(), Catch::Contains("was replaced by another file"));
  std::filesystem::rename(elsewhere, path);
  CHECK(database->expect_in_place());
}

TEST_CASE("A file that is emptied while it is open is damaged, whatever SQLite remembers of it") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "a.db";
  const auto database = open(path);
  REQUIRE(database->execute("CREATE TABLE t(x REAL)"));
  REQUIRE(database->expect_in_place());
  std::filesystem::resize_file(path, 0);
  const auto emptied = database->expect_in_place();
  REQUIRE_FALSE(emptied);
  CHECK(emptied.error().kind == Error::Kind::damaged);
  CHECK_THAT(emptied.error().message(), Catch::Contains("was emptied while it was in use"));
}

TEST_CASE("A FIFO or a directory in the place of SQLite's files is told and not waited for") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "sweep.db";
  REQUIRE(open(path)->execute("CREATE TABLE t(x REAL)"));
  for (const char* suffix : {"-wal", "-shm", "-journal"})
    for (const bool fifo : {true, false}) {
      const std::filesystem::path file = path.string() + suffix;
      std::filesystem::remove(file);
      if (fifo)
        REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
      else
        std::filesystem::create_directory(file);
      for (const auto mode : {store::Database::Mode::read, store::Database::Mode::write}) {
        const auto opened = store::Database::open(path, mode);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().kind == Error::Kind::damaged);
        CHECK(opened.error().where == file.string());
        CHECK_THAT(opened.error().what, Catch::Contains("remove it"));
      }
      std::filesystem::remove(file);
      CHECK(store::Database::open(path, store::Database::Mode::read));
    }
}
