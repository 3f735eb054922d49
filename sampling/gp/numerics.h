// SPDX-License-Identifier: Apache-2.0
//
// Numerics: the arithmetic of the Gaussian process that costs anything, compiled for several levels
// of the x86-64 architecture and chosen once at run time.
//
// Internal to sampling/. Pure functions over arrays that the caller owns; safe from any thread.
// Matrices are row-major; a leading dimension is a multiple of `kPad`, and columns up to that
// multiple exist and may be written. The order of every sum is fixed, so that a level gives the
// same bits however it is called; two levels may differ in the last ones, since only the newer ones
// fuse a * b + c.
#pragma once

#include <cstddef>

namespace hdrive::sampling::gp {

/// Leading dimensions and the columns of blocks are multiples of this.
inline constexpr int kPad = 16;
/// The side of the diagonal blocks whose inverses `cholesky` leaves behind.
inline constexpr int kDiagonal = 32;

constexpr int padded(int columns) { return (columns + kPad - 1) / kPad * kPad; }

/// Blocks of points are as wide as a multiple of this: the lanes of the widest vectors. Five points
/// at a time are what a search looks at, and sixteen would cost it twice as much.
inline constexpr int kLanesMost = 8;

constexpr int width_of(int columns) { return (columns + kLanesMost - 1) / kLanesMost * kLanesMost; }

/// The kernel s2 Matern-5/2(r) + constant with r^2 = sum_j inverse_squares[j] min((a_j - b_j)^2,
/// 1).
struct KernelParameters {
  int dimensions = 0;
  const double* inverse_squares = nullptr;  ///< 1 / lengthscale^2 a dimension
  double scale = 1;                         ///< s2
  double constant = 0;
};

struct Numerics {
  const char* level;  ///< "x86-64-v3"

  /// Row `a` against points 0 ... count - 1: `values[b]` the kernel, and, unless null, `slopes[b]`
  /// = s2 (1 + sqrt(5) r) exp(-sqrt(5) r), of which the derivatives are made. `points[j * stride +
  /// b]` is coordinate j of point b; all up to width_of(count) are read and written.
  void (*kernel_row)(const KernelParameters&, const double* a, const double* points,
                     std::ptrdiff_t stride, int count, double* values, double* slopes);

  /// sums[j] += sum_b weights[b] min((a_j - b_j)^2, 1).
  void (*distance_sums)(int dimensions, const double* a, const double* points,
                        std::ptrdiff_t stride, int count, const double* weights, double* sums);

  /// sums[j] += sum_b weights[b] (a_j - b_j), over the pairs less than 1 apart.
  void (*difference_sums)(int dimensions, const double* a, const double* points,
                          std::ptrdiff_t stride, int count, const double* weights, double* sums);

  /// The Cholesky factor L of the matrix whose lower triangle is in `matrix`, in place; false at a
  /// pivot that is not positive. `diagonals`: ceil(n / kDiagonal) blocks of kDiagonal^2 for
  /// `invert`. `scratch`: padded(n) * kDiagonal numbers.
  bool (*cholesky)(double* matrix, std::ptrdiff_t ld, int n, double* diagonals, double* scratch);

  /// inverse = L^-1, with zeros above the diagonal up to the padding.
  void (*invert)(const double* factor, std::ptrdiff_t ld, int n, const double* diagonals,
                 double* inverse);

  /// The lower triangle of product = A' A for a lower triangular A.
  void (*gram)(const double* a, std::ptrdiff_t ld, int n, double* product);

  /// product = A B for a lower triangular n x n A and an n x columns B.
  void (*multiply)(const double* a, std::ptrdiff_t lda, int n, const double* b, std::ptrdiff_t ldb,
                   int columns, double* product);

  /// product = A' B for the same shapes.
  void (*multiply_transposed)(const double* a, std::ptrdiff_t lda, int n, const double* b,
                              std::ptrdiff_t ldb, int columns, double* product);
};

/// The best level that this processor runs.
const Numerics& numerics();

namespace x86_64 {
const Numerics& table();
}
namespace x86_64_v3 {
const Numerics& table();
}
namespace x86_64_v4 {
const Numerics& table();
}

}  // namespace hdrive::sampling::gp
