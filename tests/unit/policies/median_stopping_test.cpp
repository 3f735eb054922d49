// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.h"
#include "tests/unit/policies/judging.h"

using namespace hdrive;
using namespace hdrive::testing;

TEST_CASE("a run is stopped when its best is worse than the median of the others' averages") {
  const auto median = policy(Goal::maximize, "median_stopping");
  const std::vector<std::vector<double>> others = {{0.2, 0.4}, {0.5, 0.7}, {0.9, 0.9}};
  const auto with = [&](std::vector<double> own) {
    auto all = others;
    all.push_back(std::move(own));
    return history_of(Goal::maximize, all);
  };
  CHECK(stops(*median, 3, with({0.59, 0.1})));
  CHECK_FALSE(stops(*median, 3, with({0.61, 0.1})));  // its best, not its latest
  const Verdict verdict = median->judge(3, with({0.59, 0.1}));
  CHECK(verdict.value == 0.59);
  CHECK(verdict.threshold == Approx(0.6));
  CHECK(verdict.peers == 3);
  CHECK(verdict.interval == 2);
}

TEST_CASE("the median of an even number is the mean of the middle two") {
  const auto median = policy(Goal::maximize, "median_stopping");
  const History history = history_of(Goal::maximize, {{0.1}, {0.2}, {0.4}, {0.9}, {0.25}});
  CHECK(median->judge(4, history).threshold == Approx(0.3));
  CHECK(stops(*median, 4, history));
}

TEST_CASE("a best equal to the median is kept") {
  const auto median = policy(Goal::maximize, "median_stopping");
  CHECK_FALSE(stops(*median, 2,
                    history_of(Goal::maximize, {{0.7, 0.7, 0.7},  //
                                                {0.6, 0.7, 0.8},
                                                {0.1, 0.2, 0.7}})));
}

TEST_CASE("to minimize, a run is stopped above the median") {
  const auto median = policy(Goal::minimize, "median_stopping");
  CHECK(stops(*median, 1, history_of(Goal::minimize, {{0.5}, {0.6}})));
  CHECK_FALSE(stops(*median, 1, history_of(Goal::minimize, {{0.5}, {0.4}})));
}

TEST_CASE("only other runs that got as far are in the median") {
  const auto median = policy(Goal::maximize, "median_stopping");
  History history = history_of(Goal::maximize, {{0.9}, {0.1, 0.1}});
  CHECK(median->judge(1, history).finding == Verdict::Finding::no_peers);
  CHECK(sentence(*median, 1, history) == "nothing to compare with: no other run has 2 reports yet");
  history.report(0, 0.9);
  CHECK(stops(*median, 1, history));
  CHECK(median->judge(1, history).peers == 1);
}

TEST_CASE("what is not finite is in no mean and no median, and loses against any") {
  for (const Goal goal : {Goal::minimize, Goal::maximize}) {
    const auto median = policy(goal, "median_stopping");
    const History history = history_of(goal, {{kNaN, 0.5}, {kInf, kInf}, {kNaN, kNaN}, {0.5, 0.5}});
    CHECK(stops(*median, 2, history));
    CHECK_FALSE(stops(*median, 3, history));
    CHECK(median->judge(3, history).threshold == 0.5);
    CHECK(median->judge(3, history).peers == 1);
    CHECK(median->judge(0, history_of(goal, {{1}, {kInf}, {kNaN}})).finding ==
          Verdict::Finding::no_peers);
  }
}

TEST_CASE("the median's sentence names value, median and how many runs it was drawn from") {
  const auto median = policy(Goal::maximize, "median_stopping");
  CHECK(sentence(*median, 0, history_of(Goal::maximize, {{0.5, 0.61}, {0.6, 0.8}, {0.8, 0.6}})) ==
        "best value 0.61 after 2 reports is below 0.7, the median of 2 other runs' averages over "
        "their first 2 reports");
  CHECK(sentence(*median, 0, history_of(Goal::maximize, {{0.75, 0.61}, {0.6, 0.8}})) ==
        "best value 0.75 after 2 reports is not below 0.7, the only other run's average over its "
        "first 2 reports");
  CHECK(sentence(*median, 0, history_of(Goal::maximize, {{kNaN}, {0.6}, {0.8}})) ==
        "no finite value in 1 report is worse than 0.7, the median of 2 other runs' first "
        "reports");
  CHECK(median->describe() == "median_stopping: looks at every report");
}

TEST_CASE("a value level with the median but for rounding is written as the median is") {
  // In binary the mean of 0.1, 0.2 and 0.3 is a little more than 0.2.
  const auto median = policy(Goal::maximize, "median_stopping");
  CHECK(sentence(*median, 1, history_of(Goal::maximize, {{0.1, 0.2, 0.3}, {0.1, 0.1, 0.2}})) ==
        "best value 0.2 after 3 reports is not below 0.2, the only other run's average over its "
        "first 3 reports");
}

TEST_CASE("numbers whose sum is too large for one are told apart all the same") {
  const auto median = policy(Goal::maximize, "median_stopping");
  const History history = history_of(Goal::maximize, {{1.7e308}, {1.7e308}, {1.7e308}, {1e308}});
  CHECK(stops(*median, 3, history));
  CHECK(sentence(*median, 3, history) ==
        "best value 1e+308 after 1 report is below 1.7e+308, the median of 3 other runs' first "
        "reports");
}
