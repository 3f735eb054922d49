// SPDX-License-Identifier: Apache-2.0
//
// How commits get into SQLite's log: in one go, whatever their size, and never over those of another process.
#include "store/log_file.h"

#include <fstream>
#include <optional>
#include <set>
#include <string>

#include "hdrive/reader.h"
#include "hdrive/requests.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "tests/catch.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/store_text.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/store/small_sweep.h"

using namespace hdrive;
using test::at;
using test::told;

namespace {

// Calls that write, of this process so far; nothing where the system does not count them.
std::optional<long> write_calls() {
  std::ifstream file("/proc/self/io");
  std::string name;
  for (long count = 0; file >> name >> count;)
    if (name == "syscw:") return count;
  return std::nullopt;
}

std::shared_ptr<Store> create(const std::filesystem::path& directory) {
  auto store = create_sqlite_store(directory, test::header());
  INFO((store ? "" : store.error().message()));
  REQUIRE(store);
  return *store;
}

void start_run(Store& store, RunId run) {
  REQUIRE(store.append(std::vector<Change>{RunProposed{run, {{"--lr", 0.5}}, "drawn", at(1)},
                                           RunStarted{run, 1, 1, at(2)}}));
}

RunMetrics report(RunId run, int values) {
  RunMetrics metrics{run, 1, {}, "64 0", at(3)};
  for (int i = 0; i < values; ++i) metrics.metrics.push_back({"acc", 0.1 * i, i, {}});
  return metrics;
}

// Reads and checks all of it, as another process does.
std::string contents(const std::filesystem::path& directory) {
  std::vector<Change> changes;
  auto read = replay_sweep(directory, "", [&](const Change& it) { changes.push_back(it); });
  INFO((read ? "" : read.error().message()));
  REQUIRE(read);
  return told(changes);
}

std::string contents(Store& store) {
  std::vector<Change> changes;
  REQUIRE(store.replay("", [&](const Change& it) { changes.push_back(it); }));
  return told(changes);
}

}  // namespace

TEST_CASE("A small step is written in one go, and the number of steps beside it") {
  test::TemporaryDirectory directory;
  auto store = create(directory.path());
  start_run(*store, 0);
  const auto before = write_calls();
  if (!before) return;
  for (int i = 0; i < 10; ++i) REQUIRE(store->append(std::vector<Change>{report(0, 1)}));
  // And sometimes once more, to make the log longer.
  CHECK(*write_calls() - *before >= 20);
  CHECK(*write_calls() - *before <= 24);
}

TEST_CASE("The log grows in advance, and seldom with a step") {
  test::TemporaryDirectory directory;
  auto store = create(directory.path());
  start_run(*store, 0);
  std::set<std::uintmax_t> sizes;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(store->append(std::vector<Change>{report(0, 1)}));
    sizes.insert(std::filesystem::file_size(directory.path() / "sweep.db-wal"));
  }
  CHECK(sizes.size() > 1);
  CHECK(sizes.size() < 40);
  CHECK(contents(directory.path()) == contents(*store));
}

TEST_CASE(
    "A step of many pages is written whole, and merged into the database by the log's own rules") {
  test::TemporaryDirectory directory;
  auto store = create(directory.path());
  start_run(*store, 0);
  // Of some kilobytes to some megabytes, several times as much as the log holds before it begins anew.
  for (const int values : {1, 100, 500, 1000, 5000, 20'000, 100'000, 100'000, 3})
    REQUIRE(store->append(std::vector<Change>{report(0, values)}));
  const std::string whole = contents(*store);
  CHECK(contents(directory.path()) == whole);
  store.reset();
  CHECK(contents(directory.path()) == whole);
  CHECK(open_sqlite_store(directory.path()));
}

TEST_CASE("What is left of a step that found no room is not written over what others commit") {
  test::TemporaryDirectory directory;
  auto store = create(directory.path());
  for (RunId run = 0; run < 3; ++run) start_run(*store, run);
  for (const int values : {1, 20, 2000}) {
    const std::string before = contents(*store);
    {
      const test::FileSizeLimit limit(10'000);
      REQUIRE_FALSE(store->append(std::vector<Change>{report(0, values)}));
    }
    const auto asked = leave_request(directory.path(), Request{0, Request::Kind::stop_run, 1, ""});
    REQUIRE(asked);
    CHECK(contents(directory.path()) == before);
    const auto taken = store->take_requests();
    REQUIRE(taken);
    CHECK(taken->size() == 1);
    REQUIRE(store->append(std::vector<Change>{report(0, values)}));
    CHECK(contents(directory.path()) == contents(*store));
  }
}

TEST_CASE("Commits are gathered only where there is a log, and by those who may write") {
  test::TemporaryDirectory directory;
  const auto file = directory.path() / "a.db";
  {
    auto made = store::Database::open(file, store::Database::Mode::create);
    REQUIRE(made);
    REQUIRE((*made)->execute("CREATE TABLE t(x)"));
  }
  auto database = store::Database::open(file, store::Database::Mode::write);
  REQUIRE(database);
  REQUIRE((*database)->execute("INSERT INTO t VALUES(1)"));
  CHECK_FALSE(store::gather_commits((*database)->handle()));
  REQUIRE((*database)->execute("PRAGMA journal_mode = WAL; INSERT INTO t VALUES(2)"));
  CHECK(store::gather_commits((*database)->handle()));
  REQUIRE((*database)->execute("INSERT INTO t VALUES(3)"));
  auto reader = store::Database::open(file, store::Database::Mode::read);
  REQUIRE(reader);
  std::string found;
  REQUIRE((*reader)->each("SELECT x FROM t ORDER BY x",
                          [&](const store::Row& row) { found += row.text(0); }));
  CHECK(found == "123");
  CHECK_FALSE(store::gather_commits((*reader)->handle()));
}
