// SPDX-License-Identifier: Apache-2.0
#include "sampling/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hdrive::sampling {

Conditions::Conditions(SearchSpace space) : space_(std::move(space)) {
  const auto above = parents(space_);
  for (std::size_t i = 0; i < above.size(); ++i) {
    auto& condition = conditions_.emplace_back();
    if (!above[i]) continue;
    any_ = true;
    condition.emplace();
    condition->parent = *above[i];
    const auto& choice = std::get<Choice>(space_.parameters[*above[i]].expression);
    for (const auto& [option, probability] : levels(choice))
      condition->at_level.push_back(holds(i, option));
  }
}

std::string Conditions::label(std::size_t i) const {
  const auto& all = space_.parameters;
  const bool shared = std::count_if(all.begin(), all.end(), [&](const Parameter& other) {
                        return bare_name(other.name) == bare_name(all[i].name);
                      }) > 1;
  if (!shared || !all[i].condition) return all[i].name;
  return fmt::format("{} ({} {})", all[i].name, bare_name(all[i].condition->parameter),
                     to_text(all[i].condition->option));
}

std::optional<std::vector<const Value*>> Conditions::values_of(const Assignment& set) const {
  std::vector<const Value*> values(space_.parameters.size());
  std::size_t place = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Parameter& parameter = space_.parameters[i];
    if (conditions_[i]) {
      const Value* above = values[conditions_[i]->parent];
      if (!above || !holds(i, *above)) continue;
    }
    // Nearly always at its own place; runs of other origin may order their parameters otherwise.
    const bool expected = place < set.size() && set[place].name == parameter.name;
    values[i] = expected ? &set[place].value : find(set, parameter.name);
    if (!values[i] || !contains(parameter.expression, *values[i])) return std::nullopt;
    ++place;
  }
  if (place != set.size()) return std::nullopt;  // something more, or twice
  return values;
}

}  // namespace hdrive::sampling
