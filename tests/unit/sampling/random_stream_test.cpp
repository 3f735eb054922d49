// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <set>

#include "hdrive/random.h"
#include "sampling/philox.h"
#include "tests/catch.h"
#include "tests/unit/sampling/statistics.h"

using namespace hdrive;
using Words = std::array<std::uint32_t, 4>;

// Known answers of the authors' library Random123 (kat_vectors, philox4x32 10).
TEST_CASE("Philox gives the published answers") {
  CHECK(sampling::philox4x32_10({0, 0, 0, 0}, {0, 0}) ==
        Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(sampling::philox4x32_10({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(sampling::philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                                {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("A stream is the blocks of its seed, run and purpose") {
  RandomStream zero(0, 0, 0);
  CHECK(zero() == 0xe169c58d6627e8d5);
  CHECK(zero() == 0x9b00dbd8bc57ac4c);
  const Words second = sampling::philox4x32_10({1, 0, 0, 0}, {0, 0});
  CHECK(zero() == (std::uint64_t{second[1]} << 32 | second[0]));

  RandomStream keyed(0x1122334455667788, 0x0102030405060708, 9);
  const Words block =
      sampling::philox4x32_10({0, 9, 0x05060708, 0x01020304}, {0x55667788, 0x11223344});
  CHECK(keyed() == (std::uint64_t{block[1]} << 32 | block[0]));
}

TEST_CASE("Streams of other seeds, runs and purposes differ from the first number on") {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (std::int64_t run = 0; run < 10; ++run)
      for (std::uint32_t purpose = 0; purpose < 10; ++purpose)
        firsts.insert(RandomStream(seed, run, purpose)());
  CHECK(firsts.size() == 1000);
}

TEST_CASE("Uniform numbers are uniform along a stream and across the runs of a sweep") {
  std::vector<double> along, across_runs, across_seeds;
  RandomStream random(7, 0, 0);
  for (int i = 0; i < 100'000; ++i) {
    along.push_back(random.uniform());
    across_runs.push_back(RandomStream(7, i, 0).uniform());
    across_seeds.push_back(RandomStream(static_cast<std::uint64_t>(i), 0, 0).uniform());
  }
  for (const auto& sample : {along, across_runs, across_seeds}) {
    CHECK(statistics::kolmogorov(sample, [](double x) { return x; }) <
          statistics::kKolmogorovBound);
    CHECK(*std::min_element(sample.begin(), sample.end()) >= 0);
    CHECK(*std::max_element(sample.begin(), sample.end()) < 1);
  }
}

TEST_CASE("A uniform number is the upper 53 bits of a word") {
  RandomStream bits(3, 1, 4), numbers(3, 1, 4);
  for (int i = 0; i < 10; ++i)
    CHECK(numbers.uniform() == static_cast<double>(bits() >> 11) / 9007199254740992.0);
}
