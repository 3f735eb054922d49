// SPDX-License-Identifier: Apache-2.0
//
// The policies straight from their definitions (the headers of policies/*.cpp), over all runs each time.
#pragma once

#include <cmath>
#include <optional>

#include "hdrive/hdrive.h"
#include "tests/unit/scheduler/naive_history.h"

namespace hdrive::simulation {

struct NaiveVerdict {
  bool stop = false;
  bool close = false;  ///< so close to the threshold that rounding decides: either is right
  std::optional<double> value, threshold;
};

class NaivePolicy {
 public:
  NaivePolicy(const AlgorithmSpec& spec, Goal goal) : spec_(spec), goal_(goal) {}

  NaiveVerdict judge(RunId run, const testing::NaiveHistory& history) const {
    const std::int64_t n = history.size_of(run);
    const std::int64_t every = std::max<std::int64_t>(1, integer("evaluation_interval", 1));
    if (n % every != 0 || n < integer("delay_evaluation", 0)) return {};
    NaiveVerdict verdict;
    verdict.value = history.best(run, n);
    if (spec_.name == "bandit") {
      const auto leader = history.leader_at(n);
      if (history.count_at(n) < 2 || !leader) return {};
      const double best = *history.best(*leader, n), size = std::abs(best);
      const double sign = goal_ == Goal::maximize ? -1 : 1;
      const double slack = spec_.options.contains("slack_amount") ? number("slack_amount")
                           : goal_ == Goal::minimize              ? size * number("slack_factor")
                                                     : size - size / (1 + number("slack_factor"));
      return compare(verdict, best + sign * slack);
    }
    if (spec_.name == "median_stopping") {
      const auto median = history.median_average_of_others(run, n);
      return median ? compare(verdict, median->value) : NaiveVerdict{};
    }
    if (spec_.name == "truncation_selection") return rank(verdict, run, n, history);
    return {};
  }

 private:
  NaiveVerdict compare(NaiveVerdict verdict, double threshold) const {
    verdict.threshold = threshold;
    const double margin = 1e-9 * std::max(1.0, std::abs(threshold));
    verdict.close = verdict.value && std::abs(*verdict.value - threshold) < margin;
    verdict.stop = !verdict.value || (goal_ == Goal::maximize ? *verdict.value < threshold
                                                              : *verdict.value > threshold);
    return verdict;
  }

  NaiveVerdict rank(NaiveVerdict verdict, RunId run, std::int64_t n,
                    const testing::NaiveHistory& history) const {
    const auto exclude = spec_.options.find("exclude_finished_jobs");
    const bool unfinished = exclude != spec_.options.end() && std::get<bool>(exclude->second);
    const std::vector<RunId> worst_first =
        history.ranking(n, unfinished ? History::Ranked::unfinished : History::Ranked::all, run);
    const auto size = static_cast<std::int64_t>(worst_first.size());
    if (size < 2) return {};
    const std::int64_t to_stop = integer("truncation_percentage", 0) * size / 100;
    for (std::int64_t place = 0; place < to_stop; ++place)
      if (worst_first[static_cast<std::size_t>(place)] == run) verdict.stop = true;
    return verdict;
  }

  std::int64_t integer(const char* name, std::int64_t otherwise) const {
    const auto found = spec_.options.find(name);
    return found == spec_.options.end() ? otherwise : std::get<std::int64_t>(found->second);
  }
  double number(const char* name) const {
    const Value& value = spec_.options.at(name);
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    return std::get<double>(value);
  }

  AlgorithmSpec spec_;
  Goal goal_;
};

}  // namespace hdrive::simulation
