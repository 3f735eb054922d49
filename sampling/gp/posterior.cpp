// SPDX-License-Identifier: Apache-2.0
//
// The posterior density of the hyperparameters, and its mode.
#include <algorithm>
#include <cmath>
#include <limits>

#include "sampling/gp/lbfgs.h"
#include "sampling/gp/model.h"

namespace hdrive::sampling::gp {
namespace {

// Gamma densities, of shape and rate, over the hyperparameters themselves.
struct GammaPrior {
  double shape;
  double rate;
  double log_density(double x) const { return (shape - 1) * std::log(x) - rate * x; }
  double slope_over_logarithm(double x) const { return shape - 1 - rate * x; }
  double mode() const { return (shape - 1) / rate; }
};
// Half the range and more: what people tune improves towards a bound more often than not.
constexpr GammaPrior kLengthscale{3, 3};
constexpr GammaPrior kScale{2, 1};
// Little noise, but some, unless the values say otherwise: a step that the model had to follow to the
// last digit would make it swing far beyond on both sides, and be searched for nothing.
constexpr GammaPrior kNoise{2, 50};

struct Range {
  double lower, upper;
};
constexpr Range kLengthscales{0.02, 50}, kScales{0.05, 20}, kNoises{1e-6, 1};
// Typical noise: little, for a start within reach of none and of much.
constexpr double kTypicalNoise = 1e-3;

}  // namespace

// Distances grow with the root of the dimensions, and so must lengthscales (Hvarfner, Hellsten,
// Nardi, "Vanilla Bayesian optimization performs great in high dimensions", ICML 2024).
double Prior::stretch(std::size_t dimension) const {
  return spreads[dimension] * std::max(1.0, std::sqrt(static_cast<double>(dimensions()) / 6.0));
}

Hyperparameters Prior::typical() const {
  Hyperparameters result{{}, 1.0, kTypicalNoise};
  for (std::size_t j = 0; j < dimensions(); ++j)
    result.lengthscales.push_back(kLengthscale.mode() * stretch(j));
  return result;
}

std::vector<double> Hyperparameters::logarithms() const {
  std::vector<double> result;
  for (const double l : lengthscales) result.push_back(std::log(l));
  result.push_back(std::log(scale));
  result.push_back(std::log(noise));
  return result;
}

Hyperparameters Hyperparameters::from_logarithms(std::span<const double> logarithms) {
  Hyperparameters result;
  for (const double l : logarithms.first(logarithms.size() - 2))
    result.lengthscales.push_back(std::exp(l));
  result.scale = std::exp(logarithms[logarithms.size() - 2]);
  result.noise = std::exp(logarithms[logarithms.size() - 1]);
  return result;
}

double Posterior::operator()(std::span<const double> logarithms, std::vector<double>& gradient) {
  const Hyperparameters theta = Hyperparameters::from_logarithms(logarithms);
  const Kernel kernel(theta);
  if (!factor(kernel, theta.noise)) return std::numeric_limits<double>::quiet_NaN();
  const VectorXd whitened = times(inverse_, training_.y());
  const VectorXd alpha = transposed_times(inverse_, whitened);
  double value = 0.5 * whitened.squaredNorm() - inverse_.diagonal().array().log().sum();
  gradient.resize(logarithms.size());
  vector(gradient) = likelihood_gradient(kernel, theta.noise, alpha);

  const std::size_t d = theta.lengthscales.size();
  for (std::size_t j = 0; j < d; ++j) {
    const double l = theta.lengthscales[j] / prior_.stretch(j);
    value -= kLengthscale.log_density(l);
    gradient[j] -= kLengthscale.slope_over_logarithm(l);
  }
  value -= kScale.log_density(theta.scale) + kNoise.log_density(theta.noise);
  gradient[d] -= kScale.slope_over_logarithm(theta.scale);
  gradient[d + 1] -= kNoise.slope_over_logarithm(theta.noise);
  return value;
}

// The kernel's slopes, and L^-1 of K + noise = L L'.
bool Posterior::factor(const Kernel& kernel, double noise) {
  kernel.covariances(training_.points, k_, &slopes_);
  k_.diagonal() += training_.noises(noise);
  if (!numerics().cholesky(output(k_))) return false;
  inverse_.resize(k_.rows(), k_.cols());
  numerics().invert(input(k_), output(inverse_));
  return true;
}

// With M = alpha alpha' - K^-1 the derivative of -ln p(y) over a hyperparameter t is -1/2 tr(M dK/dt) (Rasmussen,
// Williams, equation 5.9). For the lengthscales dK/dl holds the slopes and the squared distances; of K itself the
// sum is known without keeping it: sum(M o K) = y'alpha - n.
VectorXd Posterior::likelihood_gradient(const Kernel& kernel, double noise, const VectorXd& alpha) {
  const Eigen::Index n = k_.rows(), d = kernel.inverse_squares().size();
  numerics().gram(input(inverse_), output(k_));  // K^-1
  VectorXd distances = VectorXd::Zero(d), weights(n);
  double all = 0;  // sum(M)
  for (Eigen::Index i = 0; i + 1 < n; ++i) {
    const Eigen::Index below = n - i - 1;
    weights.head(below) = alpha[i] * alpha.tail(below) - k_.col(i).tail(below);
    all += 2 * weights.head(below).sum();
    weights.head(below).array() *= slopes_.col(i).tail(below).array();
    numerics().distance_sums(training_.points.row(i),
                             input(training_.points.matrix().bottomRows(below)), weights.data(),
                             distances.data());
  }
  const VectorXd diagonal = alpha.cwiseAbs2() - k_.diagonal();
  all += diagonal.sum();
  const VectorXd noises = training_.noises(noise);
  const double noise_part = diagonal.dot(noises - training_.noises(0));
  const double scale_part = training_.y().dot(alpha) - static_cast<double>(n) -
                            kMeanVariance * all - diagonal.dot(noises);

  VectorXd gradient(d + 2);
  gradient.head(d) = (-5.0 / 3.0 * kernel.inverse_squares()).cwiseProduct(distances);
  gradient[d] = -0.5 * scale_part;
  gradient[d + 1] = -0.5 * noise_part;
  return gradient;
}

void Posterior::bounds(std::size_t dimensions, std::vector<double>& lower,
                       std::vector<double>& upper) {
  lower.assign(dimensions, std::log(kLengthscales.lower));
  upper.assign(dimensions, std::log(kLengthscales.upper));
  for (const Range& range : {kScales, kNoises}) {
    lower.push_back(std::log(range.lower));
    upper.push_back(std::log(range.upper));
  }
}

Fit fit(const Training& training, const Prior& prior, const Hyperparameters& start,
        FitOptions options) {
  std::vector<double> lower, upper, gradient;
  Posterior::bounds(prior.dimensions(), lower, upper);
  if (options.noise) lower.back() = upper.back() = std::log(*options.noise);
  Lbfgs::Options settings;
  settings.iterations = options.iterations;
  settings.first_step = 0.5;
  Lbfgs search(lower, upper, start.logarithms(), settings);
  Posterior posterior(training, prior);
  while (!search.done()) {
    const double value = posterior(search.trial(), gradient);
    search.tell(value, gradient);
  }
  return {Hyperparameters::from_logarithms(search.best()), search.best_value()};
}

}  // namespace hdrive::sampling::gp
