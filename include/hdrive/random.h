// SPDX-License-Identifier: Apache-2.0
//
// RandomStream: counter-based random numbers keyed by (seed, run, purpose).
//
// Samplers keep no generator between calls. Each draw opens the stream of its own key, so the same
// seed and run give the same values whatever was asked before, on any machine, after any restart.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace hdrive {

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC
/// 2011), a uniform random bit generator of 64-bit words. Cheap to make; not shared between
/// threads.
class RandomStream {
 public:
  using result_type = std::uint64_t;

  /// `seed` is the sweep's, `run` the run's number, `purpose` tells apart streams of one run
  /// (a parameter's index, an acquisition's restart).
  RandomStream(std::uint64_t seed, std::int64_t run, std::uint32_t purpose);

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

  /// The next 64 random bits.
  result_type operator()();

  /// The next number in [0, 1), a multiple of 2^-53.
  double uniform();

 private:
  void refill();

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint64_t, 2> block_{};
  unsigned used_ = 2;
};

}  // namespace hdrive
