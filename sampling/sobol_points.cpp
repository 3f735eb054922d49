// SPDX-License-Identifier: Apache-2.0
#include "sampling/sobol_points.h"

#include <algorithm>
#include <bit>
#include <boost/random/sobol.hpp>

#include "hdrive/random.h"

namespace hdrive::sampling {
namespace {

using Table = boost::random::default_sobol_table;

constexpr unsigned kBits = 32;
constexpr std::size_t kTableDimensions = Table::max_dimension;

constexpr std::uint32_t reversed(std::uint32_t bits) {
  bits = bits >> 16 | bits << 16;
  bits = (bits & 0x00FF00FFu) << 8 | (bits & 0xFF00FF00u) >> 8;
  bits = (bits & 0x0F0F0F0Fu) << 4 | (bits & 0xF0F0F0F0u) >> 4;
  bits = (bits & 0x33333333u) << 2 | (bits & 0xCCCCCCCCu) >> 2;
  return (bits & 0x55555555u) << 1 | (bits & 0xAAAAAAAAu) >> 1;
}

// A permutation under which each bit depends on itself and the lower ones only; even multipliers
// keep it invertible. Constants as Burley prints them.
constexpr std::uint32_t laine_karras(std::uint32_t bits, std::uint32_t key) {
  bits += key;
  bits ^= bits * 0x6C50B47Cu;
  bits ^= bits * 0xB82F1E52u;
  bits ^= bits * 0xC7AFE638u;
  bits ^= bits * 0x8D22F6E6u;
  return bits;
}

// Twice with keys of their own: one pass leaves the upper bits of neighbouring intervals
// correlated.
constexpr std::uint32_t scrambled(std::uint32_t bits, std::uint32_t key, std::uint32_t second_key) {
  return reversed(laine_karras(laine_karras(reversed(bits), key), second_key));
}

// Column k, dimension d of the generating matrices (Bratley and Fox, TOMS 14, 1988, section 2).
std::vector<std::uint32_t> direction_numbers(std::size_t dimensions) {
  std::vector<std::uint32_t> v(kBits * dimensions);
  const auto at = [&](unsigned k, std::size_t d) -> std::uint32_t& {
    return v[k * dimensions + d];
  };
  for (unsigned k = 0; k < kBits; ++k) at(k, 0) = std::uint32_t{1} << (kBits - 1 - k);
  for (std::size_t d = 1; d < dimensions; ++d) {
    const std::uint32_t polynomial = Table::polynomial(d - 1);
    const auto degree = static_cast<unsigned>(std::bit_width(polynomial)) - 1;
    for (unsigned k = 0; k < degree; ++k)
      at(k, d) = static_cast<std::uint32_t>(Table::minit(d - 1, k)) << (kBits - 1 - k);
    for (unsigned k = degree; k < kBits; ++k) {
      at(k, d) = at(k - degree, d) ^ at(k - degree, d) >> degree;
      for (unsigned i = 1; i < degree; ++i)
        if (polynomial >> (degree - i) & 1) at(k, d) ^= at(k - i, d);
    }
  }
  return v;
}

}  // namespace

SobolPoints::SobolPoints(std::size_t dimensions, std::uint64_t seed, std::uint32_t purpose)
    : directions_(
          direction_numbers(std::min(std::max<std::size_t>(dimensions, 1), kTableDimensions))) {
  RandomStream keys(seed, -1, purpose);
  const auto half = [&] { return static_cast<std::uint32_t>(keys() >> 32); };
  for (std::size_t d = 0; d < dimensions; ++d) {
    const std::uint32_t first = half();
    scrambles_.push_back({first, half()});
    if (d % kTableDimensions == 0) shuffles_.push_back(half());
  }
}

void SobolPoints::point(std::uint32_t index, std::span<double> out) const {
  constexpr double kUnit = 1.0 / (std::uint64_t{1} << kBits);
  const std::size_t width = directions_.size() / kBits;
  for (std::size_t start = 0; start < dimensions(); start += width) {
    const std::size_t end = std::min(start + width, dimensions());
    const std::uint32_t key = shuffles_[start / width];
    // Scrambling the index, too, keeps every aligned block of 2^m points together.
    const std::uint32_t place = start == 0 ? index : scrambled(index, key, ~key);
    for (std::size_t d = start; d < end; ++d) {
      std::uint32_t bits = 0;
      for (std::uint32_t left = place; left != 0; left &= left - 1)
        bits ^= directions_[static_cast<std::size_t>(std::countr_zero(left)) * width + (d - start)];
      out[d] = (scrambled(bits, scrambles_[d].first, scrambles_[d].second) + 0.5) * kUnit;
    }
  }
}

}  // namespace hdrive::sampling
