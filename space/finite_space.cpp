// SPDX-License-Identifier: Apache-2.0
#include "hdrive/finite_space.h"

#include <utility>

namespace hdrive {
namespace {

constexpr std::uint64_t kMany = ~std::uint64_t{0};
constexpr std::uint64_t kLargestSpace = std::uint64_t{1} << 63;

}  // namespace

FiniteSpace::Axis::Axis(const Parameter& from)
    : parameter(from), size(*cardinality(from.expression)) {
  const auto* choice = std::get_if<Choice>(&parameter.expression);
  if (!choice) return;
  for (auto& [option, probability] : levels(*choice)) {
    values.push_back(std::move(option));
    weights.push_back(probability);
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
  for (const Parameter& parameter : space.parameters) {
    if (!cardinality(parameter.expression)) return std::nullopt;
    result.axes_.emplace_back(parameter);
  }
  result.connect(space);
  const std::uint64_t size = result.points_of(result.roots_);
  if (size <= kLargestSpace) result.size_ = size;
  return result;
}

void FiniteSpace::connect(const SearchSpace& space) {
  const auto above_of = parents(space);
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (!above_of[i]) {
      roots_.push_back(i);
      continue;
    }
    Axis& above = axes_[*above_of[i]];
    above.below.resize(above.size);
    for (std::size_t k = 0; k < above.size; ++k)
      if (same_option(space.parameters[i].condition->option, above.values[k]))
        above.below[k].push_back(i);
  }
  for (std::size_t i = axes_.size(); i-- > 0;) {
    Axis& axis = axes_[i];
    axis.points = axis.below.empty() ? axis.size : 0;
    for (const auto& below : axis.below) {
      axis.points_below.push_back(points_of(below));
      if (__builtin_add_overflow(axis.points, axis.points_below.back(), &axis.points))
        axis.points = kMany;
    }
  }
}

std::uint64_t FiniteSpace::points_of(const std::vector<std::size_t>& axes) const {
  std::uint64_t product = 1;
  for (const std::size_t axis : axes)
    if (__builtin_mul_overflow(product, axes_[axis].points, &product)) return kMany;
  return product;
}

template <class Visit>
void FiniteSpace::walk(const std::vector<std::size_t>& axes, std::uint64_t index,
                       Visit& visit) const {
  // The last axis is the fastest, so the places of the first ones come of what it leaves.
  std::vector<std::uint64_t> places(axes.size());
  for (std::size_t k = axes.size(); k-- > 0;) {
    const std::uint64_t points = axes_[axes[k]].points;
    places[k] = index % points;
    index /= points;
  }
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const Axis& axis = axes_[axes[k]];
    if (axis.below.empty()) {
      visit(axes[k], places[k]);
      continue;
    }
    std::size_t level = 0;
    for (; places[k] >= axis.points_below[level]; ++level) places[k] -= axis.points_below[level];
    visit(axes[k], level);
    walk(axis.below[level], places[k], visit);
  }
}

Assignment FiniteSpace::point(std::uint64_t index) const {
  Assignment assignment;
  assignment.reserve(axes_.size());
  const auto visit = [&](std::size_t axis, std::uint64_t level) {
    assignment.push_back({axes_[axis].parameter.name, axes_[axis].value(level)});
  };
  walk(roots_, index, visit);
  return assignment;
}

double FiniteSpace::weight(std::uint64_t index) const {
  double product = 1;
  const auto visit = [&](std::size_t axis, std::uint64_t level) {
    product *= axes_[axis].weight(level);
  };
  walk(roots_, index, visit);
  return product;
}

}  // namespace hdrive
