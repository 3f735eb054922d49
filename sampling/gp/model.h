// SPDX-License-Identifier: Apache-2.0
//
// The Gaussian process: its hyperparameters, their posterior density, and the fitted model.
//
// Internal to sampling/. Built and changed by one thread; `predict` may be called by several at
// once.
//
// y ~ N(0, K + noise), K = s2 Matern-5/2(r) + 1/4, r^2 = sum_j min((x_j - x'_j)^2, 1) / l_j^2. The
// added quarter is the prior variance of a constant mean, so that its posterior is that of
// generalised least squares with a N(0, 1/4) prior (Rasmussen, Williams, "Gaussian processes for
// machine learning", 2006, sections 2.2, 2.7 and 5.4). Unit differences stand for different
// categories; see encoding.h.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

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

  static Prior of_reals(int dimensions) {
    return {std::vector<double>(static_cast<std::size_t>(dimensions), 1.0)};
  }
  int dimensions() const { return static_cast<int>(spreads.size()); }
  /// The lengthscale of a dimension that stands for 1 in the prior density.
  double stretch(int dimension) const;
  /// The modes.
  Hyperparameters typical() const;
};

/// What a model learns from: points and values, standardised, smaller is better. The variance of
/// value i about the function is sn2 `shares[i]` + `doubts[i]`.
struct Training {
  Points points;
  std::vector<double> values;
  std::vector<double> shares;  ///< 1; 1/k for the mean of k replicates
  std::vector<double> doubts;  ///< 0; more for a value that was not seen but inferred

  int size() const { return points.size(); }
  double noise(int i, double sn2) const {
    return sn2 * shares[static_cast<std::size_t>(i)] + doubts[static_cast<std::size_t>(i)];
  }
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
  Posterior(const Training& training, const Prior& prior);

  /// NaN where the covariance is not positive definite.
  double operator()(std::span<const double> logarithms, std::vector<double>& gradient);

  /// The box within which the density is maximised.
  static void bounds(int dimensions, std::vector<double>& lower, std::vector<double>& upper);

 private:
  const Training& training_;
  const Prior& prior_;
  std::vector<double> factor_, inverse_, slopes_, diagonals_, scratch_, alpha_, weights_, sums_;
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
                                   int room = 0);

  const Hyperparameters& hyperparameters() const { return hyperparameters_; }
  int size() const { return points_.size(); }
  int dimensions() const { return points_.dimensions(); }
  std::span<const double> point(int row) const { return points_[row]; }
  double jitter() const { return jitter_; }

  /// Conditions on a pending run as if it had reported the present mean there: the mean stays, the
  /// variance falls (the kriging believer: Ginsbourger, Le Riche, Carraro, "Kriging is well-suited
  /// to parallelize optimization", 2010). Its row, or nothing where the point adds nothing.
  std::optional<int> add_pending(std::span<const double> point);

  /// What a pending run came to after all: the mean follows, and with it what the other pending
  /// ones count as. The variance of `value` about the function is sn2 + `doubt`. To be called once,
  /// after all were added; costs little, since nothing is factored.
  void resolve(int row, double value, double doubt);

  struct Prediction {
    double mean = 0;
    double variance = 0;  ///< of the function, without the noise
  };
  /// At `count` points given by columns (`points[j * stride + i]`); columns up to width_of(count)
  /// exist.
  void predict(const double* points, std::ptrdiff_t stride, int count, Prediction* out) const;
  Prediction predict(std::span<const double> point) const;

  /// Points made ready, so that their predictions cost little after a pending run was resolved. In
  /// blocks of columns.
  struct Prepared {
    struct Block {
      int count = 0;
      std::vector<double> covariances;  ///< a row for each of the model's, width_of(count) wide
      std::vector<double> variances;
    };
    std::vector<Block> blocks;
  };
  Prepared::Block prepare(const double* points, std::ptrdiff_t stride, int count) const;
  void predict(const Prepared::Block& block, Prediction* out) const;

  /// With the gradients over the coordinates, `count` x dimensions each.
  void predict(const double* points, std::ptrdiff_t stride, int count, Prediction* out,
               double* mean_gradients, double* variance_gradients) const;

  /// The mean at training point i, or at the run that was resolved, which costs nothing.
  double fitted(int row) const {
    const auto i = static_cast<std::size_t>(row);
    return values_[i] - noises_[i] * alpha_[i];
  }
  int observed() const { return observed_; }

  /// What the model predicts for each training point (pending ones excepted) from all others, with
  /// the noise: Rasmussen, Williams, equation 5.12.
  std::vector<Prediction> leave_one_out() const;

 private:
  Model(const Training& training, const Hyperparameters& hyperparameters, int room);
  bool factor(const Training& training, double jitter);

  KernelParameters kernel() const;
  double solve(const std::vector<double>& right, std::vector<double>& solution) const;
  std::vector<double> covariances(std::span<const double> point, int n) const;
  double overstated(const double* covariance, int width, int column) const;
  std::size_t at(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(ld_) +
           static_cast<std::size_t>(column);
  }

  Hyperparameters hyperparameters_;
  std::vector<double> inverse_squares_;
  Points points_;
  std::vector<double> values_, noises_;  ///< by row; zero for pending points
  int observed_ = 0;
  int ld_ = 0;
  double jitter_ = 0;
  std::shared_ptr<std::vector<double>> inverse_;  ///< L^-1; shared by copies until one adds more
  std::vector<double> alpha_;                     ///< K^-1 y, zero for pending points
  std::vector<double> doubted_;  ///< what a doubtful value explains less, as one more row of L^-1
};

}  // namespace hdrive::sampling::gp
