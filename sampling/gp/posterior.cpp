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

std::size_t count(int n) { return static_cast<std::size_t>(n); }

// Gamma densities, of shape and rate, over the hyperparameters themselves.
struct GammaPrior {
  double shape;
  double rate;
  double log_density(double x) const { return (shape - 1) * std::log(x) - rate * x; }
  double slope_over_logarithm(double x) const { return shape - 1 - rate * x; }
  double mode() const { return (shape - 1) / rate; }
};
constexpr GammaPrior kLengthscale{3, 6};
constexpr GammaPrior kScale{2, 1};
// Little noise, unless the values say otherwise: what looks like noise is more often a function of
// a smaller scale.
constexpr GammaPrior kNoise{1.1, 30};

struct Range {
  double lower, upper;
};
constexpr Range kLengthscales{0.02, 50}, kScales{0.05, 20}, kNoises{1e-6, 1};
// Typical noise: little, for a start within reach of none and of much.
constexpr double kTypicalNoise = 1e-3;

}  // namespace

// Distances grow with the root of the dimensions, and so must lengthscales (Hvarfner, Hellsten,
// Nardi, "Vanilla Bayesian optimization performs great in high dimensions", ICML 2024).
double Prior::stretch(int dimension) const {
  return spreads[count(dimension)] * std::max(1.0, std::sqrt(dimensions() / 6.0));
}

Hyperparameters Prior::typical() const {
  Hyperparameters result{{}, 1.0, kTypicalNoise};
  for (int j = 0; j < dimensions(); ++j)
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

Posterior::Posterior(const Training& training, const Prior& prior)
    : training_(training), prior_(prior) {
  const std::size_t ld = count(padded(training.size())), n = count(training.size());
  factor_.resize(n * ld);
  inverse_.resize(ld * ld);
  slopes_.resize(n * ld);
  diagonals_.resize((n + kDiagonal - 1) / kDiagonal * kDiagonal * kDiagonal);
  scratch_.resize(ld * kDiagonal);
  alpha_.resize(n * kPad);
  weights_.resize(std::max(ld, n * kPad));
  sums_.resize(count(training.points.dimensions()));
}

double Posterior::operator()(std::span<const double> logarithms, std::vector<double>& gradient) {
  const Numerics& numbers = numerics();
  const int n = training_.size(), d = training_.points.dimensions(), ld = padded(n);
  const Hyperparameters theta = Hyperparameters::from_logarithms(logarithms);
  std::vector<double> squares;
  for (const double l : theta.lengthscales) squares.push_back(1 / (l * l));
  const KernelParameters kernel{d, squares.data(), theta.scale, kMeanVariance};
  const Points& points = training_.points;
  gradient.assign(logarithms.size(), 0.0);

  for (int i = 0; i < n; ++i) {
    double* row = factor_.data() + count(i) * count(ld);
    numbers.kernel_row(kernel, points.row(i), points.columns(), points.stride(), i + 1, row,
                       slopes_.data() + count(i) * count(ld));
    row[i] += training_.noise(i, theta.noise);
  }
  // The trace of a derivative with K^-1 needs the covariance itself again: s2 dK/ds2 = K - 1/4 -
  // noise, of which the sum over M = alpha alpha' - K^-1 is known without keeping K.
  if (!numbers.cholesky(factor_.data(), ld, n, diagonals_.data(), scratch_.data()))
    return std::numeric_limits<double>::quiet_NaN();
  numbers.invert(factor_.data(), ld, n, diagonals_.data(), inverse_.data());
  for (int i = 0; i < n; ++i) weights_[count(i) * kPad] = training_.values[count(i)];
  numbers.multiply(inverse_.data(), ld, n, weights_.data(), kPad, 1, alpha_.data());
  double value = 0;
  for (int i = 0; i < n; ++i) {
    const double whitened = alpha_[count(i) * kPad];
    value += 0.5 * whitened * whitened - std::log(inverse_[count(i) * count(ld) + count(i)]);
  }
  numbers.multiply_transposed(inverse_.data(), ld, n, alpha_.data(), kPad, 1, weights_.data());
  std::vector<double> alpha(count(n));
  for (int i = 0; i < n; ++i) alpha[count(i)] = weights_[count(i) * kPad];

  std::vector<double>& precision = factor_;
  numbers.gram(inverse_.data(), ld, n, precision.data());
  std::fill(sums_.begin(), sums_.end(), 0.0);
  double all = 0, noise_part = 0, doubt_part = 0, fitted = 0;
  for (int i = 0; i < n; ++i) {
    const double* inverse_row = precision.data() + count(i) * count(ld);
    const double* slope_row = slopes_.data() + count(i) * count(ld);
    double below = 0;
    for (int b = 0; b < i; ++b) {
      const double m = alpha[count(i)] * alpha[count(b)] - inverse_row[b];
      below += m;
      weights_[count(b)] = m * slope_row[b];
    }
    const double diagonal = alpha[count(i)] * alpha[count(i)] - inverse_row[i];
    all += 2 * below + diagonal;
    noise_part += diagonal * theta.noise * training_.shares[count(i)];
    doubt_part += diagonal * training_.doubts[count(i)];
    fitted += alpha[count(i)] * training_.values[count(i)];
    numbers.distance_sums(d, points.row(i), points.columns(), points.stride(), i, weights_.data(),
                          sums_.data());
  }
  // sum M o K = y'alpha - n.
  const double scale_part = fitted - n - kMeanVariance * all - noise_part - doubt_part;

  for (int j = 0; j < d; ++j) {
    const double l = theta.lengthscales[count(j)] / prior_.stretch(j);
    value -= kLengthscale.log_density(l);
    gradient[count(j)] =
        -5.0 / 3.0 * squares[count(j)] * sums_[count(j)] - kLengthscale.slope_over_logarithm(l);
  }
  value -= kScale.log_density(theta.scale) + kNoise.log_density(theta.noise);
  gradient[count(d)] = -0.5 * scale_part - kScale.slope_over_logarithm(theta.scale);
  gradient[count(d + 1)] = -0.5 * noise_part - kNoise.slope_over_logarithm(theta.noise);
  return value;
}

void Posterior::bounds(int dimensions, std::vector<double>& lower, std::vector<double>& upper) {
  lower.assign(count(dimensions), std::log(kLengthscales.lower));
  upper.assign(count(dimensions), std::log(kLengthscales.upper));
  for (const Range& range : {kScales, kNoises}) {
    lower.push_back(std::log(range.lower));
    upper.push_back(std::log(range.upper));
  }
}

Fit fit(const Training& training, const Prior& prior, const Hyperparameters& start,
        FitOptions options) {
  std::vector<double> lower, upper, gradient;
  Posterior::bounds(training.points.dimensions(), lower, upper);
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
