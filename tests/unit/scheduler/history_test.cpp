// SPDX-License-Identifier: Apache-2.0
#include "hdrive/history.h"

#include <cmath>
#include <random>
#include <set>
#include <stdexcept>

#include "scheduler/ranked_set.h"
#include "scheduler/series.h"
#include "tests/catch.h"
#include "tests/unit/scheduler/histories.h"

using hdrive::Assignment;
using hdrive::EndCause;
using hdrive::Goal;
using hdrive::History;
using hdrive::Run;
using hdrive::RunId;
using hdrive::RunStatus;
using hdrive::testing::history_of;
using hdrive::testing::kInf;
using hdrive::testing::kNaN;
using hdrive::testing::run_with;
using Ranked = History::Ranked;

TEST_CASE("the words of statuses, goals and causes read back as what they name") {
  CHECK(to_string(Goal::minimize) == "Minimize");
  CHECK(to_string(Goal::maximize) == "Maximize");
  CHECK(to_string(RunStatus::canceled) == "Canceled");
  CHECK(to_string(EndCause::time_limit) == "time_limit");
  for (int i = 0; i <= static_cast<int>(RunStatus::canceled); ++i) {
    const auto status = static_cast<RunStatus>(i);
    CHECK(hdrive::run_status_from(to_string(status)) == status);
  }
  for (int i = 0; i <= static_cast<int>(EndCause::silent); ++i) {
    const auto cause = static_cast<EndCause>(i);
    CHECK(hdrive::end_cause_from(to_string(cause)) == cause);
  }
  CHECK_FALSE(hdrive::run_status_from("Finished"));
  CHECK_FALSE(hdrive::run_status_from("running"));
  CHECK_FALSE(hdrive::end_cause_from(""));
}

TEST_CASE("a run has ended when it is completed, failed or canceled") {
  CHECK_FALSE(is_terminal(RunStatus::queued));
  CHECK_FALSE(is_terminal(RunStatus::running));
  CHECK(is_terminal(RunStatus::completed));
  CHECK(is_terminal(RunStatus::failed));
  CHECK(is_terminal(RunStatus::canceled));
}

TEST_CASE("an empty history has no best, no leader and no median") {
  History history(Goal::maximize);
  CHECK(history.size() == 0);
  CHECK_FALSE(history.incumbent());
  CHECK_FALSE(history.leader_at(1));
  CHECK(history.count_at(1) == 0);
  CHECK_FALSE(history.find({}));
  CHECK(std::isnan(history.value_at_rank(1, 1, Ranked::all)));
}

TEST_CASE("a run that is not next, or not there, is a broken invariant") {
  History history(Goal::maximize);
  CHECK_THROWS_AS(history.add(run_with(1)), std::invalid_argument);
  CHECK_THROWS_AS(history.report(0, 1.0), std::out_of_range);
  CHECK_THROWS_AS(history.run(-1), std::out_of_range);
}

TEST_CASE("best and average are of the first N reports, and of all where there are fewer") {
  const History history = history_of(Goal::maximize, {{0.5, 0.25, 0.75}});
  CHECK(history.best(0, 1) == 0.5);
  CHECK(history.best(0, 2) == 0.5);
  CHECK(history.best(0, 3) == 0.75);
  CHECK(history.best(0, 99) == 0.75);
  CHECK(history.best(0) == 0.75);
  CHECK(history.average(0, 1) == 0.5);
  CHECK(history.average(0, 2) == 0.375);
  CHECK(history.average(0, 3) == 0.5);
  CHECK(history.average(0, 99) == 0.5);
  CHECK_FALSE(history.best(0, 0));
  CHECK_FALSE(history.average(0, 0));
}

TEST_CASE("under the goal minimize the best is the lowest") {
  const History history = history_of(Goal::minimize, {{0.5, 0.75}, {0.75, 0.25}});
  CHECK(history.best(0) == 0.5);
  CHECK(history.incumbent() == 1);
  CHECK(history.leader_at(1)->run == 0);
  CHECK(history.leader_at(2)->run == 1);
  CHECK(history.leader_at(2)->value == 0.25);
  CHECK(history.better(0.1, 0.2));
}

TEST_CASE("NaN and infinities count as reports but never as best, in a mean or in a median") {
  for (const Goal goal : {Goal::minimize, Goal::maximize}) {
    const History history =
        history_of(goal, {{kNaN, 0.5, kInf, -kInf}, {kInf, kNaN, -kInf, kNaN}, {1, 1, 1, 1}});
    CHECK(history.reports(0).size() == 4);
    CHECK_FALSE(history.best(0, 1));
    CHECK_FALSE(history.average(0, 1));
    CHECK(history.best(0, 4) == 0.5);
    CHECK(history.average(0, 4) == 0.5);
    CHECK_FALSE(history.best(1));
    CHECK(history.count_at(4) == 3);
    CHECK(history.median_average_of_others(2, 4)->value == 0.5);
    CHECK(history.median_average_of_others(2, 4)->peers == 1);
    CHECK(history.rank_at(1, 4, Ranked::all).from_worst == 1);
    CHECK(std::isnan(history.value_at_rank(1, 4, Ranked::all)));
  }
}

TEST_CASE("a number is better than NaN and infinity, and they are not better than each other") {
  for (const Goal goal : {Goal::minimize, Goal::maximize}) {
    const History history(goal);
    for (const double odd : {kNaN, kInf, -kInf}) {
      CHECK(history.better(0.0, odd));
      CHECK_FALSE(history.better(odd, 0.0));
      CHECK_FALSE(history.better(odd, kInf));
    }
  }
}

TEST_CASE("the mean of equal reports is exactly their value, so that a tie is a tie") {
  for (const double value : {0.1, 0.7, 1.0 / 3, 1e308, -1e308, 5e-324}) {
    History history = history_of(Goal::maximize, {{}});
    for (int i = 0; i < 1000; ++i) history.report(0, value);
    for (const int interval : {1, 3, 7, 10, 999, 1000})
      CHECK(history.average(0, interval) == value);
  }
}

TEST_CASE("the best run is the earliest of those with the best value of their whole series") {
  History history = history_of(Goal::maximize, {{0.5}, {0.75, 0.25}, {0.75}, {kNaN}});
  CHECK(history.incumbent() == 1);
  history.report(0, 0.75);
  CHECK(history.incumbent() == 0);
}

TEST_CASE("failed and canceled runs compete for best unless they are left out") {
  History history = history_of(Goal::maximize, {{0.5}, {0.75}, {1.0}});
  history.set_status(1, RunStatus::canceled, EndCause::policy);
  history.set_status(2, RunStatus::failed, EndCause::exited);
  CHECK(history.incumbent() == 2);
  CHECK(history.incumbent({.failed = false}) == 1);
  CHECK(history.incumbent({.failed = false, .canceled = false}) == 0);
  CHECK(history.incumbent() == 2);
}

TEST_CASE("the median leaves the judged run out and takes the mean of an even middle") {
  const History history = history_of(Goal::maximize, {{0.9}, {0.1}, {0.2}, {0.4}, {0.3, 5}});
  CHECK(history.median_average_of_others(0, 1)->value == Approx(0.25));
  CHECK(history.median_average_of_others(0, 1)->peers == 4);
  CHECK(history.median_average_of_others(1, 1)->value == Approx(0.35));
  CHECK_FALSE(history.median_average_of_others(4, 2));
  CHECK(history.median_average_of_others(0, 2)->peers == 1);
}

TEST_CASE("in a tie the later run is the worse one") {
  const History history = history_of(Goal::minimize, {{1}, {1}, {2}, {1}});
  CHECK(history.rank_at(2, 1, Ranked::all).from_worst == 1);
  CHECK(history.rank_at(3, 1, Ranked::all).from_worst == 2);
  CHECK(history.rank_at(1, 1, Ranked::all).from_worst == 3);
  CHECK(history.rank_at(0, 1, Ranked::all).from_worst == 4);
  CHECK(history.rank_at(0, 1, Ranked::all).of == 4);
  CHECK(history.leader_at(1)->run == 0);
}

TEST_CASE("a run that ends leaves the ranking of the unfinished at all its intervals") {
  History history = history_of(Goal::maximize, {{1, 1}, {2, 2}, {3, 3}});
  CHECK(history.rank_at(2, 1, Ranked::unfinished).of == 3);
  CHECK(history.rank_at(2, 2, Ranked::unfinished).of == 3);
  history.set_status(0, RunStatus::completed, EndCause::exited);
  CHECK(history.rank_at(2, 1, Ranked::unfinished).of == 2);
  CHECK(history.rank_at(2, 2, Ranked::unfinished).from_worst == 2);
  CHECK(history.rank_at(2, 2, Ranked::all).from_worst == 3);
  CHECK(history.value_at_rank(1, 2, Ranked::unfinished) == 2);
  SECTION("but is ranked itself when asked about") {
    CHECK(history.rank_at(0, 2, Ranked::unfinished).from_worst == 1);
    CHECK(history.rank_at(0, 2, Ranked::unfinished).of == 3);
  }
  SECTION("and comes back with it when it was not over after all") {
    history.set_status(0, RunStatus::running);
    CHECK(history.rank_at(2, 1, Ranked::unfinished).of == 3);
  }
}

TEST_CASE("a new attempt forgets the reports and how the one before ended") {
  History history = history_of(Goal::maximize, {{0.9, 0.9}, {0.5, 0.6}});
  CHECK(history.rank_at(1, 2, Ranked::all).of == 2);
  history.set_status(0, RunStatus::failed, EndCause::lost);
  history.edit(0).reason = "gone with its machine";
  history.edit(0).exit_code = 1;
  history.restart(0);
  CHECK(history.run(0).status == RunStatus::queued);
  CHECK(history.run(0).ended_by == EndCause::none);
  CHECK(history.run(0).attempt == 2);
  CHECK(history.run(0).reason.empty());
  CHECK_FALSE(history.run(0).exit_code);
  CHECK(history.reports(0).empty());
  CHECK(history.incumbent() == 1);
  CHECK(history.leader_at(2)->run == 1);
  CHECK(history.count_at(1) == 1);
  CHECK(history.rank_at(1, 2, Ranked::all).of == 1);
  CHECK(history.count(RunStatus::failed) == 0);
  CHECK(history.count(RunStatus::queued) == 1);
}

TEST_CASE("a run is found by exactly its parameters, the first of equal ones") {
  History history(Goal::maximize);
  const std::vector<Assignment> assignments = {{{"x", std::int64_t{2}}},
                                               {{"x", 2.0}},
                                               {{"x", std::string("2")}},
                                               {{"x", hdrive::Json{"2"}}},
                                               {{"x", std::int64_t{2}}},
                                               {{"y", 2.0}},
                                               {{"x", 0.0}},
                                               {{"x", 2.0}, {"y", true}},
                                               {}};
  for (const Assignment& parameters : assignments)
    history.add(run_with(history.size(), parameters));
  CHECK(history.find(assignments[0]) == 0);
  CHECK(history.find(assignments[1]) == 1);
  CHECK(history.find(assignments[2]) == 2);
  CHECK(history.find(assignments[3]) == 3);
  CHECK(history.find(assignments[4]) == 0);
  CHECK(history.find(assignments[5]) == 5);
  CHECK(history.find({{"x", -0.0}}) == 6);
  CHECK(history.find(assignments[7]) == 7);
  CHECK(history.find({}) == 8);
  CHECK_FALSE(history.find({{"y", true}, {"x", 2.0}}));
  CHECK_FALSE(history.find({{"x", 3.0}}));
}

TEST_CASE("a run with NaN among its parameters is found again") {
  History history(Goal::maximize);
  history.add(run_with(0, {{"x", kNaN}, {"y", 1.0}}));
  CHECK(history.find({{"x", -kNaN}, {"y", 1.0}}) == 0);
  CHECK_FALSE(history.find({{"x", kNaN}, {"y", kNaN}}));
  CHECK_FALSE(history.find({{"x", 0.0}, {"y", 1.0}}));
}

TEST_CASE("each change raises the version, and no question does") {
  History history(Goal::maximize);
  std::uint64_t last = history.version();
  const auto grew = [&] { return history.version() > std::exchange(last, history.version()); };
  history.add(run_with(0));
  CHECK(grew());
  history.report(0, 1);
  CHECK(grew());
  history.set_status(0, RunStatus::completed, EndCause::exited);
  CHECK(grew());
  history.edit(0).reason = "exited with code 0";
  CHECK(grew());
  history.restart(0);
  CHECK(grew());
  (void)history.incumbent();
  (void)history.leader_at(1);
  (void)history.rank_at(0, 1, Ranked::unfinished);
  CHECK_FALSE(grew());
}

TEST_CASE("a run's record stays where it is while others are added") {
  History history(Goal::maximize);
  history.add(run_with(0));
  const Run& first = history.run(0);
  for (RunId id = 1; id < 1000; ++id) history.add(run_with(id));
  CHECK(&history.run(0) == &first);
}

TEST_CASE("a history can be moved, with what it memoised") {
  History history = history_of(Goal::maximize, {{1}, {2}});
  CHECK(history.rank_at(1, 1, Ranked::unfinished).from_worst == 2);
  History moved = std::move(history);
  moved.set_status(0, RunStatus::completed, EndCause::exited);
  CHECK(moved.rank_at(1, 1, Ranked::unfinished).of == 1);
  CHECK(moved.find({}) == 0);
}

// ---- the parts -----------------------------------------------------------------------------------

TEST_CASE("a ranked set of many chunks agrees with a sorted set through inserts and erases") {
  using Key = hdrive::scheduler::RankedSet::Key;
  for (const bool ascending : {false, true}) {
    std::mt19937 random(3);
    hdrive::scheduler::RankedSet ranked;
    std::set<std::pair<double, std::int64_t>> sorted;  // (score, -run): worst first
    const auto compare = [&] {
      REQUIRE(ranked.size() == static_cast<std::int64_t>(sorted.size()));
      std::int64_t place = 0;
      for (const auto& [score, minus_run] : sorted) {
        REQUIRE(ranked.select(place).score() == score);
        REQUIRE(ranked.select(place).run() == -minus_run);
        REQUIRE(ranked.rank(Key(score, -minus_run)) == place);
        ++place;
      }
    };
    for (std::int64_t run = 0; run < 3000; ++run) {
      const double score =
          ascending ? static_cast<double>(run) : static_cast<double>(random() % 500);
      ranked.insert(Key(score, run));
      sorted.emplace(score, -run);
    }
    compare();
    REQUIRE(ranked.rank(Key(-kInf, 0)) == 0);
    REQUIRE(ranked.rank(Key(kInf, 0)) == 3000);
    ranked.erase(Key(0.5, 1));  // not there
    // A stretch of neighbours, so that whole chunks vanish, then at random, then the rest.
    for (int phase = 0; phase < 3; ++phase) {
      auto it = phase == 0 ? std::next(sorted.begin(), 1000) : sorted.begin();
      for (int i = 0; it != sorted.end() && (phase == 2 || i < 900); ++i) {
        if (phase == 1 && random() % 2 == 0) {
          ++it;
          continue;
        }
        ranked.erase(Key(it->first, -it->second));
        it = sorted.erase(it);
      }
      compare();
      if (phase == 2) break;
      for (std::int64_t run = 5000; run < 5400; ++run) {
        const double score = static_cast<double>(random() % 3000) + phase;
        if (!sorted.emplace(score, -(run + 1000 * phase)).second) continue;
        ranked.insert(Key(score, run + 1000 * phase));
      }
      compare();
    }
    REQUIRE(ranked.size() == 0);
    ranked.insert(Key(1, 1));
    REQUIRE(ranked.select(0).run() == 1);
  }
}

TEST_CASE("means of beginnings stay right while the series grows") {
  hdrive::scheduler::Series series;
  for (int i = 1; i <= 20; ++i) {
    series.append(i, 1);
    series.append(kNaN, 1);
    for (int n = 1; n <= 2 * i; ++n) REQUIRE(series.average(n) == Approx(((n + 1) / 2 + 1) / 2.0));
  }
}
