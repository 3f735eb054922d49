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

namespace {

// Stops above a fixed value, from the second report on.
class Ceiling final : public Policy {
 public:
  Verdict judge(RunId id, const History& history) const override {
    Verdict verdict;
    verdict.interval = static_cast<std::int64_t>(history.reports(id).size());
    if (verdict.interval < 2) return verdict;
    verdict.value = history.best(id).value_or(1e9);
    verdict.threshold = 1;
    const bool stop = verdict.value > verdict.threshold;
    verdict.action = stop ? Verdict::Action::stop : Verdict::Action::keep;
    verdict.finding = stop ? Verdict::Finding::beyond : Verdict::Finding::within;
    return verdict;
  }
  std::string explain(const Verdict& verdict) const override {
    if (verdict.finding == Verdict::Finding::not_due) return "too early";
    return verdict.action == Verdict::Action::stop ? "above the ceiling" : "below the ceiling";
  }
  std::string describe() const override { return "ceiling 1"; }
};

}  // namespace

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

TEST_CASE("a run that outlives its own time limit is cancelled") {
  Simulation simulation;
  simulation.spec.max_run_duration = 90s;
  simulation.model = [](const RunRequest& request) {
    return request.run == 2 ? curve({1, 1, 1}) : curve({1});
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 9);
  CHECK(summary->canceled == 1);
  const SweepState state = simulation.state();
  const Run& run = state.history().run(2);
  CHECK(run.ended_by == EndCause::time_limit);
  CHECK(run.reason == "ran longer than max_run_duration_seconds (90 s)");
  CHECK(run.ended - run.started == Duration{90s});
}

TEST_CASE("no run starts after max_duration_minutes, and the live ones are cancelled then") {
  Simulation simulation;
  simulation.spec.max_duration = 10min;
  simulation.spec.max_total_runs = 1000;
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1}); };
  const Time began = simulation.clock->now();
  Time last{};
  simulation.on_start = [&](const RunRequest&) { last = simulation.clock->now(); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::duration);
  CHECK(summary->status == SweepStatus::completed);
  CHECK(last < began + 10min);
  CHECK(simulation.clock->now() == began + 10min);
  CHECK(summary->elapsed == Duration{10min});
  CHECK(summary->canceled == 2);
}

TEST_CASE("a sweep that used up its time starts nothing when resumed, and goes on with more time") {
  Simulation simulation;
  simulation.spec.max_duration = 10min;
  simulation.spec.max_total_runs = 8;
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1}); };
  REQUIRE(simulation.run());
  std::vector<std::pair<RunId, int>> started;
  simulation.on_start = [&](const RunRequest& request) {
    started.emplace_back(request.run, request.attempt);
  };
  auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::duration);
  CHECK(summary->elapsed == Duration{10min});
  CHECK(started.empty());

  // The limit is that of all sessions together: 12 minutes leave no time to end what takes 3.
  simulation.spec.max_duration = 12min;
  const Time resumed = simulation.clock->now();
  summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::duration);
  CHECK(simulation.clock->now() == resumed + 2min);
  started.clear();

  simulation.spec.max_duration = 20min;
  summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::all_runs);
  CHECK(summary->completed == 8);
  REQUIRE(started.size() == 2);  // runs 6 and 7 were cut off at 10 minutes, and at 12
  CHECK(started[0] == std::pair<RunId, int>{6, 3});
  CHECK(started[1] == std::pair<RunId, int>{7, 3});
}

TEST_CASE(
    "an interrupt cancels the live runs, keeps everything, and a resume goes on with the same "
    "runs") {
  Simulation simulation;
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1}); };
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (const auto* metrics = std::get_if<RunMetrics>(&change); metrics && metrics->run == 4)
      simulation.stop.request();
  };
  auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->status == SweepStatus::canceled);
  CHECK(summary->end == SweepEnd::interrupt);
  const std::int64_t before = summary->runs;
  CHECK(before == 6);
  CHECK(simulation.state().history().run(5).ended_by == EndCause::interrupt);

  simulation.stop = StopSignal();
  simulation.on_change = nullptr;
  std::map<RunId, int> attempts;
  simulation.on_start = [&](const RunRequest& request) {
    CHECK(request.parameters == Assignment{{"x", request.run}});
    attempts[request.run] = request.attempt;
  };
  summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->status == SweepStatus::completed);
  CHECK(summary->runs == 10);
  CHECK(summary->completed == 10);
  for (const auto& [run, attempt] : attempts) CHECK(attempt == (run < before ? 2 : 1));
  CHECK(simulation.state().history().run(5).attempt == 2);
}

TEST_CASE(
    "what was decided when an interrupt came is not begun after it, and is begun when resumed") {
  Simulation simulation;
  std::map<RunId, int> attempts;
  simulation.on_start = [&](const RunRequest& request) { attempts[request.run] = request.attempt; };
  // It comes while the proposals of runs 6 and 7 are being stored.
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (const auto* proposed = std::get_if<RunProposed>(&change); proposed && proposed->run == 6)
      simulation.stop.request();
  };
  REQUIRE(simulation.run());
  CHECK(attempts.size() == 6);
  CHECK(simulation.state().history().run(6).status == RunStatus::queued);
  simulation.stop = StopSignal();
  simulation.on_change = nullptr;
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 10);
  CHECK(attempts[6] == 1);
}

TEST_CASE("a second interrupt kills what does not end") {
  Simulation simulation;
  simulation.spec.cancel_grace = std::chrono::hours{1};
  simulation.model = [](const RunRequest&) {
    SimulatedRun run = curve({1, 1, 1});
    run.cancel_delay = std::chrono::hours{1};
    return run;
  };
  std::vector<CancelMode> modes;
  simulation.on_cancel = [&](RunId, CancelMode mode) {
    modes.push_back(mode);
    simulation.stop.request();
  };
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (std::holds_alternative<RunMetrics>(change) && simulation.stop.level() == 0)
      simulation.stop.request();
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::interrupt);
  CHECK(std::count(modes.begin(), modes.end(), CancelMode::kill) == 2);
  CHECK(simulation.state().history().run(0).signal == 9);
}

TEST_CASE("a lost run is tried again as the same run, as often as allowed, then failed") {
  Simulation simulation;
  simulation.spec.max_lost_retries = 2;
  simulation.model = [](const RunRequest& request) {
    SimulatedRun run = curve({1.0, 2.0});
    run.vanishes = (request.run == 1 && request.attempt < 3) || request.run == 6;
    return run;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 10);
  CHECK(summary->completed == 9);
  CHECK(summary->failed == 1);
  const SweepState state = simulation.state();
  CHECK(state.history().run(1).attempt == 3);
  CHECK(state.history().run(1).status == RunStatus::completed);
  CHECK(state.history().reports(1).size() == 2);  // of the last attempt only
  CHECK(state.history().run(6).ended_by == EndCause::lost);
  CHECK(state.history().run(6).attempt == 3);
  CHECK(state.lost_attempts(6) == 2);
}

TEST_CASE("a sweep whose space is exhausted is complete, with the sampler's reason") {
  Simulation simulation;
  simulation.sampler = std::make_shared<CountingSampler>(4);
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 4);
  CHECK(summary->end == SweepEnd::exhausted);
  CHECK(summary->status == SweepStatus::completed);
  CHECK(summary->reason == "the space has only 4 points");
}

TEST_CASE("a sampler's error ends the sweep with its message, and nothing is left running") {
  Simulation simulation;
  simulation.sampler->fails_at = 3;
  const auto summary = simulation.run();
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message(),
             Catch::Contains("run 3") && Catch::Contains("it lost count"));
  const SweepState state = simulation.state();
  CHECK(state.status() == SweepStatus::failed);
  CHECK(state.end() == SweepEnd::error);
  CHECK(state.history().count(RunStatus::running) == 0);
}

TEST_CASE("while the store cannot write no run starts, and the sweep goes on when it can again") {
  Simulation simulation;
  const Time began = simulation.clock->now();
  const auto full = [&] {
    const Time now = simulation.clock->now();
    return now >= began + 2min && now < began + 20min;
  };
  simulation.store->refuse = full;
  simulation.on_start = [&](const RunRequest&) { CHECK_FALSE(full()); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 10);
  CHECK(simulation.clock->now() > began + 20min);
  REQUIRE(summary->warnings.size() == 1);
  CHECK_THAT(summary->warnings[0], Catch::Contains("the disk is full"));
}

TEST_CASE(
    "a sweep that is interrupted while the store cannot write ends with an error, its runs "
    "cancelled") {
  Simulation simulation;
  simulation.model = [](const RunRequest&) {
    SimulatedRun run = curve({1.0});
    run.duration = 24h;
    return run;
  };
  simulation.store->refuse = [&] { return simulation.store->transactions >= 2; };
  std::set<RunId> cancelled;
  simulation.on_cancel = [&](RunId run, CancelMode) { cancelled.insert(run); };
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (std::holds_alternative<RunStarted>(change)) simulation.stop.request();
  };
  const auto summary = simulation.run();
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message(), Catch::Contains("the disk is full"));
  CHECK(cancelled == std::set<RunId>{0, 1});
}

TEST_CASE("another process can stop one run, or the sweep") {
  Simulation simulation;
  const Time began = simulation.clock->now();
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1, 1, 1}); };
  int given = 0;
  simulation.store->requests = [&]() -> std::vector<Request> {
    const Time now = simulation.clock->now();
    if (given == 0 && now >= began + 2min) return {Request{++given, Request::Kind::stop_run, 1}};
    if (given == 1 && now >= began + 8min) return {Request{++given, Request::Kind::stop_sweep, {}}};
    return {};
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->status == SweepStatus::canceled);
  CHECK(summary->end == SweepEnd::user);
  const SweepState state = simulation.state();
  CHECK(state.history().run(1).ended_by == EndCause::user);
  CHECK(state.history().run(1).reason == "stopped by `hdrive stop`");
  CHECK(state.history().run(1).ended < began + 3min);
  CHECK(state.history().count(RunStatus::running) == 0);
  CHECK(simulation.clock->now() < began + 9min);
}

TEST_CASE("what is replayed from the store equals what the engine knew") {
  Simulation simulation;
  simulation.policy = std::make_shared<Ceiling>();
  simulation.model = [](const RunRequest& request) {
    return request.run % 4 == 2 ? curve({3, 2, 2}) : curve({0.5, 0.25, 0.75});
  };
  std::string live;
  const auto describe = [](const SweepState& state) {
    std::string text = std::string(to_string(state.status())) + state.reason();
    for (const auto& run : report_runs(state, "HD_test")) text += to_json(run);
    return text;
  };
  simulation.on_change = [&](const Change&, const SweepState& state) { live = describe(state); };
  REQUIRE(simulation.run());
  CHECK(describe(simulation.state()) == live);
}

TEST_CASE("the engine forgets the verdicts of ended runs, and its store keeps them") {
  Simulation simulation;
  simulation.policy = std::make_shared<Ceiling>();
  simulation.model = [](const RunRequest&) { return curve({0.5, 0.25, 0.75}); };
  int judged = 0;
  simulation.on_change = [&](const Change& change, const SweepState& state) {
    if (const auto* verdict = std::get_if<RunJudged>(&change)) {
      REQUIRE(state.judged(verdict->run));
      ++judged;
    } else if (const auto* ended = std::get_if<RunEnded>(&change)) {
      CHECK_FALSE(state.judged(ended->run));
    }
  };
  REQUIRE(simulation.run());
  CHECK(judged >= 10);
  const SweepState stored = simulation.state();
  for (RunId run = 0; run < 10; ++run) {
    REQUIRE(stored.judged(run));
    CHECK(stored.judged(run)->reason == "below the ceiling");
    CHECK(stored.judged(run)->verdict.threshold == 1);
  }
}

TEST_CASE("the summary says what stopping early saved") {
  Simulation simulation;
  simulation.spec.max_total_runs = 4;
  simulation.policy = std::make_shared<Ceiling>();
  simulation.model = [](const RunRequest& request) {
    SimulatedRun run = request.run == 3 ? curve({2, 2, 2}) : curve({0.5, 0.5, 0.5});
    run.duration = 10min;
    return run;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  REQUIRE(summary->saved);
  CHECK(*summary->saved == Duration{8min});  // stopped after 2 of the 10 minutes the others took
  CHECK(summary->compute == Duration{32min});
}

TEST_CASE("a specification that cannot work is refused before anything starts") {
  Simulation simulation;
  simulation.on_start = [](const RunRequest&) { FAIL("started"); };
  SECTION("no runs") {
    simulation.spec.max_total_runs = 0;
    CHECK(simulation.run().error().message() == "max_total_runs: is 0; it must be at least 1");
  }
  SECTION("no metric") {
    simulation.spec.primary_metric.clear();
    CHECK_THAT(simulation.run().error().message(), Catch::Contains("primary_metric"));
  }
  SECTION("two parameters of one name") {
    simulation.spec.space.parameters.push_back({"--x", Uniform{0, 1}});
    CHECK_THAT(simulation.run().error().message(),
               Catch::Contains("\"--x\": is in the search space twice"));
  }
  SECTION("a range the wrong way round") {
    simulation.spec.space.parameters = {{"lr", Uniform{2, 1}}};
    CHECK_THAT(simulation.run().error().message(), Catch::Contains("lr"));
  }
}

TEST_CASE("a sweep none of whose runs completed says so, and what they did instead") {
  Simulation simulation;
  simulation.spec.max_total_runs = 3;
  simulation.spec.max_run_duration = 90s;
  simulation.model = [](const RunRequest& request) {
    return request.run == 2 ? exits(1) : curve({1, 1, 1});
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->status == SweepStatus::failed);
  CHECK(summary->reason ==
        "all 3 runs have ended; none completed: 1 failed, 2 ran longer than "
        "max_run_duration_seconds");
}

TEST_CASE("max_duration_minutes of a fraction of a second is kept to, and quoted as it was given") {
  Simulation simulation;
  simulation.spec.max_duration = 60ms;
  const Time began = simulation.clock->now();
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(simulation.clock->now() == began + 60ms);
  CHECK(summary->reason == "max_duration_minutes (0.001) were over after 2 runs");
}

TEST_CASE("a summary carries the record of the best run") {
  Simulation simulation;
  simulation.model = [](const RunRequest& request) {
    return curve({request.run == 4 ? 0.25 : 0.5});
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  REQUIRE(summary->best_run);
  CHECK(summary->best_run->id == 4);
  CHECK(summary->best_run->status == RunStatus::completed);
  CHECK(summary->best_run->parameters == simulation.state().history().run(4).parameters);
}

TEST_CASE("the live runs of a sweep count up to now, where now is known") {
  SweepState state("loss", Goal::minimize);
  const Time began{10s};
  state.apply(SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, began});
  for (const RunId run : {0, 1}) state.apply(RunProposed{run, {}, "", began});
  for (const RunId run : {0, 1}) state.apply(RunStarted{run, 1, 7, began + 1s});
  CHECK(summarize(state).compute == Duration{});
  CHECK(summarize(state, began + 5s).compute == Duration{8s});
  CHECK(summarize(state).elapsed == Duration{1s});
  CHECK(summarize(state, began + 5s).elapsed == Duration{5s});
}

TEST_CASE("a new sweep's header holds its specification, under an id of its own") {
  Simulation simulation;
  simulation.spec.name = "first";
  simulation.spec.experiment = "digits";
  const SweepHeader header = new_sweep_header(simulation.spec, Time{5s});
  CHECK(header.id != new_sweep_header(simulation.spec, Time{5s}).id);
  CHECK(header.name == "first");
  CHECK(header.experiment == "digits");
  CHECK(header.config == to_hdconfig(simulation.spec));
  CHECK(header.metric == "loss");
  CHECK(header.goal == Goal::minimize);
  CHECK(header.version == version());
  CHECK(header.created == Time{5s});
}
