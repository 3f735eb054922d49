// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "sampling/gp/lbfgs.h"
#include "tests/catch.h"
#include "tests/unit/sampling/gp_support.h"

using namespace hdrive;
using namespace hdrive::sampling::gp;

namespace {

using Dense = std::vector<std::vector<double>>;

// Of two coordinates, of which -1 stands for an absent one and whole numbers for categories.
double squared_distance(double a, double b) {
  if (a == b) return 0;
  if (a != -1 && b != -1) return std::min((a - b) * (a - b), 1.0);
  const double there = std::max(a, b);
  return there <= 1 ? 0.75 + (there - 0.5) * (there - 0.5) : 1;
}

double kernel(const Hyperparameters& theta, std::span<const double> a, std::span<const double> b) {
  double square = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    const double l = theta.lengthscales[j];
    square += squared_distance(a[j], b[j]) / (l * l);
  }
  const double root = std::sqrt(5 * square);
  return theta.scale * (1 + root + root * root / 3) * std::exp(-root) + kMeanVariance;
}

// Solves A x = b by elimination with pivots.
std::vector<double> solve(Dense a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < n; ++i)
      if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
    std::swap(a[k], a[pivot]);
    std::swap(b[k], b[pivot]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j < n; ++j) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
  return b;
}

// The textbook's prediction at a point, with row `left_out` of the training left out.
Model::Prediction textbook(const Training& training, const Hyperparameters& theta,
                           std::span<const double> point,
                           std::optional<std::size_t> left_out = {}) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < training.size(); ++i)
    if (i != left_out) rows.push_back(i);
  Dense covariance;
  std::vector<double> values, cross;
  const VectorXd noises = training.noises(theta.noise);
  for (const std::size_t i : rows) {
    covariance.emplace_back();
    for (const std::size_t k : rows)
      covariance.back().push_back(kernel(theta, training.points[i], training.points[k]) +
                                  (i == k ? noises[static_cast<Eigen::Index>(i)] : 0));
    values.push_back(training.values[i]);
    cross.push_back(kernel(theta, training.points[i], point));
  }
  const auto alpha = solve(covariance, values), explained = solve(covariance, cross);
  Model::Prediction result{0, theta.scale + kMeanVariance};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    result.mean += cross[i] * alpha[i];
    result.variance -= cross[i] * explained[i];
  }
  return result;
}

}  // namespace

TEST_CASE("Predictions are those of the textbook, whatever the size") {
  for (const int n : {1, 2, 15, 16, 17, 33, 64, 97, 130}) {
    INFO(n);
    const Training training = random_training(n, 4);
    const Hyperparameters theta = random_hyperparameters(4);
    const auto model = Model::make(training, theta);
    REQUIRE(model);
    RandomStream random(5, 0, 0);
    for (int i = 0; i < 5; ++i) {
      const auto point = random_point(4, random);
      const auto expected = textbook(training, theta, point), got = model->predict(point);
      CHECK(got.mean == Approx(expected.mean).epsilon(1e-9).margin(1e-10));
      CHECK(got.variance == Approx(expected.variance).epsilon(1e-8).margin(1e-10));
    }
  }
}

TEST_CASE("Leave-one-out predictions are those without the point") {
  const Training training = random_training(40, 3);
  const Hyperparameters theta = random_hyperparameters(3);
  const auto model = Model::make(training, theta);
  REQUIRE(model);
  const auto predictions = model->leave_one_out();
  const VectorXd noises = training.noises(theta.noise);
  for (std::size_t i = 0; i < training.size(); ++i) {
    const auto expected = textbook(training, theta, training.points[i], i);
    const auto& got = predictions[i];
    CHECK(got.mean == Approx(expected.mean).epsilon(1e-8).margin(1e-9));
    CHECK(got.variance == Approx(expected.variance + noises[static_cast<Eigen::Index>(i)])
                              .epsilon(1e-8)
                              .margin(1e-9));
  }
}

TEST_CASE("The mean at a training point is that of a prediction there") {
  const Training training = random_training(50, 3);
  const auto model = Model::make(training, random_hyperparameters(3));
  REQUIRE(model);
  for (Eigen::Index i = 0; i < model->size(); ++i)
    CHECK(model->fitted(i) == Approx(model->predict(model->point(i)).mean).margin(1e-9));
}

TEST_CASE("Believing in pending runs is refactoring with the present mean, to 1e-8") {
  const int d = 3;
  for (const int n : {1, 15, 40, 100}) {
    INFO(n);
    Training training = random_training(n, d);
    const Hyperparameters theta = random_hyperparameters(d);
    auto model = Model::make(training, theta, 20);
    REQUIRE(model);
    RandomStream random(5, 0, 0);
    for (int i = 0; i < 20; ++i) {
      const auto pending = random_point(d, random);
      const double mean = model->predict(pending).mean;
      REQUIRE(model->add_pending(pending));
      training.add(pending, mean);
    }
    const auto whole = Model::make(training, theta);
    REQUIRE(whole);
    for (int i = 0; i < 20; ++i) {
      const auto point = random_point(d, random);
      const auto expected = whole->predict(point), got = model->predict(point);
      CHECK(std::abs(got.mean - expected.mean) < 1e-8);
      CHECK(std::abs(got.variance - expected.variance) < 1e-8);
    }
  }
}

TEST_CASE(
    "Resolving a pending run is conditioning on its value, and on the others at their new means") {
  const int d = 3;
  for (const double doubt : {0.0, 0.1})
    for (const std::size_t which : {0, 2, 4}) {
      INFO(doubt << " " << which);
      Training training = random_training(40, d);
      const Hyperparameters theta = random_hyperparameters(d);
      auto model = Model::make(training, theta, 5);
      REQUIRE(model);
      RandomStream random(5, 0, 0);
      std::vector<std::vector<double>> pending;
      std::vector<Eigen::Index> rows;
      for (int i = 0; i < 5; ++i) {
        pending.push_back(random_point(d, random));
        rows.push_back(model->add_pending(pending.back()).value());
      }
      const auto block_point = random_point(d, random);
      Points single(d, 1);
      single.add(block_point);
      const auto block = model->prepare(single);

      model->condition(rows[which], -1.5, doubt);
      training.add(pending[which], -1.5, 1, doubt);
      auto whole = Model::make(training, theta, 4);
      REQUIRE(whole);
      for (std::size_t i = 0; i < 5; ++i)
        if (i != which) REQUIRE(whole->add_pending(pending[i]));

      const auto close = [](const Model::Prediction& a, const Model::Prediction& b) {
        CHECK(std::abs(a.mean - b.mean) < 1e-8);
        CHECK(std::abs(a.variance - b.variance) < 1e-8);
      };
      close(model->predict(block).front(), whole->predict(block_point));
      CHECK(model->fitted(rows[which]) == Approx(whole->fitted(40)).margin(1e-8));
      CHECK(model->fitted(7) == Approx(whole->fitted(7)).margin(1e-8));
      Model::Gradients got_over, expected_over;
      for (int i = 0; i < 10; ++i) {
        Points points(d, 1);
        points.add(random_point(d, random));
        close(model->predict(points, got_over).front(),
              whole->predict(points, expected_over).front());
        CHECK((got_over.mean - expected_over.mean).cwiseAbs().maxCoeff() < 1e-7);
        CHECK((got_over.variance - expected_over.variance).cwiseAbs().maxCoeff() < 1e-7);
      }
    }
}

TEST_CASE("Duplicates without noise are held by jitter, and hundreds of them are") {
  Training training = random_training(5, 2);
  const std::vector<double> point{0.5, 0.5};
  for (int i = 0; i < 500; ++i) training.add(point, 0.3);
  Hyperparameters theta = random_hyperparameters(2);
  theta.noise = 0;
  const auto model = Model::make(training, theta);
  REQUIRE(model);
  CHECK(model->predict(point).mean == Approx(0.3).margin(1e-3));
}

TEST_CASE("Every level of the architecture that runs here gives nearly the same numbers") {
  const Training training = random_training(100, 5);
  const std::vector<double> squares(5, 4.0);
  const KernelParameters kernel{squares.data(), 1.0, 0.25};
  const auto inverse_and_sums = [&](const Numerics& numbers) {
    const auto x = training.points.matrix();
    MatrixXd k(100, 100), slopes(100, 100), inverse = MatrixXd::Zero(100, 100);
    for (int i = 0; i < 100; ++i)
      numbers.covariances(kernel, training.points.row(i), input(x), k.col(i).data(),
                          slopes.col(i).data());
    k.diagonal().array() += 0.01;
    REQUIRE(numbers.cholesky(output(k)));
    numbers.invert(input(k), output(inverse));
    VectorXd sums = VectorXd::Zero(5);
    numbers.distance_sums(training.points.row(0), input(x), slopes.col(0).data(), sums.data());
    numbers.difference_sums(training.points.row(0), input(x), slopes.col(0).data(), sums.data());
    return std::pair(inverse, sums);
  };
  const auto base = inverse_and_sums(x86_64::table()), best = inverse_and_sums(numerics());
  CHECK((base.first - best.first).cwiseAbs().maxCoeff() < 1e-9);
  CHECK((base.second - best.second).cwiseAbs().maxCoeff() < 1e-9);
}

TEST_CASE("The triangular algebra is that of whole matrices") {
  for (const int n : {1, 2, 7, 24, 25, 63, 130}) {
    INFO(n);
    const MatrixXd random = MatrixXd::Random(n, n);
    const MatrixXd k = random * random.transpose() + MatrixXd::Identity(n, n);
    MatrixXd l = k, inverse = MatrixXd::Zero(n, n), product = MatrixXd::Zero(n, n);
    REQUIRE(numerics().cholesky(output(l)));
    numerics().invert(input(l), output(inverse));
    numerics().gram(input(inverse), output(product));
    const MatrixXd lower = l.triangularView<Eigen::Lower>();
    CHECK((lower * lower.transpose() - k).cwiseAbs().maxCoeff() < 1e-9);
    CHECK((inverse * lower - MatrixXd::Identity(n, n)).cwiseAbs().maxCoeff() < 1e-9);
    const MatrixXd precision = product.selfadjointView<Eigen::Lower>();
    CHECK((precision * k - MatrixXd::Identity(n, n)).cwiseAbs().maxCoeff() < 1e-9);
    const MatrixXd b = MatrixXd::Random(n, 5);
    CHECK((times(l, b) - lower * b).cwiseAbs().maxCoeff() < 1e-12);
    CHECK((transposed_times(l, b) - lower.transpose() * b).cwiseAbs().maxCoeff() < 1e-12);
  }
}

TEST_CASE("A covariance that is not positive definite is refused") {
  MatrixXd matrix = MatrixXd::Ones(40, 40);
  CHECK_FALSE(numerics().cholesky(output(matrix)));
  matrix.setOnes();
  matrix(0, 0) = std::nan("");
  CHECK_FALSE(numerics().cholesky(output(matrix)));
}

TEST_CASE("The mode of the hyperparameters tells what matters from what does not") {
  RandomStream random(1, 0, 0);
  Training training{Points(3), {}, {}, {}};
  for (int i = 0; i < 60; ++i) {
    const auto point = random_point(3, random);
    training.add(point, 2 * std::sin(6 * point[1]));
  }
  const Fit found =
      fit(training, Prior::of_reals(3), Prior::of_reals(3).typical(), {60, std::nullopt});
  const auto& l = found.hyperparameters.lengthscales;
  CHECK(l[1] < 0.5 * l[0]);
  CHECK(l[1] < 0.5 * l[2]);
  CHECK(found.hyperparameters.noise < 1e-3);
}

TEST_CASE("The minimiser finds a minimum inside the box, and one on its edge") {
  // Rosenbrock's valley, whose minimum is (1, 1).
  const auto minimum = [](double upper) {
    Lbfgs::Options options;
    options.iterations = 200;
    options.gradient = 1e-8;
    Lbfgs search({-2, -2}, {upper, upper}, {-1.2, 1}, options);
    while (!search.done()) {
      const double a = search.trial()[0], b = search.trial()[1];
      search.tell(100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a),
                  {-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)});
    }
    return search.best();
  };
  CHECK(minimum(2)[0] == Approx(1).epsilon(1e-5));
  CHECK(minimum(2)[1] == Approx(1).epsilon(1e-5));
  CHECK(minimum(0.5)[0] == Approx(0.5).epsilon(1e-5));
  CHECK(minimum(0.5)[1] == Approx(0.25).epsilon(1e-4));
}

TEST_CASE("A minimiser that is told nothing but NaN stops where it started") {
  Lbfgs search({0, 0}, {1, 1}, {0.3, 0.4}, {});
  while (!search.done()) search.tell(std::nan(""), {0, 0});
  CHECK(search.best() == std::vector<double>{0.3, 0.4});
}
