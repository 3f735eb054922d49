// SPDX-License-Identifier: Apache-2.0
//
// Rebuilding databases, damaged in every page, with and without what run directories tell.
#include "hdrive/repair.h"

#include <algorithm>
#include <map>

#include "base/file.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/state.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "tests/catch.h"
#include "tests/unit/store/repairable_sweep.h"

using namespace hdrive;
using namespace hdrive::test::repairs;

namespace fs = std::filesystem;

TEST_CASE("A sound database is not touched by a repair") {
  const Sweep sweep;
  CHECK(sweep.repair(directories).sound);
  CHECK(*base::read_file(sweep.file()) == sweep.bytes());
}

TEST_CASE("Whatever page is lost, database and run directories together restore every run") {
  const Sweep sweep;
  const auto whole = sweep.runs();
  REQUIRE(whole.size() == kRuns);
  for (std::size_t page = 0; page < sweep.bytes().size() / kPage; ++page) {
    INFO("page " << page + 1);
    sweep.zero(page);
    const RepairReport report = sweep.repair(directories);
    if (report.sound) continue;  // nothing lay there
    CHECK(report.runs == kRuns);
    CHECK(report.metrics == kRuns * kReports);
    for (const auto& [run, text] : sweep.runs()) {
      // When metrics were received may be lost; the rest may not.
      std::string expected = whole.at(run);
      CHECK(text.substr(0, text.find(" at ")) == expected.substr(0, expected.find(" at ")));
      CHECK(text.substr(text.find("acc")) == expected.substr(expected.find("acc")));
    }
    CHECK(*base::read_file(report.kept) != sweep.bytes());  // the damaged one, kept
    auto engine = open_sqlite_store(sweep.path());
    INFO((engine ? "" : engine.error().message()));
    REQUIRE(engine);
    CHECK((*engine)->append(history(kRuns)));
    CHECK((*engine)->header().config == "seed: 1");
  }
}

TEST_CASE("Without run directories a repair keeps what can be read, and says what is lost") {
  const Sweep sweep;
  const auto whole = sweep.runs();
  std::size_t pages_that_lost = 0, pages_that_lost_all = 0;
  for (std::size_t page = 0; page < sweep.bytes().size() / kPage; ++page) {
    INFO("page " << page + 1);
    sweep.zero(page);
    const RepairReport report = sweep.repair(no_directories);
    if (report.sound) continue;
    std::size_t same = 0;
    for (const auto& [run, text] : sweep.runs()) same += text == whole.at(run);
    if (same < kRuns) {
      ++pages_that_lost;
      CHECK_FALSE(report.lost.empty());
    }
    if (same == 0) ++pages_that_lost_all;
    CHECK(std::count(report.lost.begin(), report.lost.end(),
                     "nothing could be read of the database") == 0);
    REQUIRE(open_sqlite_store(sweep.path()));
  }
  CHECK(pages_that_lost > 2);
  CHECK(pages_that_lost_all <=
        3);  // where the roots of the runs, of the metrics and of their names lay
}

TEST_CASE("A database that is gone is rebuilt from sweep.json and the run directories") {
  const Sweep sweep;
  const auto whole = sweep.runs();
  const auto rebuilt = [&] {
    const RepairReport report = sweep.repair(directories);
    CHECK(report.runs == kRuns);
    CHECK(report.from_directories == kRuns);
    CHECK(sweep.runs().size() == kRuns);
    auto entry = find_sweep(sweep.path(), sweep.path().string());
    REQUIRE(entry);
    CHECK(entry->header.id == "HD_1");
    CHECK(entry->header.name == "digits");
    CHECK(entry->header.created == at(0));
    CHECK(entry->completed == kRuns);
  };
  SECTION("removed") {
    fs::remove(sweep.file());
    rebuilt();
  }
  SECTION("empty") {
    sweep.put("");
    rebuilt();
  }
  SECTION("something else") {
    sweep.put(std::string(20'000, 'x'));
    rebuilt();
  }
  SECTION("a directory") {
    fs::remove(sweep.file());
    fs::create_directory(sweep.file());
    rebuilt();
  }
}

TEST_CASE("A run of which nothing is left keeps its number and is told as lost") {
  const Sweep sweep;
  fs::remove(sweep.file());
  const auto all_but_5 = [](const fs::path& path, RunId run, const SweepHeader& of) {
    return run == 5 ? no_directories(path, run, of) : directories(path, run, of);
  };
  const RepairReport report = sweep.repair(all_but_5);
  CHECK(report.runs == kRuns);
  CHECK(std::count(report.lost.begin(), report.lost.end(), "run 5: its parameters") == 1);
  SweepState state("acc", Goal::maximize);
  REQUIRE(replay_sweep(sweep.path(), "", [&](const Change& it) { state.apply(it); }));
  CHECK(state.history().run(5).status == RunStatus::failed);
  CHECK(state.history().run(5).ended_by == EndCause::lost);
  CHECK(state.history().run(6).status == RunStatus::completed);
}

TEST_CASE("Steps that were in a lost log are found again in the run directories") {
  test::TemporaryDirectory home;
  const fs::path live = home.path() / "live", dead = home.path() / "dead";
  {
    auto engine = create_sqlite_store(live, header());
    for (RunId run = 0; run < 4; ++run) REQUIRE((*engine)->append(history(run)));
  }
  {
    auto engine = open_sqlite_store(live);
    for (RunId run = 4; run < 9; ++run) REQUIRE((*engine)->append(history(run)));
    fs::create_directory(dead);
    for (const char* name : {"sweep.db", "engine.lock", "sweep.json"})
      fs::copy_file(live / name, dead / name);
  }
  for (RunId run = 0; run < 9; ++run) fs::create_directories(run_directory(dead, run));
  REQUIRE_FALSE(open_sqlite_store(dead));
  auto report = repair_sweep(dead, directories);
  REQUIRE(report);
  CHECK_FALSE(report->sound);
  CHECK(report->runs == 9);
  CHECK(report->from_directories == 5);
  REQUIRE(open_sqlite_store(dead));
  CHECK(find_sweep(home.path(), dead.string())->completed == 9);
}

TEST_CASE("A repair is refused where it cannot help") {
  test::TemporaryDirectory home;
  const fs::path sweep = home.path() / "HD_1";
  SECTION("an engine owns the sweep") {
    auto engine = create_sqlite_store(sweep, header());
    auto refused = repair_sweep(sweep, directories);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message(), Catch::Contains("is run by process"));
  }
  SECTION("a newer hdrive wrote it") {
    REQUIRE(create_sqlite_store(sweep, header()));
    auto database = store::Database::open(sweep / "sweep.db", store::Database::Mode::write);
    REQUIRE((*database)->execute("CREATE TABLE more(x); PRAGMA user_version = 77"));
    auto refused = repair_sweep(sweep, directories);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message(), Catch::Contains("newer hdrive"));
  }
  SECTION("nothing tells what was swept") {
    fs::create_directory(sweep);
    auto refused = repair_sweep(sweep, directories);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message(), Catch::Contains("neither sweep.db nor sweep.json"));
  }
  SECTION("there is no such directory") { CHECK_FALSE(repair_sweep(sweep, directories)); }
}
