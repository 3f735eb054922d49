// SPDX-License-Identifier: Apache-2.0
//
// Targets whose runs are models or functions.
#include <stdexcept>
#include <thread>

#include "hdrive/targets.h"
#include "tests/conformance/target_kinds.h"

namespace hdrive::conformance {
namespace {

SimulatedRun simulated_run(Behaviour behaviour) {
  SimulatedRun run;
  run.duration = seconds{10};
  const int reports = behaviour == Behaviour::succeed ? 3 : behaviour == Behaviour::silent ? 0 : 1;
  for (int i = 1; i <= reports; ++i)
    run.reports.emplace_back(seconds{i}, Metric{"accuracy", double(i), i, std::nullopt});
  if (behaviour == Behaviour::fail) {
    run.exit_code = 1;
    run.stderr_tail = "broken";
  }
  if (behaviour == Behaviour::linger) run.duration = std::chrono::hours{1000};
  run.cancel_delay = seconds{1};
  return run;
}

class SimulatedFixture final : public Fixture {
 public:
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return plain_request(run, behaviour);
  }
  bool simulated() const override { return true; }

 private:
  static Result<SimulatedRun> model(const RunRequest& request) {
    const Behaviour behaviour = behaviour_of(request);
    if (behaviour == Behaviour::not_there) return Error{"run", "there is no such program"};
    return simulated_run(behaviour);
  }

  std::shared_ptr<SimulatedClock> clock_ = std::make_shared<SimulatedClock>();
  std::shared_ptr<ComputeTarget> target_ = make_simulated_target(model, clock_);
};

class ClusterFixture final : public Fixture {
 public:
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return plain_request(run, behaviour);
  }
  bool simulated() const override { return true; }
  bool restart() override {
    target_ = cluster_.connect();
    return true;
  }

 private:
  static SimulatedClusterOptions options() {
    SimulatedClusterOptions options;
    options.outages = {{seconds{4}, seconds{9}}, {seconds{11}, seconds{30}}};
    return options;
  }

  std::shared_ptr<SimulatedClock> clock_ = std::make_shared<SimulatedClock>();
  SimulatedCluster cluster_{[](const RunRequest& request) -> Result<SimulatedRun> {
                              if (behaviour_of(request) == Behaviour::not_there)
                                return Error{"run", "there is no such program"};
                              return simulated_run(behaviour_of(request));
                            },
                            options(), clock_};
  std::shared_ptr<ComputeTarget> target_ = cluster_.connect();
};

class InProcessFixture final : public Fixture {
 public:
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return plain_request(run, behaviour);
  }

 private:
  static void objective(RunContext& context) {
    const auto behaviour = static_cast<Behaviour>(static_cast<int>(context.number("behaviour")));
    const int reports = behaviour == Behaviour::succeed  ? 3
                        : behaviour == Behaviour::silent ? 0
                                                         : 1;
    for (int i = 1; i <= reports; ++i) context.report("accuracy", i, i);
    if (behaviour == Behaviour::fail) throw std::runtime_error("broken");
    while (behaviour == Behaviour::linger && !context.stop_requested()) std::this_thread::yield();
  }

  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_ = make_in_process_target(objective, clock_);
};

// Two clusters, the first of which has room for one run.
class SeveralFixture final : public Fixture {
 public:
  SeveralFixture() { connect(); }
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return plain_request(run, behaviour);
  }
  bool simulated() const override { return true; }
  bool restart() override {
    connect();
    return true;
  }

 private:
  void connect() {
    target_ = *make_several_targets(
        {{"small", small_.connect(), 1}, {"large", large_.connect(), 0}}, clock_);
  }
  static Result<SimulatedRun> model(const RunRequest& request) {
    if (behaviour_of(request) == Behaviour::not_there)
      return Error{"run", "there is no such program"};
    return simulated_run(behaviour_of(request));
  }
  static SimulatedClusterOptions options() {
    SimulatedClusterOptions options;
    options.outages = {{seconds{4}, seconds{9}}};
    return options;
  }

  std::shared_ptr<SimulatedClock> clock_ = std::make_shared<SimulatedClock>();
  SimulatedCluster small_{model, options(), clock_}, large_{model, {}, clock_};
  std::shared_ptr<ComputeTarget> target_;
};

}  // namespace

std::vector<Kind> simulated_kinds() {
  return {kind<SimulatedFixture>("simulated"), kind<ClusterFixture>("simulated cluster"),
          kind<SeveralFixture>("several"), kind<InProcessFixture>("in-process")};
}

}  // namespace hdrive::conformance
