// SPDX-License-Identifier: Apache-2.0
//
// Points: rows of coordinates, kept by row and by column, as the kernel's loops need them.
//
// Internal to sampling/. A plain container.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sampling/gp/numerics.h"

namespace hdrive::sampling::gp {

class Points {
 public:
  explicit Points(int dimensions, int capacity = 0)
      : dimensions_(dimensions),
        stride_(padded(capacity)),
        columns_(static_cast<std::size_t>(dimensions) * static_cast<std::size_t>(stride_)) {}

  int size() const { return size_; }
  int dimensions() const { return dimensions_; }
  std::ptrdiff_t stride() const { return stride_; }
  const double* columns() const { return columns_.data(); }
  const double* row(int i) const {
    return rows_.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(dimensions_);
  }
  std::span<const double> operator[](int i) const {
    return {row(i), static_cast<std::size_t>(dimensions_)};
  }

  void add(std::span<const double> point) {
    if (size_ == stride_) grow();
    rows_.insert(rows_.end(), point.begin(), point.end());
    for (int j = 0; j < dimensions_; ++j)
      columns_[static_cast<std::size_t>(j * stride_ + size_)] = point[static_cast<std::size_t>(j)];
    ++size_;
  }

 private:
  void grow() {
    const int wider = padded(2 * stride_ + 1);
    std::vector<double> columns(static_cast<std::size_t>(dimensions_) *
                                static_cast<std::size_t>(wider));
    for (int j = 0; j < dimensions_; ++j)
      for (int i = 0; i < size_; ++i)
        columns[static_cast<std::size_t>(j * wider + i)] =
            columns_[static_cast<std::size_t>(j * stride_ + i)];
    columns_ = std::move(columns);
    stride_ = wider;
  }

  int dimensions_;
  int size_ = 0;
  int stride_;
  std::vector<double> rows_;     ///< size x dimensions
  std::vector<double> columns_;  ///< dimensions x stride, zeros behind the last point
};

}  // namespace hdrive::sampling::gp
