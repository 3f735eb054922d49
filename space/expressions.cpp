// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "hdrive/space.h"
#include "space/shape.h"

namespace hdrive {
namespace {

using space::Shape;
using std::string_literals::operator""s;

// An argument is a real number or an integer, whichever the expression takes.
std::string argument_text(double number) { return base::shortest(number); }
std::string argument_text(std::int64_t number) { return std::to_string(number); }

// Calls `take` with each argument in the order in which they are written; of a choice with none.
template <class Take>
void for_each_argument(const Expression& expression, Take take) {
  std::visit(
      [&](const auto& each) {
        if constexpr (requires { each.upper; }) take(each.upper);
        if constexpr (requires { each.min; }) take(each.min), take(each.max);
        if constexpr (requires { each.mu; }) take(each.mu), take(each.sigma);
        if constexpr (requires { each.q; }) take(each.q);
      },
      expression);
}

std::string join_arguments(const Expression& expression, std::string_view separator) {
  std::vector<std::string> parts;
  for_each_argument(expression, [&](auto argument) { parts.push_back(argument_text(argument)); });
  return base::join(parts, separator);
}

template <class Text>
std::string join_options(const Choice& choice, std::string_view separator, Text text) {
  std::vector<std::string> parts;
  for (const Value& option : choice.options) parts.push_back(text(option));
  return base::join(parts, separator);
}

constexpr double kLogOfLargest = 709.782712893384;             // beyond it exp() is infinite
constexpr double kLogOfSmallest = -745.0;                      // below it exp() is 0
constexpr std::int64_t kLargestExact = std::int64_t{1} << 53;  // of integers as doubles
// A normal draw leaves mu +- kFarthest sigma once in 10^18 times.
constexpr double kFarthest = 9;

const char* log_advice(const Shape& shape) {
  return shape.base == Shape::Base::uniform
             ? "min_value and max_value are natural logarithms: log(0.001) = -6.9, log(100) = 4.6"
             : "mu and sigma are those of the natural logarithm of the value";
}

std::optional<std::string> range_fault(const Shape& shape) {
  const bool normal = shape.base == Shape::Base::normal;
  const double low = normal ? shape.first - kFarthest * shape.second : shape.first;
  const double high = normal ? shape.first + kFarthest * shape.second : shape.second;
  const std::string least = normal ? "mu - 9 sigma" : "min_value";
  const std::string most = normal ? "mu + 9 sigma" : "max_value";
  if (shape.exponential && high > kLogOfLargest)
    return fmt::format("exp({}) = exp({}) is too large for a number; {}", most,
                       base::shortest(high), log_advice(shape));
  if (shape.exponential && !shape.q && low < kLogOfSmallest)
    return fmt::format("exp({}) = exp({}) is too small for a number and becomes 0; {}", least,
                       base::shortest(low), log_advice(shape));
  const double q = shape.q.value_or(1);
  if (!std::isfinite(space::forward(shape, high) / q) || !std::isfinite(low / q))
    return fmt::format("values from {} to {} in steps of {} are beyond the range of numbers",
                       base::shortest(low), base::shortest(high), base::shortest(q));
  return std::nullopt;
}

std::optional<std::string> not_finite(const Expression& expression) {
  std::optional<std::string> fault;
  std::size_t index = 0;
  for_each_argument(expression, [&](auto argument) {
    const std::string_view name = expressions()[expression.index()].arguments[index++];
    const auto number = static_cast<double>(argument);
    if (!fault && !std::isfinite(number))
      fault = fmt::format("{} is {}; it must be a finite number", name, base::shortest(number));
  });
  return fault;
}

template <class T>
std::optional<std::string> bounds_fault(const T& e) {
  if (e.min > e.max)
    return fmt::format("min_value {} is above max_value {}", argument_text(e.min),
                       argument_text(e.max));
  if constexpr (std::is_same_v<T, LogUniformValues> || std::is_same_v<T, QLogUniformValues>)
    if (e.min <= 0)
      return fmt::format("min_value is {}; a logarithmic scale begins above 0",
                         argument_text(e.min));
  if constexpr (std::is_same_v<T, IntLogUniform>) {
    if (e.min < 1)
      return fmt::format("min_value is {}; integers on a logarithmic scale begin at 1", e.min);
    if (e.max > kLargestExact)
      return fmt::format("max_value is {}; it must be at most {} (2^53)", e.max, kLargestExact);
  }
  std::int64_t steps = 0;
  if constexpr (std::is_same_v<T, IntUniform>)
    if (__builtin_sub_overflow(e.max, e.min, &steps))
      return fmt::format("from {} to {} there are more than 2^63 integers", e.min, e.max);
  return std::nullopt;
}

// Of all but choices: the arguments one by one.
std::optional<std::string> arguments_fault(const Expression& expression) {
  if (auto fault = not_finite(expression)) return fault;
  return std::visit(
      [](const auto& e) -> std::optional<std::string> {
        if constexpr (requires { e.upper; })
          if (e.upper < 1)
            return fmt::format("upper is {}; it must be at least 1 (the values are 0 to upper - 1)",
                               e.upper);
        if constexpr (requires { e.min; })
          if (auto fault = bounds_fault(e)) return fault;
        if constexpr (requires { e.sigma; })
          if (e.sigma <= 0)
            return fmt::format("sigma is {}; a standard deviation must be above 0",
                               base::shortest(e.sigma));
        if constexpr (requires { e.q; })
          if (e.q <= 0)
            return fmt::format("q is {}; the step must be above 0", base::shortest(e.q));
        return std::nullopt;
      },
      expression);
}

}  // namespace

const std::vector<ExpressionInfo>& expressions() {
  static const std::vector<ExpressionInfo> kTable{
      {"choice", {"options..."}, "one of the options, each equally likely", {"categorical"}},
      {.name = "randint",
       .arguments = {"upper"},
       .formula = "an integer from 0 to upper - 1",
       .integers = true},
      {"uniform", {"min_value", "max_value"}, "U(min, max)", {"float"}},
      {"quniform", {"min_value", "max_value", "q"}, "round(U(min, max) / q) q"},
      {"loguniform", {"min_value", "max_value"}, "exp(U(min, max))"},
      {"qloguniform", {"min_value", "max_value", "q"}, "round(exp(U(min, max)) / q) q"},
      {"normal", {"mu", "sigma"}, "N(mu, sigma)"},
      {"qnormal", {"mu", "sigma", "q"}, "round(N(mu, sigma) / q) q"},
      {"lognormal", {"mu", "sigma"}, "exp(N(mu, sigma))"},
      {"qlognormal", {"mu", "sigma", "q"}, "round(exp(N(mu, sigma)) / q) q"},
      {"log_uniform_values",
       {"min_value", "max_value"},
       "exp(U(log(min), log(max)))",
       {"log_float"},
       true},
      {"q_log_uniform_values",
       {"min_value", "max_value", "q"},
       "round(exp(U(log(min), log(max))) / q) q",
       {},
       true},
      {"int_uniform",
       {"min_value", "max_value"},
       "an integer from min to max, both included",
       {"int", "integer"},
       true,
       true},
      {"int_log_uniform",
       {"min_value", "max_value"},
       "round(exp(U(log(min - 0.5), log(max + 0.5)))), from min to max, both included",
       {"log_int"},
       true,
       true},
  };
  static_assert(std::variant_size_v<Expression> == 14);
  return kTable;
}

std::string_view expression_name(const Expression& expression) {
  return expressions()[expression.index()].name;
}

std::string to_json(const Expression& expression) {
  const auto* choice = std::get_if<Choice>(&expression);
  const std::string arguments =
      choice ? '[' + join_options(*choice, ",", [](const Value& v) { return to_json(v); }) + ']'
             : join_arguments(expression, ",");
  return fmt::format("[\"{}\",[{}]]", expression_name(expression), arguments);
}

std::string to_text(const Expression& expression) {
  const auto* choice = std::get_if<Choice>(&expression);
  const std::string arguments =
      choice ? join_options(*choice, ", ", [](const Value& v) { return to_json(v); })
             : join_arguments(expression, ", ");
  return fmt::format("{}({})", expression_name(expression), arguments);
}

std::optional<std::string> fault(const Expression& expression) {
  if (const auto* choice = std::get_if<Choice>(&expression))
    return choice->options.empty() ? std::optional("there are no options to choose from"s)
                                   : std::nullopt;
  if (auto wrong = arguments_fault(expression)) return wrong;
  const auto shape = space::shape_of(expression);
  return shape ? range_fault(*shape) : std::nullopt;
}

}  // namespace hdrive
