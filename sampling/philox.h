// SPDX-License-Identifier: Apache-2.0
//
// The block function behind RandomStream, apart so that it can be tested against published vectors.
//
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011.
#pragma once

#include <array>
#include <cstdint>

namespace hdrive::sampling {

/// Ten rounds: 128 random bits that depend on nothing but the counter and the key.
constexpr std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                                     std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultipliers[] = {0xD2511F53, 0xCD9E8D57};
  constexpr std::uint32_t kKeySteps[] = {0x9E3779B9, 0xBB67AE85};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultipliers[0] * counter[0];
    const std::uint64_t product1 = kMultipliers[1] * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += kKeySteps[0];
    key[1] += kKeySteps[1];
  }
  return counter;
}

}  // namespace hdrive::sampling
