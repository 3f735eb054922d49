// SPDX-License-Identifier: Apache-2.0
//
// Truncation selection: HyperDrive's TruncationSelectionPolicy (reference, sections 3.5 and 10.3).
//
// The n runs that have N reports, finished ones included, are ranked by best_s(N); in a tie the
// later run is worse. Run r is stopped at its report N where its rank from the worst is at most
// floor(percentage * n / 100). A young run is ranked against what older ones had by then, so age
// neither protects nor harms. `exclude_finished_jobs` ranks only the runs that have not ended.
#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "policies/policies.h"
#include "policies/sentence.h"

namespace hdrive::policies {
namespace {

class TruncationSelection final : public Policy {
 public:
  explicit TruncationSelection(const TruncationSelectionOptions& options) : options_(options) {}

  Verdict judge(RunId id, const History& history) const override {
    Verdict verdict;
    verdict.interval = static_cast<std::int64_t>(history.reports(id).size());
    if (!options_.schedule.due(verdict.interval)) return verdict;

    const std::optional<double> best = history.best(id, verdict.interval);
    if (best) verdict.value = *best;
    const History::Rank rank = history.rank_at(id, verdict.interval, ranked());
    if (rank.of < 2) {
      verdict.finding = Verdict::Finding::no_peers;
      return verdict;
    }
    verdict.peers = rank.of;
    verdict.threshold = history.value_at_rank(to_stop(rank.of), verdict.interval, ranked());
    return conclude(verdict, rank.from_worst <= to_stop(rank.of));
  }

  std::string explain(const Verdict& verdict) const override {
    switch (verdict.finding) {
      case Verdict::Finding::not_due:
        return options_.schedule.not_due(verdict.interval);
      case Verdict::Finding::no_peers:
        return options_.exclude_finished_jobs
                   ? fmt::format("nothing to compare with: no other unfinished run has {} yet",
                                 base::plural(verdict.interval, "report"))
                   : no_peers(verdict);
      case Verdict::Finding::within:
        return compared(verdict, "not among");
      case Verdict::Finding::beyond:
        return compared(verdict, "among");
      case Verdict::Finding::other:
        break;
    }
    return verdict.note;
  }

  std::string describe() const override {
    return fmt::format("truncation_selection: the worst {} % of the {}runs, looks at {}",
                       options_.truncation_percentage, unfinished(), options_.schedule.describe());
  }

 private:
  History::Ranked ranked() const {
    return options_.exclude_finished_jobs ? History::Ranked::unfinished : History::Ranked::all;
  }
  const char* unfinished() const { return options_.exclude_finished_jobs ? "unfinished " : ""; }

  /// How many of `runs` go.
  std::int64_t to_stop(std::int64_t runs) const {
    return options_.truncation_percentage * runs / 100;
  }

  /// "best value 0.61 after 10 reports is among the worst 2 of 10 runs (20 %), the best of which
  /// had 0.65 by then"
  std::string compared(const Verdict& verdict, const char* how) const {
    const std::int64_t count = to_stop(verdict.peers);
    const std::string runs = fmt::format("{} {}runs", verdict.peers, unfinished());
    if (count == 0)
      return fmt::format("{}; {} % of {} is less than one run", judged_value(verdict),
                         options_.truncation_percentage, runs);
    const std::string bound = std::isnan(verdict.threshold)
                                  ? "no finite value"
                                  : number(verdict.threshold, verdict.value);
    return fmt::format("{} is {} the worst {} of {} ({} %), {} had {} by then",
                       judged_value(verdict), how, count, runs, options_.truncation_percentage,
                       count == 1 ? "which" : "the best of which", bound);
  }

  TruncationSelectionOptions options_;
};

}  // namespace

std::shared_ptr<const Policy> make_truncation_selection(const TruncationSelectionOptions& options) {
  return std::make_shared<TruncationSelection>(options);
}

}  // namespace hdrive::policies
