// SPDX-License-Identifier: Apache-2.0
//
// How far samples are from the distribution they should have. Seeds are fixed, so a bound that holds
// once holds for ever; bounds lie where a right sample passes 999 times in 1,000 and a wrong one, of this
// size, never.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace hdrive::statistics {

/// sqrt(n) times the largest distance between the empirical and the given distribution function
/// (Kolmogorov-Smirnov). Exceeds 1.95 once in 1,000 times.
inline double kolmogorov(std::vector<double> sample, const std::function<double(double)>& cdf) {
  std::sort(sample.begin(), sample.end());
  const double n = static_cast<double>(sample.size());
  double largest = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double expected = cdf(sample[i]);
    const double below = static_cast<double>(i) / n, up_to = static_cast<double>(i + 1) / n;
    largest = std::max({largest, std::abs(expected - below), std::abs(expected - up_to)});
  }
  return largest * std::sqrt(n);
}
constexpr double kKolmogorovBound = 1.95;

/// Pearson's statistic of counts against probabilities that add up to one.
inline double chi_square(const std::vector<double>& counts,
                         const std::vector<double>& probabilities) {
  double n = 0, sum = 0;
  for (const double count : counts) n += count;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = n * probabilities[i];
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  return sum;
}

/// What the statistic exceeds about once in 1,000 times (Wilson and Hilferty's approximation). A single
/// cell leaves nothing to chance.
inline double chi_square_bound(std::size_t cells) {
  if (cells == 1) return 1e-9;
  const double degrees = static_cast<double>(cells - 1);
  const double variance = 2 / (9 * degrees);
  return degrees * std::pow(1 - variance + 3.09 * std::sqrt(variance), 3);
}

inline double mean(const std::vector<double>& sample) {
  double sum = 0;
  for (const double x : sample) sum += x;
  return sum / static_cast<double>(sample.size());
}

inline double variance(const std::vector<double>& sample) {
  const double center = mean(sample);
  double sum = 0;
  for (const double x : sample) sum += (x - center) * (x - center);
  return sum / static_cast<double>(sample.size());
}

inline double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

}  // namespace hdrive::statistics
