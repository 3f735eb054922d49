// SPDX-License-Identifier: Apache-2.0
//
// The table of policies, of the rows at the ends of their files.
#include "policies/policies.h"

#include "policies/sentence.h"

namespace hdrive {
namespace {

const policies::PolicyTable& table() {
  static const policies::PolicyTable kTable("policy", {
#define POLICY(name) policies::name##_row(),
#include "policies/policies.inc"
#undef POLICY
                                                      });
  return kTable;
}

}  // namespace

const std::vector<AlgorithmInfo>& policy_algorithms() { return table().infos(); }

Result<std::shared_ptr<const Policy>> make_policy(const AlgorithmSpec& spec, Goal goal) {
  const auto row = table().find(spec);
  if (!row) return row.error();
  return (*row)->make(Options((*row)->info, spec), goal);
}

namespace policies {

Verdict ScheduledPolicy::judge(RunId id, const History& history) const {
  Verdict verdict;
  verdict.interval = static_cast<std::int64_t>(history.reports(id).size());
  if (!schedule_.due(verdict.interval)) return verdict;
  if (const auto best = history.best(id, verdict.interval)) verdict.value = *best;
  return compare(std::move(verdict), id, history);
}

std::string ScheduledPolicy::explain(const Verdict& verdict) const {
  switch (verdict.finding) {
    case Verdict::Finding::not_due:
      return schedule_.not_due(verdict.interval);
    case Verdict::Finding::no_peers:
      return alone(verdict);
    case Verdict::Finding::within:
    case Verdict::Finding::beyond:
      return compared(verdict, verdict.finding == Verdict::Finding::beyond);
    case Verdict::Finding::other:
      break;
  }
  return verdict.note;
}

std::string ScheduledPolicy::alone(const Verdict& verdict) const { return no_peers(verdict); }

}  // namespace policies
}  // namespace hdrive
