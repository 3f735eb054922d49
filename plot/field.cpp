// SPDX-License-Identifier: Apache-2.0
#include "plot/field.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hdrive::plot {
namespace {

// Along one direction: `step` leads to the next cell, `stride` to the next line.
std::vector<double> blur_along(const std::vector<double>& source, std::size_t along,
                               std::size_t across, std::size_t step, std::size_t stride,
                               double sigma) {
  const auto reach = static_cast<std::ptrdiff_t>(std::ceil(sigma * 3));
  std::vector<double> result(source.size());
  for (std::size_t j = 0; j < across; ++j)
    for (std::size_t i = 0; i < along; ++i) {
      double sum = 0;
      for (std::ptrdiff_t k = -reach; k <= reach; ++k) {
        const std::ptrdiff_t other = static_cast<std::ptrdiff_t>(i) + k;
        if (other < 0 || other >= static_cast<std::ptrdiff_t>(along)) continue;
        const double weight = std::exp(-static_cast<double>(k * k) / (2 * sigma * sigma));
        sum += weight * source[j * stride + static_cast<std::size_t>(other) * step];
      }
      result[j * stride + i * step] = sum;
    }
  return result;
}

std::vector<double> blur(const std::vector<double>& data, std::size_t columns, std::size_t rows,
                         double sigma) {
  return blur_along(blur_along(data, columns, rows, 1, columns, sigma), rows, columns, columns, 1,
                    sigma);
}

}  // namespace

Field make_field(std::span<const double> x, std::span<const double> y,
                 std::span<const double> value, std::size_t columns, std::size_t rows,
                 double sigma) {
  constexpr double kNear = 0.08;  // of the weight that a run has in its own cell
  std::vector<double> weight(columns * rows), sum(columns * rows);
  const auto cell = [](double share, std::size_t cells) {
    return std::min(cells - 1, static_cast<std::size_t>(share * static_cast<double>(cells)));
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!std::isfinite(value[i]) || !(x[i] >= 0 && x[i] <= 1 && y[i] >= 0 && y[i] <= 1)) continue;
    const std::size_t at = cell(y[i], rows) * columns + cell(x[i], columns);
    weight[at] += 1;
    sum[at] += value[i];
  }
  weight = blur(weight, columns, rows, sigma);
  sum = blur(sum, columns, rows, sigma);
  for (std::size_t i = 0; i < sum.size(); ++i)
    sum[i] = weight[i] > kNear ? sum[i] / weight[i] : std::numeric_limits<double>::quiet_NaN();
  return {columns, rows, sum};
}

std::vector<std::array<double, 4>> isoline(const Field& field, double level) {
  std::vector<std::array<double, 4>> segments;
  for (std::size_t j = 0; j + 1 < field.rows; ++j)
    for (std::size_t i = 0; i + 1 < field.columns; ++i) {
      const double corners[] = {field.at(i, j), field.at(i + 1, j), field.at(i + 1, j + 1),
                                field.at(i, j + 1)};
      if (std::any_of(std::begin(corners), std::end(corners),
                      [](double v) { return std::isnan(v); }))
        continue;
      const double left = static_cast<double>(i), low = static_cast<double>(j);
      const double xs[] = {left, left + 1, left + 1, left}, ys[] = {low, low, low + 1, low + 1};
      std::vector<std::array<double, 2>> cuts;
      for (std::size_t k = 0; k < 4; ++k) {
        const std::size_t next = (k + 1) % 4;
        const double a = corners[k], b = corners[next];
        if ((a < level) == (b < level)) continue;
        const double t = (level - a) / (b - a);
        cuts.push_back({xs[k] + (xs[next] - xs[k]) * t, ys[k] + (ys[next] - ys[k]) * t});
      }
      for (std::size_t k = 0; k + 1 < cuts.size(); k += 2)
        segments.push_back({cuts[k][0], cuts[k][1], cuts[k + 1][0], cuts[k + 1][1]});
    }
  return segments;
}

}  // namespace hdrive::plot
