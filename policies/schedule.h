// SPDX-License-Identifier: Apache-2.0
//
// Schedule: at which reports of a run a policy looks at it. Shared by all policies (reference,
// 3.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hdrive/registry.h"

namespace hdrive::policies {

struct Schedule {
  std::int64_t evaluation_interval = 1;  ///< look at every so many-th report; 0 means 1
  std::int64_t delay_evaluation = 0;     ///< but not before this one

  /// Whether the policy looks at a run's report number `report`, from 1: at the multiples of the
  /// interval that are not below the delay.
  bool due(std::int64_t report) const {
    return report >= 1 && report >= delay_evaluation && report % every() == 0;
  }

  /// "every report", "every 5th report from the 10th on".
  std::string describe() const;

  /// "not due: the policy looks at every 5th report from the 10th on, and this was report 7"
  std::string not_due(std::int64_t report) const;

  /// Of options that `with_schedule` listed.
  static Schedule from(const Options& options);

 private:
  std::int64_t every() const { return evaluation_interval > 0 ? evaluation_interval : 1; }
};

/// The rows of a policy's option table: those of the schedule, then its own.
std::vector<OptionInfo> with_schedule(std::vector<OptionInfo> own = {});

}  // namespace hdrive::policies
