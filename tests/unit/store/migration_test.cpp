// SPDX-License-Identifier: Apache-2.0
//
// Databases of earlier versions, and of this one for those to come. databases/version_<n>.db is what hdrive wrote
// when its tables had version n: six runs; run 2 failed, run 3 was stopped by the policy, run 4 was interrupted
// and tried again. From version 2 on run 0 is a start point, and the sweep was paused, resumed and changed.
// Versions 5 and 6 are that of version 4, brought up to date.
#include <iterator>
#include <set>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/state.h"
#include "hdrive/version.h"
#include "store/schema.h"
#include "tests/catch.h"
#include "tests/support/store_text.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using store::Database;
using store::Row;

namespace {

namespace fs = std::filesystem;

class OldSweep {
 public:
  explicit OldSweep(int version) {
    const fs::path from = fs::path(HDRIVE_SOURCE_DIR) / "tests/unit/store/databases";
    fs::copy_file(from / ("version_" + std::to_string(version) + ".db"), file());
  }
  const fs::path& path() const { return directory_.path(); }
  fs::path file() const { return path() / "sweep.db"; }
  int version() const {
    auto database = Database::open(file(), Database::Mode::write);
    REQUIRE(database);
    return *store::schema_version(**database);
  }
  std::string told() const {
    std::vector<Change> changes;
    const auto tell = [&](const Change& change) { changes.push_back(change); };
    auto read = replay_sweep(path(), "", tell);
    INFO((read ? "" : read.error().message()));
    REQUIRE(read);
    return test::told(changes);
  }

 private:
  test::TemporaryDirectory directory_;
};

void check_contents(const OldSweep& sweep, int written_by) {
  auto entry = find_sweep(sweep.path(), sweep.path().string());
  INFO((entry ? "" : entry.error().message()));
  REQUIRE(entry);
  CHECK(entry->header.name == "fixture");
  CHECK(entry->header.metric == "loss");
  CHECK_THAT(entry->header.config, Catch::Contains("max_total_runs: 6"));
  CHECK(entry->status == SweepStatus::completed);
  CHECK(entry->runs == 6);
  CHECK(entry->completed == 4);
  CHECK(entry->failed == 1);
  CHECK(entry->canceled == 1);
  CHECK(read_metrics(sweep.path(), std::nullopt)->size() == 54);
  SweepState state("loss", Goal::minimize);
  REQUIRE(replay_sweep(sweep.path(), "", [&](const Change& it) { state.apply(it); }));
  CHECK(state.history().run(4).attempt == 2);
  CHECK(state.history().run(2).exit_code == 7);
  CHECK(state.history().run(3).ended_by == EndCause::policy);
  CHECK(to_json(state.history().run(0).parameters) ==
        R"({"--lr":0.8946847163350924,"--layers":1,"--act":"relu"})");
  CHECK(state.stderr_tail(2) == "bad luck");
  CHECK(state.judged(3)->verdict.threshold == Approx(2.1));
  CHECK(state.start_points_used() == (written_by == 1 ? 0 : 1));
  std::vector<std::string> edits;
  for (const SweepEdited& edit : state.edits()) edits.push_back(edit.what);
  if (written_by > 1)
    CHECK(edits ==
          std::vector<std::string>{"max_concurrent_runs: 2 -> 3", "max_concurrent_runs: 3 -> 2"});
}

constexpr int kVersions[] = {1, 2, 3, 4, 5, 6};
static_assert(kVersions[std::size(kVersions) - 1] == store::kSchemaVersion,
              "a database of the version before is missing here");

}  // namespace

TEST_CASE("A database of any version is read by anybody, and not changed by that") {
  for (const int version : kVersions) {
    INFO("version " << version);
    const OldSweep sweep(version);
    check_contents(sweep, version);
    CHECK(sweep.version() == version);
  }
}

TEST_CASE(
    "An older database is brought up to date by the engine that opens it, and holds the same") {
  for (const int version : kVersions) {
    INFO("version " << version);
    const OldSweep sweep(version);
    const std::string before = sweep.told();
    {
      auto engine = open_sqlite_store(sweep.path());
      INFO((engine ? "" : engine.error().message()));
      REQUIRE(engine);
      REQUIRE((*engine)->append(std::vector<Change>{Noted{Noted::Level::info, {}, "on", Time{}}}));
    }
    CHECK(sweep.version() == store::kSchemaVersion);
    check_contents(sweep, version);
    const std::string after = sweep.told();
    CHECK_THAT(after, Catch::Contains("note 0 run - 0 on"));
    const std::string note = "note 0 run - 0 on\n";
    CHECK(std::string(after).erase(after.find(note), note.size()) == before);
  }
}

TEST_CASE("A migration that cannot be finished leaves the database as it was") {
  for (const int version : kVersions) {
    if (version == store::kSchemaVersion) continue;
    INFO("version " << version);
    const OldSweep sweep(version);
    {
      auto database = Database::open(sweep.file(), Database::Mode::write);
      REQUIRE(database);
      // SQLite takes the number of pages there are for the least; none of them may be free.
      REQUIRE((*database)->execute("VACUUM"));
      REQUIRE((*database)->execute("PRAGMA max_page_count = 1"));
      // What needs no pages is kept from its end by a column that is there.
      const bool fits = version == 5;
      if (fits) REQUIRE((*database)->execute("ALTER TABLE earlier_attempts ADD COLUMN handle"));
      CHECK_FALSE(store::migrate(**database));
      if (fits) REQUIRE((*database)->execute("ALTER TABLE earlier_attempts DROP COLUMN handle"));
    }
    CHECK(sweep.version() == version);
    check_contents(sweep, version);
  }
}

TEST_CASE("A migrated database has the tables of a new one") {
  test::TemporaryDirectory fresh;
  REQUIRE(create_sqlite_store(fresh.path(), {"HD_1", "", "", "", "", Goal::maximize, "", Time{}}));
  const auto columns = [](const fs::path& file) {
    auto database = Database::open(file, Database::Mode::read);
    REQUIRE(database);
    std::set<std::string> result;
    REQUIRE(
        (*database)->each("SELECT m.type || ' ' || m.name || ' ' || c.name || ' ' || c.type "
                          "FROM sqlite_schema m, pragma_table_info(m.name) c",
                          [&](const Row& row) { result.insert(row.text(0)); }));
    return result;
  };
  for (const int version : kVersions) {
    INFO("version " << version);
    const OldSweep sweep(version);
    REQUIRE(open_sqlite_store(sweep.path()));
    CHECK(columns(sweep.file()) == columns(fresh.path() / "sweep.db"));
  }
}

TEST_CASE("A newer database is refused by everybody, saying which version and which hdrive") {
  const OldSweep sweep(1);
  {
    auto database = Database::open(sweep.file(), Database::Mode::write);
    REQUIRE((*database)->execute("CREATE TABLE more(x); PRAGMA user_version = 77"));
  }
  auto engine = open_sqlite_store(sweep.path());
  auto entry = find_sweep(sweep.path(), sweep.path().string());
  auto read = replay_sweep(sweep.path(), "", [](const Change&) {});
  REQUIRE_FALSE(engine);
  CHECK(
      engine.error().message() ==
      fmt::format("{}: was written by a newer hdrive (its tables have version 77, this one, hdrive "
                  "{}, knows them up to {}); use that hdrive, or a later one",
                  sweep.file().string(), version(), store::kSchemaVersion));
  REQUIRE_FALSE(entry);
  CHECK(entry.error().message() == engine.error().message());
  REQUIRE_FALSE(read);
  CHECK(read.error().message() == engine.error().message());
}

TEST_CASE("A version that is not that of the tables is damage, and not another hdrive") {
  for (const int version : kVersions)
    for (const int flipped :
         {0, version ^ 1, version ^ 2, version ^ 8, version ^ 64, version ^ (1 << 30)}) {
      const OldSweep sweep(version);
      {
        auto database = Database::open(sweep.file(), Database::Mode::write);
        REQUIRE((*database)->execute(fmt::format("PRAGMA user_version = {}", flipped).c_str()));
      }
      INFO("version " << version << " as " << flipped);
      for (const Error& error : {open_sqlite_store(sweep.path()).error(),
                                 find_sweep(sweep.path(), sweep.path().string()).error(),
                                 replay_sweep(sweep.path(), "", [](const Change&) {}).error()}) {
        CHECK(error.kind == Error::Kind::damaged);
        CHECK_THAT(error.message(), Catch::Contains("hdrive repair"));
      }
    }
}
