// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

const SearchSpace kSpace{{{"much", Uniform{0, 1}},
                          {"little", Uniform{0, 1}},
                          {"none", LogUniform{-5, 0}},
                          {"kind", Choice{{std::string("a"), std::string("b"), std::string("c")}}},
                          {"whole", RandInt{8}}}};

double number(const Assignment& x, const char* name) { return *as_number(*find(x, name)); }

History swept(const SearchSpace& space, int runs, Goal goal,
              const std::function<double(const Assignment&)>& objective) {
  const auto from = sampler("sobol", space);
  History history(goal);
  for (int i = 0; i < runs; ++i) {
    add(history, *propose(*from, history).parameters);
    history.set_status(i, RunStatus::running);
    history.report(i, objective(history.run(i).parameters));
    history.set_status(i, RunStatus::completed, EndCause::exited);
  }
  return history;
}

double share(const std::vector<ParameterImportance>& all, const std::string& name) {
  for (const auto& one : all)
    if (one.name == name) return one.share;
  FAIL("no " + name);
  return 0;
}

}  // namespace

TEST_CASE("Parameters are ordered by how much they matter, and shares add up to one") {
  for (const Goal goal : {Goal::minimize, Goal::maximize}) {
    const double sign = goal == Goal::minimize ? 1 : -1;
    const auto importance = parameter_importance(
        kSpace, swept(kSpace, 256, goal, [&](const Assignment& x) {
          return sign * (10 * std::abs(number(x, "much") - 0.3) + 3 * number(x, "little"));
        }));
    REQUIRE(importance);
    REQUIRE(importance->size() == 5);
    CHECK((*importance)[0].name == "much");
    CHECK((*importance)[1].name == "little");
    CHECK((*importance)[0].share > 0.5);
    double total = 0;
    for (const auto& one : *importance) {
      CHECK(one.share >= 0);
      total += one.share;
    }
    CHECK(total == Approx(1));
    for (const char* name : {"none", "kind", "whole"})
      CHECK(share(*importance, name) < share(*importance, "little"));
  }
}

TEST_CASE("A category, or a whole number, that decides alone has nearly all of the importance") {
  const auto by_kind = parameter_importance(
      kSpace, swept(kSpace, 256, Goal::minimize, [](const Assignment& x) {
        return (*find(x, "kind") == Value(std::string("b")) ? 0 : 1) + 1e-3 * number(x, "little");
      }));
  CHECK(by_kind->front().name == "kind");
  const auto by_whole = parameter_importance(
      kSpace, swept(kSpace, 256, Goal::minimize,
                    [](const Assignment& x) { return std::abs(number(x, "whole") - 5); }));
  CHECK(by_whole->front().name == "whole");
  CHECK(by_whole->front().share > 0.7);
}

TEST_CASE(
    "A parameter of one value has no importance, and runs without a final value do not count") {
  SearchSpace space = kSpace;
  space.parameters[1].expression = Choice{{1.0}};
  History history =
      swept(space, 64, Goal::minimize, [](const Assignment& x) { return number(x, "much"); });
  const auto before = parameter_importance(space, history);
  CHECK(share(*before, "little") == 0);
  // Far better values of runs that were stopped early, or of failed ones, would turn all around.
  for (int i = 0; i < 64; ++i) {
    Assignment x = history.run(i).parameters;
    x[2].value = 0.9 + 1e-4 * i;
    add(history, x);
    const RunId id = history.size() - 1;
    history.set_status(id, RunStatus::running);
    history.report(id, i % 2 ? -100.0 : std::nan(""));
    history.set_status(id, i % 2 ? RunStatus::canceled : RunStatus::completed,
                       i % 2 ? EndCause::policy : EndCause::exited);
  }
  CHECK(share(*parameter_importance(space, history), "much") == share(*before, "much"));
}

TEST_CASE("Runs that are equally good all belong to the best") {
  const SearchSpace space{
      {{"decides", Uniform{0, 1}}, {"idle", Uniform{0, 1}}, {"idle too", Uniform{0, 1}}}};
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    INFO(seed);
    const auto random = sampler("random", space, seed);
    History history(Goal::minimize);
    for (int i = 0; i < 60; ++i) {
      add(history, *propose(*random, history).parameters);
      history.set_status(i, RunStatus::running);
      history.report(i, number(history.run(i).parameters, "decides") < 0.5 ? 0 : 1);
      history.set_status(i, RunStatus::completed, EndCause::exited);
    }
    const auto importance = parameter_importance(space, history);
    REQUIRE(importance);
    CHECK(share(*importance, "decides") > 0.8);
  }
}

TEST_CASE("What cannot vary explains nothing, whatever the rounding") {
  const SearchSpace fixed{{{"n", Choice{{10.0}}}, {"u", Uniform{1, 1}}, {"v", Uniform{0.3, 0.3}}}};
  const auto rises = [run = 0](const auto&) mutable { return run++; };
  CHECK(parameter_importance(fixed, swept(fixed, 12, Goal::minimize, rises)).error().message() ==
        "no parameter varies over the 12 runs, so none can matter");
  const SearchSpace one{{{"u", Uniform{0.3, 0.3}}, {"x", Uniform{0, 1}}}};
  const auto importance = parameter_importance(
      one, swept(one, 20, Goal::minimize, [](const auto& x) { return number(x, "x"); }));
  CHECK(share(*importance, "u") == 0);
  CHECK(share(*importance, "x") == 1);
}

TEST_CASE("Without enough results, or with only equal ones, it says why there is no answer") {
  CHECK(parameter_importance(kSpace, History(Goal::minimize)).error().message() ==
        "importance needs at least 10 finished runs with a value, and there are 0");
  const auto flat = parameter_importance(
      kSpace, swept(kSpace, 20, Goal::minimize, [](const auto&) { return 1; }));
  CHECK(flat.error().message() == "all 20 runs have the same value, so no parameter matters");
}
