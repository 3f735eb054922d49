// SPDX-License-Identifier: Apache-2.0
//
// Bandit: HyperDrive's BanditPolicy (reference, sections 3.3 and 10.1).
//
// With X the best best_s(N) of all runs s that have N reports, in any state and the judged one
// included, and Y = best_r(N), run r is stopped at its report N where Y is beyond the threshold T:
//
//     maximize: Y < T    T = X / (1 + f)    or  T = X - a
//     minimize: Y > T    T = X * (1 + f)    or  T = X + a
//
// Below zero a factor as it stands would move T to the wrong side of X; there |X| stands in for X:
// T = X - |X| f / (1 + f), and T = X + |X| f. Equality keeps. The best run itself is never stopped.
#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "policies/policies.h"
#include "policies/sentence.h"

namespace hdrive::policies {
namespace {

class Bandit final : public ScheduledPolicy {
 public:
  /// Exactly one of the slacks is set; both are at least 0.
  Bandit(Goal goal, const Schedule& schedule, std::optional<double> slack_factor,
         std::optional<double> slack_amount)
      : ScheduledPolicy(schedule), goal_(goal), factor_(slack_factor), amount_(slack_amount) {}

  std::string describe() const override {
    return fmt::format("bandit: {}, looks at {}", slack(), schedule().describe());
  }

 private:
  Verdict compare(Verdict verdict, RunId, const History& history) const override {
    const std::int64_t runs = history.count_at(verdict.interval);
    const std::optional<History::Leader> leader = history.leader_at(verdict.interval);
    if (runs < 2 || !leader) {
      verdict.finding = Verdict::Finding::no_peers;
      verdict.peers = runs - 1;
      return verdict;
    }
    verdict.peers = runs;
    if (leader->run >= 0)
      verdict.leader = leader->run;
    else
      verdict.note = history.name(leader->run);
    verdict.leader_value = leader->value;
    verdict.threshold = threshold(leader->value);
    return conclude(verdict, is_beyond(verdict.value, verdict.threshold, leader->value, goal_));
  }

  double threshold(double best) const {
    const bool maximize = goal_ == Goal::maximize;
    if (amount_) return maximize ? best - *amount_ : best + *amount_;
    const double factor = *factor_;
    if (!maximize) return best + std::abs(best) * factor;
    return best > 0 ? best / (1 + factor) : best - std::abs(best) * factor / (1 + factor);
  }

  std::string slack() const {
    if (amount_) return "slack amount " + base::shortest(*amount_);
    return "slack factor " + base::shortest(*factor_);
  }

  /// "best value 0.61 after 10 reports is below the threshold 0.6667 (run 3's 0.8 after 10 reports,
  /// slack factor 0.2)"
  std::string compared(const Verdict& verdict, bool beyond) const override {
    const char* worse = goal_ == Goal::maximize ? "below" : "above";
    const std::string how = std::isnan(verdict.value) ? "worse than"
                            : beyond                  ? worse
                                                      : fmt::format("not {}", worse);
    const double blur = rounding(verdict.threshold, verdict.leader_value);
    return fmt::format("{} is {} the threshold {} ({}'s {} after {}, {})",
                       judged_value(verdict, blur), how,
                       number(verdict.threshold, verdict.value, blur), leader_of(verdict),
                       number(verdict.leader_value, verdict.threshold),
                       base::plural(verdict.interval, "report"), slack());
  }

  // One of an earlier sweep stands in the note.
  static std::string leader_of(const Verdict& verdict) {
    return verdict.leader >= 0 ? fmt::format("run {}", verdict.leader) : verdict.note;
  }

  Goal goal_;
  std::optional<double> factor_;  // a fraction of the best value
  std::optional<double> amount_;  // in the metric's unit
};

MadePolicy make(const Options& options, Goal goal) {
  const auto factor = options.number("slack_factor"), amount = options.number("slack_amount");
  if (factor.has_value() == amount.has_value())
    return Error{
        "",
        fmt::format("bandit has {} slack_factor {} slack_amount; give {}one of them: a "
                    "fraction of the best value (slack_factor: 0.1), or an amount in "
                    "the metric's unit",
                    factor ? "both" : "neither", factor ? "and" : "nor", factor ? "only " : "")};
  return made<Bandit>(goal, Schedule::from(options), factor, amount);
}

}  // namespace

PolicyTable::Row bandit_row() {
  return {
      {.name = "bandit",
       .aliases = {"BanditPolicy"},
       .summary = "Stops a run whose best value lags too far behind the best of all runs at the "
                  "same number of reports. Takes one of the two slacks.",
       .options =
           with_schedule({{.name = "slack_factor",
                           .kind = OptionKind::number,
                           .summary = "how far a run may lag, as a fraction of the best value",
                           .minimum = 0},
                          {.name = "slack_amount",
                           .kind = OptionKind::number,
                           .summary = "how far a run may lag, in the unit of the metric",
                           .minimum = 0}})},
      make};
}

}  // namespace hdrive::policies
