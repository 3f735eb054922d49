// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include "tests/unit/sampling/statistics.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::statistics;
using namespace hdrive::trials;

namespace {

Value integer(std::int64_t number) { return number; }

const SearchSpace kInfinite{{{"--lr", LogUniform{-6, -1}},
                             {"units", QUniform{16, 256, 16}},
                             {"activation", Choice{{std::string("relu"), std::string("tanh")}}},
                             {"noise", Normal{0, 1}}}};
const SearchSpace kTwelve{
    {{"a", Choice{{std::string("x"), std::string("y"), std::string("z")}}}, {"b", RandInt{4}}}};

// How often each level of a one-parameter space is proposed over many seeds, after `tried`.
std::vector<double> frequencies(const Expression& expression, const std::vector<Assignment>& tried,
                                int seeds) {
  const History history = history_of(tried);
  const std::uint64_t size = cardinality(expression).value();
  std::vector<double> counts(size);
  for (int seed = 0; seed < seeds; ++seed) {
    const auto from = sampler("random", {{{"x", expression}}}, static_cast<std::uint64_t>(seed));
    const Value value = propose(*from, history).parameters.value().front().value;
    for (std::uint64_t i = 0; i < size; ++i) counts[i] += value == level(expression, i);
  }
  return counts;
}

}  // namespace

// Written out so that another compiler, another platform or a later version must give the same sweep.
// Without logarithms: the last bit of the system's exp() may depend on the processor.
TEST_CASE("The sweep of seed 42 is this one, everywhere") {
  SearchSpace space = kInfinite;
  space.parameters[0].expression = Uniform{0, 1};
  const auto from = sampler("random", space, 42);
  History history(Goal::maximize);
  const std::vector<std::string> expected{
      R"({"--lr":0.4685865183391049,"units":128,"activation":"tanh","noise":-1.5732455100873421})",
      R"({"--lr":0.1262498542224193,"units":208,"activation":"relu","noise":0.7672583691103593})",
      R"({"--lr":0.5202384233471038,"units":48,"activation":"relu","noise":2.1156907024371754})",
      R"({"--lr":0.44562593499205727,"units":128,"activation":"relu","noise":0.7615538770232335})",
  };
  CHECK(run(*from, history, 4) == expected);
}

TEST_CASE(
    "Another seed or another run gives other values; another parameter does not disturb them") {
  const History empty(Goal::maximize);
  const auto at = [&](const SearchSpace& space, std::uint64_t seed) {
    return propose(*sampler("random", space, seed), empty).parameters.value();
  };
  CHECK(at(kInfinite, 1) == at(kInfinite, 1));
  CHECK(at(kInfinite, 1) != at(kInfinite, 2));
  SearchSpace shorter = kInfinite;
  shorter.parameters.resize(2);
  CHECK(*find(at(shorter, 1), "lr") == *find(at(kInfinite, 1), "lr"));
  CHECK(*find(at(shorter, 1), "units") == *find(at(kInfinite, 1), "units"));
}

TEST_CASE("Parameters are independent of each other") {
  const SearchSpace space{{{"a", RandInt{3}}, {"b", RandInt{3}}, {"c", Uniform{0, 1}}}};
  const auto from = sampler("random", space);
  const History empty(Goal::maximize);
  std::vector<double> counts(9);
  for (RunId id = 0; id < 50'000; ++id) {
    const Assignment drawn = from->propose(empty, id)->parameters.value();
    ++counts[static_cast<std::size_t>(*as_number(drawn[0].value) * 3 + *as_number(drawn[1].value))];
  }
  CHECK(chi_square(counts, std::vector<double>(9, 1.0 / 9)) < chi_square_bound(9));
}

TEST_CASE("A finite space is drawn from without repeats, and then exhausted") {
  const auto from = sampler("random", kTwelve);
  History history(Goal::maximize);
  const auto proposed = run(*from, history, 100);
  CHECK(proposed.size() == 12);
  CHECK(std::set(proposed.begin(), proposed.end()).size() == 12);
  const Proposal end = propose(*from, history);
  CHECK_FALSE(end.parameters);
  CHECK(end.reason == "the search space has only 12 parameter sets, and all were tried");
}

TEST_CASE("A space of one point is exhausted after one run") {
  const auto from = sampler("random", {{{"only", Choice{{true}}}}});
  History history(Goal::maximize);
  CHECK(run(*from, history, 5) == std::vector<std::string>{R"({"only":true})"});
  CHECK(propose(*from, history).reason ==
        "the search space has only 1 parameter set, and it was tried");
}

TEST_CASE("An infinite space may repeat the values of its finite parameters") {
  const auto from = sampler("random", {{{"a", Choice{{true}}}, {"q", QNormal{0, 0.01, 1}}}});
  History history(Goal::maximize);
  CHECK(run(*from, history, 5) == std::vector<std::string>(5, R"({"a":true,"q":0})"));
}

TEST_CASE("Repeated options do not make a finite space larger") {
  const auto from = sampler("random", {{{"a", Choice{{true, false, true}}}}});
  History history(Goal::maximize);
  CHECK(run(*from, history, 5).size() == 2);
}

TEST_CASE("What comes second has the chances of the sequential draw") {
  const QUniform expression{0, 10, 2};
  // After 2: 0 and 10 with 0.1 / 0.8 each, 4, 6 and 8 with 0.2 / 0.8.
  const auto counts = frequencies(expression, {{{"x", integer(2)}}}, 20'000);
  CHECK(counts[1] == 0);
  CHECK(chi_square({counts[0], counts[2], counts[3], counts[4], counts[5]},
                   {0.125, 0.25, 0.25, 0.25, 0.125}) < chi_square_bound(5));
}

TEST_CASE("The last few points keep their chances, though drawing again would not reach them") {
  // 0 has 83 hundredths of the mass; 19 and 20 are left, with a few thousandths.
  const QLogUniform expression{-20, 3, 1};
  std::vector<Assignment> tried;
  for (std::int64_t k = 0; k < 19; ++k) tried.push_back({{"x", integer(k)}});
  const auto counts = frequencies(expression, tried, 20'000);
  const double first = std::log(19.5 / 18.5), second = 3 - std::log(19.5);
  CHECK(chi_square({counts[19], counts[20]},
                   {first / (first + second), second / (first + second)}) < chi_square_bound(2));
  const auto from = sampler("random", {{{"x", expression}}});
  CHECK(propose(*from, history_of(tried)).reason ==
        "drawn at random, seed 42, from the 2 of 21 parameter sets not tried yet");
}

TEST_CASE("Parameter sets of other origins count as tried") {
  const auto from = sampler("random", kTwelve);
  History history = history_of({point(kTwelve, 3), point(kTwelve, 7), point(kTwelve, 3)});
  const auto proposed = run(*from, history, 100);
  CHECK(std::set(proposed.begin(), proposed.end()).size() == 10);
  CHECK(proposed.size() == 10);
}

TEST_CASE("A space too large to look through repeats a run rather than to end, and says so") {
  // All but 10^-8 of the mass is at 0, the rest on 1.2 million points.
  const auto from = sampler("random", {{{"x", QLogUniform{-1e9, 14, 1}}}});
  const Proposal proposal = propose(*from, history_of({{{"x", integer(0)}}}));
  REQUIRE(proposal.parameters);
  CHECK(to_json(*proposal.parameters) == R"({"x":0})");
  CHECK(proposal.reason ==
        "drawn at random, seed 42; it repeats run 0, since 65536 draws from 1202605 parameter sets "
        "gave nothing new");
}

TEST_CASE("The sampler describes itself with seed and size") {
  CHECK(sampler("random", kInfinite, 7)->describe() == "random sampling, seed 7, of 4 parameters");
  CHECK(sampler("random", kTwelve, 7)->describe() ==
        "random sampling, seed 7, without repeats, from 12 parameter sets");
}
