// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

const SearchSpace kReal{{{"x", Uniform{0, 1}}, {"y", Uniform{0, 1}}}};

std::string described(const SearchSpace& space, std::int64_t runs, std::int64_t at_once) {
  const auto made = make_sampler({"auto", {}}, space, {Goal::minimize, 1, runs, at_once});
  REQUIRE(made);
  return (*made)->describe();
}

}  // namespace

TEST_CASE("auto chooses by budget, space and parallelism, and says what and why") {
  CHECK_THAT(described(kReal, 100, 4),
             Catch::StartsWith("auto: bayesian, because 100 runs for 2 parameters suit"));
  CHECK_THAT(described(kReal, 8, 8),
             Catch::StartsWith("auto: sobol, because all runs start at once"));
  CHECK_THAT(described(kReal, 8, 1),
             Catch::StartsWith("auto: sobol, because 8 runs are too few to learn from"));
  CHECK_THAT(described(kReal, 40, 16), Catch::StartsWith("auto: bayesian, because 40 runs for 2"));
  CHECK_THAT(described(kReal, 20000, 4),
             Catch::StartsWith("auto: tpe, because 20000 runs are many"));
  SearchSpace wide;
  for (int i = 0; i < 80; ++i) wide.parameters.push_back({"x" + std::to_string(i), Uniform{0, 1}});
  CHECK_THAT(described(wide, 200, 4),
             Catch::StartsWith("auto: tpe, because 80 parameters are many"));
  CHECK_THAT(described({{{"n", RandInt{6}}}}, 50, 4),
             Catch::StartsWith("auto: random, because 50 runs can try all 6 points"));
}

TEST_CASE("Each proposal of auto names the sampler it comes from, and the first says why") {
  const auto made = *make_sampler({"auto", {}}, kReal, {Goal::minimize, 1, 8, 8});
  const auto sobol = *make_sampler({"sobol", {}}, kReal, {Goal::minimize, 1, 8, 8});
  History history(Goal::minimize);
  for (const char* chosen :
       {"auto chose sobol, because all runs start at once, before there is any result: ",
        "auto, sobol: "}) {
    const Proposal proposal = propose(*made, history), same = propose(*sobol, history);
    CHECK(proposal.parameters == same.parameters);
    CHECK(proposal.reason == chosen + same.reason);
    add(history, *proposal.parameters);
    history.edit(history.size() - 1).proposal = proposal.reason;
  }
}

TEST_CASE("Where an update of the sweep makes auto choose another sampler, that run says so") {
  const auto with_budget = [](std::int64_t runs) {
    return *make_sampler({"auto", {}}, kReal, {Goal::minimize, 1, runs, 1});
  };
  History history(Goal::minimize);
  const auto next = [&](std::int64_t runs) {
    const Proposal proposal = propose(*with_budget(runs), history);
    add(history, *proposal.parameters);
    history.edit(history.size() - 1).proposal = proposal.reason;
    return proposal.reason;
  };
  CHECK_THAT(next(8), Catch::StartsWith("auto chose sobol, because 8 runs are too few"));
  CHECK_THAT(next(8), Catch::StartsWith("auto, sobol: "));
  CHECK_THAT(next(200), Catch::StartsWith("auto chose bayesian, because 200 runs"));
  CHECK_THAT(next(200), Catch::StartsWith("auto, bayesian: "));
  add(history, {{"x", 0.5}, {"y", 0.5}});  // somebody's own point
  history.edit(history.size() - 1).proposal = "enqueued";
  CHECK_THAT(next(200), Catch::StartsWith("auto, bayesian: "));
}
