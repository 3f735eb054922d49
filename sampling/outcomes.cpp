// SPDX-License-Identifier: Apache-2.0
#include "sampling/outcomes.h"

#include <algorithm>
#include <tuple>

namespace hdrive::sampling {
namespace {

// What ended a run says nothing about its parameters.
bool by_chance(EndCause cause) {
  return cause == EndCause::interrupt || cause == EndCause::budget ||
         cause == EndCause::sweep_ended || cause == EndCause::lost ||
         cause == EndCause::not_started || cause == EndCause::user;
}

}  // namespace

OutcomeKind outcome_of(const History& history, RunId id) {
  const Run& run = history.run(id);
  if (!is_terminal(run.status)) return OutcomeKind::pending;
  const bool completed = run.status == RunStatus::completed;
  if (history.best(id)) return completed ? OutcomeKind::value : OutcomeKind::partial;
  return !completed && by_chance(run.ended_by) ? OutcomeKind::nothing : OutcomeKind::failure;
}

double loss_of(const History& history, RunId run) {
  const double value = history.best(run).value();
  return history.goal() == Goal::maximize ? -value : value;
}

std::vector<Outcome> ranked_outcomes(const History& history) {
  std::vector<Outcome> result;
  result.reserve(static_cast<std::size_t>(history.size()));
  for (RunId id = 0; id < history.size(); ++id) {
    Outcome outcome{id, outcome_of(history, id), 0,
                    static_cast<std::int64_t>(history.reports(id).size())};
    if (outcome.kind == OutcomeKind::nothing) continue;
    if (outcome.has_value()) outcome.loss = loss_of(history, id);
    result.push_back(outcome);
  }
  const auto key = [](const Outcome& of) {
    return std::tuple(of.kind, of.kind == OutcomeKind::partial ? -of.reports : 0, of.loss, of.run);
  };
  std::sort(result.begin(), result.end(),
            [&](const Outcome& a, const Outcome& b) { return key(a) < key(b); });
  return result;
}

std::size_t count(const std::vector<Outcome>& outcomes, OutcomeKind kind) {
  return static_cast<std::size_t>(std::count_if(
      outcomes.begin(), outcomes.end(), [&](const Outcome& of) { return of.kind == kind; }));
}

}  // namespace hdrive::sampling
