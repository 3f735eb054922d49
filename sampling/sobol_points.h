// SPDX-License-Identifier: Apache-2.0
//
// SobolPoints: a scrambled Sobol sequence in the unit cube, any point of it at once.
//
// Internal to sampling/: the `sobol` sampler and the initial designs and candidates of the models.
// Immutable after it was made, so safe from any thread.
//
// Sources: Sobol, "On the distribution of points in a cube and the approximate evaluation of
// integrals", 1967; Joe and Kuo, "Constructing Sobol sequences with better two-dimensional
// projections", SIAM J. Sci. Comput. 30, 2008 (the direction numbers, as Boost.Random tabulates
// them); Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences", 1995 (nested uniform
// scrambling); Burley, "Practical hash-based Owen scrambling", JCGT 9(4), 2020, after Laine and
// Karras, 2011 (scrambling by a hash).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hdrive::sampling {

class SobolPoints {
 public:
  /// `seed` and `purpose` choose the scrambling, as they choose a RandomStream. Any number of
  /// dimensions: those beyond the table's 3667 reuse its numbers in a shuffled order of points
  /// (Burley's padding).
  SobolPoints(std::size_t dimensions, std::uint64_t seed, std::uint32_t purpose);

  std::size_t dimensions() const { return scrambles_.size(); }

  /// Point `index` into `out`, which has `dimensions()` places: each coordinate inside (0, 1),
  /// never on its ends, on a lattice of 2^-32. Of any 2^m points that begin at a multiple of 2^m,
  /// each interval [k, k + 1) / 2^m of each axis holds exactly one. Costs some nanoseconds a
  /// dimension.
  void point(std::uint32_t index, std::span<double> out) const;

 private:
  std::vector<std::uint32_t> directions_;  // [bit of the index][dimension of the table]
  struct Keys {
    std::uint32_t first, second;
  };
  std::vector<Keys> scrambles_;          // of each dimension
  std::vector<std::uint32_t> shuffles_;  // of each reuse of the table
};

}  // namespace hdrive::sampling
