// SPDX-License-Identifier: Apache-2.0
//
// The loop goes on hearing whatever is slow or broken: samplers, stores, the parts of others.
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "scheduler/live_runs.h"
#include "scheduler/proposer.h"
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using namespace std::chrono_literals;

namespace {

/// Answers when it is allowed to.
class SlowSampler final : public Sampler {
 public:
  Result<Proposal> propose(const History&, RunId id) override {
    std::unique_lock lock(mutex_);
    asked_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return free_; });
    return Proposal{Assignment{{"x", id}}, "at last"};
  }
  std::string describe() const override { return "slow"; }

  void wait_until_asked() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return asked_; });
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    free_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false, free_ = false;
};

SweepSpec small_spec() {
  SweepSpec spec;
  spec.primary_metric = "loss";
  spec.goal = Goal::minimize;
  spec.max_total_runs = 4;
  spec.max_concurrent_runs = 2;
  spec.space.parameters = {{"x", RandInt{1000}}};
  return spec;
}

class ThrowingSampler final : public Sampler {
 public:
  Result<Proposal> propose(const History&, RunId id) override {
    if (id == 2) throw std::runtime_error("no more ideas");
    return Proposal{Assignment{{"x", id}}, ""};
  }
  std::string describe() const override { return "throwing"; }
};

class ThrowingPolicy final : public Policy {
 public:
  Verdict judge(RunId, const History&) const override { throw std::runtime_error("no opinion"); }
  std::string explain(const Verdict&) const override { return ""; }
  std::string describe() const override { return "throwing"; }
};

}  // namespace

TEST_CASE("a stop is heard while a sampler takes its time, and what it says then is not begun") {
  const auto sampler = std::make_shared<SlowSampler>();
  const StopSignal stop;
  SweepParts parts;
  parts.clock = make_steady_clock();
  parts.sampler = sampler;
  parts.target =
      make_in_process_target([](RunContext& run) { run.report("loss", 1); }, parts.clock);
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  parts.listeners = {std::make_shared<Spy>([&](const Change& change, const SweepState&) {
    const auto* it = std::get_if<SweepChanged>(&change);
    if (!it || !is_over(it->status)) return;
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
  })};
  std::optional<Result<SweepSummary>> summary;
  std::thread engine([&] { summary = run_sweep(small_spec(), parts, stop); });
  sampler->wait_until_asked();
  StopSignal(stop).request();
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ended; });  // though the sampler still thinks
  }
  sampler->let_go();
  engine.join();
  REQUIRE(*summary);
  CHECK((*summary)->end == SweepEnd::interrupt);
  CHECK((*summary)->runs == 0);
}

TEST_CASE("a sampler is asked on a thread of its own until it has shown to be quick") {
  const auto clock = make_steady_clock();
  scheduler::Proposer proposer(clock);
  History history(Goal::minimize);
  const std::shared_ptr<Sampler> sampler = std::make_shared<CountingSampler>();
  CHECK_FALSE(proposer.next(sampler, history));
  REQUIRE(proposer.is_at_work());
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  proposer.call_when_ready([&] {
    const std::lock_guard lock(mutex);
    ready = true;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return ready; });
  const auto answer = proposer.next(sampler, history);
  REQUIRE(answer);
  REQUIRE(*answer);
  CHECK((*answer)->parameters == Assignment{{"x", std::int64_t{0}}});
  CHECK_FALSE(proposer.is_at_work());
}

TEST_CASE("a snapshot of a history answers as it did, whatever happens to the history") {
  History history(Goal::minimize);
  for (RunId run = 0; run < 3; ++run) {
    Run record;
    record.id = run;
    record.parameters = {{"x", run}};
    history.add(std::move(record));
    history.report(run, static_cast<double>(run));
  }
  const History before = history.snapshot();
  CHECK(before.version() == history.version());
  CHECK(before.identity() == history.identity());
  history.report(0, -5);
  history.restart(1);
  CHECK(before.incumbent() == 0);
  CHECK(before.best(0) == 0);
  CHECK(before.reports(1).size() == 1);
  CHECK(before.count_at(1) == 3);
  CHECK(before.leader_at(1)->run == 0);
  CHECK(before.median_average_of_others(0, 1)->value == 1.5);
  CHECK(before.find({{"x", RunId{2}}}) == 2);
}

TEST_CASE("a foreign lock holds nothing up: what is decided is heard, and stored once it is gone") {
  Simulation simulation;
  simulation.spec.max_total_runs = 4;
  simulation.store->refuse_kind = Error::Kind::busy;
  const Time begun = simulation.clock->now();
  simulation.store->refuse = [&] {
    const Time now = simulation.clock->now();
    return now > begun + 30s && now < begun + 50s;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 4);
  // Nothing needed to be stored in that time but what ended then.
  CHECK(summary->warnings.size() <= 1);
}

TEST_CASE("what is wrong with a store for good ends the session and leaves its runs alone") {
  Simulation simulation;
  simulation.store->refuse_kind = Error::Kind::damaged;
  bool broken = false;
  simulation.store->refuse = [&] { return broken; };
  simulation.on_start = [&](const RunRequest&) { broken = true; };
  int cancelled = 0;
  simulation.on_cancel = [&](RunId, CancelMode) { ++cancelled; };
  const auto summary = simulation.run();
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message(),
             Catch::Contains("2 runs go on, and `hdrive resume` finds what became of them"));
  CHECK(cancelled == 0);
}

TEST_CASE("runs whose sweep was deleted are ended, since nothing could find them again") {
  Simulation simulation;
  simulation.store->refuse_kind = Error::Kind::not_found;
  bool deleted = false;
  simulation.store->refuse = [&] { return deleted; };
  simulation.on_start = [&](const RunRequest&) { deleted = true; };
  simulation.model = [](const RunRequest&) {
    SimulatedRun run = curve({0.5});
    run.duration = 1h;
    return run;
  };
  int killed = 0;
  simulation.on_cancel = [&](RunId, CancelMode mode) { killed += mode == CancelMode::kill; };
  const Time begun = simulation.clock->now();
  const auto summary = simulation.run();
  REQUIRE_FALSE(summary);
  CHECK(killed == 2);
  CHECK(simulation.clock->now() < begun + 15s);
}

TEST_CASE(
    "an exception of a sampler or a policy is an error of the sweep; its runs are cancelled") {
  const bool sampler = GENERATE(true, false);
  Simulation simulation;
  simulation.spec.max_total_runs = 9;
  if (sampler)
    simulation.other_sampler = std::make_shared<ThrowingSampler>();
  else
    simulation.policy = std::make_shared<ThrowingPolicy>();
  simulation.model = [](const RunRequest& request) {
    return request.run == 0 ? curve({0.5}) : curve({0.5, 0.4, 0.3, 0.2});
  };
  const auto summary = simulation.run();
  REQUIRE_FALSE(summary);
  CHECK_THAT(
      summary.error().message(),
      Catch::Contains(sampler ? "no more ideas" : "the policy threw an exception: no opinion"));
  const SweepState state = simulation.state();
  CHECK(state.end() == SweepEnd::error);
  CHECK(state.history().count(RunStatus::running) == 0);
  CHECK(state.history().run(1).ended_by == EndCause::sweep_ended);
  // What was reported with it is kept.
  CHECK(state.history().reports(1).size() >= 1);
}

TEST_CASE("an exception of a listener is an error of the sweep, and the listener hears no more") {
  Simulation simulation;
  int told = 0;
  simulation.on_change = [&](const Change& change, const SweepState&) {
    ++told;
    if (std::holds_alternative<RunStarted>(change)) throw std::runtime_error("deaf");
  };
  const auto summary = simulation.run();
  REQUIRE_FALSE(summary);
  CHECK(summary.error().message() == "a listener threw an exception: deaf");
  CHECK(simulation.state().status() == SweepStatus::failed);
  const int before = told;
  CHECK(before < static_cast<int>(simulation.store->stored.size()));
}

TEST_CASE("many runs are started in slices, between which everything else is heard") {
  Simulation simulation;
  simulation.spec.max_total_runs = 500;
  simulation.spec.max_concurrent_runs = 500;
  int started = 0, at_last_wait = 0, most = 0;
  simulation.on_start = [&](const RunRequest&) {
    if (++started == 100) simulation.stop.request();
  };
  simulation.on_wait = [&] {
    most = std::max(most, started - at_last_wait);
    at_last_wait = started;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::interrupt);
  CHECK(most <= 32);
  CHECK(started == 100);  // none after the stop was asked for
}

TEST_CASE("live runs know which began first and which was silent for longest") {
  using namespace scheduler;
  const Time t{1h};
  LiveRuns runs;
  for (RunId run = 0; run < 3; ++run) runs.add(run, LiveRun{1, std::nullopt});
  CHECK_FALSE(runs.longest_running());
  runs.set_since(1, t);
  runs.set_since(0, t + 1s);
  runs.heard_of(1, t + 5s);
  CHECK(runs.longest_running() == LiveRuns::Moment{t, 1});
  CHECK(runs.longest_silent() == LiveRuns::Moment{t + 1s, 0});
  runs.set_canceling(1, EndCause::policy);
  CHECK(runs.longest_running() == LiveRuns::Moment{t + 1s, 0});
  runs.remove(0);
  CHECK_FALSE(runs.longest_running());
  CHECK_FALSE(runs.longest_silent());
}
