// SPDX-License-Identifier: Apache-2.0
//
// The samplers that fill the space by design: sobol and latin_hypercube.
#include <set>

#include "tests/unit/sampling/statistics.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

SearchSpace reals(int dimensions) {
  SearchSpace space;
  for (int i = 0; i < dimensions; ++i)
    space.parameters.push_back({"x" + std::to_string(i), Uniform{0, 1}});
  return space;
}

std::shared_ptr<Sampler> made(const std::string& name, const SearchSpace& space, std::int64_t runs,
                              std::uint64_t seed = 42) {
  SamplerContext context;
  context.seed = seed;
  context.max_total_runs = runs;
  auto sampler = make_sampler({name, {}}, space, context);
  REQUIRE(sampler);
  return *std::move(sampler);
}

// The values of one parameter over `count` runs, each proposed on its own.
std::vector<std::vector<double>> columns(Sampler& from, int count) {
  History history(Goal::maximize);
  std::vector<std::vector<double>> result;
  for (int i = 0; i < count; ++i) {
    const auto proposal = propose(from, history);
    REQUIRE(proposal.parameters);
    result.resize(proposal.parameters->size());
    for (std::size_t d = 0; d < result.size(); ++d)
      result[d].push_back(*as_number((*proposal.parameters)[d].value));
    add(history, *proposal.parameters);
  }
  return result;
}

std::size_t strata_hit(const std::vector<double>& column, int begin, int count) {
  std::set<int> hit;
  for (int i = begin; i < begin + count; ++i)
    hit.insert(static_cast<int>(column[static_cast<std::size_t>(i)] * count));
  return hit.size();
}

}  // namespace

TEST_CASE("A Latin hypercube uses each stratum of each parameter once, then begins anew") {
  for (const int runs : {1, 2, 3, 7, 20, 100}) {
    const auto from = made("latin_hypercube", reals(5), runs);
    for (const auto& column : columns(*from, 2 * runs)) {
      CHECK(strata_hit(column, 0, runs) == static_cast<std::size_t>(runs));
      CHECK(strata_hit(column, runs, runs) == static_cast<std::size_t>(runs));
    }
  }
}

TEST_CASE(
    "Over seeds, a run of a Latin hypercube lies anywhere, and its parameters are independent") {
  constexpr int kSeeds = 600, kStrata = 4;
  std::vector<double> pairs(kStrata * kStrata);
  for (int seed = 0; seed < kSeeds; ++seed) {
    const auto from = made("latin_hypercube", reals(2), kStrata, static_cast<std::uint64_t>(seed));
    const auto x = columns(*from, 2);
    pairs[static_cast<std::size_t>(x[0][1] * kStrata) * kStrata +
          static_cast<std::size_t>(x[1][1] * kStrata)] += 1;
  }
  CHECK(statistics::chi_square(pairs, std::vector<double>(pairs.size(), 1.0 / kStrata / kStrata)) <
        statistics::chi_square_bound(pairs.size()));
}

TEST_CASE("Each power of two of Sobol runs hits as many intervals of each parameter") {
  for (const auto& column : columns(*made("sobol", reals(8), 20), 64)) {
    for (const int count : {2, 8, 64}) CHECK(strata_hit(column, 0, count) == std::size_t(count));
    CHECK(strata_hit(column, 32, 32) == 32);
  }
}

TEST_CASE("Run n of a design depends on its number and the seed, not on the runs before") {
  const SearchSpace space = reals(3);
  for (const char* name : {"sobol", "latin_hypercube"}) {
    const auto from = made(name, space, 10);
    History empty_values(Goal::maximize), others(Goal::maximize);
    for (int i = 0; i < 4; ++i) {
      add(empty_values, {});
      add(others, {{"x0", 0.5}, {"x1", 0.25}, {"x2", static_cast<double>(i)}});
    }
    CHECK(propose(*from, empty_values).parameters == propose(*from, others).parameters);
    CHECK(propose(*from, others).parameters !=
          propose(*made(name, space, 10, 43), others).parameters);
  }
}

TEST_CASE("Designs say what they are") {
  CHECK(made("sobol", reals(2), 9)->describe() ==
        "Sobol sequence, scrambled with seed 42, of 2 parameters");
  CHECK(made("lhs", {{{"a", RandInt{3}}}}, 9)->describe() ==
        "Latin hypercube of 9 points, seed 42, of 1 parameter, without repeats, from 3 parameter "
        "sets");
}
