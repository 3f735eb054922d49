// SPDX-License-Identifier: Apache-2.0
//
// Coordinates: parameter sets as points, for samplers that learn from results.
//
// Internal to sampling/. Immutable after it was made; owns all it needs.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "hdrive/space.h"
#include "sampling/conditions.h"

namespace hdrive::sampling {

/// The coordinate of a parameter that does not exist in a set.
inline constexpr double kAbsent = -1;

/// How one parameter is laid out. A numeric one lies on [0, 1] (`encode`), values of a finite one
/// at the middles of their cells; a category is the number of its option. A choice between at least
/// three distinct numbers is numeric, its options in ascending order.
struct Axis {
  bool categorical = false;
  /// How many values there are; 0: infinitely many, or more than 4096 and treated as if.
  std::size_t levels = 0;
  /// Where the cell of value k ends; empty where all are of one width, 1 / levels.
  std::vector<double> cell_ends;
  std::vector<std::size_t> option_at;  ///< of a choice: which option stands at place k
  bool conditional = false;            ///< whether it is absent from some sets
};

class Coordinates {
 public:
  explicit Coordinates(SearchSpace space);

  const std::vector<Axis>& axes() const { return axes_; }

  /// Where the assignment lies; nothing where it does not belong to the space.
  std::optional<std::vector<double>> point(const Assignment& assignment) const;

  /// The assignment nearest to the point; what it has no parameter for goes unused.
  Assignment assignment(std::span<const double> point) const;

  /// A point of the unit cube as coordinates: categories at the option of their cell, levels at
  /// their middle.
  std::vector<double> from_unit(std::span<const double> unit) const;

  /// The coordinate moved to the nearest value the axis has.
  double snapped(std::size_t axis, double coordinate) const;

  /// How wide the cell of that value is; 0 where the axis has no cells.
  double cell_width(std::size_t axis, double coordinate) const;

  /// Marks as absent what does not exist at the point, which is snapped.
  void put_out(std::span<double> point) const;

 private:
  std::size_t level_at(std::size_t axis, double coordinate) const;

  Conditions conditions_;
  std::vector<Axis> axes_;
  std::vector<std::vector<std::size_t>> place_of_;  // the inverse of Axis::option_at
};

}  // namespace hdrive::sampling
