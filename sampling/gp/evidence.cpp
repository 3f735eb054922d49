// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/evidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace hdrive::sampling::gp {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Failures beyond these are left out, oldest first, some at a time.
constexpr std::size_t kMostFailures = 64, kFailuresAtATime = 32;
// Points tried more often than this count once, by their mean.
constexpr std::size_t kMostReplicates = 8;
// The variance of a value that was not seen to the end, where all values have variance 1.
constexpr double kPartialDoubt = 0.1;

double sign_of(const History& history) { return history.goal() == Goal::maximize ? -1.0 : 1.0; }

// How final values follow from early ones: the completed runs' best values after N reports, and at the end.
class Curves {
 public:
  explicit Curves(const History& history) : history_(history) {
    for (RunId id = 0; id < history.size(); ++id)
      if (history.run(id).status == RunStatus::completed && history.best(id))
        completed_.push_back(id);
  }

  // What a run with this best value after `reports` reports would have come to.
  std::optional<double> expected(double value, std::int64_t reports) {
    const Ranked& ranked = at(reports);
    if (ranked.early.empty()) return std::nullopt;
    const auto lower = std::lower_bound(ranked.early.begin(), ranked.early.end(), value);
    const auto upper = std::upper_bound(lower, ranked.early.end(), value);
    const auto place =
        static_cast<std::size_t>((lower - ranked.early.begin()) + (upper - lower) / 2);
    return std::min(value, ranked.final[std::min(place, ranked.final.size() - 1)]);
  }

 private:
  struct Ranked {
    std::vector<double> early, final;
  };

  const Ranked& at(std::int64_t reports) {
    const auto [entry, is_new] = ranked_.try_emplace(reports);
    if (!is_new) return entry->second;
    const double sign = sign_of(history_);
    for (const RunId id : completed_) {
      if (static_cast<std::int64_t>(history_.reports(id).size()) < reports) continue;
      const auto early = history_.best(id, reports);
      entry->second.early.push_back(early ? sign * *early : std::numeric_limits<double>::max());
      entry->second.final.push_back(sign * *history_.best(id));
    }
    std::sort(entry->second.early.begin(), entry->second.early.end());
    std::sort(entry->second.final.begin(), entry->second.final.end());
    return entry->second;
  }

  const History& history_;
  std::vector<RunId> completed_;
  std::map<std::int64_t, Ranked> ranked_;
};

// What ended a run tells nothing about its parameters.
bool by_chance(EndCause cause) {
  return cause == EndCause::interrupt || cause == EndCause::budget ||
         cause == EndCause::sweep_ended || cause == EndCause::lost ||
         cause == EndCause::not_started || cause == EndCause::user;
}

struct Judged {
  Observation::Kind kind;
  double value = 0;
};

// Nothing: the run tells nothing.
std::optional<Judged> judge(const History& history, RunId id, Curves& curves) {
  using Kind = Observation::Kind;
  const Run& run = history.run(id);
  if (!is_terminal(run.status)) return Judged{Kind::pending};
  const auto best = history.best(id);
  const double value = best ? sign_of(history) * *best : kNan;
  if (run.status == RunStatus::completed)
    return best ? Judged{Kind::value, value} : Judged{Kind::failure};
  if (run.status == RunStatus::failed && !by_chance(run.ended_by)) return Judged{Kind::failure};
  if (best) {
    const auto reports = static_cast<std::int64_t>(history.reports(id).size());
    const auto expected = curves.expected(value, reports);
    if (!expected) return std::nullopt;
    return Judged{Kind::partial, *expected};
  }
  if (by_chance(run.ended_by)) return std::nullopt;
  return Judged{Kind::failure};
}

// Rows of equal points among `rows`, where there are too many, as groups; all others alone. In the order of
// their first members.
std::vector<std::vector<std::size_t>> group_replicates(
    const std::vector<const Observation*>& rows) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows[a]->point < rows[b]->point; });
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && rows[order[end]]->point == rows[order[begin]]->point) ++end;
    if (end - begin > kMostReplicates) {
      groups.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(begin),
                          order.begin() + static_cast<std::ptrdiff_t>(end));
      continue;
    }
    for (std::size_t i = begin; i < end; ++i) groups.push_back({order[i]});
  }
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a.front() < b.front(); });
  return groups;
}

}  // namespace

std::vector<Observation> observe(const History& history, const Encoding& encoding) {
  std::vector<Observation> observations;
  Curves curves(history);
  for (RunId id = 0; id < history.size(); ++id) {
    const auto judged = judge(history, id, curves);
    if (!judged) continue;
    auto point = encoding.encode(history.run(id).parameters);
    if (!point) continue;
    observations.push_back({judged->kind, id, *std::move(point), judged->value});
  }
  return observations;
}

Dataset learn_from(const std::vector<Observation>& observations, RunId before, int dimensions,
                   Warp warp) {
  using Kind = Observation::Kind;
  std::vector<const Observation*> rows;
  std::size_t failures = 0;
  for (const Observation& observation : observations)
    if (observation.run < before && observation.kind == Kind::failure) ++failures;
  std::size_t left_out =
      failures <= kMostFailures
          ? 0
          : (failures - kMostFailures + kFailuresAtATime - 1) / kFailuresAtATime * kFailuresAtATime;
  for (const Observation& observation : observations) {
    if (observation.run >= before || observation.kind == Kind::pending) continue;
    if (observation.kind == Kind::failure && left_out > 0) {
      --left_out;
      continue;
    }
    rows.push_back(&observation);
  }

  std::vector<double> known;
  for (const Observation* row : rows)
    if (row->kind != Kind::failure) known.push_back(row->value);
  const std::vector<double> scores = warped(known, warp);
  const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
  const double penalty = scores.empty() ? 0 : *most + 0.5 * (*most - *least) + 1;

  std::vector<double> row_scores;
  for (std::size_t i = 0, next = 0; i < rows.size(); ++i)
    row_scores.push_back(rows[i]->kind == Kind::failure ? penalty : scores[next++]);

  Dataset data{Training{Points(dimensions, static_cast<int>(rows.size())), {}, {}, {}}, {}, {}, {}};
  for (const auto& group : group_replicates(rows)) {
    const Observation& first = *rows[group.front()];
    double score = 0, value = 0, doubt = 0;
    bool is_final = true;
    const double share = 1.0 / static_cast<double>(group.size());
    for (const std::size_t i : group) {
      const Kind kind = rows[i]->kind;
      score += share * row_scores[i];
      value += share * (kind == Kind::failure ? kNan : rows[i]->value);
      doubt += kind == Kind::partial ? share * share * kPartialDoubt : 0;
      is_final = is_final && kind == Kind::value;
      data.good += kind == Kind::value;
      data.failures += kind == Kind::failure;
      data.partials += kind == Kind::partial;
    }
    data.training.add(first.point, score, share, doubt);
    data.runs.push_back(first.run);
    data.values.push_back(value);
    data.is_final.push_back(is_final);
  }
  return data;
}

double Dataset::unwarped(double score) const {
  // Between the nearest two known values, or by the slope at the end.
  std::vector<std::pair<double, double>> known;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(values[i])) known.emplace_back(training.values[i], values[i]);
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end(),
                          [](const auto& a, const auto& b) { return a.first == b.first; }),
              known.end());
  if (known.empty()) return kNan;
  if (known.size() == 1) return known.front().second;
  auto after =
      std::lower_bound(known.begin(), known.end(), std::pair<double, double>(score, -INFINITY));
  after = std::clamp(after, known.begin() + 1, known.end() - 1);
  const auto& [low, low_value] = *(after - 1);
  const auto& [high, high_value] = *after;
  return low_value + (score - low) * ((high_value - low_value) / (high - low));
}

}  // namespace hdrive::sampling::gp
