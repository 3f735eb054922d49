// SPDX-License-Identifier: Apache-2.0
//
// SweepReader: runs in any order, totals, curves, damage, cursors.
#include "hdrive/reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hdrive/store.h"
#include "store/database.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/store/read_sweep.h"

using namespace hdrive;
using namespace hdrive::test;
using Point = Series::Point;

namespace {

namespace fs = std::filesystem;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

SweepHeader header() { return {"HD_1", "", "", "config", "acc", Goal::maximize, "0.1.0", at(0)}; }

// Three runs: the second is the best, the third has reported nothing.
void three_runs(Store& store) {
  std::vector<Change> changes;
  for (const RunId run : {0, 1, 2}) {
    changes.push_back(RunProposed{run,
                                  {{"lr", 0.3 - 0.1 * static_cast<double>(run)},
                                   {"a\"b", std::string(run == 1 ? "Tanh" : "relu")}},
                                  "drawn",
                                  at(1)});
    changes.push_back(RunStarted{run, 1, 7, at(2)});
    if (run == 2) continue;
    const double value = static_cast<double>(run);
    changes.push_back(
        RunMetrics{run, 1, {{"acc", value, 1, {}}, {"acc", value - 5, 2, {}}}, {}, at(3)});
    changes.push_back(RunEnded{run,
                               1,
                               run == 0 ? RunStatus::failed : RunStatus::completed,
                               EndCause::exited,
                               0,
                               {},
                               "done",
                               "",
                               at(12 - static_cast<int>(run)),
                               Duration{100 - run},
                               1000 + run});
  }
  REQUIRE(store.append(changes));
}

std::vector<RunId> numbers(SweepReader& reader, const RunQuery& query) {
  std::vector<RunId> result;
  for (const StoredRun& run : value_of(reader.runs(query)).runs) result.push_back(run.run.id);
  return result;
}

using By = RunOrder::By;
using Numbers = std::vector<RunId>;

}  // namespace

TEST_CASE("Runs come in any order, without a value last, a page at a time") {
  test::TemporaryDirectory home;
  const auto store = value_of(create_sqlite_store(home.path(), header()));
  three_runs(*store);
  const auto reader = read(home.path());
  CHECK(numbers(*reader, {}) == Numbers{0, 1, 2});
  CHECK(numbers(*reader, {{}, {By::number, "", true}, 0, 2}) == Numbers{2, 1});
  CHECK(numbers(*reader, {{}, {By::number}, 1, 1}) == Numbers{1});
  CHECK(numbers(*reader, {{}, {By::best}}) == Numbers{1, 0, 2});
  CHECK(numbers(*reader, {{}, {By::best, "", true}}) == Numbers{0, 1, 2});
  CHECK(numbers(*reader, {{}, {By::last, "acc"}}) == Numbers{0, 1, 2});
  CHECK(numbers(*reader, {{}, {By::best, "nobody logs it"}}) == Numbers{0, 1, 2});
  CHECK(numbers(*reader, {{}, {By::parameter, "lr"}}) == Numbers{2, 1, 0});
  CHECK(numbers(*reader, {{}, {By::parameter, "a\"b", true}}) == Numbers{0, 2, 1});
  CHECK(numbers(*reader, {{}, {By::duration}}) == Numbers{1, 0, 2});
  CHECK(numbers(*reader, {{}, {By::cpu_time}}) == Numbers{1, 0, 2});
  CHECK(numbers(*reader, {{}, {By::peak_memory, "", true}}) == Numbers{1, 0, 2});
}

TEST_CASE("A filter lets through what fits all of it, and says how many there are on all pages") {
  test::TemporaryDirectory home;
  const auto store = value_of(create_sqlite_store(home.path(), header()));
  three_runs(*store);
  const auto reader = read(home.path());
  CHECK(numbers(*reader, {{{RunStatus::failed, RunStatus::running}, {}, {}, ""}}) == Numbers{0, 2});
  CHECK(numbers(*reader, {{{}, 1, 2, ""}}) == Numbers{1});
  CHECK(numbers(*reader, {{{}, {}, {}, "tANH"}}) == Numbers{1});
  CHECK(numbers(*reader, {{{}, {}, {}, "'; DROP TABLE runs; --"}}).empty());
  CHECK(value_of(reader->runs({{{}, 1, {}, ""}, {}, 0, 1})).matching == 2);
}

TEST_CASE("Totals count every run, and what stopping early saved") {
  test::TemporaryDirectory home;
  const auto store = value_of(create_sqlite_store(home.path(), header()));
  three_runs(*store);
  const auto reader = read(home.path());
  const SweepTotals now = value_of(reader->totals(at(7)));
  CHECK(now.of(RunStatus::failed) == 1);
  CHECK(now.of(RunStatus::running) == 1);
  CHECK(now.best == RunId{1});
  CHECK(now.compute == std::chrono::seconds(10 + 9 + 5));
  CHECK(now.latest == at(12));
  REQUIRE(store->append(std::vector<Change>{
      RunEnded{2, 1, RunStatus::canceled, EndCause::policy, {}, 15, "poor", "", at(5)}}));
  const SweepTotals later = value_of(reader->totals());
  CHECK(later.stopped == 1);
  CHECK(later.saved == Duration(std::chrono::seconds(9 - 3)));
  const auto metrics = value_of(reader->metric_totals());
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0].count == 4);
  CHECK(metrics[0].least == -5);
}

TEST_CASE("A curve with fewer points keeps its ends and its peaks") {
  std::vector<Point> points;
  for (int i = 0; i < 10'000; ++i) points.push_back({i, i, std::sin(i * 0.01), at(i)});
  points[4321].value = 77;
  points[8765].value = -77;
  points[17].value = kNan;
  const auto thin = thin_out(points, 100);
  CHECK(thin.size() <= 100);
  CHECK(thin.size() > 50);
  CHECK(thin.front().place == 0);
  CHECK(thin.back().place == 9'999);
  const auto has = [&](double value) {
    return std::any_of(thin.begin(), thin.end(),
                       [&](const Point& it) { return it.value == value; });
  };
  CHECK(has(77));
  CHECK(has(-77));
  CHECK(std::is_sorted(thin.begin(), thin.end(),
                       [](const Point& a, const Point& b) { return a.place < b.place; }));
  CHECK(thin_out(points, 0).size() == points.size());
  CHECK(thin_out(points, 1).size() <= 4);
  CHECK(thin_out({points[0], points[1]}, 4).size() == 2);
  CHECK(thin_out(std::vector<Point>(50, Point{0, {}, kNan, {}}), 10).size() <= 10);
}

TEST_CASE("A row, a metric or a sweep that is not what was written is told as damage") {
  test::TemporaryDirectory home;
  {
    const auto store = value_of(create_sqlite_store(home.path(), header()));
    three_runs(*store);
  }
  const auto change = [&](const char* sql) {
    auto database = store::Database::open(home.path() / "sweep.db", store::Database::Mode::write);
    REQUIRE((*database)->execute(sql));
  };
  const auto reader = read(home.path());
  change("UPDATE runs SET reason = 'else' WHERE number = 1");
  CHECK_FALSE(reader->run(1));
  CHECK(reader->run(0));
  CHECK(reader->check(0));
  change("UPDATE metric_values SET value = 9 WHERE id = 0");
  const auto checked = reader->check(0);
  REQUIRE_FALSE(checked);
  CHECK_THAT(checked.error().message(), Catch::Contains("the metrics of run 0"));
  change("UPDATE run_metrics SET last = 8");
  CHECK_FALSE(replay_sweep(home.path(), "", [](const Change&) {}));
}

TEST_CASE("A cursor of nobody's, or of another sweep, begins anew and says so") {
  test::TemporaryDirectory home;
  const auto store = value_of(create_sqlite_store(home.path(), header()));
  three_runs(*store);
  for (const char* cursor :
       {"nonsense", "2:2:3", "2:99:5:0:0:0:0:0:0:0", "1:1:1:1:1:1:1", "2:1:1:1:1:1:1:1:1:1x"}) {
    INFO(cursor);
    const auto news = value_of(read(home.path(), cursor)->refresh());
    CHECK(news.replaced);
    CHECK(news.runs == Numbers{0, 1, 2});
  }
}

TEST_CASE("Who skips what there is hears only what comes") {
  test::TemporaryDirectory home;
  const auto store = value_of(create_sqlite_store(home.path(), header()));
  three_runs(*store);
  const auto reader = read(home.path());
  REQUIRE(reader->skip());
  CHECK(value_of(reader->refresh()).empty());
  REQUIRE(store->append(std::vector<Change>{RunMetrics{2, 1, {{"acc", 1, {}, {}}}, {}, at(4)}}));
  CHECK(value_of(reader->refresh()).runs == Numbers{2});
}

TEST_CASE("A run or a sweep that is not there is told as such") {
  test::TemporaryDirectory home;
  CHECK(SweepReader::open(home.path()).error().kind == Error::Kind::not_found);
  const auto store = value_of(create_sqlite_store(home.path(), header()));
  const auto reader = read(home.path());
  CHECK(reader->run(0).error().kind == Error::Kind::not_found);
  CHECK(reader->series({{0}, "acc"}).error().kind == Error::Kind::not_found);
  fs::remove(home.path() / "sweep.db");
  CHECK_FALSE(reader->refresh());
}
