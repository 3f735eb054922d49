// SPDX-License-Identifier: Apache-2.0
//
// Where to try next, given a model.
#include <algorithm>
#include <cmath>

#include "sampling/gp/acquisition.h"
#include "sampling/gp/special.h"
#include "tests/catch.h"
#include "tests/unit/sampling/gp_support.h"

using namespace hdrive;
using namespace hdrive::sampling;
using namespace hdrive::sampling::gp;

namespace {

const SearchSpace kSquare{{{"x", Uniform{0, 1}}, {"y", Uniform{0, 1}}}};

Model model_with_noise(double noise) {
  const Training training = random_training(25, 2);
  Hyperparameters theta = random_hyperparameters(2);
  theta.noise = noise;
  return Model::make(training, theta).value();
}

double log_expected_improvement(const Model::Prediction& at, double best) {
  const double deviation = std::sqrt(at.variance);
  return std::log(deviation) + log_h((best - at.mean) / deviation).value;
}

std::vector<Coordinates> lattice(int side) {
  std::vector<Coordinates> points;
  for (int i = 0; i < side; ++i)
    for (int k = 0; k < side; ++k)
      points.push_back(
          {(i + 0.5) / static_cast<double>(side), (k + 0.5) / static_cast<double>(side)});
  return points;
}

}  // namespace

TEST_CASE("Noise takes its share of the expected improvement, where there is noise") {
  const Encoding encoding(kSquare, true);
  const double best = -0.5;
  for (const double noise : {1e-6, 1e-4, 0.01, 0.3}) {
    INFO(noise);
    const Model model = model_with_noise(noise);
    for (const Candidate& candidate : Search(encoding, model, best, {}).rank(lattice(5))) {
      const double variance = candidate.prediction.variance;
      const double beyond = std::max(0.0, noise - 1e-4);
      const double share = 1 - std::sqrt(beyond / (variance + beyond));
      CHECK(candidate.log_improvement ==
            Approx(log_expected_improvement(candidate.prediction, best) + std::log(share)));
    }
  }
}

TEST_CASE("Two fits with almost the same noise value a point almost the same") {
  const Encoding encoding(kSquare, true);
  const auto best_of = [&](double noise) {
    const Model model = model_with_noise(noise);
    return Search(encoding, model, -0.5, {}).rank(lattice(3)).front().log_improvement;
  };
  CHECK(best_of(1.0001e-4) == Approx(best_of(0.9999e-4)).margin(0.02));
}

TEST_CASE("The search climbs to where no point of a lattice is better") {
  const Encoding encoding(kSquare, true);
  for (const double noise : {1e-6, 0.05}) {
    INFO(noise);
    const Model model = model_with_noise(noise);
    const Search search(encoding, model, -0.5, {{0.2, 0.7}});
    const auto found = search.run(search.pool(search.raw_points(3, 7, 768)), 3, 7, {});
    const auto compared = search.rank(lattice(60));
    CHECK(found.front().log_improvement >= compared.front().log_improvement);
  }
}
