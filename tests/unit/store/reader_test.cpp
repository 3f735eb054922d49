// SPDX-License-Identifier: Apache-2.0
//
// SweepReader: what it tells piece by piece is what a full replay tells.
#include "hdrive/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "hdrive/random.h"
#include "hdrive/repair.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using Point = Series::Point;

namespace {

namespace fs = std::filesystem;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::string> kMetrics{"acc", "loss", "lr\xff"};

Time at(int seconds) { return Time(std::chrono::seconds(1'769'860'800 + seconds)); }
SweepHeader header() { return {"HD_1", "", "", "config", "acc", Goal::maximize, "0.1.0", at(0)}; }

std::unique_ptr<SweepReader> read(const fs::path& directory, const std::string& cursor = "") {
  auto reader = SweepReader::open(directory, cursor);
  INFO((reader ? "" : reader.error().message()));
  REQUIRE(reader);
  return std::move(*reader);
}
template <class T>
T value_of(Result<T> result) {
  INFO((result ? "" : result.error().message()));
  REQUIRE(result);
  return *std::move(result);
}

// A number as text, NaN like any other.
std::string text(double value) { return std::isnan(value) ? "nan" : fmt::format("{}", value); }

// What is known of a run and its curves, as text.
struct Known {
  int attempt = 1;
  std::string standing;
  std::map<std::string, std::vector<double>> curves;

  std::string all() const {
    std::string result = fmt::format("attempt {} {}", attempt, standing);
    for (const auto& [name, values] : curves) {
      if (values.empty()) continue;
      result += " | " + name;
      for (const double value : values) result += " " + text(value);
    }
    return result;
  }
};
std::string standing_of(RunStatus status, const std::string& reason, double lr) {
  return fmt::format("{} '{}' lr {}", to_string(status), reason, lr);
}

// From all that is stored, as an engine reads it.
std::map<RunId, Known> replayed(const fs::path& directory) {
  struct Facts {
    RunStatus status = RunStatus::queued;
    std::string reason;
    double lr = 0;
  };
  std::map<RunId, Known> all;
  std::map<RunId, Facts> facts;
  const auto told = replay_sweep(directory, "", [&](const Change& change) {
    if (const auto* proposed = std::get_if<RunProposed>(&change)) {
      facts[proposed->run].lr = std::get<double>(proposed->parameters[0].value);
      all[proposed->run] = {};
    }
    if (const auto* started = std::get_if<RunStarted>(&change))
      facts[started->run].status = RunStatus::running;
    if (const auto* ended = std::get_if<RunEnded>(&change)) {
      facts[ended->run].status = ended->status;
      facts[ended->run].reason = ended->reason;
    }
    if (const auto* again = std::get_if<RunRequeued>(&change)) {
      facts[again->run] = {RunStatus::queued, "", facts[again->run].lr};
      all[again->run] = {again->attempt, "", {}};
    }
    if (const auto* reported = std::get_if<RunMetrics>(&change))
      for (const Metric& metric : reported->metrics)
        all[reported->run].curves[metric.name].push_back(metric.value);
  });
  INFO((told ? "" : told.error().message()));
  REQUIRE(told);
  for (auto& [run, known] : all)
    known.standing = standing_of(facts[run].status, facts[run].reason, facts[run].lr);
  return all;
}

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : stream_(seed, 0, 0) {}
  std::uint64_t below(std::uint64_t end) { return stream_() % end; }

 private:
  RandomStream stream_;
};

// Somebody who watches: knows what the increments told, and asks for nothing twice.
class Watcher {
 public:
  explicit Watcher(const fs::path& directory) : directory_(directory), reader_(read(directory)) {}

  void look() {
    const Increment news = value_of(reader_->refresh());
    if (news.replaced) known_.clear(), names_.clear(), notes_ = 0;
    names_.insert(names_.end(), news.metric_names.begin(), news.metric_names.end());
    notes_ += news.notes.size();
    for (const RunId run : news.runs) take(value_of(reader_->run(run)));
    CHECK(value_of(reader_->refresh()).empty());
  }
  void come_back() { reader_ = read(directory_, reader_->cursor()); }

  void check() {
    look();
    const auto expected = replayed(directory_);
    REQUIRE(known_.size() == expected.size());
    for (const auto& [run, known] : expected) {
      INFO("run " << run);
      REQUIRE(known_[run].all() == known.all());
      REQUIRE(reader_->check(run));
    }
    CHECK(names_ == value_of(reader_->metric_names()));
    CHECK(notes_ == value_of(reader_->notes()).size());
    check_totals(expected);
  }

 private:
  void take(const StoredRun& stored) {
    Known& known = known_[stored.run.id];
    if (known.attempt != stored.run.attempt) known.curves.clear();
    known.attempt = stored.run.attempt;
    known.standing = standing_of(stored.run.status, stored.run.reason,
                                 std::get<double>(stored.run.parameters[0].value));
    for (const MetricFigures& figures : stored.metrics) {
      std::vector<double>& values = known.curves[figures.name];
      const auto had = static_cast<std::int64_t>(values.size());
      const auto curve = value_of(reader_->series({{stored.run.id}, figures.name, 0, had}))[0];
      CHECK(curve.count == figures.count);
      for (const Point& point : curve.points) values.push_back(point.value);
      check_figures(figures, values);
    }
  }

  static void check_figures(const MetricFigures& figures, const std::vector<double>& values) {
    std::optional<double> least, greatest;
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      least = std::min(least.value_or(value), value);
      greatest = std::max(greatest.value_or(value), value);
    }
    CHECK(figures.least == least);
    CHECK(figures.greatest == greatest);
    CHECK(text(figures.last) == text(values.back()));
  }

  void check_totals(const std::map<RunId, Known>& expected) {
    const SweepTotals totals = value_of(reader_->totals());
    CHECK(totals.runs() == static_cast<std::int64_t>(expected.size()));
    std::optional<double> best;
    for (const auto& [run, known] : expected)
      if (const auto curve = known.curves.find("acc"); curve != known.curves.end())
        for (const double value : curve->second)
          if (std::isfinite(value)) best = std::max(best.value_or(value), value);
    CHECK(totals.best.has_value() == best.has_value());
    if (best) CHECK(totals.best_value == *best);
    const auto improvements = value_of(reader_->improvements());
    CHECK(improvements.empty() == !best.has_value());
    if (best) CHECK(improvements.back().value == *best);
  }

  fs::path directory_;
  std::unique_ptr<SweepReader> reader_;
  std::map<RunId, Known> known_;
  std::vector<std::string> names_;
  std::size_t notes_ = 0;
};

// An engine that does what chance says.
class Engine {
 public:
  Engine(const fs::path& directory, std::uint64_t seed)
      : directory_(directory), random_(seed), store_(*create_sqlite_store(directory, header())) {}

  void append() {
    std::vector<Change> changes;
    for (std::size_t left = 1 + random_.below(4); left > 0; --left) add(changes);
    const auto kept = store_->append(changes);
    INFO((kept ? "" : kept.error().message()));
    REQUIRE(kept);
  }
  void reopen() {
    store_.reset();
    store_ = value_of(open_sqlite_store(directory_));
  }
  // Damages the file, so that a repair makes another.
  void be_repaired() {
    store_.reset();
    {
      auto database = store::Database::open(directory_ / "sweep.db", store::Database::Mode::write);
      REQUIRE((*database)->execute("UPDATE seal SET digest = digest + 1"));
    }
    const auto nothing = [](const fs::path&, RunId, const SweepHeader&) -> Result<RecordedRun> {
      return Error{"", "there is none"};
    };
    const RepairReport report = value_of(repair_sweep(directory_, nothing));
    CHECK_FALSE(report.sound);
    store_ = value_of(open_sqlite_store(directory_));
  }

 private:
  void add(std::vector<Change>& changes) {
    const auto runs = static_cast<std::uint64_t>(attempts_.size());
    const std::uint64_t what = random_.below(10);
    if (what == 0 || runs == 0) {
      const auto run = static_cast<RunId>(runs);
      attempts_.push_back(1);
      statuses_.push_back(RunStatus::queued);
      changes.push_back(RunProposed{run, {{"lr", 0.5 + static_cast<double>(run)}}, "drawn", at(1)});
      return;
    }
    const auto run = static_cast<RunId>(random_.below(runs));
    int& attempt = attempts_[static_cast<std::size_t>(run)];
    RunStatus& status = statuses_[static_cast<std::size_t>(run)];
    if (what == 1 && status == RunStatus::queued) {
      status = RunStatus::running;
      changes.push_back(RunStarted{run, attempt, 7, at(2), 3});
    }
    if (what == 2 && status != RunStatus::failed) {
      status = RunStatus::failed;
      RunEnded end{run, attempt, RunStatus::failed, EndCause::exited, 1, {}, "oh", "", at(9)};
      end.cpu_time = Duration{5};
      changes.push_back(end);
    }
    if (what == 3) {
      status = RunStatus::queued;
      changes.push_back(RunRequeued{run, ++attempt, "again", at(4), EndCause::interrupt});
    }
    if (what == 4) changes.push_back(Noted{Noted::Level::warning, run, "hm", at(5)});
    if (what == 5) changes.push_back(RunJudged{run, attempt, Verdict{}, "fine", at(5)});
    if (what > 5) changes.push_back(metrics(run, attempt));
  }

  RunMetrics metrics(RunId run, int attempt) {
    RunMetrics metrics{run, attempt, {}, {count_++, 0}, at(3)};
    for (std::size_t left = random_.below(4); left > 0; --left) {
      const double value = static_cast<double>(random_.below(1000)) / 8;
      metrics.metrics.push_back({kMetrics[random_.below(kMetrics.size())],
                                 random_.below(8) == 0 ? kNan : value,
                                 static_cast<std::int64_t>(left),
                                 {}});
    }
    return metrics;
  }

  fs::path directory_;
  Chance random_;
  std::shared_ptr<Store> store_;
  std::vector<int> attempts_;
  std::vector<RunStatus> statuses_;
  std::uint64_t count_ = 0;
};

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

TEST_CASE(
    "What increments tell adds up to what a full replay tells, whatever happens between them") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    INFO("seed " << seed);
    test::TemporaryDirectory home;
    const fs::path directory = home.path() / "HD_1";
    Chance random(1000 + seed);
    Engine engine(directory, seed);
    Watcher watcher(directory);
    for (int turn = 0; turn < 60; ++turn) {
      engine.append();
      const std::uint64_t event = random.below(20);
      if (event == 0) engine.reopen();
      if (event == 1) watcher.come_back();
      if (event == 2) engine.be_repaired();
      if (event < 10) watcher.look();
      if (event % 5 == 0) watcher.check();
    }
    watcher.look();
    watcher.check();
  }
}

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
