// SPDX-License-Identifier: Apache-2.0
//
// FiniteSpace: a space of which every parameter has finitely many values, prepared for asking often.
//
// Internal to sampling/. Immutable after it was made; owns all it needs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hdrive/space.h"

namespace hdrive::sampling {

class FiniteSpace {
 public:
  /// Nothing where a parameter has infinitely many values, or more than 2^53.
  static std::optional<FiniteSpace> of(const SearchSpace& space);

  /// How many points there are; nothing beyond 2^63.
  std::optional<std::uint64_t> size() const { return size_; }

  /// The same as `hdrive::point`.
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

    explicit Axis(const Parameter& from);
    Value value(std::uint64_t index) const;
    double weight(std::uint64_t index) const;
  };

  std::vector<Axis> axes_;
  std::optional<std::uint64_t> size_;
};

}  // namespace hdrive::sampling
