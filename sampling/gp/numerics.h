// SPDX-License-Identifier: Apache-2.0
//
// Numerics: the arithmetic of the Gaussian process that costs anything, in Eigen, compiled for several levels
// of the x86-64 architecture and chosen once at run time.
//
// Internal to sampling/. Pure functions over matrices that the caller owns; safe from any thread. A level gives
// the same bits however it is called; two levels may differ in the last ones, since only the newer ones fuse
// a * b + c.
//
// Matrices pass as plain views, since each level has an Eigen of its own (numerics_level.inc); algebra.h makes
// them of Eigen's.
#pragma once

#include <cstddef>

namespace hdrive::sampling::gp {

/// By columns, as Eigen's are: element (i, j) stands at data[i + j * stride].
template <class Number>
struct View {
  Number* data = nullptr;
  std::ptrdiff_t rows = 0, columns = 0;
  std::ptrdiff_t stride = 0;
};
using Input = View<const double>;
using Output = View<double>;

/// The kernel s2 Matern-5/2(r) + constant with r^2 = sum_j inverse_squares[j] d_j^2, where d_j is how far
/// a and b lie apart along dimension j: |a_j - b_j| between two numbers of [0, 1]; 1 between categories,
/// which are different whole numbers; of an absent one, at -1, and a number x, d_j^2 = (x - 1/2)^2 + 3/4.
struct KernelParameters {
  const double* inverse_squares = nullptr;  ///< 1 / lengthscale^2 a dimension
  double scale = 1;                         ///< s2
  double constant = 0;
};

struct Numerics {
  const char* level;  ///< "x86-64-v3"

  /// values(i) = k(a, x_i) for the rows x_i of `points`, and, unless null, slopes(i) = s2 (1 + sqrt(5) r)
  /// exp(-sqrt(5) r), of which the derivatives are made.
  void (*covariances)(const KernelParameters&, const double* a, Input points, double* values,
                      double* slopes);

  /// sums(j) += sum_i weights(i) d_j(a, x_i)^2.
  void (*distance_sums)(const double* a, Input points, const double* weights, double* sums);

  /// sums(j) += sum_i weights(i) times half the derivative of d_j(a, x_i)^2 over a_j, a number: a_j - x_ij, or
  /// a_j - 1/2 where x_ij is absent. 0 between categories.
  void (*difference_sums)(const double* a, Input points, const double* weights, double* sums);

  /// The Cholesky factor L of the symmetric matrix whose lower triangle is given, in its place; false where
  /// that is not positive definite.
  bool (*cholesky)(Output matrix);

  /// The lower triangle of L^-1 for a lower triangular L.
  void (*invert)(Input factor, Output inverse);

  /// The lower triangle of A' A for a lower triangular A.
  void (*gram)(Input a, Output product);

  /// A B and A' B for a lower triangular A.
  void (*multiply)(Input a, Input b, Output product);
  void (*multiply_transposed)(Input a, Input b, Output product);
};

/// The best level that this processor runs.
const Numerics& numerics();

/// The level that gives the same bits on every processor of an architecture.
const Numerics& portable_numerics();

namespace x86_64 {
const Numerics& table();
}
namespace x86_64_v3 {
const Numerics& table();
}

}  // namespace hdrive::sampling::gp
