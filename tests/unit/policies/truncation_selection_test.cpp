// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/catch.h"
#include "tests/unit/policies/judging.h"

using namespace hdrive;
using namespace hdrive::testing;

namespace {

std::shared_ptr<const Policy> truncation(Goal goal, int percentage, bool exclude_finished = false) {
  return policy(goal, "truncation_selection",
                {{"truncation_percentage", std::int64_t{percentage}},
                 {"exclude_finished_jobs", exclude_finished}});
}

/// Ten runs with the values 0, 1, ... 9 after one report.
History ten(Goal goal) {
  std::vector<std::vector<double>> series;
  for (int i = 0; i < 10; ++i) series.push_back({static_cast<double>(i)});
  return history_of(goal, series);
}

std::vector<RunId> stopped(const Policy& policy, const History& history) {
  std::vector<RunId> ids;
  for (RunId id = 0; id < history.size(); ++id)
    if (stops(policy, id, history)) ids.push_back(id);
  return ids;
}

using Ids = std::vector<RunId>;

}  // namespace

TEST_CASE("the worst percentage of the runs goes, rounded down") {
  CHECK(stopped(*truncation(Goal::maximize, 20), ten(Goal::maximize)) == Ids{0, 1});
  CHECK(stopped(*truncation(Goal::maximize, 29), ten(Goal::maximize)) == Ids{0, 1});
  CHECK(stopped(*truncation(Goal::maximize, 30), ten(Goal::maximize)) == Ids{0, 1, 2});
  CHECK(stopped(*truncation(Goal::maximize, 9), ten(Goal::maximize)) == Ids{});
  CHECK(stopped(*truncation(Goal::maximize, 99), ten(Goal::maximize)).size() == 9);
  CHECK(stopped(*truncation(Goal::minimize, 20), ten(Goal::minimize)) == Ids{8, 9});
}

TEST_CASE("in a tie for the last place the later run goes") {
  const History history = history_of(Goal::maximize, {{1}, {1}, {1}, {1}, {1}});
  CHECK(stopped(*truncation(Goal::maximize, 20), history) == Ids{4});
  CHECK(stopped(*truncation(Goal::maximize, 40), history) == Ids{3, 4});
}

TEST_CASE("a young run is ranked against what the older ones had by then") {
  const auto half = truncation(Goal::maximize, 50);
  const History history = history_of(Goal::maximize, {{0.1, 0.9}, {0.2}});
  CHECK_FALSE(stops(*half, 1, history));
  CHECK(half->judge(1, history).peers == 2);
}

TEST_CASE("finished runs are ranked too, unless they are excluded") {
  History history = ten(Goal::maximize);
  for (const RunId id : {0, 1, 2, 3})
    history.set_status(id, RunStatus::completed, EndCause::exited);
  CHECK_FALSE(stops(*truncation(Goal::maximize, 20), 4, history));
  CHECK(stops(*truncation(Goal::maximize, 20, true), 4, history));
  CHECK(truncation(Goal::maximize, 20, true)->judge(4, history).peers == 6);
  CHECK_FALSE(stops(*truncation(Goal::maximize, 20, true), 5, history));
}

TEST_CASE("runs without a finite value are the worst") {
  for (const Goal goal : {Goal::minimize, Goal::maximize}) {
    const History history = history_of(goal, {{1}, {2}, {kNaN}, {3}, {-kInf}, {kInf}});
    CHECK(stopped(*truncation(goal, 50), history) == Ids{2, 4, 5});
    CHECK(stopped(*truncation(goal, 17), history) == Ids{5});
    CHECK(std::isnan(truncation(goal, 50)->judge(2, history).value));
  }
}

TEST_CASE("the truncation's sentence names value, rank bound, number of runs and percentage") {
  const auto fifth = truncation(Goal::maximize, 20);
  const History history = ten(Goal::maximize);
  CHECK(sentence(*fifth, 0, history) ==
        "best value 0 after 1 report is among the worst 2 of 10 runs (20 %), the best of which had "
        "1 by then");
  CHECK(sentence(*fifth, 7, history) ==
        "best value 7 after 1 report is not among the worst 2 of 10 runs (20 %), the best of which "
        "had 1 by then");
  CHECK(sentence(*truncation(Goal::maximize, 9), 0, history) ==
        "best value 0 after 1 report; 9 % of 10 runs is less than one run");
  CHECK(
      sentence(*truncation(Goal::maximize, 50, true), 0,
               history_of(Goal::maximize, {{kNaN}, {1}})) ==
      "no finite value in 1 report is among the worst 1 of 2 unfinished runs (50 %), which had no "
      "finite value by then");
  CHECK(sentence(*fifth, 0, history_of(Goal::maximize, {{1}})) ==
        "nothing to compare with: no other run has 1 report yet");
  CHECK(fifth->describe() ==
        "truncation_selection: the worst 20 % of the runs, looks at every report");
}
