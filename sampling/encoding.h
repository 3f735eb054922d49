// SPDX-License-Identifier: Apache-2.0
//
// Encoding: parameter sets as points, and back, for all samplers that learn from results.
//
// Internal to sampling/. Immutable after it was made; owns all it needs; safe from any thread.
//
// A real parameter lies in [0, 1] by its distribution (hdrive::encode); a lattice's levels at the
// middles of what is rounded to them, on the scale of the draw; a choice of at least three different
// numbers in the order of its numbers, on a scale that tells neighbours apart; a category at the
// number of its option. A constant parameter is left out. What does not exist in a set lies at
// kAbsent.
//
// The kernel of the Gaussian process makes distances of it (gp/numerics.h): two numbers are |a - b|
// apart, two categories 1, and what is absent lies at distance 3/4 + (x - 1/2)^2, squared, from a
// number x: as if beside the middle of the interval. So distances are those of points in a space, and
// every covariance that is made of them is positive definite.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sampling/conditions.h"

namespace hdrive::sampling {

/// A point: a number for each dimension.
using Coordinates = std::vector<double>;

/// The coordinate of a parameter that does not exist in a set.
inline constexpr double kAbsent = -1;

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
  bool is_category() const { return kind == Kind::category; }
  bool is_conditional() const { return parent.has_value(); }

  /// The index of the position nearest to the coordinate.
  std::size_t nearest(double coordinate) const;
  /// How much of [0, 1] is nearest to the value nearest to the coordinate; 0 where values are not
  /// listed.
  double cell_width(double coordinate) const;
  /// The coordinate that the number `unit` in [0, 1) stands for, where all values are likely.
  double place(double unit) const;
};

class Encoding {
 public:
  explicit Encoding(const SearchSpace& space, bool numeric_choices_are_ordered = true);

  std::size_t size() const { return dimensions_.size(); }
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
  void apply_conditions(std::span<double> point, Fill fill) const {
    if (!conditions_.any()) return;
    for (std::size_t j = 0; j < dimensions_.size(); ++j) {
      if (!dimensions_[j].parent) continue;
      if (!is_active(j, point))
        point[j] = kAbsent;
      else if (point[j] == kAbsent)
        point[j] = fill(j);
    }
  }

  /// Moves each coordinate to the nearest value's, but what does not exist.
  void snap(std::span<double> point) const;
  double snapped(const Dimension& dimension, double coordinate) const;
  /// The point in the space that a point of the unit cube stands for, in which everything exists.
  Coordinates place(std::span<const double> unit) const;

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

}  // namespace hdrive::sampling
