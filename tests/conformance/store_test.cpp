// SPDX-License-Identifier: Apache-2.0
//
// Every store keeps what it is told and tells it again: one list of cases over all of them.
#include "hdrive/store.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <type_traits>

#include "hdrive/state.h"
#include "tests/catch.h"
#include "tests/support/store_text.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using test::told;
using namespace std::string_literals;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Time at(double seconds) {
  return Time(Duration(1'769'860'800'000'000 + static_cast<std::int64_t>(seconds * 1e6)));
}

SweepHeader header() {
  return {"HD_1234",       "first \"try\"",
          "digits",        "primary_metric_config:\n",
          "val accuracy",  Goal::minimize,
          "0.1.0-ä\nline", at(0.000001),
          "sha256:12",     {{"git.commit", "ab12"}, {"git.dirty", "a \"b\" ä"}}};
}

/// A store that a case writes to, and may be taken away and brought back between two appends.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Store& store() = 0;
};

class MemorySubject final : public Subject {
 public:
  Store& store() override { return *store_; }

 private:
  std::shared_ptr<Store> store_ = make_memory_store(header());
};

class SqliteSubject final : public Subject {
 public:
  explicit SqliteSubject(bool reopen) : reopen_(reopen) {
    auto made = create_sqlite_store(directory_.path() / "HD_1234", header());
    REQUIRE(made);
    store_ = *made;
  }
  Store& store() override {
    if (reopen_) {
      store_.reset();
      auto opened = open_sqlite_store(directory_.path() / "HD_1234");
      REQUIRE(opened);
      store_ = *opened;
    }
    return *store_;
  }

 private:
  test::TemporaryDirectory directory_;
  bool reopen_;
  std::shared_ptr<Store> store_;
};

struct Maker {
  const char* name;
  std::function<std::unique_ptr<Subject>()> make;
};

const Maker kStores[] = {
    {"memory", [] { return std::make_unique<MemorySubject>(); }},
    {"sqlite", [] { return std::make_unique<SqliteSubject>(false); }},
    {"sqlite, reopened before each use", [] { return std::make_unique<SqliteSubject>(true); }},
};

std::string replayed(Store& store, const std::string& only_metric = "") {
  std::vector<Change> changes;
  auto done = store.replay(only_metric, [&](const Change& change) { changes.push_back(change); });
  INFO((done ? "" : done.error().message()));
  REQUIRE(done);
  return told(changes, only_metric);
}

/// Appends the changes one by one (so that a reopened store is reopened in between) or all at once; then
/// the store must tell just them.
void expect_kept(const std::vector<Change>& changes, const std::string& only_metric = "") {
  for (const Maker& maker : kStores) {
    for (const bool at_once : {true, false}) {
      INFO(maker.name << (at_once ? ", at once" : ", one by one"));
      const auto subject = maker.make();
      if (at_once) REQUIRE(subject->store().append(changes));
      for (std::size_t i = 0; !at_once && i < changes.size(); ++i) {
        auto kept = subject->store().append(std::span(&changes[i], 1));
        INFO((kept ? "" : kept.error().message()));
        REQUIRE(kept);
      }
      CHECK(replayed(subject->store(), only_metric) == told(changes, only_metric));
    }
  }
}

RunProposed proposed(RunId run, double lr = 0.1) {
  return {run, {{"lr", lr}, {"--layers", std::int64_t{3}}}, "drawn", at(static_cast<double>(run))};
}

Verdict verdict(Verdict::Action action, std::int64_t interval) {
  Verdict it;
  it.action = action;
  it.finding =
      action == Verdict::Action::stop ? Verdict::Finding::beyond : Verdict::Finding::within;
  it.interval = interval;
  it.peers = 7;
  it.value = 0.25;
  it.threshold = 2.0 / 3;
  it.leader = 4;
  it.note = "n";
  return it;
}

/// One run through two attempts with everything that can be said of it.
std::vector<Change> two_attempts(RunId run) {
  return {
      proposed(run),
      RunStarted{run, 1, 4711, at(1)},
      RunMetrics{run, 1, {{"loss", 0.5, 1, at(1.5)}, {"val accuracy", 0.7, {}, {}}}, "10 0", at(2)},
      RunJudged{run, 1, verdict(Verdict::Action::keep, 1), "within", at(2)},
      RunMetrics{run, 1, {{"val accuracy", 0.8, -5, {}}}, "20 30", at(3)},
      RunCanceling{run, 1, EndCause::interrupt, "interrupted", at(4)},
      RunEnded{run,
               1,
               RunStatus::canceled,
               EndCause::interrupt,
               {},
               15,
               "Ctrl-C",
               "",
               at(5),
               Duration{1'234'567},
               {}},
      RunRequeued{run, 2, "resumed", at(6), EndCause::interrupt},
      RunStarted{run, 2, 4712, at(7), 3},
      RunMetrics{run, 2, {{"val accuracy", 0.9, 1, {}}}, "8 9", at(8)},
      RunJudged{run, 2, verdict(Verdict::Action::stop, 1), "beyond", at(8)},
      RunCanceling{run, 2, EndCause::policy, "median", at(8)},
      RunEnded{run,
               2,
               RunStatus::canceled,
               EndCause::policy,
               143,
               {},
               "stopped",
               "tail",
               at(9),
               Duration{0},
               7'000'000'000}};
}

std::vector<Change> both(const std::vector<Change>& a, const std::vector<Change>& b) {
  // Interleaved, as the runs of a sweep are.
  std::vector<Change> mixed{a.front(), b.front()};
  for (std::size_t i = 1; i < std::max(a.size(), b.size()); ++i) {
    if (i < b.size()) mixed.push_back(b[i]);
    if (i < a.size()) mixed.push_back(a[i]);
  }
  return mixed;
}

}  // namespace

TEST_CASE("A store keeps the header it was made with") {
  for (const Maker& maker : kStores) {
    INFO(maker.name);
    const auto subject = maker.make();
    const SweepHeader& kept = subject->store().header();
    CHECK(kept.id == header().id);
    CHECK(kept.name == header().name);
    CHECK(kept.experiment == header().experiment);
    CHECK(kept.config == header().config);
    CHECK(kept.metric == header().metric);
    CHECK(kept.goal == header().goal);
    CHECK(kept.version == header().version);
    CHECK(kept.created == header().created);
    CHECK(kept.snapshot == header().snapshot);
    CHECK(kept.properties == header().properties);
  }
}

TEST_CASE("A new store tells nothing") { expect_kept({}); }

TEST_CASE("Every kind of change is told again as it was recorded") {
  std::vector<Change> changes{
      SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, at(0)},
      SweepEdited{"max_total_runs: 20\n", "max_total_runs: 10 -> 20", at(1)},
      RequestAnswered{3, true, "done", at(1)},
      SweepChanged{SweepStatus::paused, SweepEnd::none, "paused", Duration(1000000), at(1)},
      SweepChanged{SweepStatus::canceled, SweepEnd::interrupt, "Ctrl-C", Duration(1234567), at(2)},
      Noted{Noted::Level::warning, 3, "no metric", at(2)},
      Noted{Noted::Level::info, {}, "hello", at(1)},
      Noted{Noted::Level::error, {}, "", at(1)}};
  const std::vector<Change> run = two_attempts(0);
  changes.insert(changes.end(), run.begin(), run.end());
  expect_kept(changes);
}

TEST_CASE("Runs of earlier sweeps are told again exactly, and before the sweep's own") {
  const EarlierRun ended{"HD_before",
                         4,
                         {{"lr", 0.1}, {"layers", std::int64_t{3}}, {"odd", kNan}},
                         RunStatus::completed,
                         EndCause::exited,
                         false,
                         {0.1, kNan, kInfinity, -kInfinity, 1e-300, 3.0}};
  const EarlierRun stopped{"HD_before", 5, {}, RunStatus::canceled, EndCause::policy, true, {}};
  const std::vector<Change> taken{EarlierRunTaken{0, ended, at(0)},
                                  EarlierRunTaken{1, stopped, at(0)}};
  std::vector<Change> changes = taken;
  const std::vector<Change> run = two_attempts(0);
  changes.insert(changes.end(), run.begin(), run.end());
  expect_kept(changes);
  for (const Maker& maker : kStores) {
    INFO(maker.name);
    const auto subject = maker.make();
    REQUIRE(subject->store().append(changes));
    std::vector<EarlierRun> told;
    REQUIRE(subject->store().replay("", [&](const Change& change) {
      if (const auto* it = std::get_if<EarlierRunTaken>(&change)) told.push_back(it->earlier);
    }));
    CHECK(told == std::vector<EarlierRun>{ended, stopped});
    CHECK_FALSE(subject->store().append(taken));  // there is a run
  }
}

TEST_CASE("Runs whose changes are interleaved are told each in its order") {
  expect_kept(both(two_attempts(0), two_attempts(1)));
}

TEST_CASE("A run's attempts keep their own metrics, positions and ends") {
  std::vector<Change> changes{proposed(0)};
  for (int attempt = 1; attempt <= 4; ++attempt) {
    if (attempt > 1)
      changes.push_back(RunRequeued{0, attempt, "lost", at(attempt), EndCause::lost});
    if (attempt == 3) continue;  // lost before it started
    changes.push_back(RunStarted{0, attempt, attempt, at(attempt + 0.25)});
    changes.push_back(RunMetrics{0,
                                 attempt,
                                 {{"a", 1.0 * attempt, {}, {}}},
                                 to_cursor({std::uint64_t(attempt), 7}),
                                 at(attempt + 0.5)});
  }
  expect_kept(changes);
  expect_kept(changes, "b");
}

TEST_CASE("Only the metrics asked for are told, and all positions") {
  const auto changes = both(two_attempts(0), two_attempts(1));
  expect_kept(changes, "val accuracy");
  expect_kept(changes, "loss");
  expect_kept(changes, "nothing of that name");
  expect_kept(changes, "val%");
}

TEST_CASE("A cursor without metrics is kept, whatever its target writes") {
  for (const char* cursor : {"123 456", "event 7", "123", "123 456 7", "", "\"'\n"})
    expect_kept({proposed(0), RunStarted{0, 1, 1, at(0)}, RunMetrics{0, 1, {}, cursor, at(1)}});
}

TEST_CASE("What a target calls a run is kept with each attempt") {
  expect_kept({proposed(0), RunSubmitted{0, 1, "job-1", at(1)}, RunStarted{0, 1, 1, at(2)},
               RunRequeued{0, 2, "was lost", at(3), EndCause::lost},
               RunSubmitted{0, 2, "job-2", at(4)}, RunStarted{0, 2, 0, at(5)}, proposed(1),
               RunSubmitted{1, 1, "", at(6)}});
}

TEST_CASE("That contact with a run is lost is kept until it is there again, or the run is over") {
  const RunContact lost{0, 1, true, "no answer", at(2)};
  const std::vector<Change> begun{proposed(0), RunStarted{0, 1, 1, at(0)}, lost};
  const RunEnded ended{0, 1, RunStatus::completed, EndCause::exited, 0, {}, "completed", "", at(4)};
  const std::vector<std::pair<std::vector<Change>, bool>> cases{
      {{}, true},
      {{RunContact{0, 1, false, "", at(3)}}, false},
      {{RunContact{0, 1, false, "", at(3)}, RunContact{0, 1, true, "again", at(4)}}, true},
      {{ended}, false},
      {{RunRequeued{0, 2, "was lost", at(3), EndCause::lost}}, false}};
  for (const auto& [more, is_lost] : cases) {
    std::vector<Change> changes = begun;
    changes.insert(changes.end(), more.begin(), more.end());
    expect_kept(changes);
    for (const Maker& maker : kStores) {
      const auto subject = maker.make();
      REQUIRE(subject->store().append(changes));
      SweepState state("loss", Goal::minimize);
      REQUIRE(subject->store().replay("", [&](const Change& it) { state.apply(it); }));
      CHECK(state.lost_contact(0).has_value() == is_lost);
    }
  }
}

TEST_CASE("Values that are no numbers, and the extremes, come back exactly") {
  const double denormal = std::numeric_limits<double>::denorm_min();
  expect_kept({proposed(0),
               RunMetrics{0,
                          1,
                          {{"a", kNan, {}, {}},
                           {"a", kInfinity, std::numeric_limits<std::int64_t>::max(), {}},
                           {"a", -kInfinity, std::numeric_limits<std::int64_t>::min(), {}},
                           {"a", denormal, {}, {}},
                           {"a", 0.1 + 0.2, {}, Time{}},
                           {"a", std::numeric_limits<double>::max(), {}, at(-0.000001)}},
                          to_cursor({std::numeric_limits<std::uint64_t>::max(), 1}),
                          at(0.123457)},
               RunJudged{0, 1, Verdict{}, "NaN twice", at(1)}});
}

TEST_CASE("Parameters come back exactly, also those that JSON cannot carry") {
  const Assignment parameters{{"null", std::monostate{}},
                              {"yes", true},
                              {"integer", std::int64_t{-9007199254740993}},
                              {"real", 3.0},
                              {"small", 1e-300},
                              {"clip", kInfinity},
                              {"down", -kInfinity},
                              {"nan", kNan},
                              {"text", std::string("Infinity")},
                              {"quotes \"'\n", "a'b\"c\\d\n\t\0e"s},
                              {"latin \xe9", std::string("caf\xe9")},
                              {"list", Json{"[64, 1e-3,\"x\"]"}},
                              {"latin", Json{"[\"caf\xe9\"]"}},
                              {"--dashes", std::string()}};
  expect_kept({RunProposed{0, parameters, "because", at(0)}, RunProposed{1, {}, "", at(1), true}});
}

TEST_CASE("Any text is kept as it is") {
  const std::string huge(3'000'000, 'x');
  const std::string odd = "'; DROP TABLE runs; --\0\n\r\t\"\\ \xff\xfe \xe4\xb8\xad"s;
  expect_kept(
      {proposed(0),
       RunMetrics{0,
                  1,
                  {{odd, 1, {}, {}}, {huge, 2, {}, {}}, {"", 3, {}, {}}, {"\xe9", 4, {}, {}}},
                  {},
                  at(0)},
       RunJudged{0, 1, verdict(Verdict::Action::keep, 1), odd, at(0)},
       RunCanceling{0, 1, EndCause::user, odd, at(1)},
       RunEnded{0, 1, RunStatus::failed, EndCause::signaled, {}, 9, odd, huge, at(2)},
       Noted{Noted::Level::info, 0, odd, at(0)},
       SweepChanged{SweepStatus::failed, SweepEnd::hopeless, odd, {}, at(0)}});
  expect_kept({proposed(0), RunMetrics{0, 1, {{odd, 1, {}, {}}, {"\xe9", 4, {}, {}}}, {}, at(0)}},
              odd);
  expect_kept({proposed(0), RunMetrics{0, 1, {{odd, 1, {}, {}}, {"\xe9", 4, {}, {}}}, {}, at(0)}},
              "\xe9");
}

TEST_CASE("Of many verdicts the latest of each attempt is told last, and the latest stop too") {
  for (const Maker& maker : kStores) {
    INFO(maker.name);
    const auto subject = maker.make();
    REQUIRE(subject->store().append(std::vector<Change>{proposed(0)}));
    for (int interval = 1; interval <= 5; ++interval) {
      const auto action = interval == 3 ? Verdict::Action::stop : Verdict::Action::keep;
      REQUIRE(subject->store().append(
          std::vector<Change>{RunJudged{0, 1, verdict(action, interval), "why", at(interval)}}));
    }
    std::vector<std::int64_t> intervals;
    REQUIRE(subject->store().replay("", [&](const Change& change) {
      if (const auto* judged = std::get_if<RunJudged>(&change))
        intervals.push_back(judged->verdict.interval);
    }));
    CHECK(intervals == std::vector<std::int64_t>{3, 5});
  }
}

TEST_CASE("An empty append is harmless") {
  for (const Maker& maker : kStores) {
    INFO(maker.name);
    const auto subject = maker.make();
    CHECK(subject->store().append({}));
    CHECK(replayed(subject->store()).empty());
  }
}

TEST_CASE("Changes out of order are refused as a whole, naming the run") {
  const std::vector<Change> before{proposed(0), RunStarted{0, 1, 1, at(0)}};
  const std::pair<std::vector<Change>, const char*> cases[] = {
      {{proposed(0)}, "run 0: cannot be proposed: run 1 is the next one"},
      {{proposed(2)}, "run 2: cannot be proposed: run 1 is the next one"},
      {{proposed(1), RunStarted{2, 1, 1, at(0)}},
       "run 2: cannot be started: it was never proposed"},
      {{Noted{}, RunMetrics{-1, 1, {}, {}, at(0)}},
       "run -1: cannot be reported: it was never proposed"},
      {{SweepChanged{}, RunStarted{0, 2, 1, at(0)}},
       "run 0: attempt 2 cannot be started: attempt 1 is due"},
      {{RunRequeued{0, 2, "", at(0)}, RunMetrics{0, 1, {{"a", 1, {}, {}}}, {}, at(0)}},
       "run 0: attempt 1 cannot be reported: attempt 2 is due"},
      {{RunRequeued{0, 3, "", at(0)}}, "run 0: attempt 3 cannot be queued again: attempt 2 is due"},
  };
  for (const Maker& maker : kStores) {
    for (const auto& [wrong, message] : cases) {
      INFO(maker.name << ": " << message);
      const auto subject = maker.make();
      REQUIRE(subject->store().append(before));
      auto refused = subject->store().append(wrong);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().message() == message);
      CHECK(replayed(subject->store()) == told(before));
      REQUIRE(subject->store().append(std::vector<Change>{proposed(1)}));
      CHECK(replayed(subject->store()) == told({before[0], before[1], proposed(1)}));
    }
  }
}

TEST_CASE("A store without requests takes none") {
  for (const Maker& maker : kStores) {
    INFO(maker.name);
    const auto subject = maker.make();
    auto requests = subject->store().take_requests();
    REQUIRE(requests);
    CHECK(requests->empty());
  }
}
