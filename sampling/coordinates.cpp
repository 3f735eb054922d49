// SPDX-License-Identifier: Apache-2.0
#include "sampling/coordinates.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace hdrive::sampling {
namespace {

constexpr std::uint64_t kMostLevels = 4096;

// The rounded logarithmic forms: their small values take more of the interval than their large
// ones.
bool has_uneven_cells(const Expression& expression) {
  return std::holds_alternative<QLogUniform>(expression) ||
         std::holds_alternative<QLogUniformValues>(expression) ||
         std::holds_alternative<IntLogUniform>(expression);
}

Axis axis_of(const Expression& expression) {
  Axis axis;
  const auto size = cardinality(expression);
  if (size && *size <= kMostLevels) axis.levels = static_cast<std::size_t>(*size);
  if (has_uneven_cells(expression)) {
    double end = 0;
    for (std::size_t k = 0; k < axis.levels; ++k)
      axis.cell_ends.push_back(end += level_probability(expression, k));
  }
  if (!std::holds_alternative<Choice>(expression)) return axis;
  axis.levels = static_cast<std::size_t>(*size);
  axis.option_at.resize(axis.levels);
  std::iota(axis.option_at.begin(), axis.option_at.end(), std::size_t{0});
  std::vector<double> numbers;
  for (const auto& [option, probability] : levels(std::get<Choice>(expression))) {
    const auto number = as_number(option);
    if (!number || std::holds_alternative<bool>(option) || !std::isfinite(*number)) break;
    numbers.push_back(*number);
  }
  axis.categorical = axis.levels < 3 || numbers.size() < axis.levels;
  if (!axis.categorical)
    std::stable_sort(axis.option_at.begin(), axis.option_at.end(),
                     [&](std::size_t a, std::size_t b) { return numbers[a] < numbers[b]; });
  return axis;
}

double cell(double unit, std::size_t levels) {
  const double count = static_cast<double>(levels);
  return std::clamp(std::floor(unit * count), 0.0, count - 1);
}

double middle(double place, std::size_t levels) {
  return (place + 0.5) / static_cast<double>(levels);
}

// Where the cell that holds the coordinate begins and ends.
std::pair<double, double> uneven_cell(const Axis& axis, double coordinate) {
  const auto& ends = axis.cell_ends;
  const auto end = std::upper_bound(ends.begin(), ends.end() - 1, coordinate);
  return {end == ends.begin() ? 0.0 : *(end - 1), *end};
}

}  // namespace

Coordinates::Coordinates(SearchSpace space) : conditions_(std::move(space)) {
  for (const Parameter& parameter : conditions_.space().parameters) {
    axes_.push_back(axis_of(parameter.expression));
    axes_.back().conditional = parameter.condition.has_value();
    const auto& order = axes_.back().option_at;
    std::vector<std::size_t> inverse(order.size());
    for (std::size_t place = 0; place < order.size(); ++place) inverse[order[place]] = place;
    place_of_.push_back(std::move(inverse));
  }
}

std::optional<std::vector<double>> Coordinates::point(const Assignment& assignment) const {
  const auto values = conditions_.values_of(assignment);
  if (!values) return std::nullopt;
  std::vector<double> result(axes_.size(), kAbsent);
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (!(*values)[i]) continue;
    const double unit = encode(conditions_.space().parameters[i].expression, *(*values)[i]);
    if (place_of_[i].empty()) {
      result[i] = unit;
      continue;
    }
    const std::size_t place = place_of_[i][static_cast<std::size_t>(cell(unit, axes_[i].levels))];
    result[i] = axes_[i].categorical ? static_cast<double>(place)
                                     : middle(static_cast<double>(place), axes_[i].levels);
  }
  return result;
}

// Of a choice.
std::size_t Coordinates::level_at(std::size_t axis, double coordinate) const {
  const Axis& on = axes_[axis];
  const double place = on.categorical ? coordinate : cell(coordinate, on.levels);
  return on.option_at[static_cast<std::size_t>(place)];
}

Assignment Coordinates::assignment(std::span<const double> point) const {
  return conditions_.make_set([&](std::size_t i) {
    const Expression& expression = conditions_.space().parameters[i].expression;
    if (axes_[i].option_at.empty()) return decode(expression, point[i]);
    const auto level = static_cast<double>(level_at(i, point[i]));
    return decode(expression, middle(level, axes_[i].levels));
  });
}

void Coordinates::put_out(std::span<double> point) const {
  if (!conditions_.any()) return;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const auto& condition = conditions_.of(i);
    if (!condition) continue;
    const double above = point[condition->parent];
    if (above == kAbsent || !condition->at_level[level_at(condition->parent, above)])
      point[i] = kAbsent;
  }
}

std::vector<double> Coordinates::from_unit(std::span<const double> unit) const {
  std::vector<double> result(axes_.size());
  for (std::size_t i = 0; i < axes_.size(); ++i)
    result[i] = axes_[i].categorical ? cell(unit[i], axes_[i].levels) : snapped(i, unit[i]);
  return result;
}

double Coordinates::snapped(std::size_t axis, double coordinate) const {
  const Axis& on = axes_[axis];
  if (on.categorical || on.levels == 0) return coordinate;
  if (on.cell_ends.empty()) return middle(cell(coordinate, on.levels), on.levels);
  const auto [begin, end] = uneven_cell(on, coordinate);
  return (begin + end) / 2;
}

double Coordinates::cell_width(std::size_t axis, double coordinate) const {
  const Axis& on = axes_[axis];
  if (on.levels == 0) return 0;
  if (on.cell_ends.empty()) return 1 / static_cast<double>(on.levels);
  const auto [begin, end] = uneven_cell(on, coordinate);
  return end - begin;
}

}  // namespace hdrive::sampling
