// SPDX-License-Identifier: Apache-2.0
//
// A sweep that is gone on with.
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;

TEST_CASE("a sweep resumed with more runs goes on with its history") {
  Simulation simulation;
  REQUIRE(simulation.run());
  simulation.spec.max_total_runs = 15;
  int started = 0;
  simulation.on_start = [&](const RunRequest& request) {
    CHECK(request.run >= 10);
    ++started;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 15);
  CHECK(started == 5);
}

TEST_CASE("a finished sweep that is resumed unchanged starts nothing") {
  Simulation simulation;
  REQUIRE(simulation.run());
  simulation.on_start = [](const RunRequest&) { FAIL("nothing was left to start"); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::all_runs);
  CHECK(summary->completed == 10);
}

TEST_CASE("a resumed sweep keeps its primary metric and goal") {
  Simulation simulation;
  REQUIRE(simulation.run());
  simulation.spec.primary_metric = "accuracy";
  const auto summary = simulation.run();
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message(), Catch::Contains("was begun to Minimize \"loss\""));
}

TEST_CASE("a sweep whose state is brought along goes on with that, and is not read again") {
  Simulation simulation;
  REQUIRE(simulation.run());
  const int replays = simulation.store->replays;
  simulation.known = std::make_shared<SweepState>(simulation.state());
  simulation.spec.max_total_runs = 12;
  std::vector<RunId> started;
  simulation.on_start = [&](const RunRequest& request) { started.push_back(request.run); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(started == std::vector<RunId>{10, 11});
  CHECK(summary->completed == 12);
  CHECK(simulation.store->replays == replays + 1);  // this test's own
  CHECK(simulation.state().history().size() == 12);
}
