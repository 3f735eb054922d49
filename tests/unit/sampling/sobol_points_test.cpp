// SPDX-License-Identifier: Apache-2.0
#include "sampling/sobol_points.h"

#include <bit>
#include <boost/random/sobol.hpp>
#include <cmath>
#include <set>

#include "tests/catch.h"

using hdrive::sampling::SobolPoints;

namespace {

std::vector<double> point(const SobolPoints& points, std::uint32_t index) {
  std::vector<double> result(points.dimensions());
  points.point(index, result);
  return result;
}

std::uint32_t bits_of(double unit) { return static_cast<std::uint32_t>(std::ldexp(unit, 32)); }

}  // namespace

// A nested scrambling decides anew at each binary digit, so it preserves exactly how many leading digits two
// points share; that ties all direction numbers to another implementation's.
TEST_CASE("Points share as many leading digits as those of Boost's unscrambled sequence") {
  constexpr std::uint32_t kPoints = 256;
  constexpr std::size_t dimensions = 3667;  // the whole table
  boost::random::sobol_engine<std::uint32_t, 32> engine(dimensions);
  std::vector<std::vector<std::uint32_t>> plain{std::vector<std::uint32_t>(dimensions, 0)};
  for (std::uint32_t n = 1; n < kPoints; ++n) {  // it skips the origin
    std::vector<std::uint32_t> next(dimensions);
    for (auto& word : next) word = engine();
    plain.push_back(next);
  }
  const SobolPoints ours(dimensions, 7, 0);
  std::vector<std::vector<double>> scrambled;
  for (std::uint32_t n = 0; n < kPoints; ++n) scrambled.push_back(point(ours, n));

  const auto gray = [](std::uint32_t n) { return n ^ n >> 1; };  // the order of the engine's points
  std::size_t different = 0;
  for (std::uint32_t a = 0; a < kPoints; ++a)
    for (std::uint32_t b = a + 1; b < kPoints; b += 1 + b / 8)
      for (std::size_t d = 0; d < dimensions; ++d)
        different +=
            std::countl_zero(plain[a][d] ^ plain[b][d]) !=
            std::countl_zero(bits_of(scrambled[gray(a)][d]) ^ bits_of(scrambled[gray(b)][d]));
  CHECK(different == 0);
}

TEST_CASE("Each aligned block of 2^m points has one in each of 2^m intervals of every axis") {
  const SobolPoints points(3700, 3, 5);  // more than the table has
  for (const std::uint32_t size : {2u, 16u, 128u})
    for (const std::uint32_t start : {0u, 3 * size}) {
      std::vector<std::set<int>> hit(points.dimensions());
      for (std::uint32_t i = start; i < start + size; ++i) {
        const auto x = point(points, i);
        for (std::size_t d = 0; d < x.size(); ++d) hit[d].insert(static_cast<int>(x[d] * size));
      }
      for (std::size_t d = 0; d < hit.size(); ++d) CHECK(hit[d].size() == size);
    }
}

TEST_CASE("The first two dimensions fill the square evenly in every shape of box") {
  const SobolPoints points(2, 11, 0);
  constexpr int kBits = 8;
  for (int wide = 0; wide <= kBits; ++wide) {
    std::set<std::pair<int, int>> boxes;
    for (std::uint32_t i = 0; i < 1u << kBits; ++i) {
      const auto x = point(points, i);
      boxes.insert({static_cast<int>(std::ldexp(x[0], wide)),
                    static_cast<int>(std::ldexp(x[1], kBits - wide))});
    }
    CHECK(boxes.size() == 1u << kBits);
  }
}

TEST_CASE("Coordinates lie inside the interval, and any index may be asked for") {
  const SobolPoints points(5, 0, 0);
  for (const std::uint32_t index : {0u, 1u, 12345u, 0x80000000u, 0xFFFFFFFFu})
    for (const double x : point(points, index)) {
      CHECK(x > 0);
      CHECK(x < 1);
    }
  CHECK(SobolPoints(0, 1, 0).dimensions() == 0);
}

TEST_CASE("Seed and purpose choose the scrambling, and nothing else does") {
  const auto first = point(SobolPoints(4, 1, 2), 9);
  CHECK(point(SobolPoints(4, 1, 2), 9) == first);
  CHECK(point(SobolPoints(4, 2, 2), 9) != first);
  CHECK(point(SobolPoints(4, 1, 3), 9) != first);
}

TEST_CASE("Over scramblings, a point is uniform and a sum is estimated far better than by chance") {
  // The mean over 64 points of a smooth function: at random its variance is var(f) / 64.
  constexpr int kSeeds = 200;
  constexpr std::uint32_t kPoints = 64;
  double mean_first = 0, sum = 0, squares = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const SobolPoints points(3, static_cast<std::uint64_t>(seed), 0);
    mean_first += point(points, 0)[1] / kSeeds;
    double estimate = 0;
    for (std::uint32_t i = 0; i < kPoints; ++i) {
      const auto x = point(points, i);
      estimate += x[0] * x[1] * x[2] / kPoints;
    }
    sum += estimate;
    squares += estimate * estimate;
  }
  const double variance = squares / kSeeds - (sum / kSeeds) * (sum / kSeeds);
  CHECK(mean_first == Approx(0.5).margin(0.07));
  CHECK(sum / kSeeds == Approx(0.125).margin(1e-3));
  CHECK(variance < (1.0 / 27 - 1.0 / 64) / kPoints / 50);
}
