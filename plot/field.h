// SPDX-License-Identifier: Apache-2.0
//
// A surface from scattered runs: the mean around each place, weighted by a Gaussian (Nadaraya and Watson, 1964). Runs
// are first counted into cells, so that 100,000 of them cost no more than the cells do (web/src/charts/field.ts).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace hdrive::plot {

struct Field {
  std::size_t columns = 0, rows = 0;
  std::vector<double> value;  ///< row by row from the bottom; NaN where no run is near
  double at(std::size_t column, std::size_t row) const { return value[row * columns + column]; }
};

/// `x` and `y` from 0 to 1; what is NaN or beyond is left out. `sigma` in cells.
Field make_field(std::span<const double> x, std::span<const double> y,
                 std::span<const double> value, std::size_t columns, std::size_t rows,
                 double sigma);

/// Segments (x0, y0, x1, y1) of the line on which the field has a value (marching squares), in cells from the middle
/// of the lower left one.
std::vector<std::array<double, 4>> isoline(const Field& field, double level);

}  // namespace hdrive::plot
