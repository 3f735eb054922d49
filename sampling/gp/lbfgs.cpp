// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/lbfgs.h"

#include <algorithm>
#include <cmath>

namespace hdrive::sampling::gp {
namespace {

constexpr double kSufficientDecrease = 1e-4;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

Lbfgs::Lbfgs(std::vector<double> lower, std::vector<double> upper, std::vector<double> start,
             Options options)
    : lower_(std::move(lower)),
      upper_(std::move(upper)),
      options_(options),
      point_(std::move(start)) {
  for (std::size_t i = 0; i < point_.size(); ++i)
    point_[i] = std::clamp(point_[i], lower_[i], upper_[i]);
  trial_ = point_;
}

bool Lbfgs::pushed(std::size_t i, double slope) const {
  return (point_[i] <= lower_[i] && slope > 0) || (point_[i] >= upper_[i] && slope < 0);
}

void Lbfgs::tell(double value, const std::vector<double>& gradient) {
  if (!started_) {
    started_ = true;
    value_ = value;
    if (!std::isfinite(value)) {
      done_ = true;
      return;
    }
    return accept(value, gradient);
  }
  double expected = 0;
  for (std::size_t i = 0; i < point_.size(); ++i)
    expected += gradient_[i] * (trial_[i] - point_[i]);
  if (value <= value_ + kSufficientDecrease * expected) {
    Pair pair;
    for (std::size_t i = 0; i < point_.size(); ++i) {
      pair.s.push_back(trial_[i] - point_[i]);
      pair.y.push_back(gradient[i] - gradient_[i]);
    }
    pair.product = dot(pair.s, pair.y);
    const double scale = std::sqrt(dot(pair.s, pair.s) * dot(pair.y, pair.y));
    if (pair.product > 1e-10 * scale) {
      pairs_.push_back(std::move(pair));
      if (pairs_.size() > options_.memory) pairs_.pop_front();
    }
    point_ = trial_;
    if (++iteration_ >= options_.iterations) {
      value_ = value;
      done_ = true;
      return;
    }
    return accept(value, gradient);
  }
  if (++backtracks_ > options_.backtracks) {
    done_ = true;
    return;
  }
  // The minimum of the parabola through both values and the slope, within reason.
  const double curvature = value - value_ - expected;
  const double shrink =
      std::isfinite(curvature) && curvature > 0 ? -0.5 * expected / curvature : 0.1;
  step(length_ * std::clamp(shrink, 0.1, 0.5));
}

void Lbfgs::accept(double value, const std::vector<double>& gradient) {
  value_ = value;
  gradient_ = gradient;
  backtracks_ = 0;
  double largest = 0;
  for (std::size_t i = 0; i < point_.size(); ++i)
    if (!pushed(i, gradient_[i])) largest = std::max(largest, std::abs(gradient_[i]));
  if (!(largest > options_.gradient)) {
    done_ = true;
    return;
  }
  choose_direction();
  step(1);
}

void Lbfgs::choose_direction() {
  std::vector<double> q = gradient_;
  for (std::size_t i = 0; i < q.size(); ++i)
    if (pushed(i, gradient_[i])) q[i] = 0;
  const std::vector<double> reduced = q;
  std::vector<double> factors(pairs_.size());
  for (std::size_t k = pairs_.size(); k-- > 0;) {
    factors[k] = dot(pairs_[k].s, q) / pairs_[k].product;
    for (std::size_t i = 0; i < q.size(); ++i) q[i] -= factors[k] * pairs_[k].y[i];
  }
  const double scale = pairs_.empty()
                           ? options_.first_step / std::sqrt(dot(reduced, reduced))
                           : pairs_.back().product / dot(pairs_.back().y, pairs_.back().y);
  for (double& component : q) component *= scale;
  for (std::size_t k = 0; k < pairs_.size(); ++k) {
    const double factor = factors[k] - dot(pairs_[k].y, q) / pairs_[k].product;
    for (std::size_t i = 0; i < q.size(); ++i) q[i] += factor * pairs_[k].s[i];
  }
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = reduced[i] == 0 ? 0 : -q[i];
  if (!(dot(q, reduced) < 0)) {  // no descent: forget the curvature
    pairs_.clear();
    const double norm = std::sqrt(dot(reduced, reduced));
    for (std::size_t i = 0; i < q.size(); ++i) q[i] = -reduced[i] * options_.first_step / norm;
  }
  direction_ = std::move(q);
}

void Lbfgs::step(double length) {
  length_ = length;
  double moved = 0;
  for (std::size_t i = 0; i < point_.size(); ++i) {
    trial_[i] = std::clamp(point_[i] + length * direction_[i], lower_[i], upper_[i]);
    moved = std::max(moved, std::abs(trial_[i] - point_[i]));
  }
  if (!(moved > 1e-10)) done_ = true;
}

}  // namespace hdrive::sampling::gp
