// SPDX-License-Identifier: Apache-2.0
#include "hdrive/clock.h"

namespace hdrive {
namespace {

class SteadyClock final : public Clock {
 public:
  Time now() override {
    const auto passed = std::chrono::steady_clock::now() - steady_start_;
    return start_ + std::chrono::duration_cast<Duration>(passed);
  }

 private:
  const std::chrono::steady_clock::time_point steady_start_ = std::chrono::steady_clock::now();
  const Time start_ = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
};

}  // namespace

std::shared_ptr<Clock> make_steady_clock() { return std::make_shared<SteadyClock>(); }

}  // namespace hdrive
