// SPDX-License-Identifier: Apache-2.0
#include "sampling/encoding.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hdrive::sampling {
namespace {

// Lattices with more levels are treated as continuous and snapped.
constexpr std::uint64_t kMostLevels = 4096;
// Numbers whose sizes span a larger factor are compared by their logarithms.
constexpr double kLogarithmic = 8;
constexpr double kNearestPositions = 1e-9;

bool is_constant(const Expression& expression) {
  if (const auto size = cardinality(expression)) return *size == 1;
  if (const auto* e = std::get_if<Uniform>(&expression)) return e->min == e->max;
  if (const auto* e = std::get_if<LogUniform>(&expression)) return e->min == e->max;
  if (const auto* e = std::get_if<LogUniformValues>(&expression)) return e->min == e->max;
  return false;
}

// The numbers of a choice that are an order: three or more different ones, none of them a boolean.
// Whole numbers beyond 2^53 may be different and yet the same double; those are names.
std::optional<std::vector<double>> numbers_of(const Choice& choice, std::uint64_t size) {
  if (size < 3) return std::nullopt;
  std::vector<double> numbers;
  for (const auto& [value, probability] : hdrive::levels(choice)) {
    if (std::holds_alternative<bool>(value)) return std::nullopt;
    const auto number = as_number(value);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    numbers.push_back(*number);
  }
  std::vector<double> sorted = numbers;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return std::nullopt;
  return numbers;
}

// Numbers of very different sizes, ascending, on a logarithmic scale. Zero has none; it lies one step
// below the smallest number, a step being the mean one, and numbers below zero lie as those above,
// mirrored.
void take_logarithms(std::vector<double>& numbers) {
  std::vector<double> sizes;
  for (const double number : numbers)
    if (number != 0) sizes.push_back(std::abs(number));
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  const double range = std::log(sizes.back()) - std::log(sizes.front());
  const bool has_zero =
      sizes.size() < numbers.size() && std::count(numbers.begin(), numbers.end(), 0.0) > 0;
  const double step = range / static_cast<double>(sizes.size() - 1) * (has_zero ? 1 : 0.5);
  for (double& number : numbers)
    if (number != 0)
      number = std::copysign(std::log(std::abs(number)) - std::log(sizes.front()) + step, number);
}

bool span_much(const std::vector<double>& numbers) {
  double least = INFINITY, most = 0;
  for (const double number : numbers) {
    if (number == 0) continue;
    least = std::min(least, std::abs(number));
    most = std::max(most, std::abs(number));
  }
  return most / least >= kLogarithmic;
}

// Ranks by number, spread over [0.5 / K, 1 - 0.5 / K] in proportion to their distances; evenly
// where two would lie too near to each other to be told apart.
void order_by(std::vector<double> numbers, Dimension& dimension) {
  const auto size = numbers.size();
  dimension.levels.resize(size);
  std::iota(dimension.levels.begin(), dimension.levels.end(), std::uint64_t{0});
  std::sort(dimension.levels.begin(), dimension.levels.end(),
            [&](std::uint64_t a, std::uint64_t b) { return numbers[a] < numbers[b]; });
  std::sort(numbers.begin(), numbers.end());
  if (span_much(numbers)) take_logarithms(numbers);
  const double edge = 0.5 / static_cast<double>(size);
  const double least = numbers.front() / 2, range = numbers.back() / 2 - least;
  for (const double number : numbers)
    dimension.positions.push_back(edge + (1 - 2 * edge) * (number / 2 - least) / range);
  auto& positions = dimension.positions;
  if (std::adjacent_find(positions.begin(), positions.end(), [](double a, double b) {
        return b - a < kNearestPositions;
      }) == positions.end())
    return;
  for (std::size_t i = 0; i < size; ++i)
    positions[i] = (static_cast<double>(i) + 0.5) / static_cast<double>(size);
}

// A quniform's levels at the middles of what is rounded to them.
void place_lattice(const QUniform& e, std::uint64_t size, Dimension& dimension) {
  const auto drawn = [&](double value) {
    return std::clamp((value / 2 - e.min / 2) / (e.max / 2 - e.min / 2), 0.0, 1.0);
  };
  for (std::uint64_t i = 0; i < size; ++i) {
    const double value = *as_number(level(e, i));
    dimension.levels.push_back(i);
    dimension.positions.push_back(0.5 * (drawn(value - 0.5 * e.q) + drawn(value + 0.5 * e.q)));
  }
  dimension.by_position = true;
}

// Levels where `encode` has them.
void place_encoded(const Expression& expression, std::uint64_t size, Dimension& dimension) {
  for (std::uint64_t i = 0; i < size; ++i) {
    dimension.levels.push_back(i);
    dimension.positions.push_back(hdrive::encode(expression, level(expression, i)));
  }
  dimension.by_position = true;
  dimension.as_encoded = true;
}

bool is_logarithmic_lattice(const Expression& expression) {
  return std::holds_alternative<QLogUniform>(expression) ||
         std::holds_alternative<QLogUniformValues>(expression) ||
         std::holds_alternative<IntLogUniform>(expression);
}

Dimension dimension_of(const Expression& expression, bool ordered) {
  using Kind = Dimension::Kind;
  Dimension dimension;
  const auto size = cardinality(expression);
  if (!size) {
    dimension.kind = std::holds_alternative<QNormal>(expression) ||
                             std::holds_alternative<QLogNormal>(expression) ||
                             std::holds_alternative<QUniform>(expression) ||
                             is_logarithmic_lattice(expression)
                         ? Kind::snapped
                         : Kind::real;
    return dimension;
  }
  if (const auto* choice = std::get_if<Choice>(&expression)) {
    const auto numbers = ordered ? numbers_of(*choice, *size) : std::nullopt;
    if (numbers) {
      dimension.kind = Kind::ordinal;
      order_by(*numbers, dimension);
      return dimension;
    }
    dimension.kind = Kind::category;
    for (std::uint64_t i = 0; i < *size; ++i) {
      dimension.levels.push_back(i);
      dimension.positions.push_back(static_cast<double>(i));
    }
    return dimension;
  }
  if (*size > kMostLevels) {
    dimension.kind = Kind::snapped;
    return dimension;
  }
  dimension.kind = Kind::ordinal;
  if (const auto* e = std::get_if<QUniform>(&expression)) {
    place_lattice(*e, *size, dimension);
  } else if (is_logarithmic_lattice(expression)) {
    place_encoded(expression, *size, dimension);
  } else {
    for (std::uint64_t i = 0; i < *size; ++i) {
      dimension.levels.push_back(i);
      dimension.positions.push_back((static_cast<double>(i) + 0.5) / static_cast<double>(*size));
    }
  }
  return dimension;
}

}  // namespace

// ---- one dimension -------------------------------------------------------------------------------

std::size_t Dimension::nearest(double coordinate) const {
  const auto after = std::lower_bound(positions.begin(), positions.end(), coordinate);
  if (after == positions.begin()) return 0;
  if (after == positions.end()) return positions.size() - 1;
  const auto index = static_cast<std::size_t>(after - positions.begin());
  return coordinate - positions[index - 1] <= positions[index] - coordinate ? index - 1 : index;
}

double Dimension::cell_width(double coordinate) const {
  if (kind != Kind::ordinal) return 0;
  const std::size_t k = nearest(coordinate);
  const double begin = k == 0 ? 0 : (positions[k - 1] + positions[k]) / 2;
  const double end = k + 1 == positions.size() ? 1 : (positions[k] + positions[k + 1]) / 2;
  return end - begin;
}

double Dimension::place(double unit) const {
  if (is_continuous()) return unit;
  if (by_position) return positions[nearest(unit)];
  const auto size = static_cast<double>(positions.size());
  return positions[static_cast<std::size_t>(std::min(std::floor(unit * size), size - 1))];
}

// ---- all of them ---------------------------------------------------------------------------------

Encoding::Encoding(const SearchSpace& space, bool numeric_choices_are_ordered)
    : conditions_(space) {
  for (std::size_t i = 0; i < space.parameters.size(); ++i) {
    const Expression& expression = space.parameters[i].expression;
    if (is_constant(expression)) continue;
    Dimension dimension = dimension_of(expression, numeric_choices_are_ordered);
    dimension.parameter = i;
    dimensions_.push_back(std::move(dimension));
  }
  if (conditions_.any()) connect();
}

// A choice of one option is no dimension: what depends on it depends on what it does itself.
void Encoding::connect() {
  std::vector<std::optional<std::size_t>> dimension_at(conditions_.space().parameters.size());
  for (std::size_t j = 0; j < dimensions_.size(); ++j) dimension_at[dimensions_[j].parameter] = j;
  for (Dimension& dimension : dimensions_) {
    const Conditions::Condition* condition = nullptr;
    for (std::size_t i = dimension.parameter; conditions_.of(i); i = condition->parent) {
      condition = &*conditions_.of(i);
      dimension.parent = dimension_at[condition->parent];
      if (dimension.parent) break;
    }
    if (!dimension.parent) continue;
    const Dimension& parent = dimensions_[*dimension.parent];
    for (const std::uint64_t level : parent.levels)
      dimension.at_position.push_back(condition->at_level[level]);
  }
}

bool Encoding::is_active(std::size_t dimension, std::span<const double> point) const {
  const auto& parent = dimensions_[dimension].parent;
  if (!parent) return true;
  const double coordinate = point[*parent];
  return coordinate != kAbsent &&
         dimensions_[dimension].at_position[dimensions_[*parent].nearest(coordinate)];
}

bool Encoding::is_discrete() const {
  return std::none_of(dimensions_.begin(), dimensions_.end(),
                      [](const Dimension& dimension) { return dimension.is_continuous(); });
}

std::vector<double> Encoding::spreads() const {
  std::vector<double> result;
  for (const Dimension& dimension : dimensions_) {
    // Mean squares: 1/6 of two real numbers from [0, 1], and of ordinals nearly so; of K categories
    // 1 - 1/K.
    const auto size = static_cast<double>(dimension.positions.size());
    result.push_back(dimension.kind == Dimension::Kind::category ? std::sqrt(6 - 6 / size) : 1.0);
  }
  return result;
}

std::optional<double> Encoding::encode(const Dimension& dimension, const Value& value) const {
  const double unit = hdrive::encode(expression(dimension), value);
  if (dimension.is_continuous()) return std::isfinite(unit) ? std::optional(unit) : std::nullopt;
  if (dimension.as_encoded) return dimension.positions[dimension.nearest(unit)];
  const auto& levels = dimension.levels;
  const auto size = static_cast<double>(levels.size());
  const auto index = static_cast<std::uint64_t>(std::clamp(unit * size, 0.0, size - 1));
  const auto place = std::find(levels.begin(), levels.end(), index) - levels.begin();
  return dimension.positions[static_cast<std::size_t>(place)];
}

std::optional<Coordinates> Encoding::encode(const Assignment& assignment) const {
  const auto values = conditions_.values_of(assignment);
  if (!values) return std::nullopt;
  Coordinates point(dimensions_.size(), kAbsent);
  for (std::size_t j = 0; j < dimensions_.size(); ++j) {
    const Value* value = (*values)[dimensions_[j].parameter];
    if (!value) continue;
    const auto coordinate = encode(dimensions_[j], *value);
    if (!coordinate) return std::nullopt;
    point[j] = *coordinate;
  }
  return point;
}

Value Encoding::decode(const Dimension& dimension, double coordinate) const {
  if (dimension.is_continuous()) return hdrive::decode(expression(dimension), coordinate);
  return level(expression(dimension), dimension.levels[dimension.nearest(coordinate)]);
}

Assignment Encoding::decode(std::span<const double> point) const {
  std::size_t j = 0;  // dimensions and parameters have the same order
  return conditions_.make_set([&](std::size_t i) {
    while (j < dimensions_.size() && dimensions_[j].parameter < i) ++j;
    if (j < dimensions_.size() && dimensions_[j].parameter == i)
      return decode(dimensions_[j], point[j]);
    return hdrive::decode(conditions_.space().parameters[i].expression, 0.5);
  });
}

void Encoding::snap(std::span<double> point) const {
  for (std::size_t j = 0; j < size(); ++j)
    if (point[j] != kAbsent) point[j] = snapped(dimensions_[j], point[j]);
}

double Encoding::snapped(const Dimension& dimension, double coordinate) const {
  if (dimension.kind == Dimension::Kind::real) return coordinate;
  if (dimension.kind == Dimension::Kind::snapped)
    return hdrive::encode(expression(dimension), hdrive::decode(expression(dimension), coordinate));
  return dimension.positions[dimension.nearest(coordinate)];
}

Coordinates Encoding::place(std::span<const double> unit) const {
  Coordinates point(size());
  for (std::size_t j = 0; j < size(); ++j) point[j] = dimensions_[j].place(unit[j]);
  return point;
}

}  // namespace hdrive::sampling
