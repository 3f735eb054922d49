// SPDX-License-Identifier: Apache-2.0
//
// History's answers straight from their definitions, by looking at everything each time: what the fast
// ones are compared with.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "hdrive/history.h"

namespace hdrive::testing {

class NaiveHistory {
 public:
  explicit NaiveHistory(Goal goal) : goal_(goal) {}

  struct Entry {
    RunStatus status = RunStatus::queued;
    std::vector<double> reports;
  };
  std::vector<Entry> runs;

  bool reached(RunId id, std::int64_t n) const { return size_of(id) >= n; }
  std::int64_t size_of(RunId id) const { return static_cast<std::int64_t>(at(id).reports.size()); }

  bool better(double a, double b) const {
    if (!std::isfinite(a)) return false;
    if (!std::isfinite(b)) return true;
    return goal_ == Goal::maximize ? a > b : a < b;
  }

  std::optional<double> best(RunId id, std::int64_t n) const {
    std::optional<double> best;
    for (const double value : first_finite(id, n))
      if (!best || better(value, *best)) best = value;
    return best;
  }

  std::optional<double> average(RunId id, std::int64_t n) const {
    long double sum = 0;
    const std::vector<double> values = first_finite(id, n);
    for (const double value : values) sum += value;
    if (values.empty()) return std::nullopt;
    return static_cast<double>(sum / static_cast<long double>(values.size()));
  }

  std::optional<RunId> incumbent(History::Include include) const {
    std::optional<RunId> best_run;
    for (RunId id = 0; id < count(); ++id) {
      if (at(id).status == RunStatus::failed && !include.failed) continue;
      if (at(id).status == RunStatus::canceled && !include.canceled) continue;
      const auto value = best(id, kAll);
      if (value && (!best_run || better(*value, *best(*best_run, kAll)))) best_run = id;
    }
    return best_run;
  }

  std::int64_t count_at(std::int64_t n) const {
    std::int64_t reached_it = 0;
    for (RunId id = 0; id < count(); ++id) reached_it += reached(id, n) ? 1 : 0;
    return reached_it;
  }

  std::optional<RunId> leader_at(std::int64_t n) const {
    std::optional<RunId> leader;
    for (RunId id = 0; id < count(); ++id) {
      if (!reached(id, n) || !best(id, n)) continue;
      if (!leader || better(*best(id, n), *best(*leader, n))) leader = id;
    }
    return leader;
  }

  std::optional<History::Median> median_average_of_others(RunId except, std::int64_t n) const {
    std::vector<double> averages;
    for (RunId id = 0; id < count(); ++id)
      if (id != except && reached(id, n) && average(id, n)) averages.push_back(*average(id, n));
    if (averages.empty()) return std::nullopt;
    std::sort(averages.begin(), averages.end());
    const std::size_t size = averages.size();
    const double upper = averages[size / 2];
    const double lower = averages[(size - 1) / 2];
    return History::Median{lower / 2 + upper / 2, static_cast<std::int64_t>(size)};
  }

  /// The runs ranked at n, worst first; `also` is ranked in any case.
  std::vector<RunId> ranking(std::int64_t n, History::Ranked ranked, RunId also = -1) const {
    std::vector<RunId> ids;
    for (RunId id = 0; id < count(); ++id) {
      const bool in =
          reached(id, n) && (ranked == History::Ranked::all || !is_terminal(at(id).status));
      if (in || id == also) ids.push_back(id);
    }
    std::sort(ids.begin(), ids.end(), [&](RunId a, RunId b) {
      const double of_a = best(a, n).value_or(kNaN), of_b = best(b, n).value_or(kNaN);
      if (better(of_a, of_b)) return false;
      return better(of_b, of_a) || a > b;
    });
    return ids;
  }

  RunId count() const { return static_cast<RunId>(runs.size()); }

  static constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

 private:
  const Entry& at(RunId id) const { return runs[static_cast<std::size_t>(id)]; }

  std::vector<double> first_finite(RunId id, std::int64_t n) const {
    std::vector<double> values;
    for (const double value : at(id).reports) {
      if (n-- <= 0) break;
      if (std::isfinite(value)) values.push_back(value);
    }
    return values;
  }

  Goal goal_;
};

}  // namespace hdrive::testing
