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
      noises_(count(padded(training.size() + room))),
      observed_(training.size()),
      ld_(padded(training.size() + room)) {
  values_.resize(count(ld_));
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
    noises_[count(i)] = training.noise(i, hyperparameters_.noise) + jitter;
    row[i] += noises_[count(i)];
  }
  std::vector<double> diagonals(diagonal_numbers(n)), scratch(count(padded(n)) * kDiagonal);
  if (!numbers.cholesky(matrix.data(), ld_, n, diagonals.data(), scratch.data())) return false;
  inverse_ = std::make_shared<std::vector<double>>(count(ld_) * count(ld_), 0.0);
  numbers.invert(matrix.data(), ld_, n, diagonals.data(), inverse_->data());

  std::vector<double> right(values_.begin(), values_.begin() + n), solved(count(n));
  solve(right, solved);
  alpha_.assign(count(ld_), 0.0);
  std::copy(solved.begin(), solved.end(), alpha_.begin());
  return std::all_of(alpha_.begin(), alpha_.end(), [](double a) { return std::isfinite(a); });
}

// solution = K^-1 right over the first rows, as many as `right` has, and the square of L^-1 right.
double Model::solve(const std::vector<double>& right, std::vector<double>& solution) const {
  const Numerics& numbers = numerics();
  const int n = static_cast<int>(right.size());
  std::vector<double> wide(count(n) * kPad), whitened(wide.size());
  for (int i = 0; i < n; ++i) wide[count(i) * kPad] = right[count(i)];
  numbers.multiply(inverse_->data(), ld_, n, wide.data(), kPad, 1, whitened.data());
  numbers.multiply_transposed(inverse_->data(), ld_, n, whitened.data(), kPad, 1, wide.data());
  double square = 0;
  for (int i = 0; i < n; ++i) {
    square += whitened[count(i) * kPad] * whitened[count(i) * kPad];
    solution[count(i)] = wide[count(i) * kPad];
  }
  return square;
}

// The covariances of a point with the first n rows.
std::vector<double> Model::covariances(std::span<const double> point, int n) const {
  Points single(dimensions(), 1);
  single.add(point);
  std::vector<double> row(count(padded(n)));
  numerics().kernel_row(kernel(), single.row(0), points_.columns(), points_.stride(), n, row.data(),
                        nullptr);
  row.resize(count(n));
  return row;
}

std::optional<int> Model::add_pending(std::span<const double> point) {
  const int n = size();
  if (n == ld_) return std::nullopt;
  std::vector<double> back(count(n));
  const double left = hyperparameters_.scale + kMeanVariance + hyperparameters_.noise + jitter_ -
                      solve(covariances(point, n), back);
  if (!(left > kLeastVariance * hyperparameters_.scale)) return std::nullopt;
  if (inverse_.use_count() > 1) inverse_ = std::make_shared<std::vector<double>>(*inverse_);
  const double pivot = std::sqrt(left);
  for (int i = 0; i < n; ++i) (*inverse_)[at(n, i)] = -back[count(i)] / pivot;
  (*inverse_)[at(n, n)] = 1 / pivot;
  points_.add(point);
  return n;
}

void Model::resolve(int row, double value, double doubt) {
  const int n = observed_;
  const std::vector<double> covariance = covariances(points_[row], n);
  std::vector<double> back(count(n));
  const double noise = hyperparameters_.noise + jitter_ + doubt;
  double left = 0;
  if (row == n) {  // its row of L^-1 says it all
    const double pivot = 1 / (*inverse_)[at(n, n)];
    for (int i = 0; i < n; ++i) back[count(i)] = -(*inverse_)[at(n, i)] * pivot;
    left = pivot * pivot + doubt;
  } else {
    left = hyperparameters_.scale + kMeanVariance + noise - solve(covariance, back);
  }
  double mean = 0;
  for (int i = 0; i < n; ++i) mean += alpha_[count(i)] * covariance[count(i)];
  const double surprise = (value - mean) / left;
  for (int i = 0; i < n; ++i) alpha_[count(i)] -= surprise * back[count(i)];
  alpha_[count(row)] = surprise;
  values_[count(row)] = value;
  noises_[count(row)] = noise;
  if (!(doubt > 0)) return;
  // (K + doubt e e')^-1 = P - doubt / (1 + doubt e'P e) P e e'P, by Sherman and Morrison.
  std::vector<double> precision(count(ld_), 0.0);
  for (int k = row; k < size(); ++k) {
    const double* factors = inverse_->data() + at(k, 0);
    for (int i = 0; i <= k; ++i) precision[count(i)] += factors[row] * factors[i];
  }
  const double weight = std::sqrt(doubt / (1 + doubt * precision[count(row)]));
  for (double& each : precision) each *= weight;
  doubted_ = std::move(precision);
}

// The square of what a doubtful value explains less, for one column of covariances.
double Model::overstated(const double* covariance, int width, int column) const {
  if (doubted_.empty()) return 0;
  double sum = 0;
  for (int i = 0; i < size(); ++i) sum += doubted_[count(i)] * covariance[i * width + column];
  return sum;
}

Model::Prepared::Block Model::prepare(const double* points, std::ptrdiff_t stride,
                                      int columns) const {
  const Numerics& numbers = numerics();
  const int n = size(), width = width_of(columns);
  Prepared::Block block{columns, std::vector<double>(count(n) * count(width)), {}};
  std::vector<double> solved(block.covariances.size()), explained(count(width), 0.0);
  for (int i = 0; i < n; ++i)
    numbers.kernel_row(kernel(), points_.row(i), points, stride, columns,
                       block.covariances.data() + count(i) * count(width), nullptr);
  numbers.multiply(inverse_->data(), ld_, n, block.covariances.data(), width, columns,
                   solved.data());
  for (int i = 0; i < n; ++i) {
    const double* row = solved.data() + count(i) * count(width);
    for (int c = 0; c < width; ++c) explained[count(c)] += row[c] * row[c];
  }
  const double prior = hyperparameters_.scale + kMeanVariance;
  for (int c = 0; c < columns; ++c) block.variances.push_back(prior - explained[count(c)]);
  return block;
}

void Model::predict(const Prepared::Block& block, Prediction* out) const {
  const int width = width_of(block.count);
  std::vector<double> mean(count(width), 0.0), doubted(count(width), 0.0);
  for (int i = 0; i < size(); ++i) {
    const double* row = block.covariances.data() + count(i) * count(width);
    for (int c = 0; c < width; ++c) mean[count(c)] += alpha_[count(i)] * row[c];
  }
  for (int c = 0; c < block.count; ++c) {
    const double back = overstated(block.covariances.data(), width, c);
    out[c] = {mean[count(c)], std::max(block.variances[count(c)] + back * back,
                                       kLeastVariance * hyperparameters_.scale)};
  }
}

void Model::predict(const double* points, std::ptrdiff_t stride, int columns,
                    Prediction* out) const {
  predict(prepare(points, stride, columns), out);
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
  const int n = size(), d = dimensions(), width = width_of(columns);
  std::vector<double> covariance(count(n) * count(width)), slopes(covariance.size()),
      solved(covariance.size());
  for (int i = 0; i < n; ++i) {
    const std::size_t row = count(i) * count(width);
    numbers.kernel_row(kernel(), points_.row(i), points, stride, columns, covariance.data() + row,
                       slopes.data() + row);
  }
  numbers.multiply(inverse_->data(), ld_, n, covariance.data(), width, columns, solved.data());
  std::vector<double> mean(count(width), 0.0), explained(count(width), 0.0),
      overstated(count(columns));
  for (int c = 0; c < columns; ++c)
    overstated[count(c)] = this->overstated(covariance.data(), width, c);
  for (int i = 0; i < n; ++i) {
    const std::size_t row = count(i) * count(width);
    for (int c = 0; c < columns; ++c) {
      mean[count(c)] += alpha_[count(i)] * covariance[row + count(c)];
      explained[count(c)] += solved[row + count(c)] * solved[row + count(c)];
    }
  }
  std::vector<double>& weights = covariance;  // not needed any more
  numbers.multiply_transposed(inverse_->data(), ld_, n, solved.data(), width, columns,
                              weights.data());
  const double prior = hyperparameters_.scale + kMeanVariance;
  std::vector<double> here(count(d)), of_mean(count(n)), of_variance(count(n));
  for (int c = 0; c < columns; ++c) {
    const double back = overstated[count(c)];
    out[c] = {mean[count(c)], std::max(prior - explained[count(c)] + back * back,
                                       kLeastVariance * hyperparameters_.scale)};
    for (int j = 0; j < d; ++j) here[count(j)] = points[j * stride + c];
    for (int i = 0; i < n; ++i) {
      const std::size_t place = count(i) * count(width) + count(c);
      of_mean[count(i)] = alpha_[count(i)] * slopes[place];
      const double weight =
          doubted_.empty() ? weights[place] : weights[place] - back * doubted_[count(i)];
      of_variance[count(i)] = weight * slopes[place];
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
    for (int k = i; k < observed_; ++k) precision += (*inverse_)[at(k, i)] * (*inverse_)[at(k, i)];
    result.push_back({values_[count(i)] - alpha_[count(i)] / precision, 1 / precision});
  }
  return result;
}

}  // namespace hdrive::sampling::gp
