// SPDX-License-Identifier: Apache-2.0
//
// The constants of CMA-ES: table 1 of Hansen, "The CMA evolution strategy: a tutorial", arXiv 1604.00772, 2016.
//
// Internal to sampling/, for cmaes. Plain values.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>

namespace hdrive::sampling {

struct CmaRates {
  std::size_t lambda, parents;
  Eigen::ArrayXd weights;  // by rank: those of the parents add up to 1, the others are negative
  double mu_eff, path_sigma, damping, path_c, rank_one, rank_mu, expected_norm;

  // The paths and the covariance are of the numbers alone.
  CmaRates(std::size_t numbers, std::size_t generation)
      : lambda(generation), parents(generation / 2) {
    const double d = static_cast<double>(std::max<std::size_t>(numbers, 1));
    const Eigen::Index size = static_cast<Eigen::Index>(lambda),
                       mu = static_cast<Eigen::Index>(parents);
    weights = std::log((static_cast<double>(lambda) + 1) / 2) -
              Eigen::ArrayXd::LinSpaced(size, 1, static_cast<double>(lambda)).log();
    const auto effective = [](const auto& of) { return of.sum() * of.sum() / of.square().sum(); };
    mu_eff = effective(weights.head(mu));
    const double mu_rest = effective(weights.tail(size - mu));
    path_sigma = (mu_eff + 2) / (d + mu_eff + 5);
    damping = 1 + 2 * std::max(0.0, std::sqrt((mu_eff - 1) / (d + 1)) - 1) + path_sigma;
    path_c = (4 + mu_eff / d) / (d + 4 + 2 * mu_eff / d);
    rank_one = 2 / ((d + 1.3) * (d + 1.3) + mu_eff);
    rank_mu = std::min(1 - rank_one, 2 * (mu_eff - 2 + 1 / mu_eff) / ((d + 2) * (d + 2) + mu_eff));
    expected_norm = std::sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d * d));
    weights.head(mu) /= weights.head(mu).sum();
    const double rest = std::min({1 + rank_one / rank_mu, 1 + 2 * mu_rest / (mu_eff + 2),
                                  (1 - rank_one - rank_mu) / (d * rank_mu)});
    weights.tail(size - mu) *= -rest / weights.tail(size - mu).sum();
  }
};

}  // namespace hdrive::sampling
