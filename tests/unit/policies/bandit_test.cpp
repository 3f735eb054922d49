// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/catch.h"
#include "tests/unit/policies/judging.h"

using namespace hdrive;
using namespace hdrive::testing;

namespace {

std::shared_ptr<const Policy> factor(Goal goal, double slack) {
  return policy(goal, "bandit", {{"slack_factor", slack}});
}

std::shared_ptr<const Policy> amount(Goal goal, double slack) {
  return policy(goal, "bandit", {{"slack_amount", slack}});
}

/// The threshold where the best of the others has this value after one report.
double threshold(const Policy& bandit, Goal goal, double best) {
  return bandit.judge(1, history_of(goal, {{best}, {best}})).threshold;
}

}  // namespace

TEST_CASE("best 0.8 and slack factor 0.2 make the threshold 0.6667") {
  const auto bandit = factor(Goal::maximize, 0.2);
  CHECK(threshold(*bandit, Goal::maximize, 0.8) == Approx(0.8 / 1.2).epsilon(1e-15));
  CHECK(stops(*bandit, 1, history_of(Goal::maximize, {{0.8}, {0.666}})));
  CHECK_FALSE(stops(*bandit, 1, history_of(Goal::maximize, {{0.8}, {0.667}})));
}

TEST_CASE("best 0.8 and slack amount 0.2 make the threshold 0.6") {
  const auto bandit = amount(Goal::maximize, 0.2);
  CHECK(threshold(*bandit, Goal::maximize, 0.8) == Approx(0.6).epsilon(1e-15));
  CHECK(stops(*bandit, 1, history_of(Goal::maximize, {{0.8}, {0.599999}})));
}

TEST_CASE("slack factor 0.1 keeps what has 91 percent of the best") {
  CHECK(threshold(*factor(Goal::maximize, 0.1), Goal::maximize, 1.0) == Approx(1 / 1.1));
}

TEST_CASE(
    "a value equal to the bandit's threshold is kept, as decimals and not as their rounding") {
  // In binary 0.8 - 0.2 is a little more than 0.6, and 0.2 + 0.1 a little more than 0.3.
  CHECK_FALSE(stops(*amount(Goal::maximize, 0.2), 1, history_of(Goal::maximize, {{0.8}, {0.6}})));
  CHECK_FALSE(stops(*amount(Goal::minimize, 0.1), 1, history_of(Goal::minimize, {{0.2}, {0.3}})));
  CHECK_FALSE(stops(*factor(Goal::maximize, 0.25), 1, history_of(Goal::maximize, {{1.0}, {0.8}})));
  CHECK_FALSE(stops(*factor(Goal::minimize, 0.1), 1, history_of(Goal::minimize, {{0.3}, {0.33}})));
  CHECK(stops(*amount(Goal::maximize, 0.2), 1, history_of(Goal::maximize, {{0.8}, {0.6 - 1e-12}})));
}

TEST_CASE("a slack of nothing keeps only those level with the best") {
  for (const auto& bandit : {factor(Goal::maximize, 0), amount(Goal::maximize, 0)}) {
    CHECK_FALSE(stops(*bandit, 1, history_of(Goal::maximize, {{0.8}, {0.8}})));
    CHECK(stops(*bandit, 1, history_of(Goal::maximize, {{0.8}, {0.7999}})));
  }
}

TEST_CASE("to minimize, the threshold lies above the best") {
  CHECK(threshold(*factor(Goal::minimize, 0.2), Goal::minimize, 0.5) == Approx(0.6));
  CHECK(threshold(*amount(Goal::minimize, 0.2), Goal::minimize, 0.5) == Approx(0.7));
  CHECK(stops(*factor(Goal::minimize, 0.2), 1, history_of(Goal::minimize, {{0.5}, {0.61}})));
  CHECK_FALSE(stops(*factor(Goal::minimize, 0.2), 1, history_of(Goal::minimize, {{0.5}, {0.59}})));
}

TEST_CASE("below zero the factor still moves the threshold to the worse side of the best") {
  CHECK(threshold(*factor(Goal::maximize, 0.2), Goal::maximize, -0.6) == Approx(-0.7));
  CHECK(threshold(*factor(Goal::minimize, 0.2), Goal::minimize, -0.5) == Approx(-0.4));
  CHECK(threshold(*amount(Goal::maximize, 0.2), Goal::maximize, -0.5) == Approx(-0.7));
  CHECK(threshold(*factor(Goal::maximize, 0.2), Goal::maximize, 0) == 0);
  CHECK_FALSE(stops(*factor(Goal::maximize, 0.2), 0, history_of(Goal::maximize, {{-0.5}, {-9}})));
}

TEST_CASE("the bandit compares at the same interval, with runs of any state") {
  const auto bandit = amount(Goal::maximize, 0.1);
  History history = history_of(Goal::maximize, {{0.3, 0.9, 0.9}, {0.25}});
  CHECK_FALSE(stops(*bandit, 1, history));  // after one report the other had 0.3
  history.report(1, 0.3);
  CHECK(stops(*bandit, 1, history));  // and after two 0.9
  history.set_status(0, RunStatus::failed, EndCause::exited);
  CHECK(stops(*bandit, 1, history));
  const Verdict verdict = bandit->judge(1, history);
  CHECK(verdict.interval == 2);
  CHECK(verdict.leader == 0);
  CHECK(verdict.leader_value == 0.9);
  CHECK(verdict.value == 0.3);
  CHECK(verdict.peers == 2);
  CHECK(verdict.finding == Verdict::Finding::beyond);
}

TEST_CASE("it is the best value so far that counts, not the latest") {
  CHECK_FALSE(
      stops(*amount(Goal::maximize, 0.1), 1, history_of(Goal::maximize, {{0.5, 0.6}, {0.6, 0.0}})));
}

TEST_CASE("the first to reach an interval have nothing to be compared with by the bandit") {
  const auto bandit = amount(Goal::maximize, 0.1);
  const History history = history_of(Goal::maximize, {{0.9}, {0.1, 0.1}});
  CHECK(bandit->judge(1, history).finding == Verdict::Finding::no_peers);
  CHECK(sentence(*bandit, 1, history) == "nothing to compare with: no other run has 2 reports yet");
}

TEST_CASE("a run with nothing finite is stopped once there is a finite best, and not before") {
  for (const Goal goal : {Goal::minimize, Goal::maximize}) {
    const auto bandit = factor(goal, 0.2);
    CHECK(stops(*bandit, 1, history_of(goal, {{0.5}, {kNaN}})));
    CHECK(stops(*bandit, 1, history_of(goal, {{0.5}, {kInf}})));
    CHECK(stops(*bandit, 1, history_of(goal, {{0.5}, {-kInf}})));
    const History none = history_of(goal, {{kInf}, {kNaN}, {-kInf}});
    CHECK(bandit->judge(1, none).finding == Verdict::Finding::no_peers);
    CHECK(sentence(*bandit, 1, none) ==
          "nothing to compare with: 2 other runs with 1 report reported no finite value");
    CHECK_FALSE(stops(*bandit, 0, history_of(goal, {{0.5}, {kNaN}})));
  }
}

TEST_CASE("the bandit's sentence names value, threshold, leader and slack") {
  const auto bandit = factor(Goal::maximize, 0.2);
  History history = history_of(Goal::maximize, {{0.1}, times(10, 0.61), {}, times(12, 0.8)});
  CHECK(sentence(*bandit, 1, history) ==
        "best value 0.61 after 10 reports is below the threshold 0.6667 (run 3's 0.8 after 10 "
        "reports, slack factor 0.2)");
  history.report(1, 0.7);
  CHECK(sentence(*bandit, 1, history) ==
        "best value 0.7 after 11 reports is not below the threshold 0.6667 (run 3's 0.8 after 11 "
        "reports, slack factor 0.2)");
  history.report(2, kNaN);
  CHECK(sentence(*bandit, 2, history) ==
        "no finite value in 1 report is worse than the threshold 0.6667 (run 3's 0.8 after 1 "
        "report, slack factor 0.2)");
  const auto least = amount(Goal::minimize, 0.25);
  CHECK(sentence(*least, 0, history_of(Goal::minimize, {{0.8}, {0.5}})) ==
        "best value 0.8 after 1 report is above the threshold 0.75 (run 1's 0.5 after 1 report, "
        "slack amount 0.25)");
}

TEST_CASE("a bandit describes itself with its settings") {
  CHECK(policy(Goal::maximize, "bandit",
               {{"slack_factor", 0.2}, {"evaluation_interval", std::int64_t{2}}})
            ->describe() == "bandit: slack factor 0.2, looks at every 2nd report");
}

TEST_CASE("a value level with the threshold but for rounding is written as the threshold is") {
  CHECK(
      sentence(*amount(Goal::maximize, 0.2), 1,
               history_of(Goal::maximize, {{0.8, 0.8, 0.8}, {0.6, 0.6, 0.6}})) ==
      "best value 0.6 after 3 reports is not below the threshold 0.6 (run 0's 0.8 after 3 reports, "
      "slack amount 0.2)");
  // Large numbers round coarsely: 1000.1 - 1000 is 0.1 and a little more.
  CHECK(
      sentence(*amount(Goal::maximize, 1000), 1, history_of(Goal::maximize, {{1000.1}, {0.1}})) ==
      "best value 0.1 after 1 report is not below the threshold 0.1 (run 0's 1000 after 1 report, "
      "slack amount 1000)");
  CHECK(
      sentence(*amount(Goal::maximize, 0.2), 1, history_of(Goal::maximize, {{0.8}, {0.5999999}})) ==
      "best value 0.5999999 after 1 report is below the threshold 0.6 (run 0's 0.8 after 1 report, "
      "slack amount 0.2)");
}
