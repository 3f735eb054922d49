// SPDX-License-Identifier: Apache-2.0
//
// No termination: HyperDrive's NoTerminationPolicy (reference, section 3.6). Every run goes on to
// its end.
#include "policies/policies.h"

namespace hdrive::policies {
namespace {

class NoTermination final : public Policy {
 public:
  Verdict judge(RunId id, const History& history) const override {
    Verdict verdict;  // keep, not due
    verdict.interval = static_cast<std::int64_t>(history.reports(id).size());
    return verdict;
  }

  std::string explain(const Verdict&) const override {
    return "there is no policy, so every run goes on to its end";
  }

  std::string describe() const override { return "no_termination: every run goes on to its end"; }
};

MadePolicy make(const Options&, Goal) { return made<NoTermination>(); }

}  // namespace

PolicyTable::Row no_termination_row() {
  return {{.name = "no_termination",
           .aliases = {"NoTerminationPolicy", "none"},
           .summary = "Stops nothing: every run goes on to its end."},
          make};
}

}  // namespace hdrive::policies
