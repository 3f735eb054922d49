// SPDX-License-Identifier: Apache-2.0
#include "compute/output_patterns.h"

#include "tests/catch.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;

// "accuracy=0.5@3 ..." of all that was found.
std::string found(const std::vector<std::string>& patterns, const std::string& line,
                  std::vector<std::string>* faults = nullptr) {
  const auto made = OutputPatterns::make(patterns, "accuracy");
  REQUIRE(made);
  std::vector<Metric> metrics;
  std::vector<std::string> told;
  made->search(line, metrics, told);
  if (faults) *faults = told;
  std::string result;
  for (const Metric& metric : metrics) {
    result += (result.empty() ? "" : " ") + metric.name + "=" + std::to_string(metric.value);
    if (metric.step) result += "@" + std::to_string(*metric.step);
  }
  return result;
}

TEST_CASE("the first group is the value of the primary metric") {
  CHECK(found({"acc: ([0-9.]+)"}, "epoch 1 acc: 0.5 ok") == "accuracy=0.500000");
  CHECK(found({"acc: ([0-9.]+)"}, "nothing here").empty());
}

TEST_CASE("named groups give value, name and step") {
  CHECK(found({"(?P<step>\\d+)/\\d+ (?P<name>\\w+)=(?P<value>\\S+)"}, "3/10 loss=2.5") ==
        "loss=2.500000@3");
  CHECK(found({"(?P<name>\\w+)=(\\S+)"}, "loss=2.5") == "loss=2.500000");
}

TEST_CASE("a pattern counts as often as it matches, and patterns come in order") {
  CHECK(found({"b=(\\d)", "a=(\\d)"}, "a=1 b=2 a=3") ==
        "accuracy=2.000000 accuracy=1.000000 accuracy=3.000000");
}

TEST_CASE("a match that is no number is told") {
  std::vector<std::string> faults;
  CHECK(found({"acc: (\\S+)"}, "acc: high", &faults).empty());
  REQUIRE(faults.size() == 1);
  CHECK_THAT(faults[0], Contains("not a number") && Contains("\"high\""));
}

TEST_CASE("NaN and infinity are numbers") {
  CHECK(found({"acc: (\\S+)"}, "acc: inf") == "accuracy=inf");
}

TEST_CASE("a pattern that matches nothing at all does not loop") {
  CHECK(found({"(\\d*)"}, "ab").empty());
}

TEST_CASE("bytes that are no text are searched around") {
  CHECK(found({"acc=([0-9.]+)"}, std::string("\xFF\x00\xFE", 3) + "acc=1") == "accuracy=1.000000");
}

TEST_CASE("a pattern's fault is named") {
  CHECK_FALSE(metric_pattern_fault("acc: ([0-9.]+)"));
  REQUIRE(metric_pattern_fault("acc: ([0-9.]+"));
  CHECK_THAT(*metric_pattern_fault("acc: ([0-9.]+"), Contains("no regular expression"));
  REQUIRE(metric_pattern_fault("acc: [0-9.]+"));
  CHECK_THAT(*metric_pattern_fault("acc: [0-9.]+"), Contains("no group for the value"));
  REQUIRE(metric_pattern_fault("(?P<name>\\w+)"));
  CHECK_THAT(*metric_pattern_fault("(?P<name>\\w+)"), Contains("no group for the value"));
}

}  // namespace
}  // namespace hdrive::compute
