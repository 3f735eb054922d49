// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;

namespace {

struct Asking {
  Simulation simulation;
  SweepParts parts;

  Asking() {
    parts.store = simulation.store;
    parts.clock = simulation.clock;
    parts.sampler = simulation.sampler;
    parts.policy = *make_policy({"bandit", {{"slack_amount", 0.5}}}, Goal::minimize);
  }
  AskTell open() {
    auto opened = AskTell::open(simulation.spec, parts);
    REQUIRE(opened);
    return *std::move(opened);
  }
};

}  // namespace

TEST_CASE("what is asked for is stored before it is handed out, and told values decide the best") {
  Asking asking;
  AskTell study = asking.open();
  for (int i = 0; i < 3; ++i) {
    const auto asked = study.ask();
    REQUIRE(asked);
    REQUIRE(asked->run);
    CHECK(*asked->run == i);
    CHECK(asked->parameters == Assignment{{"x", std::int64_t{i}}});
    CHECK(asked->reason == "the next number");
    CHECK(only<RunProposed>(asking.simulation.store->stored).size() == std::size_t(i) + 1);
    REQUIRE(study.tell(*asked->run, i == 1 ? 0.5 : 2.0));
  }
  CHECK(study.state().history().incumbent() == 1);
}

TEST_CASE("max_total_runs ends the asking, and says so") {
  Asking asking;
  asking.simulation.spec.max_total_runs = 2;
  AskTell study = asking.open();
  REQUIRE(study.ask());
  REQUIRE(study.ask());
  const auto done = study.ask();
  REQUIRE(done);
  CHECK_FALSE(done->run);
  CHECK(done->reason == "all 2 runs of max_total_runs were asked for");
}

TEST_CASE("a report is judged, a stop stands, and a stopped run is recorded as the policy's") {
  Asking asking;
  AskTell study = asking.open();
  REQUIRE(study.ask());
  REQUIRE(study.ask());
  REQUIRE(study.report(0, 1.0));
  const auto verdict = study.report(1, 2.0, 7);
  REQUIRE(verdict);
  CHECK(verdict->verdict.action == Verdict::Action::stop);
  CHECK(verdict->verdict.threshold == Approx(1.5));
  CHECK_FALSE(verdict->reason.empty());
  CHECK_FALSE(study.stopped(0));
  REQUIRE(study.stopped(1));
  CHECK(study.state().history().run(1).ended_by == EndCause::policy);
  CHECK(study.state().stopped_by_policy() == 1);
}

TEST_CASE("a run that was never asked for, or has ended, takes no word") {
  Asking asking;
  AskTell study = asking.open();
  CHECK(study.tell(0, 1).error().message() == "run 0: was never asked for; there are 0 runs");
  REQUIRE(study.ask());
  REQUIRE(study.fail(0, "out of memory"));
  CHECK(study.state().history().run(0).reason == "out of memory");
  CHECK_FALSE(study.tell(0, 1));
  CHECK_FALSE(study.report(0, 1));
  CHECK_FALSE(study.fail(0));
}

TEST_CASE("asking goes on where an earlier session left off, its open runs still open") {
  Asking asking;
  {
    AskTell study = asking.open();
    REQUIRE(study.ask());
    REQUIRE(study.tell(0, 3.0));
    REQUIRE(study.ask());
  }
  AskTell study = asking.open();
  const auto asked = study.ask();
  REQUIRE(asked);
  CHECK(asked->run == 2);
  REQUIRE(study.tell(1, 1.0));
  CHECK(study.state().history().incumbent() == 1);
}
