// SPDX-License-Identifier: Apache-2.0
//
// Where the Bayesian sampler looks, and how well its model foretells what it finds there. Fixed
// seeds; the bounds are what was measured with a margin, and are not to be loosened.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "tests/catch.h"
#include "tests/unit/sampling/sweeps.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

double number(const Assignment& at, std::size_t i) { return as_number(at[i].value).value(); }

std::string option(const Assignment& at) { return std::get<std::string>(at[0].value); }

int initial_points(const SearchSpace& space, int budget) {
  SamplerContext context;
  context.max_total_runs = budget;
  const auto made = *make_sampler({"bayesian", {}}, space, context);
  const History history(Goal::minimize);
  int size = 0;
  std::sscanf(propose(*made, history).reason.c_str(), "initial design, 1 of %d", &size);
  return size;
}

}  // namespace

TEST_CASE("An option of a category that looks bad is tried again, now and then") {
  const SearchSpace space{{{"kind", Choice{{std::string("good"), std::string("bad"),
                                            std::string("worse"), std::string("hopeless")}}},
                           {"x", Uniform{0, 1}}}};
  const auto made = sampler("bayesian", space);
  History history(Goal::minimize);
  const auto handicap = [](const std::string& kind) {
    return kind == "good" ? 0.0 : kind == "bad" ? 1.0 : kind == "worse" ? 2.0 : 5.0;
  };
  sweep(
      *made, history, 90,
      [&](const Assignment& at, RunId) {
        return handicap(option(at)) + std::pow(number(at, 1) - 0.3, 2);
      },
      space);
  std::set<std::string> late;
  int others = 0;
  for (RunId id = 30; id < 90; ++id) {
    late.insert(option(history.run(id).parameters));
    others += option(history.run(id).parameters) == "good" ? 0 : 1;
  }
  CHECK(late.size() == 4);
  CHECK(others < 25);  // about one in eight is spent on it
}

TEST_CASE("A point that gave the same value twice is not tried again beside real parameters") {
  const SearchSpace space = reals(2);
  const auto made = sampler("bayesian", space);
  History history(Goal::minimize);
  sweep(
      *made, history, 60, [](const Assignment& at, RunId) { return number(at, 0) + number(at, 1); },
      space);
  std::set<std::string> tried;
  for (RunId id = 0; id < 60; ++id) tried.insert(to_json(history.run(id).parameters));
  CHECK(tried.size() >= 59);
}

TEST_CASE("The design has ten points where all is real, more where levels have to be tried") {
  SearchSpace mixed = reals(19);
  mixed.parameters.push_back({"kind", Choice{{std::string("a"), std::string("b")}}});
  CHECK(initial_points(reals(20), 100) == 10);
  CHECK(initial_points(mixed, 100) == 25);
  CHECK(initial_points(mixed, 400) == 40);
  CHECK(initial_points(reals(3), 100) == 10);
  CHECK(initial_points(reals(20), 24) == 8);
}
