// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/model.h"

#include <algorithm>
#include <cmath>

namespace hdrive::sampling::gp {
namespace {

constexpr double kJitters[] = {0, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4};
// Relative to s2: a variance below it is rounding.
constexpr double kLeastVariance = 1e-12;

std::size_t count(int n) { return static_cast<std::size_t>(n); }

std::vector<double> inverse_squares(std::span<const double> lengthscales) {
  std::vector<double> result;
  for (const double l : lengthscales) result.push_back(1 / (l * l));
  return result;
}

std::size_t diagonal_numbers(int n) {
  return count((n + kDiagonal - 1) / kDiagonal) * kDiagonal * kDiagonal;
}

}  // namespace

Model::Model(const Training& training, const Hyperparameters& hyperparameters, int room)
    : hyperparameters_(hyperparameters),
      inverse_squares_(inverse_squares(hyperparameters.lengthscales)),
      points_(training.points.dimensions(), training.size() + room),
      values_(training.values),
      observed_(training.size()),
      ld_(padded(training.size() + room)) {
  for (int i = 0; i < training.size(); ++i) points_.add(training.points[i]);
}

KernelParameters Model::kernel() const {
  return {points_.dimensions(), inverse_squares_.data(), hyperparameters_.scale, kMeanVariance};
}

std::optional<Model> Model::make(const Training& training, const Hyperparameters& hyperparameters,
                                 int room) {
  Model model(training, hyperparameters, room);
  for (const double jitter : kJitters)
    if (model.factor(training, jitter * hyperparameters.scale)) return model;
  return std::nullopt;
}

bool Model::factor(const Training& training, double jitter) {
  const Numerics& numbers = numerics();
  const int n = observed_;
  jitter_ = jitter;
  std::vector<double> matrix(count(n) * count(ld_));
  for (int i = 0; i < n; ++i) {
    double* row = matrix.data() + at(i, 0);
    numbers.kernel_row(kernel(), points_.row(i), points_.columns(), points_.stride(), i + 1, row,
                       nullptr);
    row[i] += training.noise(i, hyperparameters_.noise) + jitter;
  }
  std::vector<double> diagonals(diagonal_numbers(n)), scratch(count(padded(n)) * kDiagonal);
  if (!numbers.cholesky(matrix.data(), ld_, n, diagonals.data(), scratch.data())) return false;
  inverse_.assign(count(ld_) * count(ld_), 0.0);
  numbers.invert(matrix.data(), ld_, n, diagonals.data(), inverse_.data());

  std::vector<double> right(count(n) * kPad), solved(count(n) * kPad);
  for (int i = 0; i < n; ++i) right[count(i) * kPad] = values_[count(i)];
  numbers.multiply(inverse_.data(), ld_, n, right.data(), kPad, 1, solved.data());
  numbers.multiply_transposed(inverse_.data(), ld_, n, solved.data(), kPad, 1, right.data());
  alpha_.assign(count(ld_), 0.0);
  for (int i = 0; i < n; ++i) alpha_[count(i)] = right[count(i) * kPad];
  fitted_.clear();
  for (int i = 0; i < n; ++i)
    fitted_.push_back(values_[count(i)] -
                      (training.noise(i, hyperparameters_.noise) + jitter) * alpha_[count(i)]);
  return std::all_of(alpha_.begin(), alpha_.end(), [](double a) { return std::isfinite(a); });
}

bool Model::believe(std::span<const double> point) {
  const int n = size();
  if (n == ld_) return false;
  const Numerics& numbers = numerics();
  Points single(dimensions(), 1);
  single.add(point);
  std::vector<double> covariance(count(n) * kPad), row(count(n) * kPad), back(count(n) * kPad);
  for (int i = 0; i < n; ++i)
    numbers.kernel_row(kernel(), points_.row(i), single.columns(), single.stride(), 1,
                       covariance.data() + count(i) * kPad, nullptr);
  numbers.multiply(inverse_.data(), ld_, n, covariance.data(), kPad, 1, row.data());
  numbers.multiply_transposed(inverse_.data(), ld_, n, row.data(), kPad, 1, back.data());
  double left = hyperparameters_.scale + kMeanVariance + hyperparameters_.noise + jitter_;
  for (int i = 0; i < n; ++i) left -= row[count(i) * kPad] * row[count(i) * kPad];
  if (!(left > kLeastVariance * hyperparameters_.scale)) return false;
  const double pivot = std::sqrt(left);
  for (int i = 0; i < n; ++i) inverse_[at(n, i)] = -back[count(i) * kPad] / pivot;
  inverse_[at(n, n)] = 1 / pivot;
  points_.add(point);
  return true;
}

void Model::predict(const double* points, std::ptrdiff_t stride, int columns,
                    Prediction* out) const {
  const Numerics& numbers = numerics();
  const int n = size();
  const int width = padded(columns);
  std::vector<double> covariance(count(n) * count(width)), solved(covariance.size());
  std::vector<double> mean(count(width), 0.0);
  for (int i = 0; i < n; ++i) {
    double* row = covariance.data() + count(i) * count(width);
    numbers.kernel_row(kernel(), points_.row(i), points, stride, columns, row, nullptr);
    for (int c = 0; c < width; ++c) mean[count(c)] += alpha_[count(i)] * row[c];
  }
  numbers.multiply(inverse_.data(), ld_, n, covariance.data(), width, columns, solved.data());
  std::vector<double> explained(count(width), 0.0);
  for (int i = 0; i < n; ++i) {
    const double* row = solved.data() + count(i) * count(width);
    for (int c = 0; c < width; ++c) explained[count(c)] += row[c] * row[c];
  }
  const double prior = hyperparameters_.scale + kMeanVariance;
  for (int c = 0; c < columns; ++c)
    out[c] = {mean[count(c)],
              std::max(prior - explained[count(c)], kLeastVariance * hyperparameters_.scale)};
}

Model::Prediction Model::predict(std::span<const double> point) const {
  Points single(dimensions(), 1);
  single.add(point);
  Prediction result;
  predict(single.columns(), single.stride(), 1, &result);
  return result;
}

void Model::predict(const double* points, std::ptrdiff_t stride, int columns, Prediction* out,
                    double* mean_gradients, double* variance_gradients) const {
  const Numerics& numbers = numerics();
  const int n = size(), d = dimensions(), width = padded(columns);
  std::vector<double> covariance(count(n) * count(width)), slopes(covariance.size()),
      solved(covariance.size());
  for (int i = 0; i < n; ++i) {
    const std::size_t row = count(i) * count(width);
    numbers.kernel_row(kernel(), points_.row(i), points, stride, columns, covariance.data() + row,
                       slopes.data() + row);
  }
  numbers.multiply(inverse_.data(), ld_, n, covariance.data(), width, columns, solved.data());
  std::vector<double> mean(count(width), 0.0), explained(count(width), 0.0);
  for (int i = 0; i < n; ++i) {
    const std::size_t row = count(i) * count(width);
    for (int c = 0; c < columns; ++c) {
      mean[count(c)] += alpha_[count(i)] * covariance[row + count(c)];
      explained[count(c)] += solved[row + count(c)] * solved[row + count(c)];
    }
  }
  std::vector<double>& weights = covariance;  // not needed any more
  numbers.multiply_transposed(inverse_.data(), ld_, n, solved.data(), width, columns,
                              weights.data());
  const double prior = hyperparameters_.scale + kMeanVariance;
  std::vector<double> here(count(d)), of_mean(count(n)), of_variance(count(n));
  for (int c = 0; c < columns; ++c) {
    out[c] = {mean[count(c)],
              std::max(prior - explained[count(c)], kLeastVariance * hyperparameters_.scale)};
    for (int j = 0; j < d; ++j) here[count(j)] = points[j * stride + c];
    for (int i = 0; i < n; ++i) {
      const std::size_t place = count(i) * count(width) + count(c);
      of_mean[count(i)] = alpha_[count(i)] * slopes[place];
      of_variance[count(i)] = weights[place] * slopes[place];
    }
    double* mean_gradient = mean_gradients + c * d;
    double* variance_gradient = variance_gradients + c * d;
    std::fill(mean_gradient, mean_gradient + d, 0.0);
    std::fill(variance_gradient, variance_gradient + d, 0.0);
    numbers.difference_sums(d, here.data(), points_.columns(), points_.stride(), n, of_mean.data(),
                            mean_gradient);
    numbers.difference_sums(d, here.data(), points_.columns(), points_.stride(), n,
                            of_variance.data(), variance_gradient);
    for (int j = 0; j < d; ++j) {
      mean_gradient[j] *= -5.0 / 3.0 * inverse_squares_[count(j)];
      variance_gradient[j] *= 10.0 / 3.0 * inverse_squares_[count(j)];
    }
  }
}

std::vector<Model::Prediction> Model::leave_one_out() const {
  std::vector<Prediction> result;
  for (int i = 0; i < observed_; ++i) {
    double precision = 0;
    for (int k = i; k < observed_; ++k) precision += inverse_[at(k, i)] * inverse_[at(k, i)];
    result.push_back({values_[count(i)] - alpha_[count(i)] / precision, 1 / precision});
  }
  return result;
}

}  // namespace hdrive::sampling::gp
