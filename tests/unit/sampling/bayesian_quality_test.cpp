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

// Of the predictions of a sweep, those that were wrong by more than so many deviations.
struct Misses {
  int predictions = 0;
  int beyond[3] = {};

  void add(const History& history, const std::vector<std::string>& reasons) {
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      const auto at = reasons[i].find("predicted ");
      double mean = 0, deviation = 0;
      if (at == std::string::npos) continue;
      REQUIRE(std::sscanf(reasons[i].c_str() + at, "predicted %lf +- %lf", &mean, &deviation) == 2);
      const double printed = std::hypot(deviation, 1e-5 * std::abs(mean));  // with six digits
      const double miss = std::abs(*history.best(static_cast<RunId>(i)) - mean) / printed;
      ++predictions;
      for (int k = 0; k < 3; ++k) beyond[k] += miss > k + 1 ? 1 : 0;
    }
  }
  double share(int deviations) const {
    return static_cast<double>(beyond[deviations - 1]) / predictions;
  }
};

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

TEST_CASE("What the model foretells of its proposals is seldom off by more than it says") {
  const std::vector<double (*)(double, double, double)> functions{
      [](double x, double y, double z) { return x * x + 2 * y * y + 3 * z * z; },
      [](double x, double y, double z) { return std::sin(5 * x) + y * y + std::cos(4 * y * z); },
      [](double x, double y, double z) {
        return std::abs(x - 0.4) + std::sqrt(std::abs(y - 0.6)) + z;
      },
      [](double x, double y, double z) {
        return std::pow(x - 0.3, 2) + std::pow(y - 0.6, 2) + std::pow(z - 0.5, 2) -
               0.05 * std::cos(20 * x) * std::cos(20 * y);
      },
  };
  const SearchSpace space = reals(3);
  Misses misses;
  for (const auto function : functions)
    for (const std::uint64_t seed : {1, 2, 3}) {
      const auto made = sampler("bayesian", space, seed);
      History history(Goal::minimize);
      std::vector<std::string> reasons;
      for (RunId id = 0; id < 50; ++id) {
        const Proposal proposal = propose(*made, history);
        reasons.push_back(proposal.reason);
        add(history, *proposal.parameters);
        complete(history, id,
                 function(number(*proposal.parameters, 0), number(*proposal.parameters, 1),
                          number(*proposal.parameters, 2)));
      }
      misses.add(history, reasons);
    }
  CHECK(misses.predictions == 4 * 3 * 40);
  INFO(misses.share(1) << " " << misses.share(2) << " " << misses.share(3));
  CHECK(misses.share(1) < 0.32);
  CHECK(misses.share(2) < 0.1);
  CHECK(misses.share(3) < 0.04);
}

TEST_CASE(
    "With more than a hundred runs it finds digits that a model of all runs takes for noise") {
  const SearchSpace space{{{"x", Uniform{0, 1}}, {"y", Uniform{0, 1}}, {"z", Uniform{0, 1}}}};
  const auto made = sampler("bayesian", space);
  History history(Goal::minimize);
  sweep(
      *made, history, 170,
      [&](const Assignment& at, RunId) {
        return std::pow(number(at, 0) - 0.3, 2) + 3 * std::pow(number(at, 1) - 0.7, 2) +
               std::pow(number(at, 2) - 0.4, 2);
      },
      space);
  CHECK(std::log10(*history.best(*history.incumbent())) < -10);
}
