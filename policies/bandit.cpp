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

class Bandit final : public Policy {
 public:
  explicit Bandit(const BanditOptions& options) : options_(options) {}

  Verdict judge(RunId id, const History& history) const override {
    Verdict verdict;
    verdict.interval = static_cast<std::int64_t>(history.reports(id).size());
    if (!options_.schedule.due(verdict.interval)) return verdict;

    const std::int64_t runs = history.count_at(verdict.interval);
    const std::optional<History::Leader> leader = history.leader_at(verdict.interval);
    const std::optional<double> best = history.best(id, verdict.interval);
    if (best) verdict.value = *best;
    if (runs < 2 || !leader) {
      verdict.finding = Verdict::Finding::no_peers;
      verdict.peers = runs - 1;
      return verdict;
    }
    verdict.peers = runs;
    verdict.leader = leader->run;
    verdict.leader_value = leader->value;
    verdict.threshold = threshold(leader->value);
    return conclude(verdict,
                    is_beyond(verdict.value, verdict.threshold, leader->value, options_.goal));
  }

  std::string explain(const Verdict& verdict) const override {
    switch (verdict.finding) {
      case Verdict::Finding::not_due:
        return options_.schedule.not_due(verdict.interval);
      case Verdict::Finding::no_peers:
        return no_peers(verdict);
      case Verdict::Finding::within:
        return compared(verdict, options_.goal == Goal::maximize ? "not below" : "not above");
      case Verdict::Finding::beyond:
        return compared(verdict, options_.goal == Goal::maximize ? "below" : "above");
      case Verdict::Finding::other:
        break;
    }
    return verdict.note;
  }

  std::string describe() const override {
    return fmt::format("bandit: {}, looks at {}", slack(), options_.schedule.describe());
  }

 private:
  double threshold(double best) const {
    const bool maximize = options_.goal == Goal::maximize;
    if (options_.slack_amount)
      return maximize ? best - *options_.slack_amount : best + *options_.slack_amount;
    const double factor = *options_.slack_factor;
    if (!maximize) return best + std::abs(best) * factor;
    return best > 0 ? best / (1 + factor) : best - std::abs(best) * factor / (1 + factor);
  }

  std::string slack() const {
    if (options_.slack_amount) return "slack amount " + base::shortest(*options_.slack_amount);
    return "slack factor " + base::shortest(*options_.slack_factor);
  }

  /// "best value 0.61 after 10 reports is below the threshold 0.6667 (run 3's 0.8 after 10 reports,
  /// slack factor 0.2)"
  std::string compared(const Verdict& verdict, const char* how) const {
    const double blur = rounding(verdict.threshold, verdict.leader_value);
    return fmt::format("{} is {} the threshold {} (run {}'s {} after {}, {})",
                       judged_value(verdict, blur), std::isnan(verdict.value) ? "worse than" : how,
                       number(verdict.threshold, verdict.value, blur), verdict.leader,
                       number(verdict.leader_value, verdict.threshold),
                       base::plural(verdict.interval, "report"), slack());
  }

  BanditOptions options_;
};

}  // namespace

std::shared_ptr<const Policy> make_bandit(const BanditOptions& options) {
  return std::make_shared<Bandit>(options);
}

}  // namespace hdrive::policies
