// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.h"
#include "tests/unit/policies/judging.h"

using namespace hdrive;
using namespace hdrive::testing;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("HyperDrive's and the later names find the policies, in any case") {
  const auto name_of = [](std::string_view spelled) {
    const AlgorithmInfo* info = find_algorithm(policy_algorithms(), spelled);
    return info ? std::string(info->name) : "";
  };
  CHECK(name_of("BanditPolicy") == "bandit");
  CHECK(name_of("Bandit") == "bandit");
  CHECK(name_of("MedianStoppingPolicy") == "median_stopping");
  CHECK(name_of("MedianStopping") == "median_stopping");
  CHECK(name_of("median-stopping") == "median_stopping");
  CHECK(name_of("TRUNCATIONSELECTIONPOLICY") == "truncation_selection");
  CHECK(name_of("NoTerminationPolicy") == "no_termination");
  CHECK(name_of("ban").empty());
}

TEST_CASE("an unknown policy is refused with what there is and the nearest name") {
  const std::string what = refusal("MedianStopingPolicy");
  CHECK(contains(what, "unknown policy type \"MedianStopingPolicy\""));
  for (const AlgorithmInfo& info : policy_algorithms())
    CHECK(contains(what, std::string(info.name)));
  CHECK(contains(what, "did you mean \"MedianStoppingPolicy\"?"));
}

TEST_CASE("a bandit takes exactly one slack") {
  CHECK(contains(refusal("bandit"), "neither slack_factor nor slack_amount"));
  CHECK(contains(refusal("bandit", {{"slack_factor", 0.1}, {"slack_amount", 0.1}}),
                 "both slack_factor and slack_amount"));
  CHECK(contains(refusal("bandit", {{"slack_factor", -0.1}}), "slack_factor"));
  CHECK(refusal("bandit", {{"slack_factor", std::int64_t{0}}}).empty());
  CHECK(refusal("bandit", {{"slack_amount", 0.1}}).empty());
}

TEST_CASE("a truncation percentage is an integer from 1 to 99, and required") {
  CHECK(contains(refusal("truncation_selection"), "truncation_percentage"));
  for (const Value& wrong : {Value(std::int64_t{0}), Value(std::int64_t{100}), Value(20.5)})
    CHECK(contains(refusal("truncation_selection", {{"truncation_percentage", wrong}}), "1 to 99"));
  CHECK(refusal("truncation_selection", {{"truncation_percentage", std::int64_t{1}}}).empty());
  CHECK(refusal("truncation_selection", {{"truncation_percentage", std::int64_t{99}}}).empty());
}

TEST_CASE("the schedule's options are integers that are not negative") {
  for (const char* option : {"evaluation_interval", "delay_evaluation"}) {
    CHECK(contains(refusal("median_stopping", {{option, std::int64_t{-1}}}), option));
    CHECK(contains(refusal("median_stopping", {{option, 1.5}}), option));
    CHECK(refusal("median_stopping", {{option, std::int64_t{0}}}).empty());
  }
  CHECK_FALSE(refusal("no_termination", {{"delay_evaluation", std::int64_t{1}}}).empty());
}

TEST_CASE("no_termination keeps the worst of runs") {
  const auto none = policy(Goal::maximize, "NoTerminationPolicy");
  const History history = history_of(Goal::maximize, {{1, 1}, {kNaN, kNaN}});
  CHECK_FALSE(stops(*none, 1, history));
  CHECK(none->judge(1, history).interval == 2);
  CHECK(contains(sentence(*none, 1, history), "there is no policy"));
}
