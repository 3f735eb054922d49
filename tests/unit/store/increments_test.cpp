// SPDX-License-Identifier: Apache-2.0
//
// SweepReader: what it tells piece by piece is what a full replay tells.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "hdrive/random.h"
#include "hdrive/reader.h"
#include "hdrive/repair.h"
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
const std::vector<std::string> kMetrics{"acc", "loss", "lr\xff"};

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
    check_outlines(expected.size());
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

  void check_outlines(std::size_t count) {
    const auto outlines = value_of(reader_->outlines());
    REQUIRE(outlines.size() == count);
    for (const RunOutline& it : outlines) {
      const StoredRun run = value_of(reader_->run(it.run));
      const MetricFigures* figures = run.metric("acc");
      INFO("run " << it.run);
      CHECK(it.attempt == run.run.attempt);
      CHECK(it.status == run.run.status);
      CHECK(it.ended_by == run.run.ended_by);
      CHECK(it.started.value_or(Time{}) == run.run.started);
      CHECK(it.ended.value_or(Time{}) == run.run.ended);
      CHECK(it.best == (figures ? figures->greatest : std::nullopt));
    }
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
    RunMetrics metrics{run, attempt, {}, to_cursor({count_++, 0}), at(3)};
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
