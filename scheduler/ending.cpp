// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ending.h"

#include <fmt/format.h>

namespace hdrive::scheduler {

SweepStatus status_after(SweepEnd end, const History& history) {
  switch (end) {
    case SweepEnd::user:
    case SweepEnd::interrupt:
      return SweepStatus::canceled;
    case SweepEnd::hopeless:
    case SweepEnd::error:
      return SweepStatus::failed;
    default:
      break;
  }
  for (RunId run = 0; run < history.size(); ++run) {
    const Run& record = history.run(run);
    if (record.status == RunStatus::completed) return SweepStatus::completed;
    if (record.ended_by == EndCause::policy && history.best(run)) return SweepStatus::completed;
  }
  return SweepStatus::failed;
}

std::string all_ended(const History& history) {
  return history.size() == 1 ? "the run has ended"
                             : fmt::format("all {} runs have ended", history.size());
}

}  // namespace hdrive::scheduler
