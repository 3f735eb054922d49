// SPDX-License-Identifier: Apache-2.0
//
// Latin hypercube sampling: each parameter's range is cut into as many strata as there are runs,
// and each stratum of each parameter is used once (McKay, Beckman, Conover, "A comparison of three
// methods for selecting values of input variables", Technometrics 21, 1979). Beyond max_total_runs
// a new one begins.
//
// The strata of different parameters are matched by independent permutations; nothing is optimised.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/text.h"
#include "sampling/samplers.h"
#include "sampling/without_repeats.h"

namespace hdrive::sampling {
namespace {

// Element `index` of a random permutation of 0 ... size - 1, without the others: a Feistel network
// over the next even power of two, walked until it stays inside (Black and Rogaway, "Ciphers with
// arbitrary finite domains", CT-RSA 2002), then turned by a random step, since the network alone is
// poor on a few elements.
std::uint64_t permuted(std::uint64_t index, std::uint64_t size, std::uint64_t key) {
  const int half = std::max(1, (static_cast<int>(std::bit_width(size - 1)) + 1) / 2);
  const std::uint64_t mask = (std::uint64_t{1} << half) - 1;
  constexpr std::uint32_t kRounds = 6;
  do {
    std::uint64_t left = index >> half, right = index & mask;
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      const std::uint64_t mixed = RandomStream(key, static_cast<std::int64_t>(right), round)();
      left = std::exchange(right, left ^ (mixed & mask));
    }
    index = left << half | right;
  } while (index >= size);
  const std::uint64_t turn = RandomStream(key, 0, kRounds)() % size;
  return index < size - turn ? index + turn : index - (size - turn);
}

class LatinHypercubeSampler final : public Sampler {
 public:
  LatinHypercubeSampler(SearchSpace space, const SamplerContext& context)
      : conditions_(std::move(space)),
        seed_(context.seed),
        strata_(static_cast<std::uint64_t>(std::max<std::int64_t>(1, context.max_total_runs))),
        untried_(conditions_.space(), seed_),
        how_(fmt::format("a point of a Latin hypercube of {}, seed {}", strata_, seed_)) {}

  // On a finite space a point that was tried is replaced by the same row of a further hypercube.
  Result<Proposal> propose(const History& history, RunId id) override {
    const auto row = static_cast<std::uint64_t>(id) % strata_;
    std::uint64_t cube = static_cast<std::uint64_t>(id) / strata_;
    return untried_.propose(history, id, how_, [&] { return point(cube++, row); });
  }

  std::string describe() const override {
    return fmt::format("Latin hypercube of {}, seed {}, of {}{}",
                       base::plural(static_cast<long long>(strata_), "point"), seed_,
                       parameters_text(conditions_.space()),
                       untried_.applies() ? ", without repeats, from " + untried_.size_text() : "");
  }

 private:
  Assignment point(std::uint64_t cube, std::uint64_t row) const {
    std::vector<double> unit(conditions_.space().parameters.size());
    for (std::uint32_t i = 0; i < unit.size(); ++i) {
      RandomStream random(seed_, static_cast<std::int64_t>(cube), i);
      const std::uint64_t key = random();
      const std::uint64_t stratum = permuted(row, strata_, key);
      const double inside = RandomStream(key, -1 - static_cast<std::int64_t>(row), 0).uniform();
      unit[i] = (static_cast<double>(stratum) + inside) / static_cast<double>(strata_);
    }
    return decode_all(conditions_, unit);
  }

  Conditions conditions_;
  std::uint64_t seed_;
  std::uint64_t strata_;
  WithoutRepeats untried_;
  std::string how_;
};

MadeSampler make(const Options&, const SearchSpace& space, const SamplerContext& context) {
  return std::shared_ptr<Sampler>(std::make_shared<LatinHypercubeSampler>(space, context));
}

}  // namespace

SamplerTable::Row latin_hypercube_row() {
  return {
      {.name = "latin_hypercube",
       .aliases = {"lhs"},
       .summary =
           "A Latin hypercube of max_total_runs points: each run has a stratum of each parameter "
           "to itself; a finite space without repeats. Where max_total_runs is changed, the runs "
           "that follow are of another hypercube; sobol does not depend on it."},
      make};
}

}  // namespace hdrive::sampling
