// SPDX-License-Identifier: Apache-2.0
//
// The functions of numerics.h on Eigen's matrices.
//
// Internal to sampling/. Triangular matrices are lower ones; what is above their diagonals is not read.
#pragma once

#include <Eigen/Core>
#include <iterator>
#include <vector>

#include "sampling/gp/numerics.h"

namespace hdrive::sampling::gp {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// What a container holds, as a vector.
inline Eigen::Map<const VectorXd> vector(const std::vector<double>& values) {
  return {values.data(), std::ssize(values)};
}
inline Eigen::Map<VectorXd> vector(std::vector<double>& values) {
  return {values.data(), std::ssize(values)};
}

template <class Matrix>
Input input(const Matrix& matrix) {
  static_assert(!Matrix::IsRowMajor || Matrix::IsVectorAtCompileTime);
  return {matrix.data(), matrix.rows(), matrix.cols(), matrix.outerStride()};
}
template <class Matrix>
Output output(Matrix&& matrix) {
  return {matrix.data(), matrix.rows(), matrix.cols(), matrix.outerStride()};
}

/// A B.
template <class A, class B>
MatrixXd times(const A& a, const B& b) {
  MatrixXd product(a.rows(), b.cols());
  numerics().multiply(input(a), input(b), output(product));
  return product;
}

/// A' B.
template <class A, class B>
MatrixXd transposed_times(const A& a, const B& b) {
  MatrixXd product(a.cols(), b.cols());
  numerics().multiply_transposed(input(a), input(b), output(product));
  return product;
}

}  // namespace hdrive::sampling::gp
