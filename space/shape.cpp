// SPDX-License-Identifier: Apache-2.0
#include "space/shape.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <unordered_map>

#include "space/overloaded.h"

namespace hdrive::space {

std::optional<Shape> shape_of(const Expression& expression) {
  using Base = Shape::Base;
  using Optional = std::optional<Shape>;
  constexpr std::nullopt_t none = std::nullopt;
  return std::visit(
      Overloaded{[](const Choice&) { return Optional(); },
                 [](const RandInt&) { return Optional(); },
                 [](const IntUniform&) { return Optional(); },
                 [=](const Uniform& e) {
                   return Optional({Base::uniform, false, e.min, e.max, none});
                 },
                 [=](const QUniform& e) {
                   return Optional({Base::uniform, false, e.min, e.max, e.q});
                 },
                 [=](const LogUniform& e) {
                   return Optional({Base::uniform, true, e.min, e.max, none});
                 },
                 [=](const QLogUniform& e) {
                   return Optional({Base::uniform, true, e.min, e.max, e.q});
                 },
                 [=](const Normal& e) {
                   return Optional({Base::normal, false, e.mu, e.sigma, none});
                 },
                 [=](const QNormal& e) {
                   return Optional({Base::normal, false, e.mu, e.sigma, e.q});
                 },
                 [=](const LogNormal& e) {
                   return Optional({Base::normal, true, e.mu, e.sigma, none});
                 },
                 [=](const QLogNormal& e) {
                   return Optional({Base::normal, true, e.mu, e.sigma, e.q});
                 },
                 [=](const LogUniformValues& e) {
                   return Optional(
                       {Base::uniform, true, std::log(e.min), std::log(e.max), none, e.min, e.max});
                 },
                 [=](const QLogUniformValues& e) {
                   return Optional({Base::uniform, true, std::log(e.min), std::log(e.max), e.q});
                 },
                 // Half a step beyond the ends, so that these are no rarer than they should be.
                 [=](const IntLogUniform& e) {
                   const auto min = static_cast<double>(e.min);
                   const auto max = static_cast<double>(e.max);
                   return Optional({Base::uniform, true, std::log(min - 0.5), std::log(max + 0.5),
                                    1.0, min, max});
                 }},
      expression);
}

std::optional<Integers> integers_of(const Expression& expression) {
  if (const auto* e = std::get_if<RandInt>(&expression)) return Integers{0, e->upper - 1};
  if (const auto* e = std::get_if<IntUniform>(&expression)) return Integers{e->min, e->max};
  return std::nullopt;
}

std::optional<Lattice> lattice_of(const Shape& shape) {
  if (!shape.q || shape.base != Shape::Base::uniform) return std::nullopt;
  if (std::isfinite(shape.least)) return Lattice{shape.least / *shape.q, shape.most / *shape.q};
  const double low = forward(shape, shape.first) / *shape.q;
  const double high = forward(shape, shape.second) / *shape.q;
  if (low == high) return Lattice{std::nearbyint(low), std::nearbyint(low)};
  // k is reached from (k - 1/2, k + 1/2); a part of that interval no wider than the rounding error
  // of the division is not there, or a bound such as log(2.5) would add a point that never comes.
  constexpr double kSlack = 8 * std::numeric_limits<double>::epsilon();
  const double first = std::floor(low - 0.5 + kSlack * std::abs(low)) + 1;
  const double last = std::ceil(high + 0.5 - kSlack * std::abs(high)) - 1;
  return Lattice{first, std::max(first, last)};
}

Cell cell_of(const Shape& shape, double k) {
  return {std::max(shape.first, backward(shape, (k - 0.5) * *shape.q)),
          std::min(shape.second, backward(shape, (k + 0.5) * *shape.q))};
}

Value lattice_value(double k, double q) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (q == std::trunc(q) && q < kLimit && std::abs(k) < kLimit) {
    std::int64_t product = 0;
    if (!__builtin_mul_overflow(static_cast<std::int64_t>(k), static_cast<std::int64_t>(q),
                                &product))
      return product;
  }
  return k * q + 0.0;  // never -0
}

namespace {

struct HashOfOption {
  std::size_t operator()(const Value* value) const {
    const std::size_t hash = std::visit(
        Overloaded{
            [](std::monostate) { return std::size_t{0}; },
            [](double number) {
              return std::isnan(number) ? std::size_t{1} : std::hash<double>{}(number);
            },
            [](std::int64_t number) { return std::hash<double>{}(static_cast<double>(number)); },
            [](const Json& json) { return std::hash<std::string>{}(json.text); },
            [](const auto& other) { return std::hash<std::decay_t<decltype(other)>>{}(other); }},
        *value);
    return hash * 31 + std::holds_alternative<bool>(*value);
  }
};

struct SameOption {
  bool operator()(const Value* a, const Value* b) const { return same_option(*a, *b); }
};

}  // namespace

Distinct distinct_options(const Choice& choice) {
  Distinct result;
  std::unordered_map<const Value*, std::size_t, HashOfOption, SameOption> seen;
  seen.reserve(choice.options.size());
  for (const Value& option : choice.options) {
    const auto [entry, added] = seen.emplace(&option, result.options.size());
    if (added) {
      result.options.push_back(&option);
      result.times.push_back(0);
    }
    ++result.times[entry->second];
  }
  return result;
}

}  // namespace hdrive::space
