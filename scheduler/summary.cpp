// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "hdrive/sweep.h"

namespace hdrive {
namespace {

// How long a run trained; zero for one that never started, or of whose end nothing is known.
Duration training_time(const Run& run, std::optional<Time> now = std::nullopt) {
  const Time end = run.status == RunStatus::running && now ? *now : run.ended;
  if (run.started == Time{} || end == Time{}) return {};
  return std::max(Duration{}, end - run.started);
}

}  // namespace

SweepSummary summarize(const SweepState& state, std::optional<Time> now) {
  SweepSummary summary;
  summary.status = state.status();
  summary.end = state.end();
  summary.reason = state.reason();
  summary.elapsed = state.active(now.value_or(Time{}));

  const History& history = state.history();
  summary.runs = history.size();
  Duration of_completed{};
  for (RunId id = 0; id < history.size(); ++id) {
    const Run& run = history.run(id);
    summary.compute += training_time(run, now);
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
    summary.best_run = history.run(*best);
  }
  for (const Noted& note : state.notes())
    if (note.level != Noted::Level::info)
      summary.warnings.push_back(
          (note.run ? "run " + std::to_string(*note.run) + ": " : std::string()) + note.text);
  return summary;
}

}  // namespace hdrive
