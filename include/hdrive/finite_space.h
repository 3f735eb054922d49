// SPDX-License-Identifier: Apache-2.0
//
// FiniteSpace: a space of which every parameter has finitely many values, prepared for asking
// often.
//
// Immutable after it was made; owns all it needs; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hdrive/space.h"

namespace hdrive {

class FiniteSpace {
 public:
  /// Nothing where a parameter has infinitely many values, or more than 2^53.
  static std::optional<FiniteSpace> of(const SearchSpace& space);

  /// How many different points there are; nothing beyond 2^63.
  std::optional<std::uint64_t> size() const { return size_; }

  /// Point number `index`, from 0, the first parameter slowest.
  Assignment point(std::uint64_t index) const;

  /// The probability with which one random draw of all parameters gives the point.
  double weight(std::uint64_t index) const;

 private:
  // A choice's values are kept, since finding one takes a walk over its options; those of the other
  // expressions are computed.
  struct Axis {
    Parameter parameter;
    std::uint64_t size = 1;
    std::vector<Value> values;
    std::vector<double> weights;

    // Of a choice that others depend on: by level, which these are, and how many points they have
    // with all that depends on them. Numbers beyond 2^64 count as 2^64 - 1.
    std::vector<std::vector<std::size_t>> below;
    std::vector<std::uint64_t> points_below;
    std::uint64_t points = 1;  // of this axis and all that depends on it

    explicit Axis(const Parameter& from);
    Value value(std::uint64_t index) const;
    double weight(std::uint64_t index) const;
  };

  void connect(const SearchSpace& space);
  std::uint64_t points_of(const std::vector<std::size_t>& axes) const;
  // Calls `visit(axis, level)` for what exists at point `index` of these axes, in the space's
  // order.
  template <class Visit>
  void walk(const std::vector<std::size_t>& axes, std::uint64_t index, Visit& visit) const;

  std::vector<Axis> axes_;
  std::vector<std::size_t> roots_;  // the axes that exist at every point
  std::optional<std::uint64_t> size_;
};

}  // namespace hdrive
