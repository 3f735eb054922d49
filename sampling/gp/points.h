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
  explicit Points(int dimensions, int capacity = 0) : x_(capacity, dimensions) {
    rows_.reserve(static_cast<std::size_t>(dimensions) * static_cast<std::size_t>(capacity));
  }

  int size() const { return size_; }
  int dimensions() const { return static_cast<int>(x_.cols()); }

  /// size x dimensions: coordinates of one dimension lie side by side, as the kernel's loops need them.
  auto matrix() const { return x_.topRows(size_); }
  /// One point, whose coordinates lie side by side too.
  const double* row(int i) const {
    return rows_.data() + static_cast<std::ptrdiff_t>(i) * x_.cols();
  }
  std::span<const double> operator[](int i) const {
    return {row(i), static_cast<std::size_t>(x_.cols())};
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
  int size_ = 0;
};

}  // namespace hdrive::sampling::gp
