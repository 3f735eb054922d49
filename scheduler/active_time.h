// SPDX-License-Identifier: Apache-2.0
//
// ActiveTime: how much of its time a sweep has used. Counted by the session that runs it; not while
// it is paused and nothing runs. One thread.
#pragma once

#include <algorithm>

#include "hdrive/clock.h"

namespace hdrive::scheduler {

class ActiveTime {
 public:
  /// "Never", far enough to need no special case and near enough to calculate with.
  static constexpr Time kNever{std::chrono::hours{24 * 365 * 1000}};

  ActiveTime() = default;
  /// Counts on from what earlier sessions used.
  ActiveTime(Duration used, Time now) : before_(used), since_(now) {}

  bool counting() const { return counting_; }
  void halt(Time now) {
    before_ = used(now);
    counting_ = false;
  }
  void go_on(Time now) {
    since_ = now;
    counting_ = true;
  }

  Duration used(Time now) const { return counting_ ? before_ + (now - since_) : before_; }
  /// When a budget is used up, if nothing halts the counting.
  Time over_at(Duration budget) const {
    if (!counting_) return kNever;
    return since_ + std::max(Duration{}, budget - before_);
  }

 private:
  Duration before_{};  // used up to since_
  Time since_{};
  bool counting_ = true;
};

}  // namespace hdrive::scheduler
