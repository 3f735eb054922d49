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
  std::vector<PatternFault> told;
  made->search(line, metrics, told, /*look_for_missed=*/true);
  if (faults) faults->clear();
  for (const PatternFault& fault : told)
    if (faults) faults->push_back(fault.what);
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

TEST_CASE("a number of which a pattern takes a part is told, and not taken for another number") {
  const auto [line, part, whole] = GENERATE(table<std::string, std::string, std::string>({
      {"loss: 2.000e-03", "2.000", "2.000e-03"},
      {"loss: 7.5e-05 end", "7.5", "7.5e-05"},
      {"loss: 1.2E+3", "1.2", "1.2E+3"},
      {"loss: 1e5", "1", "1e5"},
      {"loss: 1,234.5", "1", "1,234.5"},
      {"loss: 12,5", "12", "12,5"},
  }));
  std::vector<std::string> faults;
  CHECK(found({"loss: ([0-9.]+)"}, line, &faults).empty());
  REQUIRE(faults.size() == 1);
  CHECK_THAT(faults[0], Contains("takes only \"" + part + "\" of \"" + whole + "\"") &&
                            Contains("(\\S+)") && Contains("loss: ([0-9.]+)"));
  CHECK(found({"loss: (\\S+)"}, line).empty() == (whole.find(',') != std::string::npos));
}

TEST_CASE("a sign before the number is a part of it") {
  std::vector<std::string> faults;
  CHECK(found({"([0-9.]+)"}, "loss -0.25", &faults).empty());
  REQUIRE(faults.size() == 1);
  CHECK_THAT(faults[0], Contains("\"0.25\" of \"-0.25\""));
  CHECK(found({"([0-9.]+)"}, "epoch-3", &faults) == "accuracy=3.000000");
  CHECK(found({"(\\d+)"}, "0.5", &faults).empty());
  CHECK(faults.size() == 1);
}

TEST_CASE("a number that a pattern passes over is told") {
  const std::string line = GENERATE("loss: -0.25", "loss: nan", "loss: inf, acc: 1");
  std::vector<std::string> faults;
  CHECK(found({"(?i)LOSS: ([0-9.]+)"}, line, &faults).empty());
  REQUIRE(faults.size() == 1);
  CHECK_THAT(faults[0], Contains("passes over") && Contains("(\\S+)"));
  CHECK(found({"(?i)LOSS: ([0-9.]+)"}, "loss: high", &faults).empty());
  CHECK(faults.empty());
}

TEST_CASE("the value is found in patterns of any form when it is looked for what they miss") {
  const std::string pattern =
      GENERATE("(?P<step>\\d+) (?:x|\\() (?P<value>[)0-9]+)", "\\Q(\\E|[[:alpha:](]+ (\\d+)",
               "x (?P<value>(\\d)(\\d*))", "^x ([0-9.]+)$");
  std::vector<std::string> faults;
  found({pattern}, "3 x -0.25", &faults);
  found({pattern}, "x -0.25", &faults);
  CHECK(faults.size() <= 1);  // and above all: no pattern that was sound ends in anything worse
  CHECK_FALSE(metric_pattern_fault(pattern));
}

TEST_CASE("a pattern that says what follows the number has decided") {
  std::vector<std::string> faults;
  CHECK(found({"^\\d+,([0-9.]+),"}, "1,0.5,0.25", &faults) == "accuracy=0.500000");
  CHECK(found({"acc ([0-9.]+)%"}, "acc 12.5%", &faults) == "accuracy=12.500000");
  CHECK(found({"acc ([0-9.]+)"}, "acc 12, loss 3.", &faults) == "accuracy=12.000000");
  CHECK(found({"acc (\\d+)"}, "acc is: acc 1. Next", &faults) == "accuracy=1.000000");
  CHECK(found({"(\\S+) s"}, "took 3 s", &faults) == "accuracy=3.000000");
  CHECK(faults.empty());
}

TEST_CASE("punctuation behind a value is none of it") {
  CHECK(found({"acc=(\\S+)"}, "[acc=0.5, loss=1]") == "accuracy=0.500000");
  CHECK(found({"loss=(\\S+)"}, "[acc=0.5, loss=1e-3]") == "accuracy=0.001000");
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
