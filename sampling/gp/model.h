// SPDX-License-Identifier: Apache-2.0
//
// The Gaussian process: its hyperparameters, their posterior density, and the fitted model.
//
// Internal to sampling/. Built and changed by one thread; `predict` may be called by several at
// once.
//
// y ~ N(0, K + noise), K = s2 Matern-5/2(r) + 1/4, r^2 = sum_j d_j(x, x')^2 / l_j^2, with the
// distances d_j of numerics.h. The added quarter is the prior variance of a constant mean, so that
// its posterior is that of generalised least squares with a N(0, 1/4) prior (Rasmussen, Williams,
// "Gaussian processes for machine learning", 2006, sections 2.2, 2.7 and 5.4).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "sampling/gp/algebra.h"
#include "sampling/gp/points.h"

namespace hdrive::sampling::gp {

inline constexpr double kMeanVariance = 0.25;

struct Hyperparameters {
  std::vector<double> lengthscales;
  double scale = 1;     ///< s2
  double noise = 1e-4;  ///< sn2

  /// ln l, ln s2, ln sn2.
  std::vector<double> logarithms() const;
  static Hyperparameters from_logarithms(std::span<const double> logarithms);
  bool operator==(const Hyperparameters&) const = default;
};

/// The prior of the hyperparameters.
struct Prior {
  /// How far apart two values of a dimension, drawn at random, lie (root mean square), in units of
  /// a real dimension's. Lengthscales are expected in proportion, so that a category of five values
  /// is not taken for unrelated to the others from the start.
  std::vector<double> spreads;

  static Prior of_reals(std::size_t dimensions) { return {std::vector<double>(dimensions, 1.0)}; }
  std::size_t dimensions() const { return spreads.size(); }
  /// The lengthscale of a dimension that stands for 1 in the prior density.
  double stretch(std::size_t dimension) const;
  /// The modes.
  Hyperparameters typical() const;
};

/// k(x, x') = s2 Matern-5/2(r) + 1/4.
class Kernel {
 public:
  explicit Kernel(const Hyperparameters& hyperparameters)
      : scale_(hyperparameters.scale),
        inverse_squares_(vector(hyperparameters.lengthscales).array().square().inverse()) {}

  const VectorXd& inverse_squares() const { return inverse_squares_; }
  /// k(X, x), and, unless null, the slopes that derivatives are made of (numerics.h).
  void covariances(const Eigen::Ref<const MatrixXd>& x, const double* point, double* values,
                   double* slopes = nullptr) const;
  /// The lower triangle of k(X, X).
  void covariances(const Points& points, MatrixXd& k, MatrixXd* slopes = nullptr) const;
  /// k(X, X') of the first `n` rows of X.
  MatrixXd covariances(const Points& points, Eigen::Index n, const Points& others,
                       MatrixXd* slopes = nullptr) const;

 private:
  double scale_;
  VectorXd inverse_squares_;
};

/// What a model learns from: points and values, standardised, smaller is better. The variance of
/// value i about the function is sn2 `shares[i]` + `doubts[i]`.
struct Training {
  Points points;
  std::vector<double> values;
  std::vector<double> shares;  ///< 1; 1/k for the mean of k replicates
  std::vector<double> doubts;  ///< 0; more for a value that was not seen but inferred

  std::size_t size() const { return values.size(); }
  auto y() const { return vector(values); }
  /// The diagonal of the noise.
  VectorXd noises(double sn2) const { return sn2 * vector(shares) + vector(doubts); }
  void add(std::span<const double> point, double value, double share = 1, double doubt = 0) {
    points.add(point);
    values.push_back(value);
    shares.push_back(share);
    doubts.push_back(doubt);
  }
};

/// The negative logarithm of the posterior density of the hyperparameters (up to a constant) and
/// its gradient, over the logarithms of the hyperparameters.
class Posterior {
 public:
  Posterior(const Training& training, const Prior& prior) : training_(training), prior_(prior) {}

  /// NaN where the covariance is not positive definite.
  double operator()(std::span<const double> logarithms, std::vector<double>& gradient);

  /// The box within which the density is maximised.
  static void bounds(std::size_t dimensions, std::vector<double>& lower,
                     std::vector<double>& upper);

 private:
  bool factor(const Kernel& kernel, double noise);
  VectorXd likelihood_gradient(const Kernel& kernel, double noise, const VectorXd& alpha);

  const Training& training_;
  const Prior& prior_;
  MatrixXd k_, slopes_, inverse_;  // kept: memory of their size is slow to come by
};

struct FitOptions {
  int iterations = 15;
  std::optional<double> noise;  ///< kept at this
};
/// The mode of the posterior density nearest to `start`, with its value.
struct Fit {
  Hyperparameters hyperparameters;
  double value = 0;
};
Fit fit(const Training& training, const Prior& prior, const Hyperparameters& start,
        FitOptions options);

/// A Gaussian process conditioned on its training.
class Model {
 public:
  /// Nothing where no jitter up to 1e-4 s2 makes the covariance positive definite.
  static std::optional<Model> make(const Training& training, const Hyperparameters& hyperparameters,
                                   std::size_t room = 0);

  const Hyperparameters& hyperparameters() const { return hyperparameters_; }
  Eigen::Index size() const { return points_.matrix().rows(); }
  Eigen::Index dimensions() const { return points_.matrix().cols(); }
  std::span<const double> point(Eigen::Index row) const {
    return {points_.row(row), points_.dimensions()};
  }
  double jitter() const { return jitter_; }

  /// Conditions on a pending run as if it had reported the present mean there: the mean stays, the
  /// variance falls (the kriging believer: Ginsbourger, Le Riche, Carraro, "Kriging is well-suited
  /// to parallelize optimization", 2010). Its row, or nothing where the point adds nothing.
  std::optional<Eigen::Index> add_pending(std::span<const double> point);

  /// What a pending run came to after all: the mean follows, and with it what the other pending
  /// ones count as. The variance of `value` about the function is sn2 + `doubt`. To be called once,
  /// after all were added; costs little, since nothing is factored.
  void condition(Eigen::Index row, double value, double doubt);

  struct Prediction {
    double mean = 0;
    double variance = 0;  ///< of the function, without the noise
  };
  std::vector<Prediction> predict(const Points& points) const;
  Prediction predict(std::span<const double> point) const;

  /// Points made ready, so that their predictions cost little after a pending run was observed. In
  /// blocks.
  struct Prepared {
    struct Block {
      MatrixXd covariances;  ///< k(X, x), a column for each point x
      VectorXd variances;
    };
    std::vector<Block> blocks;
  };
  Prepared::Block prepare(const Points& points) const;
  std::vector<Prediction> predict(const Prepared::Block& block) const;

  /// With the gradients over the coordinates, a column for each point.
  struct Gradients {
    MatrixXd mean, variance;
  };
  std::vector<Prediction> predict(const Points& points, Gradients& gradients) const;

  /// The mean at training point i, or at the run that was observed, which costs nothing.
  double fitted(Eigen::Index row) const { return y_[row] - noises_[row] * alpha_[row]; }
  Eigen::Index observed() const { return observed_; }

  /// What the model predicts for each training point (pending ones excepted) from all others, with
  /// the noise: Rasmussen, Williams, equation 5.12.
  std::vector<Prediction> leave_one_out() const;

 private:
  Model(const Training& training, const Hyperparameters& hyperparameters, std::size_t room);
  bool factor(const Training& training, double jitter);

  /// L^-1 of the first n rows, of all where none is given.
  auto inverse(Eigen::Index n) const { return inverse_->topLeftCorner(n, n); }
  auto inverse() const { return inverse(size()); }
  double prior_variance() const { return hyperparameters_.scale + kMeanVariance; }
  Prediction prediction(double mean, double variance) const;

  Hyperparameters hyperparameters_;
  Kernel kernel_;
  Points points_;
  VectorXd y_, noises_;  ///< by row; zero for pending points
  Eigen::Index observed_ = 0;
  double jitter_ = 0;
  std::shared_ptr<MatrixXd> inverse_;  ///< L^-1; shared by copies until one adds more
  VectorXd alpha_;                     ///< K^-1 y, zero for pending points
  VectorXd doubted_;  ///< what a doubtful value explains less, as one more row of L^-1; or empty
};

}  // namespace hdrive::sampling::gp
