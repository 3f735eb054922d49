// SPDX-License-Identifier: Apache-2.0
//
// Sweeps on a cluster: runs wait in a queue, go on without the engine, and are out of reach at times.
#include <map>
#include <set>
#include <stdexcept>

#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using namespace std::chrono_literals;

namespace {

// The cluster as one engine sees it, which dies at its `dies_at`-th wait and from then on does nothing any more.
class Mortal final : public ComputeTarget {
 public:
  Mortal(std::shared_ptr<ComputeTarget> inner, int dies_at)
      : inner_(std::move(inner)), left_(dies_at) {}
  Result<void> start(const RunRequest& request) override { return inner_->start(request); }
  Result<void> adopt(std::span<const RunRequest> requests) override {
    return inner_->adopt(requests);
  }
  void cancel(RunId run, CancelMode mode) override {
    if (left_ > 0) inner_->cancel(run, mode);
  }
  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override {
    if (--left_ <= 0) throw std::runtime_error("the engine dies");
    inner_->wait(deadline, std::move(stop), events);
  }
  std::string describe() const override { return inner_->describe(); }

 private:
  std::shared_ptr<ComputeTarget> inner_;
  int left_;
};

struct ClusterSweep : Simulation {
  SimulatedClusterOptions options;
  std::shared_ptr<SimulatedCluster> cluster;

  Result<SweepSummary> session(int dies_at = 1 << 30) {
    if (!cluster)
      cluster = std::make_shared<SimulatedCluster>(
          [this](const RunRequest& request) { return model(request); }, options, clock);
    SweepParts parts;
    parts.store = store;
    parts.target = std::make_shared<Mortal>(cluster->connect(), dies_at);
    parts.clock = clock;
    parts.sampler = sampler;
    parts.policy = policy;
    return run_sweep(spec, parts, stop);
  }

  // That nothing ran twice, and all that was logged is stored once and in order.
  void check_each_once() const {
    std::map<RunId, int> times;
    for (const auto& job : cluster->jobs()) {
      ++times[job.run];
      CHECK(job.attempt == 1);
      CHECK(job.ended);
    }
    for (const auto& [run, count] : times) CHECK(count == 1);
    const SweepState stored = state();
    for (RunId run = 0; run < stored.history().size(); ++run) {
      const auto reports = stored.history().reports(run);
      CHECK(std::vector<double>(reports.begin(), reports.end()) == std::vector<double>{3, 2, 1});
    }
  }
};

}  // namespace

TEST_CASE("what waits in a queue uses up none of its time, and is cancelled late by nobody") {
  ClusterSweep sweep;
  sweep.spec.max_total_runs = 6;
  sweep.spec.max_concurrent_runs = 6;
  sweep.spec.max_run_duration = 4min;
  sweep.spec.max_silent = 2min;
  sweep.options.slots = 1;
  sweep.model = [](const RunRequest&) { return curve({3, 2, 1}); };
  const auto summary = sweep.session();
  REQUIRE(summary);
  CHECK(summary->completed == 6);
  const auto submitted = only<RunSubmitted>(sweep.store->stored);
  REQUIRE(submitted.size() == 6);
  std::set<std::string> handles;
  for (const RunSubmitted& one : submitted) handles.insert(one.handle);
  CHECK(handles.size() == 6);
  // The last began when the others had ended, and its start was recorded so.
  const SweepState state = sweep.state();
  CHECK(state.history().run(5).started - state.history().run(0).started >= 5 * 3min);
  sweep.check_each_once();
}

TEST_CASE("a run that never says that it began is ended at its limit, where there is no queue") {
  // What takes a run and is silent, as a supervisor that hangs.
  class Silent final : public ComputeTarget {
   public:
    explicit Silent(std::shared_ptr<SimulatedClock> clock) : clock_(std::move(clock)) {}
    Result<void> start(const RunRequest&) override { return {}; }
    Result<void> adopt(std::span<const RunRequest>) override { return {}; }
    void cancel(RunId run, CancelMode) override {
      RunExited exited{run, 1};
      exited.signal = 15;
      ended_.emplace_back(exited);
    }
    void wait(Time deadline, std::stop_token, std::vector<TargetEvent>& events) override {
      if (ended_.empty()) clock_->advance_to(deadline);
      for (TargetEvent& event : std::exchange(ended_, {})) events.push_back(std::move(event));
    }
    std::string describe() const override { return "silent"; }

   private:
    std::shared_ptr<SimulatedClock> clock_;
    std::vector<TargetEvent> ended_;
  };
  Simulation simulation;
  simulation.spec.max_total_runs = 1;
  simulation.spec.max_run_duration = 10min;
  const Time began = simulation.clock->now();
  SweepParts parts;
  parts.store = simulation.store;
  parts.target = std::make_shared<Silent>(simulation.clock);
  parts.clock = simulation.clock;
  parts.sampler = simulation.sampler;
  REQUIRE(run_sweep(simulation.spec, parts));
  CHECK(simulation.state().history().run(0).ended_by == EndCause::time_limit);
  CHECK(simulation.clock->now() - began < 11min);
}

TEST_CASE("a run that is out of reach keeps its place, and what it logs meanwhile comes later") {
  ClusterSweep sweep;
  sweep.spec.max_total_runs = 2;
  sweep.spec.max_silent = 90s;
  sweep.spec.max_lost_retries = 3;
  sweep.options.outages = {{65s, 160s}, {170s, 1000s}};
  sweep.model = [](const RunRequest&) { return curve({3, 2, 1}); };
  const auto summary = sweep.session();
  REQUIRE(summary);
  CHECK(summary->completed == 2);
  sweep.check_each_once();
  std::map<RunId, std::vector<bool>> contact;
  for (const RunContact& one : only<RunContact>(sweep.store->stored))
    contact[one.run].push_back(one.lost);
  CHECK(contact[0] == std::vector<bool>{true, false, true, false});
  CHECK(contact[1] == contact[0]);
  CHECK_FALSE(sweep.state().lost_contact(0));
}

TEST_CASE("a run is stopped as soon as it can be reached") {
  ClusterSweep sweep;
  sweep.spec.max_total_runs = 1;
  sweep.spec.max_run_duration = 5min;
  sweep.options.outages = {{4min, 20min}};
  sweep.model = [](const RunRequest&) {
    SimulatedRun run = curve({3});
    run.duration = 24h;
    return run;
  };
  const Time began = sweep.clock->now();
  const auto summary = sweep.session();
  REQUIRE(summary);
  const SweepState state = sweep.state();
  CHECK(state.history().run(0).ended_by == EndCause::time_limit);
  CHECK(state.history().run(0).ended >= began + 20min);
  CHECK(state.history().run(0).ended <= began + 22min);
}

TEST_CASE("a run that waits is stopped without having begun") {
  ClusterSweep sweep;
  sweep.spec.max_total_runs = 3;
  sweep.spec.max_concurrent_runs = 3;
  sweep.spec.max_duration = 90s;
  sweep.options.slots = 1;
  sweep.model = [](const RunRequest&) { return curve({3, 2, 1}); };
  const auto summary = sweep.session();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::duration);
  const SweepState state = sweep.state();
  for (RunId run = 0; run < 3; ++run) CHECK(state.history().run(run).ended_by == EndCause::budget);
  for (const auto& job : sweep.cluster->jobs()) CHECK(job.began.has_value() == (job.run == 0));
}

TEST_CASE("an engine that dies at any moment is followed by one that finds everything again") {
  for (int dies_at = 1; dies_at < 60; ++dies_at) {
    INFO("dies at " << dies_at);
    ClusterSweep sweep;
    sweep.spec.max_total_runs = 5;
    sweep.spec.max_concurrent_runs = 3;
    sweep.options.slots = 2;
    sweep.options.outages = {{100s, 140s}};
    sweep.model = [](const RunRequest&) { return curve({3, 2, 1}); };
    int sessions = 1;
    while (!sweep.session(dies_at)) {
      // While nobody looks the cluster goes on.
      sweep.clock->advance_to(sweep.clock->now() + sessions * 20s);
      dies_at += 3;
      REQUIRE(++sessions < 100);
    }
    CHECK(sweep.state().status() == SweepStatus::completed);
    CHECK(sweep.state().history().size() == 5);
    sweep.check_each_once();
  }
}
