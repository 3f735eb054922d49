// SPDX-License-Identifier: Apache-2.0
//
// Histories made in a line, for their tests.
#pragma once

#include <limits>
#include <utility>
#include <vector>

#include "hdrive/history.h"

namespace hdrive::testing {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

inline Run run_with(RunId id, Assignment parameters = {}) {
  Run run;
  run.id = id;
  run.status = RunStatus::running;
  run.parameters = std::move(parameters);
  return run;
}

/// A history of runs with these reports.
inline History history_of(Goal goal, const std::vector<std::vector<double>>& series) {
  History history(goal);
  for (const std::vector<double>& reports : series) {
    const RunId id = history.size();
    history.add(run_with(id));
    for (const double value : reports) history.report(id, value);
  }
  return history;
}

}  // namespace hdrive::testing
