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

class TruncationSelection final : public ScheduledPolicy {
 public:
  /// `percentage`: of the ranked runs, 1 to 99.
  TruncationSelection(const Schedule& schedule, std::int64_t percentage, bool only_unfinished)
      : ScheduledPolicy(schedule), percentage_(percentage), only_unfinished_(only_unfinished) {}

  std::string describe() const override {
    return fmt::format("truncation_selection: the worst {} % of the {}runs, looks at {}",
                       percentage_, unfinished(), schedule().describe());
  }

 private:
  Verdict compare(Verdict verdict, RunId id, const History& history) const override {
    const History::Rank rank = history.rank_at(id, verdict.interval, ranked());
    if (rank.of < 2) {
      verdict.finding = Verdict::Finding::no_peers;
      return verdict;
    }
    verdict.peers = rank.of;
    verdict.threshold = history.value_at_rank(to_stop(rank.of), verdict.interval, ranked());
    return conclude(verdict, rank.from_worst <= to_stop(rank.of));
  }

  std::string alone(const Verdict& verdict) const override {
    if (!only_unfinished_) return no_peers(verdict);
    return fmt::format("nothing to compare with: no other unfinished run has {} yet",
                       base::plural(verdict.interval, "report"));
  }

  History::Ranked ranked() const {
    return only_unfinished_ ? History::Ranked::unfinished : History::Ranked::all;
  }
  const char* unfinished() const { return only_unfinished_ ? "unfinished " : ""; }

  /// How many of `runs` go.
  std::int64_t to_stop(std::int64_t runs) const { return percentage_ * runs / 100; }

  /// "best value 0.61 after 10 reports is among the worst 2 of 10 runs (20 %), the best of which
  /// had 0.65 by then"
  std::string compared(const Verdict& verdict, bool beyond) const override {
    const std::int64_t count = to_stop(verdict.peers);
    const std::string runs = fmt::format("{} {}runs", verdict.peers, unfinished());
    if (count == 0)
      return fmt::format("{}; {} % of {} is less than one run", judged_value(verdict), percentage_,
                         runs);
    const std::string bound = std::isnan(verdict.threshold)
                                  ? "no finite value"
                                  : number(verdict.threshold, verdict.value);
    return fmt::format("{} is {} the worst {} of {} ({} %), {} had {} by then",
                       judged_value(verdict), beyond ? "among" : "not among", count, runs,
                       percentage_, count == 1 ? "which" : "the best of which", bound);
  }

  std::int64_t percentage_;
  bool only_unfinished_;
};

MadePolicy make(const Options& options, Goal) {
  return made<TruncationSelection>(Schedule::from(options),
                                   options.integer("truncation_percentage").value(),
                                   options.is_on("exclude_finished_jobs"));
}

}  // namespace

PolicyTable::Row truncation_selection_row() {
  return {
      {.name = "truncation_selection",
       .aliases = {"TruncationSelectionPolicy", "truncation"},
       .summary = "Stops a run that is among the worst of all runs at the same number of reports.",
       .options =
           with_schedule({{.name = "truncation_percentage",
                           .kind = OptionKind::integer,
                           .summary = "how many of the runs to stop at each look, in percent",
                           .minimum = 1,
                           .maximum = 99,
                           .required = true},
                          {.name = "exclude_finished_jobs",
                           .kind = OptionKind::boolean,
                           .summary = "rank only the runs that have not ended",
                           .default_text = "false"}})},
      make};
}

}  // namespace hdrive::policies
