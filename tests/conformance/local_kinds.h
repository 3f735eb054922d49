// SPDX-License-Identifier: Apache-2.0
//
// Runs that are programs of this machine; on others they are the same.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/target_kinds.h"

namespace hdrive::conformance {

/// The words of a program with that behaviour.
std::vector<std::string> program(Behaviour behaviour);

class LocalFixture final : public Fixture {
 public:
  LocalFixture();
  ~LocalFixture() override;
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  bool restart() override {
    target_.reset();
    target_ = *make_local_target({}, clock_);
    return true;
  }
  RunRequest request(RunId run, Behaviour behaviour) override {
    RunRequest request = plain_request(run, behaviour);
    request.directory = directory_ / "runs" / std::to_string(run);
    request.working_directory = directory_;
    request.arguments = program(behaviour);
    return request;
  }

 private:
  std::filesystem::path directory_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  std::shared_ptr<ComputeTarget> target_;
};

}  // namespace hdrive::conformance
