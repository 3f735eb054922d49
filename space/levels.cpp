// SPDX-License-Identifier: Apache-2.0
//
// Finite expressions: how many values there are, which, and how likely each is.
#include <algorithm>
#include <cmath>

#include "hdrive/space.h"
#include "space/shape.h"

namespace hdrive {
namespace {

using space::Lattice;
using space::Shape;

constexpr double kLargestLattice = 9007199254740992.0;  // 2^53: beyond it k + 1 may equal k
constexpr std::uint64_t kLargestSpace = std::uint64_t{1} << 63;

std::optional<Lattice> lattice_of(const Expression& expression) {
  const auto shape = space::shape_of(expression);
  return shape ? space::lattice_of(*shape) : std::nullopt;
}

// The part of the base draw's interval [min, max] that is rounded to k.
double probability(const Shape& shape, const Lattice& lattice, double k) {
  if (lattice.first == lattice.last) return 1;
  const double low = std::max(shape.first, space::backward(shape, (k - 0.5) * *shape.q));
  const double high = std::min(shape.second, space::backward(shape, (k + 0.5) * *shape.q));
  return std::max(0.0, high - low) / (shape.second - shape.first);
}

}  // namespace

Value quantize(double number, double q) {
  return space::lattice_value(std::nearbyint(number / q), q);
}

std::optional<std::uint64_t> cardinality(const Expression& expression) {
  if (const auto* choice = std::get_if<Choice>(&expression))
    return space::distinct_options(*choice).options.size();
  if (const auto* randint = std::get_if<RandInt>(&expression))
    return static_cast<std::uint64_t>(randint->upper);
  const auto lattice = lattice_of(expression);
  if (!lattice || lattice->size() > kLargestLattice) return std::nullopt;
  return static_cast<std::uint64_t>(lattice->size());
}

std::optional<std::uint64_t> cardinality(const SearchSpace& space) {
  std::uint64_t product = 1;
  for (const Parameter& parameter : space.parameters) {
    const auto size = cardinality(parameter.expression);
    if (!size || __builtin_mul_overflow(product, *size, &product) || product > kLargestSpace)
      return std::nullopt;
  }
  return product;
}

Value level(const Expression& expression, std::uint64_t index) {
  if (const auto* choice = std::get_if<Choice>(&expression))
    return *space::distinct_options(*choice).options.at(index);
  if (std::holds_alternative<RandInt>(expression)) return static_cast<std::int64_t>(index);
  return space::lattice_value(lattice_of(expression)->first + static_cast<double>(index),
                              *space::shape_of(expression)->q);
}

double level_probability(const Expression& expression, std::uint64_t index) {
  if (const auto* choice = std::get_if<Choice>(&expression))
    return static_cast<double>(space::distinct_options(*choice).times.at(index)) /
           static_cast<double>(choice->options.size());
  if (const auto* randint = std::get_if<RandInt>(&expression))
    return 1.0 / static_cast<double>(randint->upper);
  const Lattice lattice = *lattice_of(expression);
  return probability(*space::shape_of(expression), lattice,
                     lattice.first + static_cast<double>(index));
}

Assignment point(const SearchSpace& space, std::uint64_t index) {
  Assignment assignment(space.parameters.size());
  for (std::size_t i = space.parameters.size(); i-- > 0;) {
    const Parameter& parameter = space.parameters[i];
    const std::uint64_t size = *cardinality(parameter.expression);
    assignment[i] = {parameter.name, level(parameter.expression, index % size)};
    index /= size;
  }
  return assignment;
}

}  // namespace hdrive
