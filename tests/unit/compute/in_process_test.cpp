// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "hdrive/sweep.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;

RunExited end_of(Objective objective, Assignment parameters = {}) {
  const auto clock = std::make_shared<RealClock>();
  const auto target = make_in_process_target(std::move(objective), clock);
  RunRequest request;
  request.parameters = std::move(parameters);
  REQUIRE(target->start(request));
  std::vector<TargetEvent> events;
  const Time deadline = clock->now() + std::chrono::minutes{1};
  while (events.empty() || !std::holds_alternative<RunExited>(events.back())) {
    REQUIRE(clock->now() < deadline);
    target->wait(deadline, {}, events);
  }
  return std::get<RunExited>(events.back());
}

TEST_CASE("an objective reads its parameters by name") {
  double lr = 0;
  std::string kind;
  const auto end = end_of(
      [&](RunContext& run) {
        lr = run.number("lr");
        kind = run.text("kind");
      },
      {{"--lr", 0.5}, {"kind", std::string("adam")}});
  CHECK(end.exit_code == 0);
  CHECK(lr == 0.5);
  CHECK(kind == "adam");
}

TEST_CASE("asking for a parameter that is not there fails the run and names those that are") {
  const auto end = end_of([](RunContext& run) { run.number("rate"); }, {{"--lr", 0.5}});
  CHECK(end.exit_code == 1);
  CHECK_THAT(end.stderr_tail, Contains("\"rate\"") && Contains("there are: lr"));
}

TEST_CASE("asking for the number of a text fails the run") {
  const auto end =
      end_of([](RunContext& run) { run.number("kind"); }, {{"kind", std::string("x")}});
  CHECK(end.exit_code == 1);
  CHECK_THAT(end.stderr_tail, Contains("is no number but \"x\""));
}

TEST_CASE("whatever an objective throws fails only its run") {
  CHECK(end_of([](RunContext&) { throw std::runtime_error("broken"); }).stderr_tail == "broken");
  const auto end = end_of([](RunContext&) { throw 5; });
  CHECK(end.exit_code == 1);
  CHECK_FALSE(end.stderr_tail.empty());
}

TEST_CASE(
    "an objective that does nothing but report is told in bounded pieces, whole and in order") {
  constexpr int kReports = 700'000;  // more than may wait to be taken
  const auto clock = std::make_shared<RealClock>();
  const auto target = make_in_process_target(
      [](RunContext& run) {
        for (int i = 0; i < kReports; ++i) run.report("n", i);
      },
      clock);
  REQUIRE(target->start({}));
  int next = 0;
  bool over = false;
  while (!over) {
    std::vector<TargetEvent> events;
    target->wait(clock->now() + std::chrono::minutes{1}, {}, events);
    REQUIRE_FALSE(events.empty());
    std::size_t metrics = 0;
    for (const TargetEvent& event : events) {
      over = over || std::holds_alternative<RunExited>(event);
      const auto* report = std::get_if<RunReported>(&event);
      if (!report) continue;
      metrics += report->metrics.size();
      for (const Metric& metric : report->metrics)
        if (metric.value != next++) FAIL("lost or out of order at " << next);
    }
    CHECK(metrics < 70'000);
  }
  CHECK(next == kReports);
}

TEST_CASE("runs one after another have one thread, runs at once one each") {
  for (const std::int64_t at_once : {1, 4}) {
    SweepSpec spec;
    spec.space.parameters = {{"x", Uniform{0, 1}}};
    spec.primary_metric = "loss";
    spec.max_total_runs = 40;
    spec.max_concurrent_runs = at_once;
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::atomic<std::int64_t> together = 0, most = 0;
    const auto summary = tune(spec, [&](RunContext& run) {
      const std::int64_t now = ++together;
      if (now > most) most = now;
      run.report("loss", 1);
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
      --together;
    });
    REQUIRE(summary);
    CHECK(summary->completed == 40);
    CHECK(static_cast<std::int64_t>(threads.size()) <= at_once);
    CHECK(most <= at_once);
  }
}

TEST_CASE("a run that awaits the verdict is stopped at the very report it was stopped for") {
  class StopsThird final : public Policy {
   public:
    Verdict judge(RunId id, const History& history) const override {
      Verdict verdict;
      verdict.interval = static_cast<std::int64_t>(history.reports(id).size());
      if (verdict.interval >= 3) verdict.action = Verdict::Action::stop;
      return verdict;
    }
    std::string explain(const Verdict&) const override { return "the third"; }
    std::string describe() const override { return "stops the third report"; }
  };
  SweepSpec spec;
  spec.space.parameters = {{"x", Uniform{0, 1}}};
  spec.primary_metric = "loss";
  spec.max_total_runs = 20;
  spec.max_concurrent_runs = 4;
  SweepParts parts;
  parts.clock = std::make_shared<RealClock>();
  parts.policy = std::make_shared<StopsThird>();
  std::atomic<int> reports = 0, attempts = 0, slots = 0;
  parts.target = make_in_process_target(
      [&](RunContext& run) {
        attempts += run.attempt();
        if (run.slot() >= 0 && run.slot() < 4) ++slots;
        do {
          run.report("loss", 1);
          ++reports;
        } while (run.await_verdict());
      },
      parts.clock);
  const auto summary = run_sweep(spec, parts);
  REQUIRE(summary);
  CHECK(summary->stopped == 20);
  CHECK(reports == 20 * 3);
  CHECK(attempts == 20);
  CHECK(slots == 20);
}

TEST_CASE("destroying the target ends a run that awaits a verdict") {
  const auto clock = std::make_shared<RealClock>();
  auto target = make_in_process_target(
      [](RunContext& run) {
        run.report("loss", 1);
        run.await_verdict();
      },
      clock);
  REQUIRE(target->start(RunRequest{}));
  target.reset();
}

TEST_CASE("destroying the target ends a run that waits to report") {
  const auto clock = std::make_shared<RealClock>();
  auto target = make_in_process_target(
      [](RunContext& run) {
        while (!run.stop_requested())
          for (int i = 0; i < 1'000'000; ++i) run.report("n", i);
      },
      clock);
  REQUIRE(target->start({}));
  target.reset();
}

TEST_CASE("destroying the target asks its runs to stop and waits for them") {
  std::atomic<int> left{0};
  const auto clock = std::make_shared<RealClock>();
  auto target = make_in_process_target(
      [&](RunContext& run) {
        while (!run.stop_requested()) std::this_thread::yield();
        ++left;
      },
      clock);
  for (RunId run = 0; run < 4; ++run) {
    RunRequest request;
    request.run = run;
    REQUIRE(target->start(request));
  }
  target.reset();
  CHECK(left == 4);
}

}  // namespace
}  // namespace hdrive::compute
