// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "hdrive/sweep.h"

namespace hdrive {
namespace {

// How long a run trained; zero for one that never started or has not ended.
Duration training_time(const Run& run) {
  if (run.started == Time{} || run.ended == Time{}) return {};
  return std::max(Duration{}, run.ended - run.started);
}

}  // namespace

SweepSummary summarize(const SweepState& state) {
  SweepSummary summary;
  summary.status = state.status();
  summary.end = state.end();
  summary.reason = state.reason();
  summary.elapsed = state.active();

  const History& history = state.history();
  summary.runs = history.size();
  Duration of_completed{};
  for (RunId id = 0; id < history.size(); ++id) {
    const Run& run = history.run(id);
    summary.compute += training_time(run);
    if (run.status == RunStatus::completed) {
      ++summary.completed;
      of_completed += training_time(run);
    } else if (run.status == RunStatus::failed) {
      ++summary.failed;
    } else if (run.ended_by == EndCause::policy) {
      ++summary.stopped;
    } else if (run.status == RunStatus::canceled) {
      ++summary.canceled;
    }
  }
  if (summary.completed > 0) {
    const Duration expected = of_completed / summary.completed;
    Duration saved{};
    for (RunId id = 0; id < history.size(); ++id)
      if (history.run(id).ended_by == EndCause::policy)
        saved += std::max(Duration{}, expected - training_time(history.run(id)));
    summary.saved = saved;
  }
  if (const auto best = history.incumbent()) {
    summary.best = best;
    summary.best_value = *history.best(*best);
  }
  for (const Noted& note : state.notes())
    if (note.level != Noted::Level::info)
      summary.warnings.push_back(
          (note.run ? "run " + std::to_string(*note.run) + ": " : std::string()) + note.text);
  return summary;
}

}  // namespace hdrive
