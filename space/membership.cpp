// SPDX-License-Identifier: Apache-2.0
//
// Whether a value belongs to an expression and a parameter set to a space.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "hdrive/space.h"
#include "space/shape.h"

namespace hdrive {
namespace {

using space::Shape;

bool contains(const Choice& choice, const Value& value) {
  return std::any_of(choice.options.begin(), choice.options.end(),
                     [&](const Value& option) { return space::same(option, value); });
}

bool contains(const RandInt& randint, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return *integer >= 0 && *integer < randint.upper;
  const double number = *as_number(value);
  return number == std::trunc(number) && number >= 0 && number < static_cast<double>(randint.upper);
}

bool on_lattice(const Shape& shape, double number) {
  constexpr double kSlack = 1e-12;
  const double q = *shape.q;
  const double k = std::nearbyint(number / q);
  if (std::abs(k * q - number) > kSlack * std::max(q, std::abs(number))) return false;
  if (const auto lattice = space::lattice_of(shape))
    return k >= lattice->first && k <= lattice->last;
  return !shape.exponential || k >= 0;
}

bool contains(const Shape& shape, double number) {
  if (!std::isfinite(number)) return false;
  if (shape.q) return on_lattice(shape, number);
  if (shape.base == Shape::Base::normal) return !shape.exponential || number > 0;
  // exp() is not exact in its last bits.
  const double slack = shape.exponential ? 8 * std::numeric_limits<double>::epsilon() : 0;
  return number >= space::forward(shape, shape.first) * (1 - slack) &&
         number <= space::forward(shape, shape.second) * (1 + slack);
}

// A value that `contains` took, as a draw would give it.
Value as_drawn(const Expression& expression, const Value& value) {
  if (const auto* choice = std::get_if<Choice>(&expression))
    return *std::find_if(choice->options.begin(), choice->options.end(),
                         [&](const Value& option) { return space::same(option, value); });
  if (std::holds_alternative<RandInt>(expression))
    return static_cast<std::int64_t>(*as_number(value));
  const auto shape = space::shape_of(expression);
  return shape->q ? quantize(*as_number(value), *shape->q) : Value(*as_number(value));
}

Error misplaced(const Binding& binding, const std::string& what) {
  return Error{fmt::format("parameter \"{}\"", binding.name), what};
}

// Fails naming the first parameter that is unknown, repeated or out of its range.
Result<void> check_given(const SearchSpace& space, const Assignment& assignment) {
  std::vector<std::string> names;
  for (const Parameter& parameter : space.parameters) names.push_back(parameter.name);
  for (const Binding& binding : assignment) {
    const auto same_name = [&](const auto& other) {
      return bare_name(other.name) == bare_name(binding.name);
    };
    const auto& parameters = space.parameters;
    const auto parameter = std::find_if(parameters.begin(), parameters.end(), same_name);
    if (parameter == parameters.end())
      return misplaced(binding, "is not in the search space, which has " + base::join(names, ", ") +
                                    ";" + base::did_you_mean(binding.name, names));
    if (std::count_if(assignment.begin(), assignment.end(), same_name) > 1)
      return misplaced(binding, "is given more than once");
    if (!contains(parameter->expression, binding.value))
      return misplaced(binding, fmt::format("{} is not a value of {}", to_json(binding.value),
                                            to_text(parameter->expression)));
  }
  return {};
}

}  // namespace

bool contains(const Expression& expression, const Value& value) {
  if (const auto* choice = std::get_if<Choice>(&expression)) return contains(*choice, value);
  if (std::holds_alternative<bool>(value) || !as_number(value)) return false;
  if (const auto* randint = std::get_if<RandInt>(&expression)) return contains(*randint, value);
  return contains(*space::shape_of(expression), *as_number(value));
}

Result<void> check(const SearchSpace& space, const Assignment& assignment) {
  if (auto sound = check_given(space, assignment); !sound) return sound;
  for (const Parameter& parameter : space.parameters)
    if (!find(assignment, parameter.name))
      return misplaced({parameter.name, {}}, "has no value; each parameter of the space needs one");
  return {};
}

Result<Assignment> partial_point(const SearchSpace& space, const Assignment& given) {
  if (auto sound = check_given(space, given); !sound) return sound.error();
  Assignment point;
  for (const Parameter& parameter : space.parameters)
    if (const Value* value = find(given, parameter.name))
      point.push_back({parameter.name, as_drawn(parameter.expression, *value)});
  return point;
}

}  // namespace hdrive
