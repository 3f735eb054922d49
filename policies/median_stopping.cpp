// SPDX-License-Identifier: Apache-2.0
//
// Median stopping: HyperDrive's MedianStoppingPolicy (reference, sections 3.4 and 10.2), after the
// median stopping rule of Golovin, Solnik, Moitra, Kochanski, Karro, Sculley: "Google Vizier: A
// Service for Black-Box Optimization", KDD 2017.
//
// Run r is stopped at its report N where best_r(N) is strictly worse than the median of avg_s(N)
// over the other runs s that have N reports, avg_s(N) being the mean of the first N; of an even
// number of runs, the mean of the middle two. Vizier's rule is the same, except that it considers
// only completed trials; here, as HyperDrive's documentation has it, all runs that got as far
// count.
#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "policies/policies.h"
#include "policies/sentence.h"

namespace hdrive::policies {
namespace {

class MedianStopping final : public ScheduledPolicy {
 public:
  MedianStopping(Goal goal, const Schedule& schedule) : ScheduledPolicy(schedule), goal_(goal) {}

  std::string describe() const override {
    return fmt::format("median_stopping: looks at {}", schedule().describe());
  }

 private:
  Verdict compare(Verdict verdict, RunId id, const History& history) const override {
    const auto median = history.median_average_of_others(id, verdict.interval);
    if (!median) {
      verdict.finding = Verdict::Finding::no_peers;
      verdict.peers = history.count_at(verdict.interval) - 1;
      return verdict;
    }
    verdict.peers = median->peers;
    verdict.threshold = median->value;
    return conclude(verdict, is_beyond(verdict.value, verdict.threshold, median->value, goal_));
  }

  /// "best value 0.61 after 10 reports is below 0.7, the median of 4 other runs' averages over
  /// their first 10 reports"
  std::string compared(const Verdict& verdict, bool beyond) const override {
    const char* worse = goal_ == Goal::maximize ? "below" : "above";
    const std::string how = std::isnan(verdict.value) ? "worse than"
                            : beyond                  ? worse
                                                      : fmt::format("not {}", worse);
    const double blur = rounding(verdict.threshold, verdict.threshold);
    return fmt::format("{} is {} {}, {}", judged_value(verdict, blur), how,
                       number(verdict.threshold, verdict.value, blur), whose(verdict));
  }

  static std::string whose(const Verdict& verdict) {
    const bool first = verdict.interval == 1;
    if (verdict.peers == 1)
      return first ? "the only other run's first report"
                   : fmt::format("the only other run's average over its first {} reports",
                                 verdict.interval);
    if (first) return fmt::format("the median of {} other runs' first reports", verdict.peers);
    return fmt::format("the median of {} other runs' averages over their first {} reports",
                       verdict.peers, verdict.interval);
  }

  Goal goal_;
};

MadePolicy make(const Options& options, Goal goal) {
  return made<MedianStopping>(goal, Schedule::from(options));
}

}  // namespace

PolicyTable::Row median_stopping_row() {
  return {{.name = "median_stopping",
           .aliases = {"MedianStoppingPolicy", "median"},
           .summary = "Stops a run whose best value is worse than the median of the other runs' "
                      "averages up to the same number of reports.",
           .options = with_schedule()},
          make};
}

}  // namespace hdrive::policies
