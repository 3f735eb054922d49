// SPDX-License-Identifier: Apache-2.0
//
// Runs as jobs of batch systems, which are shell scripts.
#include "compute/batch/batch_target.h"
#include "compute/batch/command_system.h"
#include "compute/batch/slurm.h"
#include "compute/pilot/pilot_target.h"
#include "hdrive/targets.h"
#include "tests/catch.h"
#include "tests/conformance/local_kinds.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/toy_queue.h"
#include "tests/support/toy_slurm.h"

namespace hdrive::conformance {
namespace {

// As jobs of a batch system.
class BatchFixture : public Fixture {
 public:
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  bool restart() override {
    target_.reset();
    target_ = connect();
    return true;
  }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return local_.request(run, behaviour);
  }

 protected:
  virtual std::unique_ptr<compute::BatchSystem> system() const = 0;
  std::shared_ptr<ComputeTarget> connect() const {
    compute::BatchTiming timing;
    timing.poll = std::chrono::milliseconds{100};
    timing.look = std::chrono::milliseconds{10};
    timing.beat = std::chrono::milliseconds{50};
    return *compute::BatchTarget::make(system(), {}, clock_, timing);
  }

  test::TemporaryDirectory directory_;
  LocalFixture local_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_;
};

class SlurmFixture final : public BatchFixture {
 public:
  SlurmFixture() { target_ = connect(); }

 private:
  std::unique_ptr<compute::BatchSystem> system() const override {
    return *compute::make_slurm_system({}, slurm_.commands());
  }
  test::ToySlurm slurm_{directory_.path()};
};

// Within an allocation of two nodes.
class PilotFixture final : public Fixture {
 public:
  PilotFixture() { target_ = connect(); }
  ~PilotFixture() override {
    target_.reset();
    CHECK(slurm_.is_quiet());
  }
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  bool restart() override {
    target_.reset();
    target_ = connect();
    return true;
  }
  RunRequest request(RunId run, Behaviour behaviour) override {
    return local_.request(run, behaviour);
  }

 private:
  std::shared_ptr<ComputeTarget> connect() const {
    SlurmOptions options;
    options.pilot = true;
    options.nodes = 2;
    options.cpus = 4;
    options.idle = seconds{2};  // of runs whose end nobody has heard
    compute::BatchTiming timing;
    timing.poll = std::chrono::milliseconds{100};
    timing.look = std::chrono::milliseconds{10};
    timing.beat = std::chrono::milliseconds{50};
    return *compute::pilot::PilotTarget::make(options, "pilot", {}, clock_, timing,
                                              slurm_.commands());
  }

  test::TemporaryDirectory directory_;
  test::ToySlurm slurm_{directory_.path()};
  LocalFixture local_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_;
};

class CommandFixture final : public BatchFixture {
 public:
  CommandFixture() { target_ = connect(); }

 private:
  std::unique_ptr<compute::BatchSystem> system() const override {
    return *compute::make_command_system(queue_.options());
  }
  test::ToyQueue queue_{directory_.path()};
};

}  // namespace

std::vector<Kind> batch_kinds() {
  return {kind<SlurmFixture>("slurm"), kind<PilotFixture>("slurm pilot"),
          kind<CommandFixture>("command")};
}

}  // namespace hdrive::conformance
