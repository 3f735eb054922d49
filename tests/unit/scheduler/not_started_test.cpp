// SPDX-License-Identifier: Apache-2.0
//
// Runs that could not be started for a reason that lies outside of them: no result, nothing counted.
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using namespace std::chrono_literals;

namespace {

std::optional<Error> gone() {
  return Error{"train.py", "No such file or directory", Error::Kind::not_found};
}

RunDeferred gone_late(const RunRequest& request) {
  return {request.run, request.attempt,
          Error{"", "cannot start train.py: No such file or directory", Error::Kind::not_found}};
}

std::vector<SweepStatus> statuses(const Simulation& simulation) {
  std::vector<SweepStatus> result;
  for (const SweepChanged& changed : only<SweepChanged>(simulation.store->stored))
    if (result.empty() || result.back() != changed.status) result.push_back(changed.status);
  return result;
}

}  // namespace

TEST_CASE("a program that is gone for a while pauses the sweep, which goes on by itself") {
  const bool late = GENERATE(false, true);
  Simulation simulation;
  simulation.spec.max_total_runs = 6;
  const Time begun = simulation.clock->now();
  const auto is_gone = [&] {
    return simulation.clock->now() >= begun + 30s && simulation.clock->now() < begun + 75s;
  };
  if (late)
    simulation.late_refusal = [&](const RunRequest& request) {
      return is_gone() ? std::optional(gone_late(request)) : std::nullopt;
    };
  else
    simulation.refuse_start = [&](const RunRequest&) { return is_gone() ? gone() : std::nullopt; };
  simulation.model = [](const RunRequest&) {
    SimulatedRun run = curve({0.5});
    run.reports[0].first = 10s;
    run.duration = 20s;
    return run;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::all_runs);
  CHECK(summary->completed == 6);
  CHECK(statuses(simulation) == std::vector<SweepStatus>{SweepStatus::running, SweepStatus::paused,
                                                         SweepStatus::running,
                                                         SweepStatus::completed});
  const SweepState state = simulation.state();
  for (RunId run = 0; run < 6; ++run) CHECK(state.history().run(run).attempt == 1);
  CHECK(only<Noted>(simulation.store->stored).size() == 1);  // told once
  // While nothing ran no time counted.
  CHECK(summary->elapsed < 65s);
}

TEST_CASE("a sweep whose program nobody brings back ends after a minute and keeps its runs") {
  Simulation simulation;
  simulation.spec.max_total_runs = 5;
  int started = 0;
  simulation.refuse_start = [&](const RunRequest&) { return started >= 2 ? gone() : std::nullopt; };
  simulation.on_start = [&](const RunRequest&) { ++started; };
  const Time begun = simulation.clock->now();
  const auto stopped = simulation.run();
  REQUIRE(stopped);
  CHECK(stopped->end == SweepEnd::blocked);
  CHECK(stopped->status == SweepStatus::failed);
  CHECK(stopped->completed == 2);
  CHECK(stopped->failed == 0);
  CHECK_THAT(stopped->reason, Catch::Contains("for 60 seconds: train.py: No such file") &&
                                  Catch::Contains("hdrive resume"));
  CHECK(simulation.clock->now() >= begun + 60s + 61s);
  CHECK(simulation.clock->now() < begun + 60s + 65s);

  simulation.refuse_start = nullptr;
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 5);  // no parameter set was lost
  CHECK(summary->runs == 5);
}

TEST_CASE("a sweep that pauses itself tries again at once when somebody resumes it") {
  Simulation simulation;
  simulation.spec.max_total_runs = 1;
  bool mended = false;
  simulation.refuse_start = [&](const RunRequest&) { return mended ? std::nullopt : gone(); };
  simulation.store->requests = [&, asked = false]() mutable -> std::vector<Request> {
    if (asked || simulation.clock->now().time_since_epoch() % 1s < 300ms) return {};
    asked = mended = true;
    return {{1, Request::Kind::resume_sweep, std::nullopt, ""}};
  };
  const Time begun = simulation.clock->now();
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 1);
  const auto answers = only<RequestAnswered>(simulation.store->stored);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].accepted);
  CHECK(simulation.state().history().run(0).started < begun + 1s);
}

TEST_CASE("runs for which resources lack wait while others run, and nothing is counted") {
  Simulation simulation;
  simulation.spec.max_total_runs = 12;
  simulation.spec.max_concurrent_runs = 6;
  std::int64_t live = 0, most = 0;
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (std::holds_alternative<RunEnded>(change)) --live;
  };
  simulation.refuse_start = [&](const RunRequest&) -> std::optional<Error> {
    if (live >= 2) return Error{"run", "Too many open files", Error::Kind::no_resources};
    most = std::max(most, ++live);
    return std::nullopt;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 12);
  CHECK(most == 2);
  CHECK(summary->warnings.size() == 1);
  CHECK_THAT(summary->warnings.at(0), Catch::Contains("Too many open files"));
}

TEST_CASE("a run that is found not to have started while its sweep ends was canceled") {
  Simulation simulation;
  simulation.spec.stop_at = 1;
  simulation.late_refusal = [&](const RunRequest& request) {
    return request.run == 1 ? std::optional(gone_late(request)) : std::nullopt;
  };
  simulation.late_until_canceled = true;
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::target);
  CHECK(summary->failed == 0);
  const SweepState state = simulation.state();
  CHECK(state.history().run(1).status == RunStatus::canceled);
  CHECK(state.history().run(1).ended_by == EndCause::sweep_ended);
}

TEST_CASE("what a run itself is to blame for is a result, as before") {
  Simulation simulation;
  simulation.spec.max_total_runs = 2;
  simulation.spec.stop_when_all_fail = false;
  simulation.refuse_start = [](const RunRequest&) -> std::optional<Error> {
    return Error{"run", "Argument list too long", Error::Kind::invalid};
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->failed == 2);
  CHECK(simulation.state().history().run(0).ended_by == EndCause::not_started);
}
