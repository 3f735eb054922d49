// SPDX-License-Identifier: Apache-2.0
#include "sampling/finite_space.h"

#include <utility>

namespace hdrive::sampling {

FiniteSpace::Axis::Axis(const Parameter& from)
    : parameter(from), size(*cardinality(from.expression)) {
  const auto* choice = std::get_if<Choice>(&parameter.expression);
  if (!choice) return;
  if (choice->options.size() == size) {  // none is listed twice
    values = choice->options;
    weights.assign(values.size(), 1.0 / static_cast<double>(size));
    return;
  }
  for (std::uint64_t i = 0; i < size; ++i) {
    values.push_back(level(from.expression, i));
    weights.push_back(level_probability(from.expression, i));
  }
}

Value FiniteSpace::Axis::value(std::uint64_t index) const {
  return values.empty() ? level(parameter.expression, index) : values[index];
}

double FiniteSpace::Axis::weight(std::uint64_t index) const {
  return weights.empty() ? level_probability(parameter.expression, index) : weights[index];
}

std::optional<FiniteSpace> FiniteSpace::of(const SearchSpace& space) {
  FiniteSpace result;
  result.size_ = cardinality(space);
  for (const Parameter& parameter : space.parameters) {
    if (!cardinality(parameter.expression)) return std::nullopt;
    result.axes_.emplace_back(parameter);
  }
  return result;
}

Assignment FiniteSpace::point(std::uint64_t index) const {
  Assignment assignment(axes_.size());
  for (std::size_t i = axes_.size(); i-- > 0;) {
    assignment[i] = {axes_[i].parameter.name, axes_[i].value(index % axes_[i].size)};
    index /= axes_[i].size;
  }
  return assignment;
}

double FiniteSpace::weight(std::uint64_t index) const {
  double product = 1;
  for (std::size_t i = axes_.size(); i-- > 0;) {
    product *= axes_[i].weight(index % axes_[i].size);
    index /= axes_[i].size;
  }
  return product;
}

}  // namespace hdrive::sampling
