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

TEST_CASE("What decides whether a run survives matters, though few that were stopped are seen") {
  // x0 decides whether a run is hopeless, which a policy then stops; x1 tunes the others.
  const SearchSpace space{{{"x0", Uniform{0, 1}}, {"x1", Uniform{0, 1}}, {"x2", Uniform{0, 1}}}};
  const auto from = sampler("sobol", space);
  History history(Goal::minimize), all(Goal::minimize);
  for (RunId id = 0; id < 128; ++id) {
    const Assignment x = *propose(*from, history).parameters;
    const double loss = (number(x, "x0") < 0.4 ? 0 : 2) + std::abs(number(x, "x1") - 0.6);
    for (History* each : {&history, &all}) {
      add(*each, x);
      each->set_status(id, RunStatus::running);
      each->report(id, loss);
      const bool stopped = each == &history && loss >= 2;
      each->set_status(id, stopped ? RunStatus::canceled : RunStatus::completed,
                       stopped ? EndCause::policy : EndCause::exited);
    }
  }
  const auto seen = parameter_importance(space, history), whole = parameter_importance(space, all);
  REQUIRE(seen);
  CHECK(share(*seen, "x0") > 0.3);
  CHECK(share(*seen, "x0") == Approx(share(*whole, "x0")).margin(0.1));
  // Runs that failed by their own fault were tried too.
  History failing(Goal::minimize);
  for (RunId id = 0; id < 128; ++id) {
    const Assignment x = history.run(id).parameters;
    const bool fails = number(x, "x0") >= 0.4;
    add(failing, x);
    failing.set_status(id, RunStatus::running);
    if (!fails) failing.report(id, std::abs(number(x, "x1") - 0.6));
    failing.set_status(id, fails ? RunStatus::failed : RunStatus::completed, EndCause::exited);
  }
  CHECK(share(*parameter_importance(space, failing), "x0") > 0.3);
}

TEST_CASE(
    "A parameter of one value has no importance, and values of runs that were stopped make none") {
  SearchSpace space = kSpace;
  space.parameters[1].expression = Choice{{1.0}};
  History history =
      swept(space, 64, Goal::minimize, [](const Assignment& x) { return number(x, "much"); });
  const auto before = parameter_importance(space, history);
  CHECK(share(*before, "little") == 0);
  // Far better values of runs that were stopped early would turn all around.
  for (int i = 0; i < 12; ++i) {
    Assignment x = history.run(i).parameters;
    x[2].value = 0.9 + 1e-4 * i;
    add(history, x);
    const RunId id = history.size() - 1;
    history.set_status(id, RunStatus::running);
    history.report(id, -100);
    history.set_status(id, RunStatus::canceled, EndCause::policy);
  }
  const auto after = parameter_importance(space, history);
  CHECK(after->front().name == "much");
  CHECK(share(*after, "much") > 0.7 * share(*before, "much"));
  CHECK(share(*after, "little") == 0);
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
