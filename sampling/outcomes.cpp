// SPDX-License-Identifier: Apache-2.0
#include "sampling/outcomes.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace hdrive::sampling {
namespace {

std::optional<OutcomeKind> kind_of(const Run& run, bool has_value) {
  switch (run.status) {
    case RunStatus::queued:
    case RunStatus::running:
      return OutcomeKind::pending;
    case RunStatus::completed:
      return has_value ? OutcomeKind::final : OutcomeKind::failed;
    case RunStatus::failed:
      return OutcomeKind::failed;
    case RunStatus::canceled:
      break;
  }
  if (has_value) return OutcomeKind::partial;
  if (run.ended_by == EndCause::policy)
    return OutcomeKind::failed;  // stopped, all its values unusable
  return std::nullopt;
}

}  // namespace

std::vector<Outcome> ranked_outcomes(const History& history) {
  const double sign = history.goal() == Goal::minimize ? 1 : -1;
  std::vector<Outcome> result;
  result.reserve(static_cast<std::size_t>(history.size()));
  for (RunId id = 0; id < history.size(); ++id) {
    const auto best = history.best(id);
    const auto is = kind_of(history.run(id), best.has_value());
    if (!is) continue;
    result.push_back(
        {id, *is, best ? sign * *best : 0, static_cast<std::int64_t>(history.reports(id).size())});
  }
  const auto key = [](const Outcome& of) {
    const bool valued = of.kind == OutcomeKind::final || of.kind == OutcomeKind::partial;
    return std::tuple(of.kind, of.kind == OutcomeKind::partial ? -of.reports : 0,
                      valued ? of.loss : 0, of.run);
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
