// SPDX-License-Identifier: Apache-2.0
//
// ProductKernels: a density over the search space as an equal mixture of kernels around points and
// of one uniform component, each kernel a product over the parameters.
//
// Numeric parameters: Gaussians cut off at the ends of [0, 1]. Categories: the point's own with
// more, the others with equal probability. Where a parameter does not exist it has no factor; a
// kernel around a point that lacks it is uniform along it, so what a branch has is learned from the
// points of this branch (Bergstra et al., NIPS 2011, section 4.1), and the density adds up to one
// over all branches. Internal to sampling/, for tpe. Single precision: the sums decide between
// candidates only. Lanes are added in a fixed order, so every machine gets the same bits.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "hdrive/random.h"
#include "sampling/encoding.h"

namespace hdrive::sampling {

/// Points by dimension: columns[dimension][point]; kAbsent where a parameter does not exist.
using Columns = std::vector<std::vector<float>>;

class ProductKernels {
 public:
  /// Widths for a mixture around `count` points: 0.2 n^(-1/(d+4)), at least 1 / min(100, n + 1)
  /// (Watanabe 2023, section 3.3: "optuna" and "magic clipping"), and at least half a level.
  ProductKernels(const std::vector<Dimension>& dimensions, std::size_t count);

  /// The same with as many points for each dimension as have this parameter.
  ProductKernels(const std::vector<Dimension>& dimensions, const std::vector<std::size_t>& counts);

  /// `count` rounded to where the widths change: equal stages give equal kernels.
  static std::size_t stage(std::size_t count);

  /// The logarithm of what a kernel around this point is to be multiplied with to be a density over
  /// the parameters that all points have.
  float log_scale(const Columns& columns, std::size_t point) const;

  /// The log density of the mixture at each of `at`. `log_scales` has an entry for each point of
  /// `columns`, minus infinity for those left out of the mixture, which has `members` kernels.
  std::vector<double> log_density(const Columns& columns, std::span<const float> log_scales,
                                  std::size_t members,
                                  const std::vector<std::vector<float>>& at) const;

  /// A draw from the kernel around this point, before it is moved to the levels; all dimensions have
  /// a coordinate, also those that do not exist there.
  std::vector<double> draw(const Columns& columns, std::size_t point, RandomStream& random) const;

  /// A draw from the uniform component.
  std::vector<double> draw_uniform(RandomStream& random) const;

 private:
  struct Kernel {
    bool categorical = false;
    bool conditional = false;
    double levels = 0;
    double width = 1;       // numeric: the standard deviation
    float precision = 1;    // numeric: 1 / (sqrt(2) width)
    float penalty = 0;      // categorical: log(own / other)
    float log_own = 0;      // categorical
    std::size_t table = 0;  // numeric: its scales
  };

  // log_scale of a Gaussian at k / (size - 1).
  struct Table {
    double width;
    std::vector<float> scales;
  };

  std::size_t table_of(double width);
  float log_scale(const Kernel& kernel, float coordinate) const;
  double log_uniform(std::span<const float> at) const;
  std::vector<float> conditional_scales(const Columns& columns, std::size_t begin,
                                        std::size_t end) const;
  static double draw_uniform(const Kernel& kernel, RandomStream& random);
  void add_exponents(const Columns& columns, std::span<const float> conditional,
                     std::span<const float> at, std::size_t begin, std::size_t end,
                     float* sums) const;

  std::vector<Kernel> kernels_;
  std::vector<Table> tables_;
  double log_uniform_ = 0;  // of the uniform component: its density over what all points have
};

}  // namespace hdrive::sampling
