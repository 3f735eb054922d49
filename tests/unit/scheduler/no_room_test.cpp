// SPDX-License-Identifier: Apache-2.0
//
// Runs that cannot be started because the disk is full.
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using namespace std::chrono_literals;

namespace {

// No room until then.
auto full_until(Time moment, const Simulation& simulation, int& refused) {
  return [moment, &simulation, &refused](const RunRequest&) -> std::optional<Error> {
    if (simulation.clock->now() >= moment) return std::nullopt;
    ++refused;
    return Error{"runs/0", "cannot create the directory: No space left on device",
                 Error::Kind::no_room};
  };
}

}  // namespace

TEST_CASE("runs for whose files there is no room wait as they are, and are told of once") {
  Simulation simulation;
  simulation.spec.max_total_runs = 4;
  const Time begun = simulation.clock->now();
  int refused = 0;
  simulation.refuse_start = full_until(begun + 10s, simulation, refused);
  std::vector<RunId> started;
  simulation.on_start = [&](const RunRequest& request) { started.push_back(request.run); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 4);
  CHECK(started == std::vector<RunId>{0, 1, 2, 3});
  CHECK(refused == 10);  // one of them once a second
  const SweepState state = simulation.state();
  for (RunId run = 0; run < 4; ++run) {
    const Run& record = state.history().run(run);
    CHECK(record.attempt == 1);
    CHECK(record.started >= begun + 10s);
  }
  const auto notes = only<Noted>(simulation.store->stored);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].text ==
        "no run could be started for want of room: runs/0: cannot create the directory: No space "
        "left on device");
}

TEST_CASE("a run without room takes no slot from those that run, and nothing of their time") {
  Simulation simulation;
  simulation.spec.max_total_runs = 2;
  int refused = 0;
  const auto full = full_until(simulation.clock->now() + 90s, simulation, refused);
  simulation.refuse_start = [&](const RunRequest& request) {
    return request.run == 0 ? std::nullopt : full(request);
  };
  simulation.model = [](const RunRequest&) { return curve({0.5, 0.25}); };
  const Time begun = simulation.clock->now();
  REQUIRE(simulation.run());
  const SweepState state = simulation.state();
  CHECK(state.history().run(0).ended == begun + 2min + 1s);
  CHECK(state.history().run(1).started == begun + 90s);
  CHECK(refused == 90);
}

TEST_CASE("a sweep that waits for room can be stopped, and its runs begin when it is resumed") {
  Simulation simulation;
  simulation.spec.max_total_runs = 2;
  int refused = 0;
  simulation.refuse_start = [&](const RunRequest&) -> std::optional<Error> {
    if (++refused == 3) simulation.stop.request();
    return Error{"", "full", Error::Kind::no_room};
  };
  const auto stopped = simulation.run();
  REQUIRE(stopped);
  CHECK(stopped->end == SweepEnd::interrupt);
  CHECK(refused == 3);
  simulation.refuse_start = nullptr;
  simulation.stop = StopSignal();
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 2);
  CHECK(simulation.state().history().run(0).attempt == 1);
}
