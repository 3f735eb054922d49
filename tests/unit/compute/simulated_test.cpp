// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include "hdrive/target.h"
#include "tests/catch.h"

namespace hdrive {
namespace {

using std::chrono::seconds;

constexpr Time at(int second) { return Time(seconds(second)); }

struct Simulation {
  explicit Simulation(SimulatedRun run) : model(std::move(run)) {}

  void start(RunId run, seconds grace = seconds{60}) {
    RunRequest request;
    request.run = run;
    request.cancel_grace = grace;
    REQUIRE(target->start(request));
  }
  std::vector<TargetEvent> wait(Time deadline = at(1000)) {
    std::vector<TargetEvent> events;
    target->wait(deadline, {}, events);
    return events;
  }
  RunExited end() {
    for (int i = 0; i < 100; ++i)
      for (const TargetEvent& event : wait())
        if (const auto* exited = std::get_if<RunExited>(&event)) return *exited;
    FAIL("no run ended");
    return {};
  }

  SimulatedRun model;
  std::shared_ptr<SimulatedClock> clock = std::make_shared<SimulatedClock>(Time{});
  std::shared_ptr<ComputeTarget> target = make_simulated_target(
      [this](const RunRequest&) -> Result<SimulatedRun> { return model; }, clock);
};

SimulatedRun ten_seconds() {
  SimulatedRun run;
  run.duration = seconds{10};
  run.reports = {{seconds{4}, {"a", 1, {}, {}}},
                 {seconds{4}, {"a", 2, {}, {}}},
                 {seconds{12}, {"a", 3, {}, {}}}};
  return run;
}

TEST_CASE(
    "time goes from one happening to the next, and what would come after the end never comes") {
  Simulation simulation(ten_seconds());
  simulation.start(0);
  CHECK(std::holds_alternative<RunBegan>(simulation.wait().at(0)));
  CHECK(simulation.clock->now() == at(0));
  const auto reports = simulation.wait();
  CHECK(simulation.clock->now() == at(4));
  REQUIRE(reports.size() == 1);
  CHECK(std::get<RunReported>(reports[0]).metrics.size() == 2);
  const auto end = simulation.wait();
  REQUIRE(end.size() == 1);
  CHECK(std::get<RunExited>(end[0]).exit_code == 0);
  CHECK(simulation.clock->now() == at(10));
  CHECK(simulation.wait(at(50)).empty());
  CHECK(simulation.clock->now() == at(50));
}

TEST_CASE("what happens at one moment is told in the order of run numbers") {
  Simulation simulation(ten_seconds());
  for (const RunId run : {5, 2, 9}) simulation.start(run);
  std::vector<RunId> order;
  for (const TargetEvent& event : simulation.wait()) order.push_back(std::get<RunBegan>(event).run);
  CHECK(order == std::vector<RunId>{2, 5, 9});
}

TEST_CASE("a deadline before the next happening is kept") {
  Simulation simulation(ten_seconds());
  simulation.start(0);
  simulation.wait();
  CHECK(simulation.wait(at(3)).empty());
  CHECK(simulation.clock->now() == at(3));
  CHECK(simulation.wait(at(4)).size() == 1);
}

TEST_CASE("a cancelled run lives on for its delay and then dies of SIGTERM") {
  auto model = ten_seconds();
  model.cancel_delay = seconds{5};
  Simulation simulation(model);
  simulation.start(0);
  simulation.wait();
  simulation.target->cancel(0, CancelMode::graceful);
  simulation.target->cancel(0, CancelMode::graceful);
  CHECK(std::holds_alternative<RunReported>(simulation.wait().at(0)));  // it logged on its way
  CHECK(simulation.end().signal == SIGTERM);
  CHECK(simulation.clock->now() == at(5));
}

TEST_CASE("a run that takes longer than the grace period is killed") {
  auto model = ten_seconds();
  model.cancel_delay = seconds{9};
  Simulation simulation(model);
  simulation.start(0, seconds{2});
  simulation.wait();
  simulation.target->cancel(0, CancelMode::graceful);
  CHECK(simulation.end().signal == SIGKILL);
  CHECK(simulation.clock->now() == at(2));
}

TEST_CASE("a run that ends before a cancel takes effect ends in its own way") {
  auto model = ten_seconds();
  model.cancel_delay = seconds{20};
  model.exit_code = 3;
  Simulation simulation(model);
  simulation.start(0);
  simulation.wait();
  simulation.target->cancel(0, CancelMode::graceful);
  CHECK(simulation.end().exit_code == 3);
}

TEST_CASE("kill ends a run now, also after a graceful cancel") {
  auto model = ten_seconds();
  model.cancel_delay = seconds{3};
  Simulation simulation(model);
  simulation.start(0);
  simulation.wait();
  simulation.target->cancel(0, CancelMode::graceful);
  simulation.target->cancel(0, CancelMode::kill);
  CHECK(simulation.end().signal == SIGKILL);
  CHECK(simulation.clock->now() == at(0));
}

TEST_CASE("a run can be lost") {
  auto model = ten_seconds();
  model.vanishes = true;
  model.reports.clear();
  Simulation simulation(model);
  simulation.start(0);
  simulation.wait();
  CHECK(std::holds_alternative<RunVanished>(simulation.wait().at(0)));
}

TEST_CASE("one call tells a bounded number of events") {
  Simulation simulation(ten_seconds());
  for (RunId run = 0; run < 10000; ++run) simulation.start(run);
  std::size_t told = 0, calls = 0;
  for (; told < 10000; ++calls) {
    const auto events = simulation.wait(at(0));
    CHECK(events.size() <= 5000);
    told += events.size();
  }
  CHECK(calls > 1);
}

TEST_CASE("a running run is adopted, an ended one is gone") {
  Simulation simulation(ten_seconds());
  const std::vector<RunRequest> requests(1);
  const auto found = [&] {
    REQUIRE(simulation.target->adopt(requests));
    const auto events = simulation.wait(at(0));
    return events.empty() || !std::holds_alternative<RunNotFound>(events.front());
  };
  CHECK_FALSE(found());
  simulation.start(0);
  CHECK(found());
  simulation.end();
  CHECK_FALSE(found());
}

}  // namespace
}  // namespace hdrive
