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

}  // namespace

std::shared_ptr<const Policy> make_no_termination() { return std::make_shared<NoTermination>(); }

}  // namespace hdrive::policies
