// SPDX-License-Identifier: Apache-2.0
//
// What a sweep's changes say to a person: lines of the live and the plain display alike.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hdrive/state.h"

namespace hdrive::cli {

/// `run 3  Completed  accuracy 0.9712  12.3s  lr=0.01 layers=2`; with the reason of one that did
/// not complete behind it.
std::string run_line(const Run& run, const SweepState& state);

/// What went wrong, or might have: a warning of the engine, a run that is tried again. Nothing for
/// other changes.
std::optional<std::string> warning_line(const Change& change);

/// What is said when a sweep pauses, and when it goes on after somebody had paused it. (Of a pause for
/// some trouble the end is told with the trouble's.)
class PauseNews {
 public:
  /// Nothing for other changes.
  std::optional<std::string> line(const Change& change);

 private:
  bool by_somebody_ = false;
};

/// The last lines of a failed run's stderr, indented; told for the first failures of a sweep only,
/// since the later ones are mostly alike. Nothing where there are none.
std::vector<std::string> stderr_lines(const RunEnded& ended);

/// "cancelling 2 runs; Ctrl-C again kills them at once" for the first interruption (level 1), what
/// follows for the second.
std::string interruption_line(int level, std::int64_t running);

/// When a change happened.
Time time_of(const Change& change);

}  // namespace hdrive::cli
