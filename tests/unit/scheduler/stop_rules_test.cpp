// SPDX-License-Identifier: Apache-2.0
//
// When a sweep ends before its budget is used up, and which runs are tried again.
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using namespace std::chrono_literals;

TEST_CASE("many failures in a row end the sweep at any time, and a resumed one goes on") {
  Simulation simulation;
  simulation.spec.max_total_runs = 30;
  simulation.spec.max_concurrent_runs = 1;
  simulation.spec.stop_after_consecutive_failures = 4;
  bool broken = true;
  simulation.model = [&](const RunRequest& request) {
    return broken && request.run >= 5 ? exits(1, "no GPU") : curve({0.5});
  };
  const auto stopped = simulation.run();
  REQUIRE(stopped);
  CHECK(stopped->end == SweepEnd::failing);
  CHECK(stopped->status == SweepStatus::failed);
  CHECK(stopped->runs == 9);
  CHECK_THAT(stopped->reason, Catch::Contains("4 runs in a row failed "
                                              "(stop_after_consecutive_failures); the latest, run "
                                              "8: exited with code 1") &&
                                  Catch::Contains("no GPU") && Catch::Contains("hdrive resume"));
  broken = false;
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 26);
  CHECK(summary->failed == 4);
}

TEST_CASE("a run that still trains may show that runs can succeed") {
  Simulation simulation;
  simulation.spec.max_total_runs = 12;
  simulation.spec.max_concurrent_runs = 2;
  simulation.spec.stop_after_consecutive_failures = 3;
  simulation.model = [&](const RunRequest& request) {
    if (request.run == 1) return curve({0.5, 0.4, 0.3});
    return request.run == 0 || request.run > 4 ? curve({0.5}) : exits(1);
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::all_runs);
  CHECK(summary->runs == 12);
  CHECK(summary->failed == 3);
  CHECK_THAT(summary->warnings.at(0),
             Catch::Contains("no new runs are started while 1 run goes on"));
}

TEST_CASE("no number of failures ends a sweep that is not to be ended by them") {
  Simulation simulation;
  simulation.spec.max_total_runs = 15;
  simulation.spec.stop_after_consecutive_failures = 0;
  simulation.spec.stop_when_all_fail = false;
  simulation.model = [](const RunRequest& request) {
    return request.run == 0 ? curve({1}) : exits(1);
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::all_runs);
  CHECK(summary->failed == 14);
}

TEST_CASE("a run that failed is tried again as often as is allowed, as the same run") {
  Simulation simulation;
  simulation.spec.max_total_runs = 3;
  simulation.spec.max_failed_retries = 2;
  simulation.model = [](const RunRequest& request) {
    return request.attempt <= request.run + 1 ? exits(137) : curve({0.5});
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 2);
  CHECK(summary->failed == 1);
  const SweepState state = simulation.state();
  CHECK(state.history().run(0).attempt == 2);
  CHECK(state.history().run(1).attempt == 3);
  CHECK(state.history().run(2).attempt == 3);
  CHECK(state.failed_attempts(1) == 2);
  CHECK_THAT(summary->warnings.at(0), Catch::Contains("exited with code 137; it is tried again"));
}

TEST_CASE("a sweep ends with success as soon as a run reaches stop_at") {
  Simulation simulation;
  simulation.spec.stop_at = 0.1;
  simulation.spec.max_total_runs = 50;
  simulation.model = [](const RunRequest& request) {
    return request.run == 4 ? curve({0.5, 0.1, 0.05}) : curve({0.5, 0.4, 0.3});
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::target);
  CHECK(summary->status == SweepStatus::completed);
  CHECK(summary->reason == "run 4 reached loss 0.1, and stop_at is 0.1");
  CHECK(summary->best == 4);
  CHECK(summary->runs < 10);
  // A resumed one has nothing left to do.
  const auto left = nothing_left(simulation.spec, simulation.state());
  REQUIRE(left);
  CHECK_THAT(left->why, Catch::Contains("stop_at"));
}

TEST_CASE("a sweep ends with success when so many runs brought nothing better") {
  Simulation simulation;
  simulation.spec.stop_without_progress = 3;
  simulation.spec.max_total_runs = 50;
  simulation.spec.max_concurrent_runs = 1;
  simulation.model = [](const RunRequest& request) {
    if (request.run == 3) return exits(1);  // says nothing of the parameters
    return curve({request.run == 2 ? 0.2 : 0.5 - 0.01 * static_cast<double>(request.run % 2)});
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::no_progress);
  CHECK(summary->status == SweepStatus::completed);
  CHECK(summary->runs == 7);
  CHECK(summary->reason ==
        "3 runs in a row brought nothing better than 0.2 (stop_without_progress)");
  const auto left = nothing_left(simulation.spec, simulation.state());
  REQUIRE(left);
  CHECK(left->setting == "stop_without_progress=0");
}

TEST_CASE("a run that reports nothing for max_silent_seconds is ended, and is told why") {
  Simulation simulation;
  simulation.spec.max_total_runs = 2;
  simulation.spec.max_silent = 5min;
  simulation.model = [](const RunRequest& request) {
    SimulatedRun run = curve({0.5, 0.4});
    run.duration = request.run == 0 ? Duration{10h} : Duration{3min};
    return run;
  };
  const Time begun = simulation.clock->now();
  const auto summary = simulation.run();
  REQUIRE(summary);
  const SweepState state = simulation.state();
  CHECK(state.history().run(0).ended_by == EndCause::silent);
  CHECK(state.history().run(0).ended == begun + 7min);
  CHECK_THAT(state.history().run(0).reason, Catch::Contains("max_silent_seconds (300 s)"));
  CHECK(state.history().run(1).status == RunStatus::completed);
}

TEST_CASE("somebody may ask for a run that has ended to be tried again") {
  Simulation simulation;
  simulation.spec.max_total_runs = 3;
  simulation.spec.max_concurrent_runs = 1;
  simulation.model = [](const RunRequest& request) {
    return request.run == 0 && request.attempt == 1 ? exits(1) : curve({0.5, 0.4});
  };
  const Time begun = simulation.clock->now();
  simulation.store->requests = [&, asked = 0]() mutable -> std::vector<Request> {
    if (asked > 0 || simulation.clock->now() < begun + 30s) return {};
    ++asked;
    return {{1, Request::Kind::retry_run, RunId{0}, ""},
            {2, Request::Kind::retry_run, RunId{1}, ""},
            {3, Request::Kind::retry_run, RunId{9}, ""}};
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 3);
  CHECK(simulation.state().history().run(0).attempt == 2);
  const auto answers = only<RequestAnswered>(simulation.store->stored);
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].text == "it is tried again, as attempt 2");
  CHECK(answers[1].text == "it has not ended: it is Running");
  CHECK(answers[2].text == "there is no such run");
}
