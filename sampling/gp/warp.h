// SPDX-License-Identifier: Apache-2.0
//
// The output warp: metric values as what a Gaussian process models well.
//
// Internal to sampling/. Pure functions, safe from any thread.
//
// The warpers of Vizier (Song et al., "The Vizier Gaussian process bandit algorithm", 2024, section
// 4): values worse than the median are replaced by half-normal scores, since how bad a bad point is
// tells nothing about the best ones; then a logarithm spreads out the good end.
#pragma once

#include <span>
#include <vector>

namespace hdrive::sampling::gp {

enum class Warp { half_rank, none };

/// Finite values, smaller is better, to values of mean 0 and variance 1 (all 0 where they are
/// equal) in the same order; none of it overflows for values up to 1e308.
std::vector<double> warped(std::span<const double> values, Warp warp);

}  // namespace hdrive::sampling::gp
