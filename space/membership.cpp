// SPDX-License-Identifier: Apache-2.0
//
// Whether a value belongs to an expression and a parameter set to a space.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "base/text.h"
#include "hdrive/space.h"
#include "space/conditions.h"
#include "space/shape.h"

namespace hdrive {
namespace {

using space::Parents;
using space::Shape;

bool contains(const Choice& choice, const Value& value) {
  return std::any_of(choice.options.begin(), choice.options.end(),
                     [&](const Value& option) { return same_option(option, value); });
}

// The integer that a number is, where there is one.
std::optional<std::int64_t> as_integer(const Value& value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  const double number = *as_number(value);
  if (number != std::trunc(number) || number < -kLimit || number >= kLimit) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

bool contains(const space::Integers& integers, const Value& value) {
  const auto integer = as_integer(value);
  return integer && *integer >= integers.first && *integer <= integers.last;
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
  if (std::isfinite(shape.least)) return number >= shape.least && number <= shape.most;
  // exp() is not exact in its last bits.
  const double slack = shape.exponential ? 8 * std::numeric_limits<double>::epsilon() : 0;
  return number >= space::forward(shape, shape.first) * (1 - slack) &&
         number <= space::forward(shape, shape.second) * (1 + slack);
}

// A value that `contains` took, as a draw would give it.
Value as_drawn(const Expression& expression, const Value& value) {
  if (const auto* choice = std::get_if<Choice>(&expression))
    return *std::find_if(choice->options.begin(), choice->options.end(),
                         [&](const Value& option) { return same_option(option, value); });
  if (space::integers_of(expression)) return *as_integer(value);
  const auto shape = space::shape_of(expression);
  return shape->q ? quantize(*as_number(value), *shape->q) : Value(*as_number(value));
}

Error misplaced(const Binding& binding, const std::string& what) {
  return Error{fmt::format("parameter \"{}\"", binding.name), what};
}

Error out_of_range(const Binding& binding, const Expression& expression) {
  // These have the logarithms of their bounds as arguments, which nobody reads as what is allowed.
  std::string range;
  if (const auto* log = std::get_if<LogUniform>(&expression))
    range = fmt::format(", from {:.6g} to {:.6g}", std::exp(log->min), std::exp(log->max));
  if (const auto* log = std::get_if<QLogUniform>(&expression))
    range = fmt::format(", from {:.6g} to {:.6g}", std::exp(log->min), std::exp(log->max));
  return misplaced(binding, fmt::format("{} is not a value of {}{}", to_json(binding.value),
                                        to_text(expression), range));
}

// The names of a space and of a set in it, prepared for a look at each binding.
class Names {
 public:
  Names(const SearchSpace& space, const Assignment& assignment) : space_(space) {
    for (std::size_t i = 0; i < space.parameters.size(); ++i)
      parameters_[bare_name(space.parameters[i].name)].push_back(i);
    for (const Binding& binding : assignment) ++given_[bare_name(binding.name)];
  }

  /// The parameters called like the binding; fails where there is none, or the name is given twice.
  Result<std::vector<std::size_t>> named(const Binding& binding) const {
    const auto found = parameters_.find(bare_name(binding.name));
    if (found == parameters_.end()) return unknown(binding);
    if (given_.at(bare_name(binding.name)) > 1)
      return misplaced(binding, "is given more than once");
    return found->second;
  }

 private:
  Error unknown(const Binding& binding) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < space_.parameters.size(); ++i)
      if (parameters_.at(bare_name(space_.parameters[i].name)).front() == i)
        names.push_back(space_.parameters[i].name);
    const std::string hint = base::did_you_mean(binding.name, names);
    return misplaced(binding, "is not in the search space, which has " + base::join(names, ", ") +
                                  (hint.empty() ? "" : ";" + hint));
  }

  const SearchSpace& space_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> parameters_;
  std::unordered_map<std::string_view, int> given_;
};

// What stands against the existence of a parameter: the outermost choice above it that has another
// option.
std::string obstacle(const SearchSpace& space, const Parents& parents, std::size_t index,
                     const std::vector<const Value*>& values) {
  std::string text;
  for (auto at = std::optional(index); at && parents[*at]; at = parents[*at]) {
    const std::string& choice = space.parameters[*parents[*at]].name;
    const Value* value = values[*parents[*at]];
    if (!value)
      text = fmt::format("there is no \"{}\"", choice);
    else if (!same_option(*value, space.parameters[*at].condition->option))
      text = fmt::format("\"{}\" is {}", choice, to_json(*value));
  }
  return text;
}

Error does_not_exist(const SearchSpace& space, const Parents& parents, const Binding& binding,
                     const std::vector<std::size_t>& candidates,
                     const std::vector<const Value*>& values) {
  std::vector<std::string> conditions;
  for (const std::size_t candidate : candidates)
    conditions.push_back(space::condition_text(space, parents, candidate));
  return misplaced(binding,
                   fmt::format("exists only where {}, and here {}", base::join(conditions, ", or "),
                               obstacle(space, parents, candidates.front(), values)));
}

// The values that a part of a point gives, with those of the choices that they depend on.
class Part {
 public:
  explicit Part(const SearchSpace& space)
      : space_(space), parents_(parents(space)), values_(space.parameters.size()) {}

  Result<void> take(const Assignment& given) {
    const Names names(space_, given);
    // What exists anyway comes first: it decides between parameters of the same name.
    for (const bool conditional : {false, true})
      for (const Binding& binding : given) {
        const auto candidates = names.named(binding);
        if (!candidates) return candidates.error();
        if (space_.parameters[candidates->front()].condition.has_value() != conditional) continue;
        if (auto taken = take(given, binding, *candidates); !taken) return taken;
      }
    return {};
  }

  Assignment point() const {
    Assignment result;
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (values_[i])
        result.push_back(
            {space_.parameters[i].name, as_drawn(space_.parameters[i].expression, *values_[i])});
    return result;
  }

 private:
  Result<void> take(const Assignment& given, const Binding& binding,
                    const std::vector<std::size_t>& candidates) {
    std::vector<std::size_t> possible;
    for (const std::size_t candidate : candidates)
      if (is_possible(given, candidate)) possible.push_back(candidate);
    if (possible.empty()) {
      std::vector<const Value*> values = values_;
      for (std::size_t i = 0; i < values.size(); ++i)
        if (!values[i]) values[i] = find(given, space_.parameters[i].name);
      return does_not_exist(space_, parents_, binding, candidates, values);
    }
    if (possible.size() > 1) {
      std::vector<std::string> conditions;
      for (const std::size_t candidate : possible)
        conditions.push_back(space::condition_text(space_, parents_, candidate));
      return misplaced(binding, fmt::format("belongs to several options ({}); give the option too",
                                            base::join(conditions, ", or ")));
    }
    const Parameter& parameter = space_.parameters[possible.front()];
    if (!contains(parameter.expression, binding.value))
      return out_of_range(binding, parameter.expression);
    values_[possible.front()] = &binding.value;
    for (auto at = std::optional(possible.front()); parents_[*at]; at = parents_[*at])
      if (!values_[*parents_[*at]])
        values_[*parents_[*at]] = &space_.parameters[*at].condition->option;
    return {};
  }

  // Whether no choice above the parameter has another option.
  bool is_possible(const Assignment& given, std::size_t index) const {
    for (auto at = std::optional(index); parents_[*at]; at = parents_[*at]) {
      const std::size_t above = *parents_[*at];
      const Value* value =
          values_[above] ? values_[above] : find(given, space_.parameters[above].name);
      if (value && !same_option(*value, space_.parameters[*at].condition->option)) return false;
    }
    return true;
  }

  const SearchSpace& space_;
  Parents parents_;
  std::vector<const Value*> values_;
};

}  // namespace

bool contains(const Expression& expression, const Value& value) {
  if (const auto* choice = std::get_if<Choice>(&expression)) return contains(*choice, value);
  if (std::holds_alternative<bool>(value) || !as_number(value)) return false;
  if (const auto integers = space::integers_of(expression)) return contains(*integers, value);
  return contains(*space::shape_of(expression), *as_number(value));
}

Result<void> check(const SearchSpace& space, const Assignment& assignment) {
  const Parents above = parents(space);
  const std::vector<const Value*> values = space::values_of(space, above, assignment);
  const Names names(space, assignment);
  for (const Binding& binding : assignment) {
    const auto candidates = names.named(binding);
    if (!candidates) return candidates.error();
    const auto active = std::find_if(candidates->begin(), candidates->end(),
                                     [&](std::size_t i) { return values[i] != nullptr; });
    if (active == candidates->end())
      return does_not_exist(space, above, binding, *candidates, values);
    const Expression& expression = space.parameters[*active].expression;
    if (!contains(expression, binding.value)) return out_of_range(binding, expression);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] || !space::is_met(space, above, i, values)) continue;
    const std::string condition = space::condition_text(space, above, i);
    return misplaced({space.parameters[i].name, {}},
                     condition.empty()
                         ? "has no value; each parameter of the space needs one"
                         : fmt::format("has no value; it needs one where {}", condition));
  }
  return {};
}

Result<Assignment> partial_point(const SearchSpace& space, const Assignment& given) {
  Part part(space);
  if (auto taken = part.take(given); !taken) return taken.error();
  return part.point();
}

}  // namespace hdrive
