// SPDX-License-Identifier: Apache-2.0
//
// Conditions: which parameters of a space exist in which sets, prepared for asking often.
//
// Internal to sampling/. Immutable after it was made; owns all it needs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/space.h"

namespace hdrive::sampling {

class Conditions {
 public:
  explicit Conditions(SearchSpace space);

  const SearchSpace& space() const { return space_; }

  /// Whether any parameter has a condition.
  bool any() const { return any_; }

  /// The choice that a conditional parameter depends on, and under which of its levels
  /// (hdrive::level) it exists where the choice does.
  struct Condition {
    std::size_t parent = 0;
    std::vector<bool> at_level;
  };
  /// Of parameter i; nothing for one that exists in every set.
  const std::optional<Condition>& of(std::size_t i) const { return conditions_[i]; }

  /// The parameter's name, and where several have it, on which option it depends: "lr (optimizer
  /// adam)".
  std::string label(std::size_t i) const;

  /// A set of those that exist in it; `value_of(i)` is asked for each of these, in the space's
  /// order.
  template <class ValueOf>
  Assignment make_set(ValueOf value_of) const {
    Assignment set;
    set.reserve(space_.parameters.size());
    std::vector<std::size_t> place(any_ ? space_.parameters.size() : 0, kAbsent);
    for (std::size_t i = 0; i < space_.parameters.size(); ++i) {
      if (conditions_[i]) {
        const std::size_t parent = place[conditions_[i]->parent];
        if (parent == kAbsent || !holds(i, set[parent].value)) continue;
      }
      if (any_) place[i] = set.size();
      set.push_back({space_.parameters[i].name, value_of(i)});
    }
    return set;
  }

  /// The value of each parameter, nullptr where it does not exist; nothing where the set is not of
  /// the space. Pointers into the set.
  std::optional<std::vector<const Value*>> values_of(const Assignment& set) const;

 private:
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

  // Whether parameter i exists where its choice has this value.
  bool holds(std::size_t i, const Value& value) const {
    return same_option(space_.parameters[i].condition->option, value);
  }

  SearchSpace space_;
  std::vector<std::optional<Condition>> conditions_;
  bool any_ = false;
};

}  // namespace hdrive::sampling
