// SPDX-License-Identifier: Apache-2.0
//
// The loop, on simulated time and processes: what it starts when, what it records, how it ends.
#include <cmath>
#include <limits>
#include <set>

#include "hdrive/config.h"
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using namespace std::chrono_literals;

TEST_CASE("a sweep starts max_total_runs runs and never more than max_concurrent_runs at once") {
  Simulation simulation;
  simulation.spec.max_total_runs = 57;
  simulation.spec.max_concurrent_runs = 5;
  simulation.model = [](const RunRequest& request) {
    SimulatedRun run = curve({1.0});
    run.duration += std::chrono::seconds{request.run * 37 % 101};
    return run;
  };
  std::set<RunId> alive;
  std::size_t most = 0;
  simulation.on_start = [&](const RunRequest& request) {
    alive.insert(request.run);
    most = std::max(most, alive.size());
  };
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (const auto* ended = std::get_if<RunEnded>(&change)) alive.erase(ended->run);
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 57);
  CHECK(summary->completed == 57);
  CHECK(summary->status == SweepStatus::completed);
  CHECK(summary->end == SweepEnd::all_runs);
  CHECK(most == 5);
}

TEST_CASE("a free slot is refilled at the moment it becomes free") {
  Simulation simulation;
  simulation.spec.max_total_runs = 20;
  std::vector<Time> starts, ends;
  simulation.on_start = [&](const RunRequest&) { starts.push_back(simulation.clock->now()); };
  simulation.model = [](const RunRequest& request) {
    SimulatedRun run = curve({1.0});
    run.duration = std::chrono::seconds{100 + request.run};
    return run;
  };
  REQUIRE(simulation.run());
  for (const auto& ended : only<RunEnded>(simulation.store->stored)) ends.push_back(ended.at);
  // The start of run n + 2 is the end of the n-th run to end.
  REQUIRE(starts.size() == 20);
  for (std::size_t i = 2; i < starts.size(); ++i) CHECK(starts[i] == ends[i - 2]);
}

TEST_CASE("a run is in the store before its process is started") {
  Simulation simulation;
  std::vector<RunId> started;
  simulation.on_start = [&](const RunRequest& request) {
    std::set<RunId> known;
    for (const auto& proposed : only<RunProposed>(simulation.store->stored))
      known.insert(proposed.run);
    CHECK(known.contains(request.run));
    started.push_back(request.run);
  };
  REQUIRE(simulation.run());
  CHECK(started.size() == 10);
}

TEST_CASE("a cancellation is in the store before the process is told") {
  Simulation simulation;
  simulation.policy = std::make_shared<Ceiling>();
  simulation.model = [](const RunRequest&) { return curve({2, 2, 2, 2}); };
  int told = 0;
  simulation.on_cancel = [&](RunId run, CancelMode mode) {
    ++told;
    CHECK(mode == CancelMode::graceful);
    bool stored = false;
    for (const auto& canceling : only<RunCanceling>(simulation.store->stored))
      stored |= canceling.run == run && canceling.cause == EndCause::policy;
    CHECK(stored);
  };
  REQUIRE(simulation.run());
  CHECK(told == 10);
}

TEST_CASE("forty day-long runs simulate twice with identical results") {
  const auto record = [] {
    Simulation simulation;
    simulation.spec.max_total_runs = 40;
    simulation.spec.max_concurrent_runs = 4;
    simulation.spec.max_duration = std::chrono::hours{24 * 30};
    simulation.policy = *make_policy({"bandit", {{"slack_factor", 0.1}}}, Goal::minimize);
    simulation.model = [](const RunRequest& request) {
      SimulatedRun run;
      for (int hour = 1; hour <= 24; ++hour)
        run.reports.emplace_back(
            std::chrono::hours{hour},
            metric("loss", 1.0 + static_cast<double>(request.run * 7 % 13) + 10.0 / hour));
      run.duration = std::chrono::hours{24};
      return run;
    };
    const auto summary = simulation.run();
    REQUIRE(summary);
    CHECK(summary->stopped > 10);
    std::string log;
    for (const auto& ended : only<RunEnded>(simulation.store->stored))
      log += std::to_string(ended.run) + " " + std::string(to_string(ended.status)) + " " +
             ended.reason + " " + std::to_string(ended.at.time_since_epoch().count()) + "\n";
    return log;
  };
  CHECK(record() == record());
}

TEST_CASE(
    "a run that the policy stops ends as canceled by the policy, with the verdict's sentence") {
  Simulation simulation;
  simulation.policy = std::make_shared<Ceiling>();
  simulation.model = [](const RunRequest& request) {
    return request.run == 3 ? curve({2, 2, 0.1, 0.1}) : curve({0.5, 0.5, 0.5, 0.5});
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->stopped == 1);
  CHECK(summary->completed == 9);
  const SweepState state = simulation.state();
  const Run& run = state.history().run(3);
  CHECK(run.status == RunStatus::canceled);
  CHECK(run.ended_by == EndCause::policy);
  CHECK(run.reason == "above the ceiling");
  REQUIRE(state.judged(3));
  CHECK(state.judged(3)->verdict.interval == 2);
  CHECK(state.judged(3)->verdict.action == Verdict::Action::stop);
  REQUIRE(state.judged(4));
  CHECK(state.judged(4)->reason == "below the ceiling");
}

TEST_CASE("a verdict that only says not due does not hide one that compared something") {
  Simulation simulation;
  simulation.spec.max_total_runs = 2;
  AlgorithmSpec bandit{"bandit", {{"slack_amount", 5.0}, {"evaluation_interval", std::int64_t{2}}}};
  simulation.policy = *make_policy(bandit, Goal::minimize);
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1}); };
  REQUIRE(simulation.run());
  const SweepState state = simulation.state();
  REQUIRE(state.judged(1));
  CHECK(state.judged(1)->verdict.interval == 2);
  CHECK(state.judged(1)->verdict.finding != Verdict::Finding::not_due);
}

TEST_CASE("a stop is kept though the policy explains it in the words of its last verdict") {
  class Silent final : public Policy {
   public:
    Verdict judge(RunId run, const History& history) const override {
      Verdict verdict;
      verdict.finding = Verdict::Finding::other;
      verdict.interval = static_cast<std::int64_t>(history.reports(run).size());
      if (verdict.interval == 2) verdict.action = Verdict::Action::stop;
      return verdict;
    }
    std::string explain(const Verdict&) const override { return ""; }
    std::string describe() const override { return "silent"; }
  };
  Simulation simulation;
  simulation.spec.max_total_runs = 1;
  simulation.policy = std::make_shared<Silent>();
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1}); };
  REQUIRE(simulation.run());
  CHECK(simulation.state().judged(0)->verdict.action == Verdict::Action::stop);
}

TEST_CASE("a policy sees each report where several come at once, and the first stop counts") {
  Simulation simulation;
  simulation.spec.max_total_runs = 1;
  simulation.policy = std::make_shared<Ceiling>();
  simulation.model = [](const RunRequest&) {
    SimulatedRun run = curve({});
    for (const double value : {3.0, 2.0, 0.5})
      run.reports.emplace_back(1min, metric("loss", value));
    run.duration = 1h;
    return run;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->stopped == 1);
  const SweepState state = simulation.state();
  CHECK(state.judged(0)->verdict.interval == 2);
  CHECK(state.history().reports(0).size() == 3);  // what it logged stays
}

TEST_CASE("a run that ends in the turn in which the policy stops it has ended by itself") {
  Simulation simulation;
  simulation.spec.max_total_runs = 1;
  simulation.policy = std::make_shared<Ceiling>();
  simulation.model = [](const RunRequest&) {
    SimulatedRun run = curve({2, 2});
    run.duration = 2min;
    return run;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 1);
  CHECK(summary->stopped == 0);
  CHECK(simulation.state().history().run(0).ended_by == EndCause::exited);
}

TEST_CASE("failed, crashed and killed runs do not end the sweep") {
  Simulation simulation;
  simulation.model = [](const RunRequest& request) -> Result<SimulatedRun> {
    SimulatedRun run = curve({1.0});
    if (request.run % 3 == 1) run.exit_code = 7;
    if (request.run % 3 == 2) run.signal = 11;
    return run;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 10);
  CHECK(summary->completed == 4);
  CHECK(summary->failed == 6);
  CHECK(summary->status == SweepStatus::completed);
  const SweepState state = simulation.state();
  CHECK(state.history().run(1).reason == "exited with code 7");
  CHECK(state.history().run(1).exit_code == 7);
  CHECK(state.history().run(2).reason == "killed by signal 11 (SIGSEGV)");
  CHECK(state.history().run(2).ended_by == EndCause::signaled);
}

TEST_CASE("a sweep in which every run fails ends early with the last lines of stderr") {
  Simulation simulation;
  simulation.spec.max_total_runs = 100;
  simulation.model = [](const RunRequest&) { return exits(2, "no module named torch"); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->status == SweepStatus::failed);
  CHECK(summary->end == SweepEnd::hopeless);
  CHECK(summary->runs <= 5);
  CHECK_THAT(summary->reason, Catch::Contains("all of the first 3 runs failed") &&
                                  Catch::Contains("exited with code 2") &&
                                  Catch::Contains("no module named torch"));
}

TEST_CASE("a program that cannot be started fails its run, and the sweep soon") {
  Simulation simulation;
  simulation.spec.max_total_runs = 100;
  simulation.model = [](const RunRequest&) -> Result<SimulatedRun> {
    return Error{"trian.py", "no such file"};
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::hopeless);
  CHECK(summary->failed <= 4);
  CHECK_THAT(summary->reason, Catch::Contains("trian.py: no such file"));
  CHECK(simulation.state().history().run(0).ended_by == EndCause::not_started);
}

TEST_CASE(
    "early failures are forgiven once a run was fruitful, or where the specification says so") {
  Simulation simulation;
  simulation.model = [](const RunRequest& request) {
    return request.run == 0 ? curve({1.0}) : exits(1);
  };
  simulation.spec.max_concurrent_runs = 1;
  auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 10);
  CHECK(summary->failed == 9);

  Simulation stubborn;
  stubborn.spec.stop_when_all_fail = false;
  stubborn.model = [](const RunRequest&) { return exits(1); };
  summary = stubborn.run();
  REQUIRE(summary);
  CHECK(summary->runs == 10);
  CHECK(summary->status == SweepStatus::failed);
}

TEST_CASE(
    "runs that never log the primary metric are reported with what they logged, and end the "
    "sweep") {
  Simulation simulation;
  simulation.spec.max_total_runs = 50;
  simulation.model = [](const RunRequest&) {
    SimulatedRun run = exits(0);
    run.reports.emplace_back(1ms, metric("Loss", 0.3));
    run.reports.emplace_back(2ms, metric("time", 1));
    return run;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::hopeless);
  CHECK(summary->runs <= 5);
  CHECK_FALSE(summary->best);
  REQUIRE(summary->warnings.size() == 1);
  CHECK(summary->warnings[0] ==
        "run 0: ended without the primary metric \"loss\"; it logged Loss, time; did you mean "
        "\"Loss\"?");
  CHECK_THAT(summary->reason,
             Catch::Contains("none of the first 3 runs logged the primary metric"));

  simulation.spec.stop_without_primary_metric = false;
  Simulation patient;
  patient.spec = simulation.spec;
  patient.model = simulation.model;
  const auto all = patient.run();
  REQUIRE(all);
  CHECK(all->runs == 50);
  CHECK(all->warnings.size() == 1);
}

TEST_CASE("runs that logged nothing are told whom azureml.core may have logged to") {
  Simulation simulation;
  simulation.model = [](const RunRequest&) { return exits(0); };
  const std::string advice =
      "it logged no metric at all; with azureml_sdk: auto what azureml.core logs goes to Azure's "
      "own SDK where that is installed; azureml_sdk: stand_in has it logged to the sweep";
  simulation.spec.azureml_sdk = AzuremlSdk::automatic;
  const auto summary = simulation.run();
  REQUIRE(summary);
  REQUIRE(summary->warnings.size() == 1);
  CHECK_THAT(summary->warnings[0], Catch::EndsWith(advice));
  CHECK_THAT(summary->reason, Catch::Contains("no metric at all; with azureml_sdk: auto"));

  Simulation ours;
  ours.model = simulation.model;
  const auto plain = ours.run();
  REQUIRE(plain);
  REQUIRE(plain->warnings.size() == 1);
  CHECK_THAT(plain->warnings[0], Catch::EndsWith("it logged no metric at all"));
}

TEST_CASE("where the metric is not insisted on, a run that completes without it is a success") {
  Simulation simulation;
  simulation.spec.max_total_runs = 40;
  simulation.spec.stop_without_primary_metric = false;
  simulation.model = [](const RunRequest& request) { return exits(request.run % 10 == 9 ? 1 : 0); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 40);
  CHECK(summary->failed == 4);
  CHECK(summary->status == SweepStatus::completed);
}

TEST_CASE("a sweep that has succeeded before is not given up for what fails after its resumption") {
  Simulation simulation;
  simulation.spec.max_concurrent_runs = 1;
  simulation.spec.max_total_runs = 3;
  REQUIRE(simulation.run());
  simulation.spec.max_total_runs = 10;
  simulation.model = [](const RunRequest&) { return exits(1); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 10);
  CHECK(summary->failed == 7);
  CHECK(summary->status == SweepStatus::completed);
}

TEST_CASE("when a start that fails ends the sweep, those decided with it are not started") {
  Simulation simulation;
  simulation.spec.max_total_runs = 20;
  simulation.spec.max_concurrent_runs = 6;
  // Five fail, and five are decided in their place; the first of these is the sixth failure.
  simulation.model = [](const RunRequest& request) -> Result<SimulatedRun> {
    if (request.run < 5) return exits(1);
    if (request.run > 5) return Error{"train.py", "no such file"};
    SimulatedRun slow = exits(0);
    slow.duration = 24h;
    return slow;
  };
  std::vector<RunId> started;
  simulation.on_start = [&](const RunRequest& request) { started.push_back(request.run); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::hopeless);
  CHECK(started == std::vector<RunId>{0, 1, 2, 3, 4, 5, 6});
  CHECK(simulation.state().history().run(7).status == RunStatus::queued);
}

TEST_CASE("start points come first, count as runs, and go on after a resumption") {
  Simulation simulation;
  simulation.spec.max_total_runs = 5;
  simulation.spec.space.parameters = {{"x", RandInt{1'000'000}}, {"y", RandInt{1'000'000}}};
  const auto number = [](std::int64_t value) { return Value{value}; };
  simulation.spec.start_points = {{{"x", number(7)}, {"y", number(8)}}, {{"y", number(9)}}};
  const auto stop_at_once = [&](const Change& change, const SweepState&) {
    if (std::holds_alternative<RunStarted>(change)) simulation.stop.request();
  };
  simulation.spec.max_concurrent_runs = 1;
  simulation.on_change = stop_at_once;
  REQUIRE(simulation.run());
  CHECK(simulation.state().start_points_used() == 1);
  simulation.on_change = nullptr;
  simulation.stop = StopSignal();
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 5);
  const SweepState state = simulation.state();
  CHECK(state.start_points_used() == 2);
  const auto run = [&](RunId id) { return state.history().run(id); };
  CHECK(run(0).parameters == Assignment{{"x", number(7)}, {"y", number(8)}});
  CHECK(run(0).proposal == "start point 1 of 2");
  CHECK(*find(run(1).parameters, "y") == number(9));
  CHECK(contains(simulation.spec.space.parameters[0].expression, *find(run(1).parameters, "x")));
  CHECK(run(1).proposal == "start point 2 of 2; 1 of its 2 values drawn at random, seed 0");
  CHECK(run(2).parameters == Assignment{{"x", number(2)}});  // the sampler's
}

TEST_CASE("NaN and infinite values never win and never stop the others") {
  Simulation simulation;
  simulation.policy = *make_policy({"median_stopping", {}}, Goal::minimize);
  simulation.model = [](const RunRequest& request) {
    const double odd = request.run % 2 ? std::numeric_limits<double>::quiet_NaN()
                                       : -std::numeric_limits<double>::infinity();
    return request.run == 5 ? curve({0.5, 0.5}) : curve({odd, odd});
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  REQUIRE(summary->best);
  CHECK(*summary->best == 5);
  CHECK(summary->best_value == 0.5);
}
