// SPDX-License-Identifier: Apache-2.0
//
// Encoding: parameter sets as points for the kernel, and back.
//
// Internal to sampling/. Immutable after it was made; safe from any thread.
//
// The kernel compares coordinates by min((a - b)^2, 1). A real parameter lies in [0, 1] by its
// distribution (hdrive::encode); a lattice's levels at the middles of what is rounded to them, on
// the scale of the draw; a choice of at least three different numbers in the order of its numbers,
// by their logarithms where they span a factor of eight; categories at multiples of 2, so that two
// differ by 1. A constant parameter is left out. What does not exist in a set lies at -2:
// the distance of two sets along it is 0 where neither has it, and 1 where one has.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sampling/conditions.h"

namespace hdrive::sampling::gp {

using Coordinates = std::vector<double>;

/// The coordinate of a parameter that does not exist.
inline constexpr double kInactive = -2;

struct Dimension {
  enum class Kind {
    real,      ///< any coordinate in [0, 1]
    snapped,   ///< the same, but only the coordinates of values are allowed, too many to list
    ordinal,   ///< one of `positions`, which ascend
    category,  ///< one of `positions`, in no order
  };
  Kind kind = Kind::real;
  std::size_t parameter = 0;  ///< its index in the space
  std::vector<double> positions;
  std::vector<std::uint64_t> levels;  ///< the level of the expression at each position
  bool by_position = false;  ///< a unit number stands for the nearest position, not for a rank
  bool as_encoded = false;   ///< the positions are those that hdrive::encode gives
  /// Of a conditional parameter: the dimension it depends on, which comes before it, and at which
  /// of that one's positions it exists. None where it exists always, be it that all above it has
  /// one option only.
  std::optional<std::size_t> parent;
  std::vector<bool> at_position;

  bool is_continuous() const { return kind == Kind::real || kind == Kind::snapped; }
};

class Encoding {
 public:
  Encoding(const SearchSpace& space, bool numeric_choices_are_ordered);

  int size() const { return static_cast<int>(dimensions_.size()); }
  const std::vector<Dimension>& dimensions() const { return dimensions_; }
  const Conditions& conditions() const { return conditions_; }
  bool is_discrete() const;
  /// How far apart two values of a dimension at random lie, in units of the distance of two real
  /// numbers.
  std::vector<double> spreads() const;

  /// Nothing where the parameter set is not of the space.
  std::optional<Coordinates> encode(const Assignment& assignment) const;
  /// The parameter set at the point, each coordinate snapped to the nearest value.
  Assignment decode(std::span<const double> point) const;

  /// Whether the dimension exists at a point that is snapped as far as what it depends on.
  bool is_active(std::size_t dimension, std::span<const double> point) const;
  /// Puts out what does not exist at the snapped point, and gives what exists but has no coordinate
  /// yet `fill(dimension)`, dimension by dimension.
  template <class Fill>
  void settle(std::span<double> point, Fill fill) const {
    if (!conditions_.any()) return;
    for (std::size_t j = 0; j < dimensions_.size(); ++j) {
      if (!dimensions_[j].parent) continue;
      if (!is_active(j, point))
        point[j] = kInactive;
      else if (point[j] == kInactive)
        point[j] = fill(static_cast<int>(j));
    }
  }

  /// Moves each coordinate to the nearest value's, but what does not exist.
  void snap(std::span<double> point) const;
  /// The coordinate that the number `unit` in [0, 1) stands for, where all values are likely.
  double place(int dimension, double unit) const;
  /// The index of the position nearest to the coordinate.
  std::size_t nearest(int dimension, double coordinate) const;

 private:
  std::optional<double> encode(const Dimension& dimension, const Value& value) const;
  Value decode(const Dimension& dimension, double coordinate) const;

  const Expression& expression(const Dimension& dimension) const {
    return conditions_.space().parameters[dimension.parameter].expression;
  }
  void connect();

  Conditions conditions_;
  std::vector<Dimension> dimensions_;
};

}  // namespace hdrive::sampling::gp
