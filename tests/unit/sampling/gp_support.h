// SPDX-License-Identifier: Apache-2.0
//
// Random points and values for a Gaussian process to learn from.
#pragma once

#include <cmath>
#include <vector>

#include "hdrive/random.h"
#include "sampling/gp/model.h"

namespace hdrive::sampling::gp {

/// The third coordinate, where there is one, is a category.
inline constexpr std::size_t kCategory = 2;

inline std::vector<double> random_point(std::size_t dimensions, RandomStream& random) {
  std::vector<double> point;
  for (std::size_t j = 0; j < dimensions; ++j) point.push_back(random.uniform());
  if (point.size() > kCategory) point[kCategory] = std::floor(3 * point[kCategory]);
  return point;
}

/// A smooth function of random points with a little noise; the second coordinate is absent from some.
inline Training random_training(int count, std::size_t dimensions, std::uint64_t seed = 1) {
  RandomStream random(seed, 0, 0);
  const double root = std::sqrt(static_cast<double>(dimensions));
  Training training{Points(dimensions), {}, {}, {}};
  for (int i = 0; i < count; ++i) {
    std::vector<double> point = random_point(dimensions, random);
    double value = 0.1 * random.uniform();
    for (std::size_t j = 0; j < point.size(); ++j) {
      if (j == 1 && i % 4 == 3) point[j] = -1;  // absent
      value += std::sin(3 * point[j] + static_cast<double>(j)) / root;
    }
    training.add(point, value, i % 7 == 0 ? 0.25 : 1.0, i % 5 == 0 ? 0.1 : 0.0);
  }
  return training;
}

inline Hyperparameters random_hyperparameters(std::size_t dimensions, std::uint64_t seed = 2) {
  RandomStream random(seed, 0, 0);
  Hyperparameters theta;
  const double root = std::sqrt(static_cast<double>(dimensions));
  for (std::size_t j = 0; j < dimensions; ++j)
    theta.lengthscales.push_back(0.2 + random.uniform() * root);
  theta.scale = 0.5 + random.uniform();
  theta.noise = 0.01 + 0.05 * random.uniform();
  return theta;
}

}  // namespace hdrive::sampling::gp
