// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/warp.h"

#include <algorithm>
#include <cmath>

#include "sampling/gp/special.h"

namespace hdrive::sampling::gp {
namespace {

// Values further off than this many units are all as bad as each other.
constexpr double kMost = 1e100;

double median_of_sorted(const std::vector<double>& sorted) {
  const std::size_t n = sorted.size();
  return sorted[(n - 1) / 2] / 2 + sorted[n / 2] / 2;
}

// Scores for what is worse than the median, as far from it as the better half is.
void rank_worse_half(std::vector<double>& values) {
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const double median = median_of_sorted(sorted);
  double squares = 0;
  int better = 0;
  for (const double value : sorted) {
    if (value > median) break;
    squares += (value - median) * (value - median);
    ++better;
  }
  double spread = std::sqrt(squares / better);
  // Half of the values are the very best one: nothing says how far the others should be.
  if (!(spread > 0)) spread = 1;
  std::vector<double> worse(std::upper_bound(sorted.begin(), sorted.end(), median), sorted.end());
  worse.erase(std::unique(worse.begin(), worse.end()), worse.end());
  const double count = static_cast<double>(worse.size());
  for (double& value : values) {
    if (!(value > median)) continue;
    const auto strictly_worse =
        static_cast<double>(worse.end() - std::upper_bound(worse.begin(), worse.end(), value));
    value = median - normal_quantile(0.5 * (strictly_worse + 0.5) / (count + 0.5)) * spread;
  }
}

void spread_good_end(std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double lowest = *least, range = *most - *least;
  for (double& value : values) value = std::log1p(0.5 * (value - lowest) / range) / std::log(1.5);
}

void standardise(std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / n;
  for (const double value : values) squares += (value - mean) * (value - mean) / n;
  const double deviation = std::sqrt(squares);
  for (double& value : values) value = deviation > 0 ? (value - mean) / deviation : 0;
}

}  // namespace

std::vector<double> warped(std::span<const double> values, Warp warp) {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (*least == *most) return std::vector<double>(values.size(), 0.0);
  // By halves, since the difference of two finite numbers may not be one. The unit is the better
  // half's width, so that it does not vanish beside one huge value; what is infinite in it is only
  // ranked.
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double median = median_of_sorted(sorted);
  const bool by_half = warp == Warp::half_rank && median > *least;
  const double unit = by_half ? median / 2 - *least / 2 : *most / 2 - *least / 2;
  std::vector<double> result;
  for (const double value : values) {
    const double shifted = value / 2 - *least / 2;
    result.push_back(unit < 1 && shifted > unit * kMost ? kMost : shifted / unit);
  }
  if (warp == Warp::half_rank) {
    rank_worse_half(result);
    spread_good_end(result);
  }
  standardise(result);
  return result;
}

}  // namespace hdrive::sampling::gp
