// SPDX-License-Identifier: Apache-2.0
#include "policies/schedule.h"

#include "policies/sentence.h"
#include "tests/catch.h"

using hdrive::policies::Schedule;

namespace {

Schedule from(std::map<std::string, hdrive::Value> options) {
  const auto* row = hdrive::find_algorithm(hdrive::policy_algorithms(), "median_stopping");
  return Schedule::from(hdrive::Options(*row, {"median_stopping", std::move(options)}));
}

std::vector<std::int64_t> first_due(const Schedule& schedule, std::size_t count) {
  std::vector<std::int64_t> due;
  for (std::int64_t report = 0; due.size() < count; ++report)
    if (schedule.due(report)) due.push_back(report);
  return due;
}

using Reports = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("an interval of 100 with a delay of 200 first fires at report 200") {
  CHECK(first_due({100, 200}, 3) == Reports{200, 300, 400});
}

TEST_CASE("a policy fires at the multiples of its interval that are not below its delay") {
  CHECK(first_due({1, 5}, 3) == Reports{5, 6, 7});
  CHECK(first_due({2, 6}, 3) == Reports{6, 8, 10});
  CHECK(first_due({5, 7}, 2) == Reports{10, 15});
  CHECK(first_due({5, 3}, 2) == Reports{5, 10});
}

TEST_CASE("an interval of 0 or none means every report") {
  CHECK(first_due({0, 0}, 3) == Reports{1, 2, 3});
  CHECK(first_due({}, 3) == Reports{1, 2, 3});
  CHECK(first_due({0, 3}, 2) == Reports{3, 4});
  const Schedule absent = from({});
  CHECK(first_due(absent, 2) == Reports{1, 2});
}

TEST_CASE("a run without a report is never due") { CHECK_FALSE(Schedule{}.due(0)); }

TEST_CASE("the settings are read from the options") {
  const Schedule schedule =
      from({{"evaluation_interval", std::int64_t{5}}, {"delay_evaluation", std::int64_t{10}}});
  CHECK(schedule.evaluation_interval == 5);
  CHECK(schedule.delay_evaluation == 10);
}

TEST_CASE("a schedule says in words when it looks, from the report that is first in fact") {
  CHECK(Schedule{1, 0}.describe() == "every report");
  CHECK(Schedule{0, 1}.describe() == "every report");
  CHECK(Schedule{1, 5}.describe() == "every report from the 5th on");
  CHECK(Schedule{2, 0}.describe() == "every 2nd report");
  CHECK(Schedule{5, 7}.describe() == "every 5th report from the 10th on");
  CHECK(Schedule{5, 10}.not_due(7) ==
        "not due: the policy looks at every 5th report from the 10th on, and this was report 7");
}

TEST_CASE("ordinals are English") {
  using hdrive::policies::ordinal;
  CHECK(ordinal(1) == "1st");
  CHECK(ordinal(2) == "2nd");
  CHECK(ordinal(3) == "3rd");
  CHECK(ordinal(4) == "4th");
  CHECK(ordinal(11) == "11th");
  CHECK(ordinal(12) == "12th");
  CHECK(ordinal(113) == "113th");
  CHECK(ordinal(121) == "121st");
}

TEST_CASE("two numbers that differ are shown with enough digits to differ") {
  using hdrive::policies::number;
  CHECK(number(2.0 / 3, 0.5) == "0.6667");
  CHECK(number(0.66666, 2.0 / 3) == "0.66666");
  CHECK(number(2.0 / 3, 0.66666) == "0.66667");
  CHECK(number(0.8 - 0.2, 0.61) == "0.6");
  CHECK(number(0.5, 0.5) == "0.5");
}
