// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/text.h"
#include "hdrive/space.h"
#include "space/shape.h"

namespace hdrive {
namespace {

using space::Shape;

// An expression's arguments in the order in which they are written; empty for choice.
std::vector<double> arguments_of(const Expression& expression) {
  if (const auto shape = space::shape_of(expression)) {
    std::vector<double> result{shape->first, shape->second};
    if (shape->q) result.push_back(*shape->q);
    return result;
  }
  const auto* randint = std::get_if<RandInt>(&expression);
  return randint ? std::vector{static_cast<double>(randint->upper)} : std::vector<double>{};
}

template <class Text>
std::string join_options(const Choice& choice, std::string_view separator, Text text) {
  std::vector<std::string> parts;
  for (const Value& option : choice.options) parts.push_back(text(option));
  return base::join(parts, separator);
}

std::string join_arguments(const Expression& expression, std::string_view separator) {
  if (const auto* randint = std::get_if<RandInt>(&expression))
    return std::to_string(randint->upper);
  std::vector<std::string> parts;
  for (const double argument : arguments_of(expression)) parts.push_back(base::shortest(argument));
  return base::join(parts, separator);
}

constexpr double kLogOfLargest = 709.782712893384;  // beyond it exp() is infinite
constexpr double kLogOfSmallest = -745.0;           // below it exp() is 0
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

std::optional<std::string> shape_fault(const Shape& shape, const ExpressionInfo& info) {
  const std::array<double, 3> values{shape.first, shape.second, shape.q.value_or(1)};
  for (std::size_t i = 0; i < info.arguments.size(); ++i)
    if (!std::isfinite(values[i]))
      return fmt::format("{} is {}; it must be a finite number", info.arguments[i],
                         base::shortest(values[i]));
  if (shape.base == Shape::Base::uniform && shape.first > shape.second)
    return fmt::format("min_value {} is above max_value {}", base::shortest(shape.first),
                       base::shortest(shape.second));
  if (shape.base == Shape::Base::normal && shape.second <= 0)
    return fmt::format("sigma is {}; a standard deviation must be above 0",
                       base::shortest(shape.second));
  if (shape.q && *shape.q <= 0)
    return fmt::format("q is {}; the step must be above 0", base::shortest(*shape.q));
  return range_fault(shape);
}

}  // namespace

const std::vector<ExpressionInfo>& expressions() {
  static const std::vector<ExpressionInfo> kTable{
      {"choice", {"options..."}, "one of the options, each equally likely"},
      {"randint", {"upper"}, "an integer from 0 to upper - 1"},
      {"uniform", {"min_value", "max_value"}, "U(min, max)"},
      {"quniform", {"min_value", "max_value", "q"}, "round(U(min, max) / q) q"},
      {"loguniform", {"min_value", "max_value"}, "exp(U(min, max))"},
      {"qloguniform", {"min_value", "max_value", "q"}, "round(exp(U(min, max)) / q) q"},
      {"normal", {"mu", "sigma"}, "N(mu, sigma)"},
      {"qnormal", {"mu", "sigma", "q"}, "round(N(mu, sigma) / q) q"},
      {"lognormal", {"mu", "sigma"}, "exp(N(mu, sigma))"},
      {"qlognormal", {"mu", "sigma", "q"}, "round(exp(N(mu, sigma)) / q) q"},
  };
  static_assert(std::variant_size_v<Expression> == 10);
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
  if (const auto shape = space::shape_of(expression))
    return shape_fault(*shape, expressions()[expression.index()]);
  if (const auto* randint = std::get_if<RandInt>(&expression)) {
    if (randint->upper >= 1) return std::nullopt;
    return fmt::format("upper is {}; it must be at least 1 (the values are 0 to upper - 1)",
                       randint->upper);
  }
  if (std::get<Choice>(expression).options.empty()) return "there are no options to choose from";
  return std::nullopt;
}

}  // namespace hdrive
