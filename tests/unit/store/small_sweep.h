// SPDX-License-Identifier: Apache-2.0
//
// What happens in a sweep whose database has tables of several pages, with changes of every kind.
#pragma once

#include <string>
#include <vector>

#include "hdrive/changes.h"
#include "tests/unit/store/read_sweep.h"

namespace hdrive::test {

inline SweepHeader header() {
  return {"HD_1", "digits", "", std::string(5000, 'c'), "acc", Goal::maximize, "0.1.0", at(0)};
}

// Runs of every kind, long enough for tables of several pages.
inline std::vector<Change> history() {
  std::vector<Change> changes{SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, at(0)}};
  for (RunId run = 0; run < 20; ++run) {
    changes.push_back(
        RunProposed{run, {{"--lr", 0.5 + 0.01 * static_cast<double>(run)}}, "drawn", at(1)});
    changes.push_back(RunStarted{run, 1, 4711, at(2)});
    RunMetrics metrics{run, 1, {}, "100 0", at(3)};
    for (int i = 0; i < 20; ++i)
      metrics.metrics.push_back(
          {i % 4 == 0 ? "loss" : "acc", 0.1 * i + static_cast<double>(run), i, {}});
    changes.push_back(metrics);
    changes.push_back(RunJudged{run, 1, Verdict{}, std::string(100, 'v'), at(4)});
    if (run % 5 == 0) {
      changes.push_back(RunRequeued{run, 2, "it was lost", at(5), EndCause::lost});
      changes.push_back(RunStarted{run, 2, 4712, at(6)});
    }
    changes.push_back(RunEnded{run,
                               run % 5 == 0 ? 2 : 1,
                               run % 7 == 0 ? RunStatus::failed : RunStatus::completed,
                               EndCause::exited,
                               0,
                               {},
                               "completed",
                               std::string(50, 's'),
                               at(7)});
  }
  changes.push_back(Noted{Noted::Level::warning, 3, "a damaged line", at(8)});
  changes.push_back(SweepEdited{std::string(5000, 'e'), "max_total_runs: 10 -> 20", at(9)});
  return changes;
}

}  // namespace hdrive::test
