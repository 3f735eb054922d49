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

// The share of the base draw's interval that is rounded to k.
double probability(const Shape& shape, const Lattice& lattice, double k) {
  if (lattice.first == lattice.last) return 1;
  const space::Cell cell = space::cell_of(shape, k);
  return std::max(0.0, cell.end - cell.begin) / (shape.second - shape.first);
}

// A finite space as a forest: each choice with what exists under its options. Numbers of sets stay
// below 2^64: what is more counts as 2^64 - 1.
class Tree {
 public:
  explicit Tree(const SearchSpace& space)
      : space_(space), under_(space.parameters.size()), sizes_(space.parameters.size()) {
    const auto above = parents(space);
    for (std::size_t i = 0; i < above.size(); ++i)
      (above[i] ? under_[*above[i]] : roots_).push_back(i);
    for (std::size_t i = sizes_.size(); i-- > 0;) {
      const std::uint64_t levels = *cardinality(space.parameters[i].expression);
      if (under_[i].empty()) {
        sizes_[i] = levels;
        continue;
      }
      for (std::uint64_t k = 0; k < levels; ++k)
        if (__builtin_add_overflow(sizes_[i], product(below(i, k)), &sizes_[i])) sizes_[i] = kMany;
    }
  }

  std::uint64_t size() const { return product(roots_); }

  Assignment point(std::uint64_t index) const {
    Assignment assignment;
    append(roots_, index, assignment);
    return assignment;
  }

 private:
  using Indices = std::vector<std::size_t>;
  static constexpr std::uint64_t kMany = ~std::uint64_t{0};

  std::uint64_t product(const Indices& parameters) const {
    std::uint64_t result = 1;
    for (const std::size_t i : parameters)
      if (__builtin_mul_overflow(result, sizes_[i], &result)) return kMany;
    return result;
  }

  // What exists under level k of parameter i.
  Indices below(std::size_t i, std::uint64_t k) const {
    if (under_[i].empty()) return {};
    const Value option = level(space_.parameters[i].expression, k);
    Indices result;
    for (const std::size_t child : under_[i])
      if (same_option(space_.parameters[child].condition->option, option)) result.push_back(child);
    return result;
  }

  // Point `index` of these parameters and what depends on them, the first one slowest.
  void append(const Indices& parameters, std::uint64_t index, Assignment& to) const {
    std::vector<std::uint64_t> places(parameters.size());
    for (std::size_t k = parameters.size(); k-- > 0;) {
      places[k] = index % sizes_[parameters[k]];
      index /= sizes_[parameters[k]];
    }
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      const std::size_t i = parameters[k];
      std::uint64_t option = places[k], rest = 0;
      if (!under_[i].empty()) {
        rest = option;
        for (option = 0; rest >= product(below(i, option)); ++option)
          rest -= product(below(i, option));
      }
      to.push_back({space_.parameters[i].name, level(space_.parameters[i].expression, option)});
      append(below(i, option), rest, to);
    }
  }

  const SearchSpace& space_;
  std::vector<Indices> under_;
  Indices roots_;
  std::vector<std::uint64_t> sizes_;  // by parameter: the sets of it and what depends on it
};

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
  for (const Parameter& parameter : space.parameters)
    if (!cardinality(parameter.expression)) return std::nullopt;
  const std::uint64_t size = Tree(space).size();
  return size > kLargestSpace ? std::nullopt : std::optional(size);
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

Assignment point(const SearchSpace& space, std::uint64_t index) { return Tree(space).point(index); }

}  // namespace hdrive
