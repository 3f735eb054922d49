// SPDX-License-Identifier: Apache-2.0
//
// Every gradient against central differences.
#include <cmath>

#include "sampling/gp/special.h"
#include "tests/catch.h"
#include "tests/unit/sampling/gp_support.h"

using namespace hdrive;
using namespace hdrive::sampling::gp;

namespace {

void check_posterior(const Training& training) {
  const std::size_t d = training.points.dimensions();
  const Prior prior = Prior::of_reals(d);
  Posterior posterior(training, prior);
  std::vector<double> at = random_hyperparameters(d).logarithms();
  std::vector<double> gradient, unused;
  posterior(at, gradient);
  for (std::size_t i = 0; i < at.size(); ++i) {
    constexpr double kStep = 1e-5;
    std::vector<double> moved = at;
    moved[i] = at[i] + kStep;
    const double above = posterior(moved, unused);
    moved[i] = at[i] - kStep;
    const double below = posterior(moved, unused);
    CHECK(gradient[i] == Approx((above - below) / (2 * kStep)).epsilon(1e-5).margin(1e-5));
  }
}

}  // namespace

TEST_CASE("The gradient of the hyperparameters' density is that of its values") {
  for (const int d : {1, 2, 3, 5, 10, 20}) {
    INFO(d);
    check_posterior(random_training(30, d));
  }
}

TEST_CASE("It is so with duplicates and with few points") {
  Training training = random_training(10, 3);
  const auto first = training.points[0];
  const std::vector<double> again(first.begin(), first.end());
  for (int i = 0; i < 20; ++i) training.add(again, 0.1 * i);
  check_posterior(training);
  for (const int n : {1, 2, 3}) check_posterior(random_training(n, 2));
}

TEST_CASE("The gradients of mean and variance are those of their values") {
  for (const std::size_t d : {1, 2, 3, 7, 20}) {
    INFO(d);
    const Training training = random_training(40, d);
    auto model = Model::make(training, random_hyperparameters(d), 3);
    REQUIRE(model);
    RandomStream random(9, 0, 0);
    REQUIRE(model->add_pending(random_point(d, random)));
    Points points(d, 5);
    for (int i = 0; i < 5; ++i) points.add(random_point(d, random));
    Model::Gradients over;
    const auto predictions = model->predict(points, over);
    for (std::size_t i = 0; i < 5; ++i) {
      const std::vector<double> here(points[i].begin(), points[i].end());
      const auto same = model->predict(here);
      CHECK(predictions[i].mean == Approx(same.mean));
      CHECK(predictions[i].variance == Approx(same.variance));
      for (std::size_t j = 0; j < d; ++j) {
        if (j == kCategory) continue;
        constexpr double kStep = 1e-5;
        std::vector<double> moved = here;
        moved[j] = here[j] + kStep;
        const auto above = model->predict(moved);
        moved[j] = here[j] - kStep;
        const auto below = model->predict(moved);
        const auto row = static_cast<Eigen::Index>(j);
        CHECK(over.mean(row, i) ==
              Approx((above.mean - below.mean) / (2 * kStep)).epsilon(1e-5).margin(1e-7));
        CHECK(over.variance(row, i) ==
              Approx((above.variance - below.variance) / (2 * kStep)).epsilon(1e-5).margin(1e-7));
      }
    }
  }
}

TEST_CASE("The gradient of expected improvement over mean and deviation is that of its values") {
  // As the search puts it together: d logEI / d mean = -Phi / (h s), d logEI / d s = phi / (h s).
  const auto log_improvement = [](double mean, double deviation) {
    return std::log(deviation) + log_h(-mean / deviation).value;
  };
  for (const double mean : {-2.0, 0.0, 0.5, 3.0, 40.0})
    for (const double deviation : {0.01, 0.3, 2.0}) {
      const LogH h = log_h(-mean / deviation);
      const double step = 1e-6 * deviation;
      const double over_mean =
          (log_improvement(mean + step, deviation) - log_improvement(mean - step, deviation)) /
          (2 * step);
      const double over_deviation =
          (log_improvement(mean, deviation + step) - log_improvement(mean, deviation - step)) /
          (2 * step);
      CHECK(-h.cumulative / deviation == Approx(over_mean).epsilon(1e-4).margin(1e-6));
      CHECK(h.density / deviation == Approx(over_deviation).epsilon(1e-4).margin(1e-6));
    }
}
