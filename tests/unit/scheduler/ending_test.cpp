// SPDX-License-Identifier: Apache-2.0
//
// How sweeps and runs end, what is left in the store then, and what the summary says of it.
#include <cmath>
#include <limits>
#include <set>

#include "hdrive/config.h"
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using namespace std::chrono_literals;

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
  SECTION("no nodes") {
    simulation.spec.nodes_per_run = 0;
    CHECK_THAT(simulation.run().error().message(), Catch::Contains("must be at least 1"));
  }
  SECTION("parameter servers that serve nobody") {
    simulation.spec.distribution = {DistributionType::tensorflow, 0, 1, false, {}};
    CHECK_THAT(simulation.run().error().message(),
               Catch::Contains("parameter servers need at least one worker"));
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
