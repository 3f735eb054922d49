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

/// What is said of runs out of reach and in it again: a host that is lost takes all of its runs with it,
/// and one line says so.
class ContactNews {
 public:
  void take(const RunContact& contact) { contacts_.push_back(contact); }
  /// The lines of what was taken since: one for all runs of which the same is said.
  std::vector<std::string> take_lines();

 private:
  std::vector<RunContact> contacts_;
};

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
