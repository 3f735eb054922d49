// SPDX-License-Identifier: Apache-2.0
#include "hdrive/random.h"
#include "sampling/philox.h"

namespace hdrive {
namespace {

std::uint32_t low(std::uint64_t word) { return static_cast<std::uint32_t>(word); }
std::uint32_t high(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
std::uint64_t join(std::uint32_t low_half, std::uint32_t high_half) {
  return std::uint64_t{high_half} << 32 | low_half;
}

}  // namespace

// The seed is the key; purpose and run are the upper three words of the counter, the lowest counts
// the blocks. No two streams share a block before one of them has given 2^33 numbers.
RandomStream::RandomStream(std::uint64_t seed, std::int64_t run, std::uint32_t purpose)
    : key_{low(seed), high(seed)},
      counter_{0, purpose, low(static_cast<std::uint64_t>(run)),
               high(static_cast<std::uint64_t>(run))} {}

RandomStream::result_type RandomStream::operator()() {
  if (used_ == block_.size()) refill();
  return block_[used_++];
}

double RandomStream::uniform() {
  constexpr double kUnit = 1.0 / (std::uint64_t{1} << 53);
  return static_cast<double>((*this)() >> 11) * kUnit;
}

void RandomStream::refill() {
  const auto words = sampling::philox4x32_10(counter_, key_);
  block_ = {join(words[0], words[1]), join(words[2], words[3])};
  ++counter_[0];
  used_ = 0;
}

}  // namespace hdrive
