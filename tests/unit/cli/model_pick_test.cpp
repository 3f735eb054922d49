// SPDX-License-Identifier: Apache-2.0
#include "cli/model_pick.h"

#include <limits>

#include "cli/json.h"
#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::cli;

TEST_CASE("A mean has the digits that its deviation lets count") {
  CHECK(with_deviation(0.93172, 0.0121) == "0.932 +- 0.012");
  CHECK(with_deviation(-123.456, 30) == "-123 +- 30");
  CHECK(with_deviation(1.23456e-7, 2e-9) == "1.235e-07 +- 2e-09");
  CHECK(with_deviation(0.001, 5) == "0.001 +- 5");
  CHECK(with_deviation(0.25, 0) == "0.25 +- 0");
  CHECK(with_deviation(0, 0.5) == "0 +- 0.5");
}

TEST_CASE("The pick is told beside the run that reported the best value") {
  ModelPick pick;
  pick.run = 17;
  pick.mean = 0.9312;
  pick.deviation = 0.012;
  pick.leader = 25;
  pick.leader_reported = 0.94;
  CHECK(pick_text(pick) == "picks run 17, 0.931 +- 0.012 (run 25 reported the best value, 0.94)");
  CHECK(pick_json(pick)["run"] == 17);
  CHECK(pick_json(pick)["best_reported_run"] == 25);
  CHECK(pick_json(std::nullopt).is_null());
}
