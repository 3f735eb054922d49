// SPDX-License-Identifier: Apache-2.0
//
// A new policy: whoever has no better value than the leader at the same report goes.
#include <fmt/format.h>

#include "policies/policies.h"
#include "policies/sentence.h"

namespace hdrive::policies {
namespace {

class ShortLeash final : public ScheduledPolicy {
 public:
  using ScheduledPolicy::ScheduledPolicy;

  std::string describe() const override { return "short_leash: looks at " + schedule().describe(); }

 private:
  Verdict compare(Verdict verdict, RunId id, const History& history) const override {
    const auto leader = history.leader_at(verdict.interval);
    if (!leader || leader->run == id) {
      verdict.finding = Verdict::Finding::no_peers;
      return verdict;
    }
    verdict.peers = 1;
    verdict.threshold = leader->value;
    return conclude(verdict, history.better(leader->value, verdict.value));
  }
  std::string compared(const Verdict& verdict, bool beyond) const override {
    return fmt::format("{} {} behind the leader", judged_value(verdict), beyond ? "is" : "is not");
  }
};

MadePolicy make(const Options& options, Goal) { return made<ShortLeash>(Schedule::from(options)); }

}  // namespace

PolicyTable::Row short_leash_row() {
  return {{.name = "short_leash",
           .summary = "Stops every run that is not the best.",
           .options = with_schedule()},
          make};
}

}  // namespace hdrive::policies
