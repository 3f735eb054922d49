// SPDX-License-Identifier: Apache-2.0
//
// Short ways to make a policy, a history and a verdict.
#pragma once

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/policy.h"

namespace hdrive::testing {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInf = std::numeric_limits<double>::infinity();

inline std::shared_ptr<const Policy> policy(Goal goal, std::string name,
                                            std::map<std::string, Value> options = {}) {
  auto made = make_policy({std::move(name), std::move(options)}, goal);
  if (!made) throw std::invalid_argument(made.error().message());
  return *made;
}

/// The sentence with which `make_policy` refuses; empty where it does not.
inline std::string refusal(std::string name, std::map<std::string, Value> options = {}) {
  const auto made = make_policy({std::move(name), std::move(options)}, Goal::maximize);
  return made ? "" : made.error().what;
}

/// A history of running runs with these reports.
inline History history_of(Goal goal, const std::vector<std::vector<double>>& series) {
  History history(goal);
  for (const std::vector<double>& reports : series) {
    Run run;
    run.id = history.size();
    run.status = RunStatus::running;
    history.add(run);
    for (const double value : reports) history.report(run.id, value);
  }
  return history;
}

/// `count` times the value.
inline std::vector<double> times(int count, double value) {
  return std::vector<double>(static_cast<std::size_t>(count), value);
}

inline bool stops(const Policy& policy, RunId id, const History& history) {
  return policy.judge(id, history).action == Verdict::Action::stop;
}

inline std::string sentence(const Policy& policy, RunId id, const History& history) {
  return policy.explain(policy.judge(id, history));
}

}  // namespace hdrive::testing
