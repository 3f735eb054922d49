// SPDX-License-Identifier: Apache-2.0
#include "sampling/outcomes.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace hdrive::sampling {
namespace {

std::optional<Standing> standing(const Run& run, bool has_value) {
  switch (run.status) {
    case RunStatus::queued:
    case RunStatus::running:
      return Standing::pending;
    case RunStatus::completed:
      return has_value ? Standing::final : Standing::failed;
    case RunStatus::failed:
      return Standing::failed;
    case RunStatus::canceled:
      break;
  }
  if (has_value) return Standing::partial;
  if (run.ended_by == EndCause::policy)
    return Standing::failed;  // stopped, all its values unusable
  return std::nullopt;
}

}  // namespace

std::vector<Outcome> ranked_outcomes(const History& history) {
  const double sign = history.goal() == Goal::minimize ? 1 : -1;
  std::vector<Outcome> result;
  result.reserve(static_cast<std::size_t>(history.size()));
  for (RunId id = 0; id < history.size(); ++id) {
    const auto best = history.best(id);
    const auto is = standing(history.run(id), best.has_value());
    if (!is) continue;
    result.push_back(
        {id, *is, best ? sign * *best : 0, static_cast<std::int64_t>(history.reports(id).size())});
  }
  const auto key = [](const Outcome& of) {
    const bool valued = of.standing == Standing::final || of.standing == Standing::partial;
    return std::tuple(of.standing, of.standing == Standing::partial ? -of.reports : 0,
                      valued ? of.loss : 0, of.run);
  };
  std::sort(result.begin(), result.end(),
            [&](const Outcome& a, const Outcome& b) { return key(a) < key(b); });
  return result;
}

std::size_t count(const std::vector<Outcome>& outcomes, Standing standing) {
  return static_cast<std::size_t>(
      std::count_if(outcomes.begin(), outcomes.end(),
                    [&](const Outcome& of) { return of.standing == standing; }));
}

}  // namespace hdrive::sampling
