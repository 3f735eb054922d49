// SPDX-License-Identifier: Apache-2.0
//
// The database as an engine and other processes use it at the same time, and when things go wrong.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/requests.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "store/reader.h"
#include "tests/catch.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/store_text.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using store::Row;
using test::told;

namespace {

namespace fs = std::filesystem;

Time at(int seconds) { return Time(std::chrono::seconds(1'769'860'800 + seconds)); }

SweepHeader header(Goal goal = Goal::maximize) {
  return {"HD_1", "", "", "config", "acc", goal, "0.1.0", at(0)};
}

std::shared_ptr<Store> create(const fs::path& directory, Goal goal = Goal::maximize) {
  auto store = create_sqlite_store(directory, header(goal));
  INFO((store ? "" : store.error().message()));
  REQUIRE(store);
  return *store;
}

// A run that ended with these reports.
std::vector<Change> finished(RunId run, const std::vector<double>& reports) {
  RunMetrics metrics{run, 1, {}, {}, at(2)};
  for (const double value : reports) metrics.metrics.push_back({"acc", value, {}, {}});
  return {RunProposed{run, {{"--lr", 0.5}, {"units", Json{"[3,4]"}}}, "drawn", at(0)},
          RunStarted{run, 1, 1, at(1)}, metrics,
          RunEnded{run, 1, RunStatus::completed, EndCause::exited, 0, {}, "done", "", at(5)}};
}

std::string replayed(Store& store) {
  std::vector<Change> changes;
  REQUIRE(store.replay("", [&](const Change& change) { changes.push_back(change); }));
  return told(changes);
}

std::string text(store::Database& database, const char* sql) {
  std::string result;
  auto read = database.each(sql, [&](const Row& row) { result += row.text(0) + ";"; });
  INFO((read ? "" : read.error().message()));
  REQUIRE(read);
  return result;
}

}  // namespace

TEST_CASE("A sweep is created once in a directory, and opened only where there is one") {
  test::TemporaryDirectory home;
  const fs::path directory = home.path() / "deep" / "HD_1";
  create(directory).reset();
  CHECK_FALSE(fs::exists(directory / "sweep.db.new"));

  auto again = create_sqlite_store(directory, header());
  REQUIRE_FALSE(again);
  CHECK_THAT(again.error().message(), Catch::Contains("already holds a sweep"));
  auto missing = open_sqlite_store(home.path());
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().message(), Catch::Contains("there is no sweep.db"));
}

TEST_CASE("What a crash left of an unfinished creation is in nobody's way") {
  test::TemporaryDirectory home;
  std::ofstream(home.path() / "sweep.db.new") << "half";
  std::ofstream(home.path() / "sweep.db.new-journal") << "half";
  const auto store = create(home.path());
  CHECK(store->append(finished(0, {1})));
}

TEST_CASE("While an engine owns a sweep, another is refused and readers see all it committed") {
  test::TemporaryDirectory home;
  const fs::path directory = home.path() / "HD_1";
  const auto engine = create(directory);
  auto second = open_sqlite_store(directory);
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message(), Catch::Contains(std::to_string(::getpid())));

  REQUIRE(engine->append(finished(0, {1, 2})));
  auto entry = find_sweep(home.path(), "HD_1");
  REQUIRE(entry);
  CHECK(entry->engine == ::getpid());
  CHECK(entry->runs == 1);
  REQUIRE(engine->append(
      std::vector<Change>{RunProposed{1, {}, "", at(1)}, RunProposed{2, {}, "", at(1)},
                          RunEnded{2, 1, RunStatus::failed, {}, 1, {}, "", "", at(2)},
                          SweepChanged{SweepStatus::completed, SweepEnd::all_runs, "all done",
                                       std::chrono::seconds(7), at(3)}}));
  entry = find_sweep(home.path(), "HD_1");
  REQUIRE(entry);
  CHECK(entry->runs == 3);
  CHECK(entry->live == 1);
  CHECK(entry->completed == 1);
  CHECK(entry->failed == 1);
  CHECK(entry->canceled == 0);
  CHECK(entry->status == SweepStatus::completed);
  CHECK(entry->end == SweepEnd::all_runs);
  CHECK(entry->reason == "all done");
  CHECK(entry->active == std::chrono::seconds(7));
  CHECK(entry->changed == at(3));

  std::vector<Change> changes;
  REQUIRE(replay_sweep(directory, "", [&](const Change& change) { changes.push_back(change); }));
  CHECK(told(changes) == replayed(*engine));
}

TEST_CASE(
    "A reader in the middle of a long look neither stops the engine nor sees its new changes") {
  test::TemporaryDirectory home;
  const auto engine = create(home.path());
  REQUIRE(engine->append(finished(0, {1})));
  int runs = 0;
  REQUIRE(replay_sweep(home.path(), "", [&](const Change& change) {
    if (!std::holds_alternative<RunProposed>(change)) return;
    ++runs;
    REQUIRE(engine->append(finished(runs, {1})));
  }));
  CHECK(runs == 1);
}

TEST_CASE("Metrics are read run by run, each oldest first, of one run or of all") {
  test::TemporaryDirectory home;
  const auto engine = create(home.path());
  REQUIRE(engine->append(finished(0, {1})));
  REQUIRE(engine->append(finished(1, {2, std::numeric_limits<double>::quiet_NaN()})));
  REQUIRE(engine->append(std::vector<Change>{RunRequeued{0, 2, "", at(6)},
                                             RunMetrics{0, 2, {{"acc", 3, 9, at(1)}}, {}, at(7)}}));
  auto all = read_metrics(home.path(), std::nullopt);
  REQUIRE(all);
  REQUIRE(all->size() == 4);
  CHECK((*all)[0].run == 0);
  CHECK((*all)[0].metric.time == at(2));
  CHECK((*all)[1].attempt == 2);
  CHECK(std::isnan((*all)[3].metric.value));
  auto first = read_metrics(home.path(), 0);
  REQUIRE(first);
  REQUIRE(first->size() == 2);
  CHECK((*first)[1].attempt == 2);
  CHECK((*first)[1].metric.value == 3);
  CHECK((*first)[1].metric.step == 9);
  CHECK((*first)[1].metric.time == at(1));
}

TEST_CASE("A request reaches the engine exactly once") {
  test::TemporaryDirectory home;
  auto engine = create(home.path());
  REQUIRE(engine->takes_requests());
  REQUIRE(engine->append(std::vector<Change>{RunProposed{0, {}, "", at(0)}}));
  CHECK(engine->take_requests()->empty());
  REQUIRE(leave_request(home.path(), {0, Request::Kind::stop_run, 0}));
  REQUIRE(leave_request(home.path(), {0, Request::Kind::stop_sweep, {}}));
  auto taken = engine->take_requests();
  REQUIRE(taken);
  REQUIRE(taken->size() == 2);
  CHECK((*taken)[0].kind == Request::Kind::stop_run);
  CHECK((*taken)[0].run == RunId{0});
  CHECK((*taken)[1].kind == Request::Kind::stop_sweep);
  CHECK_FALSE((*taken)[1].run);
  CHECK(engine->take_requests()->empty());
  REQUIRE(leave_request(home.path(), {0, Request::Kind::stop_sweep, {}}));
  CHECK(engine->take_requests()->size() == 1);
}

TEST_CASE("A request that an engine never heard is not meant for the next one") {
  test::TemporaryDirectory home;
  auto engine = create(home.path());
  REQUIRE(leave_request(home.path(), {0, Request::Kind::stop_sweep, {}}));
  engine.reset();
  auto next = open_sqlite_store(home.path());
  REQUIRE(next);
  CHECK((*next)->take_requests()->empty());
}

TEST_CASE("A request carries its text to the engine, and the answer back") {
  test::TemporaryDirectory home;
  auto engine = create(home.path());
  const auto left = leave_request(
      home.path(), {0, Request::Kind::update_sweep, std::nullopt, "max_total_runs=20\n\"odd\"\n"});
  REQUIRE(left);
  auto unanswered = read_answer(home.path(), *left);
  REQUIRE(unanswered);
  CHECK_FALSE(*unanswered);
  const auto taken = engine->take_requests();
  REQUIRE(taken);
  REQUIRE(taken->size() == 1);
  CHECK(taken->front().id == *left);
  CHECK(taken->front().kind == Request::Kind::update_sweep);
  CHECK(taken->front().payload == "max_total_runs=20\n\"odd\"\n");
  REQUIRE(engine->append(
      std::vector<Change>{RequestAnswered{*left, false, "there are 30 runs already", at(3)}}));
  const auto answer = read_answer(home.path(), *left);
  REQUIRE(answer);
  REQUIRE(*answer);
  CHECK_FALSE((*answer)->accepted);
  CHECK((*answer)->text == "there are 30 runs already");
}

TEST_CASE("A request that cannot be fulfilled is refused at once") {
  test::TemporaryDirectory home;
  auto engine = create(home.path());
  const auto refusal = [&](const Request& request) {
    auto left = leave_request(home.path(), request);
    REQUIRE_FALSE(left);
    return left.error().message();
  };
  CHECK(refusal({0, Request::Kind::stop_run, 0}) ==
        "run 0: is not in this sweep, which has no runs yet");
  REQUIRE(engine->append(finished(0, {1})));
  CHECK(refusal({0, Request::Kind::stop_run, 0}) == "run 0: has ended already (Completed)");
  CHECK(refusal({0, Request::Kind::stop_run, 5}) ==
        "run 5: is not in this sweep, whose runs are 0 to 0");
  engine.reset();
  CHECK_THAT(refusal({0, Request::Kind::stop_sweep, {}}), Catch::Contains("no engine"));
}

TEST_CASE("An edit replaces the configuration of a sweep") {
  test::TemporaryDirectory home;
  {
    auto engine = create(home.path());
    REQUIRE(engine->append(std::vector<Change>{SweepEdited{"other: 1\n", "other: 0 -> 1", at(1)}}));
    CHECK(engine->header().config == "other: 1\n");
  }
  auto opened = open_sqlite_store(home.path());
  REQUIRE(opened);
  CHECK((*opened)->header().config == "other: 1\n");
}

TEST_CASE("A disk that takes no more is an error that leaves the store as it was, and usable") {
  test::TemporaryDirectory home;
  const auto engine = create(home.path());
  REQUIRE(engine->append(finished(0, {1})));
  const std::string before = replayed(*engine);
  {
    const test::FileSizeLimit limit(200'000);
    Result<void> kept;
    for (RunId run = 1; kept && run < 1000; ++run)
      kept = engine->append(std::vector<Change>{
          RunProposed{1, {{"x", std::string(100'000, 'x')}}, "", at(0)}, Noted{},
          RunEnded{1, 1, RunStatus::failed, {}, 1, {}, "", std::string(300'000, 'y'), at(0)}});
    REQUIRE_FALSE(kept);
    CHECK_THAT(kept.error().message(), Catch::Contains("disk"));
  }
  CHECK(replayed(*engine) == before);
  REQUIRE(engine->append(finished(1, {2})));
  CHECK(find_sweep("/", home.path().string())->runs == 2);
}

TEST_CASE("A damaged database is refused by the engine, naming the file") {
  test::TemporaryDirectory home;
  auto engine = create(home.path());
  for (RunId run = 0; run < 200; ++run) REQUIRE(engine->append(finished(run, {1, 2, 3})));
  engine.reset();
  {
    std::fstream file(home.path() / "sweep.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 6);
    file << std::string(4096 * 6, '\x5a');
  }
  auto opened = open_sqlite_store(home.path());
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message(),
             Catch::Contains((home.path() / "sweep.db").string()) && Catch::Contains("is damaged"));
  CHECK_FALSE(open_sqlite_store(home.path()));  // and the failed engine let go of the lock
}

TEST_CASE("A sweep in a directory that cannot be written is read all the same") {
  test::TemporaryDirectory home;
  const fs::path directory = home.path() / "HD_1";
  auto engine = create(directory);
  REQUIRE(engine->append(finished(0, {1})));
  engine.reset();
  REQUIRE_FALSE(fs::exists(directory / "sweep.db-wal"));
  fs::permissions(home.path(), fs::perms{0755});
  for (const auto& entry : fs::directory_iterator(directory))
    fs::permissions(entry.path(), fs::perms{0444});
  fs::permissions(directory, fs::perms{0555});
  const pid_t child = ::fork();
  if (child == 0) {  // root may write anywhere, so be nobody
    if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(9);
    auto entry = find_sweep(home.path(), "HD_1");
    ::_exit(entry && entry->runs == 1 && !fs::exists(directory / "sweep.db-wal") ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  fs::permissions(directory, fs::perms{0755});
  CHECK(status == 0);
}

TEST_CASE("Changes that only the log has are never left out silently") {
  test::TemporaryDirectory home;
  const fs::path directory = home.path() / "HD_1", copy = home.path() / "copy";
  const auto engine = create(directory);
  REQUIRE(engine->append(finished(0, {1})));
  fs::create_directory(
      copy);  // as an engine that was killed leaves it, on a disk that cannot be written
  for (const char* name : {"sweep.db", "sweep.db-wal"})
    fs::copy_file(directory / name, copy / name);
  fs::permissions(home.path(), fs::perms{0755});
  fs::permissions(copy, fs::perms{0555});
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(9);
    auto entry = find_sweep(home.path(), copy.string());
    const bool refused =
        !entry && entry.error().message().find("sweep.db-wal") != std::string::npos;
    ::_exit((entry && entry->runs == 1) || refused ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  fs::permissions(copy, fs::perms{0755});
  CHECK(status == 0);
  CHECK(find_sweep(home.path(), copy.string())->runs ==
        1);  // where it can be written, all is there
}

TEST_CASE("People find the best runs and the parameters in views") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Goal goal : {Goal::maximize, Goal::minimize}) {
    test::TemporaryDirectory home;
    const auto engine = create(home.path(), goal);
    REQUIRE(engine->append(finished(0, {0.5, infinity, nan})));
    REQUIRE(engine->append(finished(1, {0.25, 0.75, -infinity})));
    REQUIRE(engine->append(finished(2, {nan})));
    REQUIRE(engine->append(finished(3, {0.5})));
    auto reader = store::open_reader(home.path());
    REQUIRE(reader);
    const char* runs = "SELECT number FROM best";
    const char* values = "SELECT best_primary_metric FROM best";
    CHECK(text(**reader, runs) == (goal == Goal::maximize ? "1;0;3;" : "1;0;3;"));
    CHECK(text(**reader, values) == (goal == Goal::maximize ? "0.75;0.5;0.5;" : "0.25;0.5;0.5;"));
    CHECK(text(**reader, "SELECT reports || ' ' || seconds FROM best WHERE number = 1") ==
          "2 4.0;");
    CHECK(text(**reader, "SELECT name || '=' || value FROM parameters WHERE run = 0") ==
          "--lr=0.5;units=[3,4];");
    CHECK(text(**reader, "SELECT run_id FROM runs WHERE number = 3") == "HD_1_3;");
    CHECK(text(**reader, "SELECT datetime(started, 'unixepoch') FROM runs WHERE number = 0") ==
          "2026-01-31 12:00:01;");
    CHECK(text(**reader, "SELECT typeof(value) FROM metrics WHERE run = 0") == "real;real;null;");
  }
}

TEST_CASE("How one run stands is read without a replay") {
  test::TemporaryDirectory home;
  auto engine = create(home.path());
  CHECK(read_run(home.path(), 0).error().message() ==
        "run 0: is not in this sweep, which has no runs yet");
  REQUIRE(engine->append(finished(0, {1})));
  const auto standing = read_run(home.path(), 0);
  REQUIRE(standing);
  CHECK(standing->attempt == 1);
  CHECK(standing->status == RunStatus::completed);
  CHECK(standing->ended_by == EndCause::exited);
  CHECK(read_run(home.path(), 5).error().message() ==
        "run 5: is not in this sweep, whose runs are 0 to 0");
}
