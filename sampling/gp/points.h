// SPDX-License-Identifier: Apache-2.0
//
// Points: the rows of a matrix X, one by one added.
//
// Internal to sampling/. A plain container.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <span>
#include <vector>

namespace hdrive::sampling::gp {

class Points {
 public:
  explicit Points(std::size_t dimensions, std::size_t capacity = 0)
      : x_(static_cast<Eigen::Index>(capacity), static_cast<Eigen::Index>(dimensions)) {
    rows_.reserve(dimensions * capacity);
  }

  std::size_t size() const { return static_cast<std::size_t>(size_); }
  std::size_t dimensions() const { return static_cast<std::size_t>(x_.cols()); }

  /// size x dimensions: coordinates of one dimension lie side by side, as the kernel's loops need them.
  auto matrix() const { return x_.topRows(size_); }
  /// One point, whose coordinates lie side by side too.
  const double* row(Eigen::Index i) const { return rows_.data() + i * x_.cols(); }
  std::span<const double> operator[](std::size_t i) const {
    return std::span(rows_).subspan(i * dimensions(), dimensions());
  }

  void add(std::span<const double> point) {
    if (size_ == x_.rows())
      x_.conservativeResize(std::max<Eigen::Index>(16, 2 * size_), Eigen::NoChange);
    x_.row(size_++) = Eigen::Map<const Eigen::RowVectorXd>(point.data(), x_.cols());
    rows_.insert(rows_.end(), point.begin(), point.end());
  }

 private:
  Eigen::MatrixXd x_;
  std::vector<double> rows_;
  Eigen::Index size_ = 0;
};

}  // namespace hdrive::sampling::gp
