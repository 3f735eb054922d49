// SPDX-License-Identifier: Apache-2.0
//
// Runs on machines that are reached by an `ssh` of the tests' own.
#include "hdrive/targets.h"
#include "tests/conformance/local_kinds.h"
#include "tests/support/fake_ssh.h"

namespace hdrive::conformance {
namespace {

// The same runs on another machine, as far as the target can tell.
class SshFixture : public Fixture {
 public:
  explicit SshFixture(std::int64_t nodes = 1, const char* distortion = nullptr) : nodes_(nodes) {
    if (distortion) ssh_.distort(distortion);
    target_ = connect();
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
  std::shared_ptr<ComputeTarget> connect() {
    SshOptions options;
    options.hosts = {{.host = "node1", .slots = 4 * nodes_},
                     {.host = "node2", .slots = 4 * nodes_}};
    options.directory = ssh_.directory();
    return *make_ssh_target(options, {}, clock_, nodes_);
  }

  std::int64_t nodes_;
  test::FakeSsh ssh_;
  LocalFixture local_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_;
};

// Each of them over two machines: what both of its processes do counts once.
class GangFixture final : public SshFixture {
 public:
  GangFixture() : SshFixture(2) {}
  bool distributed() const override { return true; }
  RunRequest request(RunId run, Behaviour behaviour) override {
    RunRequest request = SshFixture::request(run, behaviour);
    request.resources.nodes = 2;
    request.distribution.type = DistributionType::pytorch;
    // Of two that fail the first decides: here it is always the same.
    if (behaviour == Behaviour::fail)
      request.arguments[2] = "[ $RANK = 1 ] && exec sleep 1000; " + request.arguments[2];
    return request;
  }
};

// Over something that says each answer twice.
class RepeatedFixture final : public SshFixture {
 public:
  RepeatedFixture() : SshFixture(1, "twice") {}
};

// Between the answers come those of the connection before, which an earlier engine may have had.
class LateFixture final : public SshFixture {
 public:
  LateFixture() : SshFixture(1, "late") {}
};

}  // namespace

std::vector<Kind> ssh_kinds() {
  return {kind<SshFixture>("ssh"), kind<GangFixture>("ssh, two hosts a run"),
          kind<RepeatedFixture>("ssh, each answer twice"),
          kind<LateFixture>("ssh, answers from before")};
}

}  // namespace hdrive::conformance
