// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>

#include "hdrive/sweep.h"

namespace hdrive {

Result<void> check(const SweepSpec& spec) {
  const auto wrong = [](const std::string& key, const std::string& what) -> Result<void> {
    return Error{key, what};
  };
  if (spec.primary_metric.empty())
    return wrong("primary_metric", "is empty; give the exact name the training script logs");
  if (spec.max_total_runs < 1)
    return wrong("max_total_runs",
                 "is " + std::to_string(spec.max_total_runs) + "; it must be at least 1");
  if (spec.max_concurrent_runs < 1)
    return wrong("max_concurrent_runs",
                 "is " + std::to_string(spec.max_concurrent_runs) + "; it must be at least 1");
  if (spec.max_duration.count() <= 0) return wrong("max_duration", "must be positive");
  if (spec.max_run_duration.count() <= 0) return wrong("max_run_duration", "must be positive");
  if (spec.cancel_grace.count() < 0) return wrong("cancel_grace", "must not be negative");
  if (spec.max_lost_retries < 0) return wrong("max_lost_retries", "must not be negative");
  if (spec.space.parameters.empty())
    return wrong("space", "has no parameters; give at least one to draw values for");

  std::set<std::string_view> names;
  for (const Parameter& parameter : spec.space.parameters) {
    if (bare_name(parameter.name).empty()) return wrong("space", "a parameter has no name");
    if (!names.insert(bare_name(parameter.name)).second)
      return wrong("space", "two parameters are called \"" +
                                std::string(bare_name(parameter.name)) + "\"; names must differ");
    if (const auto what = fault(parameter.expression)) return wrong(parameter.name, *what);
  }
  return {};
}

}  // namespace hdrive
