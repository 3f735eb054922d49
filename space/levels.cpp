// SPDX-License-Identifier: Apache-2.0
//
// Finite expressions: how many values there are, which, and how likely each is.
#include <algorithm>
#include <cmath>

#include "hdrive/finite_space.h"
#include "hdrive/space.h"
#include "space/shape.h"

namespace hdrive {
namespace {

using space::Lattice;
using space::Shape;

constexpr double kLargestLattice = 9007199254740992.0;  // 2^53: beyond it k + 1 may equal k

std::optional<Lattice> lattice_of(const Expression& expression) {
  const auto shape = space::shape_of(expression);
  return shape ? space::lattice_of(*shape) : std::nullopt;
}

// The share of the base draw's interval that is rounded to k.
double probability(const Shape& shape, const Lattice& lattice, double k) {
  if (lattice.first == lattice.last) return 1;
  const space::Cell cell = space::cell_of(shape, k);
  return std::max(0.0, cell.end - cell.begin) / (shape.second - shape.first);
}

}  // namespace

Value quantize(double number, double q) {
  return space::lattice_value(std::nearbyint(number / q), q);
}

std::optional<std::uint64_t> cardinality(const Expression& expression) {
  if (const auto* choice = std::get_if<Choice>(&expression))
    return space::distinct_options(*choice).options.size();
  if (const auto integers = space::integers_of(expression)) return integers->size();
  const auto lattice = lattice_of(expression);
  if (!lattice || lattice->size() > kLargestLattice) return std::nullopt;
  return static_cast<std::uint64_t>(lattice->size());
}

std::optional<std::uint64_t> cardinality(const SearchSpace& space) {
  const auto finite = FiniteSpace::of(space);
  return finite ? finite->size() : std::nullopt;
}

Value level(const Expression& expression, std::uint64_t index) {
  if (const auto* choice = std::get_if<Choice>(&expression))
    return *space::distinct_options(*choice).options.at(index);
  if (const auto integers = space::integers_of(expression)) return integers->at(index);
  return space::lattice_value(lattice_of(expression)->first + static_cast<double>(index),
                              *space::shape_of(expression)->q);
}

double level_probability(const Expression& expression, std::uint64_t index) {
  if (const auto* choice = std::get_if<Choice>(&expression))
    return static_cast<double>(space::distinct_options(*choice).times.at(index)) /
           static_cast<double>(choice->options.size());
  if (const auto integers = space::integers_of(expression))
    return 1.0 / static_cast<double>(integers->size());
  const Lattice lattice = *lattice_of(expression);
  return probability(*space::shape_of(expression), lattice,
                     lattice.first + static_cast<double>(index));
}

std::vector<std::pair<Value, double>> levels(const Choice& choice) {
  const space::Distinct distinct = space::distinct_options(choice);
  std::vector<std::pair<Value, double>> result;
  for (std::size_t i = 0; i < distinct.options.size(); ++i)
    result.emplace_back(*distinct.options[i], static_cast<double>(distinct.times[i]) /
                                                  static_cast<double>(choice.options.size()));
  return result;
}

Assignment point(const SearchSpace& space, std::uint64_t index) {
  return FiniteSpace::of(space)->point(index);
}

}  // namespace hdrive
