// SPDX-License-Identifier: Apache-2.0
//
// ControllerLog: what an engine did with a sweep, as lines in the order of time; HyperDrive's
// azureml-logs/hyperdrive.txt (reference, 4.5). It is made of the stored changes, so that it holds
// for sweeps of any engine and cannot disagree with the database.
#pragma once

#include <string>
#include <vector>

#include "hdrive/changes.h"

namespace hdrive {

/// Pure; one thread at a time.
class ControllerLog {
 public:
  explicit ControllerLog(const SweepHeader& header);

  /// In any order, as `replay` tells them; metrics leave no line.
  void add(const Change& change);

  /// "<START>[2026-11-28T23:05:08.173478Z][SCHEDULER][INFO]Scheduling job, id='HD_..._0'<END>", a
  /// line each. Units: API, GENERATOR, SCHEDULER, ENFORCER (the policy), CONTROLLER; levels: INFO,
  /// WARNING, ERROR. A line break within a text is told as "\n".
  std::string text() const;

 private:
  struct Line {
    Time at;
    int rank;  ///< among those of one moment
    const char* unit;
    const char* level;
    std::string text;
    enum class Kind { said, drawn, all_drawn } kind = Kind::said;  ///< the others are counted
  };
  struct Teller;

  std::string sweep_;
  std::int64_t runs_ = 0;
  std::vector<Line> lines_;
};

}  // namespace hdrive
