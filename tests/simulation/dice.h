// SPDX-License-Identifier: Apache-2.0
//
// Dice: the random choices of a simulation. The same seed throws the same, on every machine.
#pragma once

#include <cstdint>

namespace hdrive::simulation {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// 0 ... n - 1.
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n));
  }
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  bool chance(double p) { return unit() < p; }

  /// Dice of their own for one matter, so that one choice more or less elsewhere does not change it.
  static Dice of(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) {
    Dice dice(seed);
    for (const std::uint64_t each : {a, b, c})
      dice.state_ = dice.next() ^ (each * 0x9e3779b97f4a7c15ULL);
    return dice;
  }

 private:
  std::uint64_t state_;
};

}  // namespace hdrive::simulation
