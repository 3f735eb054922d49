// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/model.h"

#include <algorithm>
#include <cmath>

namespace hdrive::sampling::gp {
namespace {

constexpr double kJitters[] = {0, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4};
// Relative to s2: a variance below it is rounding.
constexpr double kLeastVariance = 1e-12;

}  // namespace

// ---- the kernel ---------------------------------------------------------------------------------

void Kernel::covariances(const Eigen::Ref<const MatrixXd>& x, const double* point, double* values,
                         double* slopes) const {
  numerics().covariances({inverse_squares_.data(), scale_, kMeanVariance}, point, input(x), values,
                         slopes);
}

void Kernel::covariances(const Points& points, MatrixXd& k, MatrixXd* slopes) const {
  const Eigen::Index n = points.matrix().rows();
  k.resize(n, n);
  if (slopes) slopes->resize(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    covariances(points.matrix().bottomRows(n - i), points.row(i), &k(i, i),
                slopes ? &(*slopes)(i, i) : nullptr);
}

MatrixXd Kernel::covariances(const Points& points, Eigen::Index n, const Points& others,
                             MatrixXd* slopes) const {
  MatrixXd k(n, others.matrix().rows());
  if (slopes) slopes->resize(n, k.cols());
  for (Eigen::Index c = 0; c < k.cols(); ++c)
    covariances(points.matrix().topRows(n), others.row(c), k.col(c).data(),
                slopes ? slopes->col(c).data() : nullptr);
  return k;
}

// ---- conditioning -------------------------------------------------------------------------------

Model::Model(const Training& training, const Hyperparameters& hyperparameters, std::size_t room)
    : hyperparameters_(hyperparameters),
      kernel_(hyperparameters),
      points_(training.points.dimensions(), training.size() + room),
      y_(VectorXd::Zero(static_cast<Eigen::Index>(training.size() + room))),
      noises_(y_),
      observed_(std::ssize(training.values)),
      alpha_(y_) {
  for (std::size_t i = 0; i < training.size(); ++i) points_.add(training.points[i]);
  y_.head(observed_) = training.y();
}

std::optional<Model> Model::make(const Training& training, const Hyperparameters& hyperparameters,
                                 std::size_t room) {
  Model model(training, hyperparameters, room);
  for (const double jitter : kJitters)
    if (model.factor(training, jitter * hyperparameters.scale)) return model;
  return std::nullopt;
}

// K + noise = L L', alpha = L^-T L^-1 y.
bool Model::factor(const Training& training, double jitter) {
  const Eigen::Index n = observed_;
  jitter_ = jitter;
  noises_.head(n) = training.noises(hyperparameters_.noise).array() + jitter;
  MatrixXd k;
  kernel_.covariances(points_, k);
  k.diagonal() += noises_.head(n);
  if (!numerics().cholesky(output(k))) return false;
  inverse_ = std::make_shared<MatrixXd>(MatrixXd::Zero(y_.size(), y_.size()));
  numerics().invert(input(k), output(inverse_->topLeftCorner(n, n)));
  alpha_.head(n) = transposed_times(inverse(), times(inverse(), training.y()));
  return alpha_.allFinite();
}

std::optional<Eigen::Index> Model::add_pending(std::span<const double> point) {
  const Eigen::Index n = size();
  if (n == y_.size()) return std::nullopt;
  VectorXd k(n);
  kernel_.covariances(points_.matrix(), point.data(), k.data());
  const VectorXd v = times(inverse(), k);
  const double left = prior_variance() + hyperparameters_.noise + jitter_ - v.squaredNorm();
  if (!(left > kLeastVariance * hyperparameters_.scale)) return std::nullopt;
  if (inverse_.use_count() > 1) inverse_ = std::make_shared<MatrixXd>(*inverse_);
  // One more row of L is [v' pivot]; of L^-1, [-v' L^-1 / pivot, 1 / pivot].
  const double pivot = std::sqrt(left);
  inverse_->row(n).head(n) = -transposed_times(inverse(), v).transpose() / pivot;
  (*inverse_)(n, n) = 1 / pivot;
  points_.add(point);
  return n;
}

void Model::condition(Eigen::Index row, double value, double doubt) {
  const Eigen::Index n = observed_;
  VectorXd k(n), back(n);  // back = K^-1 k
  kernel_.covariances(points_.matrix().topRows(n), points_.row(row), k.data());
  const double noise = hyperparameters_.noise + jitter_ + doubt;
  double left = 0;
  if (row == n) {  // its row of L^-1 says it all
    const double pivot = 1 / (*inverse_)(n, n);
    back = -pivot * inverse_->row(n).head(n).transpose();
    left = pivot * pivot + doubt;
  } else {
    const VectorXd v = times(inverse(n), k);
    back = transposed_times(inverse(n), v);
    left = prior_variance() + noise - v.squaredNorm();
  }
  const double surprise = (value - alpha_.head(n).dot(k)) / left;
  alpha_.head(n) -= surprise * back;
  alpha_[row] = surprise;
  y_[row] = value;
  noises_[row] = noise;
  if (!(doubt > 0)) return;
  // (K + doubt e e')^-1 = P - doubt / (1 + doubt e'P e) P e e'P, by Sherman and Morrison.
  const VectorXd precision = inverse().transpose() * inverse().col(row);
  doubted_ = std::sqrt(doubt / (1 + doubt * precision[row])) * precision;
}

// ---- predicting ---------------------------------------------------------------------------------

Model::Prediction Model::prediction(double mean, double variance) const {
  return {mean, std::max(variance, kLeastVariance * hyperparameters_.scale)};
}

// mean = k' alpha, variance = k(x, x) - |L^-1 k|^2.
Model::Prepared::Block Model::prepare(const Points& points) const {
  MatrixXd k = kernel_.covariances(points_, size(), points);
  VectorXd variances =
      prior_variance() - times(inverse(), k).colwise().squaredNorm().transpose().array();
  return {std::move(k), std::move(variances)};
}

std::vector<Model::Prediction> Model::predict(const Prepared::Block& block) const {
  const MatrixXd& k = block.covariances;
  const VectorXd mean = k.transpose() * alpha_.head(size());
  VectorXd variance = block.variances;
  if (doubted_.size() > 0) variance += (k.transpose() * doubted_).cwiseAbs2();
  std::vector<Prediction> predictions;
  for (Eigen::Index c = 0; c < k.cols(); ++c)
    predictions.push_back(prediction(mean[c], variance[c]));
  return predictions;
}

std::vector<Model::Prediction> Model::predict(const Points& points) const {
  return predict(prepare(points));
}

Model::Prediction Model::predict(std::span<const double> point) const {
  Points single(point.size(), 1);
  single.add(point);
  return predict(single).front();
}

std::vector<Model::Prediction> Model::predict(const Points& points, Gradients& gradients) const {
  const Eigen::Index n = size();
  MatrixXd slopes;
  const MatrixXd k = kernel_.covariances(points_, n, points, &slopes);
  const MatrixXd v = times(inverse(), k);
  MatrixXd w = transposed_times(inverse(), v);  // K^-1 k
  const auto alpha = alpha_.head(n);
  VectorXd mean = k.transpose() * alpha;
  VectorXd variance = prior_variance() - v.colwise().squaredNorm().transpose().array();
  if (doubted_.size() > 0) {
    const VectorXd back = k.transpose() * doubted_;
    variance += back.cwiseAbs2();
    w -= doubted_ * back.transpose();
  }
  gradients.mean.setZero(dimensions(), k.cols());
  gradients.variance.setZero(dimensions(), k.cols());
  std::vector<Prediction> predictions;
  for (Eigen::Index c = 0; c < k.cols(); ++c) {
    predictions.push_back(prediction(mean[c], variance[c]));
    const VectorXd of_mean = alpha.cwiseProduct(slopes.col(c));
    const VectorXd of_variance = w.col(c).cwiseProduct(slopes.col(c));
    const auto sums = [&](const VectorXd& weights, double* out) {
      numerics().difference_sums(points.row(c), input(points_.matrix()), weights.data(), out);
    };
    sums(of_mean, gradients.mean.col(c).data());
    sums(of_variance, gradients.variance.col(c).data());
  }
  const auto by_dimension = kernel_.inverse_squares().asDiagonal();
  gradients.mean = -5.0 / 3.0 * (by_dimension * gradients.mean);
  gradients.variance = 10.0 / 3.0 * (by_dimension * gradients.variance);
  return predictions;
}

std::vector<Model::Prediction> Model::leave_one_out() const {
  const Eigen::Index n = observed_;
  const VectorXd precision = inverse(n).colwise().squaredNorm();
  std::vector<Prediction> result;
  for (Eigen::Index i = 0; i < n; ++i)
    result.push_back({y_[i] - alpha_[i] / precision[i], 1 / precision[i]});
  return result;
}

}  // namespace hdrive::sampling::gp
