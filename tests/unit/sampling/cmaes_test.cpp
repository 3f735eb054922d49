// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "hdrive/random.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

double number(const Assignment& x, std::size_t i) { return *as_number(x[i].value); }

std::shared_ptr<Sampler> cmaes(const SearchSpace& space, std::uint64_t seed = 1) {
  return *make_sampler({"cmaes", {}}, space, {Goal::minimize, seed, 1000, 1});
}

void end(History& history, RunId id, double value) {
  history.set_status(id, RunStatus::running);
  history.report(id, value);
  history.set_status(id, RunStatus::completed, EndCause::exited);
}

// Proposes and evaluates `runs` times; the last proposal's value of the objective.
History evolved(Sampler& from, int runs,
                const std::function<double(const Assignment&)>& objective) {
  History history(Goal::minimize);
  for (int i = 0; i < runs; ++i) {
    add(history, *propose(from, history).parameters);
    end(history, i, objective(history.run(i).parameters));
  }
  return history;
}

SearchSpace reals(int d) {
  SearchSpace space;
  for (int i = 0; i < d; ++i) space.parameters.push_back({"x" + std::to_string(i), Uniform{0, 1}});
  return space;
}

}  // namespace

TEST_CASE("cmaes converges on an ill-conditioned rotated bowl that is far from the middle") {
  const auto from = cmaes(reals(3));
  const History history = evolved(*from, 500, [](const Assignment& x) {
    const double a = number(x, 0) + number(x, 1) - 1.0, b = number(x, 0) - number(x, 1) - 0.4;
    return 100 * a * a + b * b + 10 * std::pow(number(x, 2) - 0.15, 2);
  });
  CHECK(*history.best(*history.incumbent()) < 1e-8);
}

TEST_CASE(
    "cmaes finds whole numbers and options, and the margin keeps it from freezing on a level") {
  const SearchSpace space{{{"n", RandInt{20}},
                           {"x", Uniform{0, 1}},
                           {"c", Choice{{std::string("a"), std::string("b"), std::string("c")}}}}};
  int found = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto from = cmaes(space, seed);
    const History history = evolved(*from, 200, [](const Assignment& x) {
      return std::abs(number(x, 0) - 17) + std::abs(number(x, 1) - 0.7) +
             (x[2].value == Value(std::string("b")) ? 0 : 1);
    });
    found += *history.best(*history.incumbent()) < 0.05;
  }
  CHECK(found >= 9);
}

// As the reason of a proposal tells it.
double step_size(const std::string& reason) {
  const std::string words = "step size ";
  return std::stod(reason.substr(reason.find(words) + words.size()));
}

TEST_CASE("Where nothing can be learnt the step size of cmaes stays, however many are categories") {
  for (const auto& [numbers, categories] : {std::pair(8, 0), {8, 2}, {2, 2}, {2, 6}, {1, 9}}) {
    INFO(numbers << " numbers, " << categories << " categories");
    SearchSpace space = reals(numbers);
    for (int i = 0; i < categories; ++i)
      space.parameters.push_back({"c" + std::to_string(i),
                                  Choice{{std::string("a"), std::string("b"), std::string("c")}}});
    double logarithms = 0;
    constexpr int kSeeds = 20;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const auto from = cmaes(space, seed);
      RandomStream noise(seed, 0, 0);
      const History history =
          evolved(*from, 400, [&](const Assignment&) { return noise.uniform(); });
      logarithms += std::log10(step_size(propose(*from, history).reason) / 0.3) / kSeeds;
    }
    // To a third, where hardly a step leaves the cube.
    CHECK(logarithms > -0.7);
    CHECK(logarithms < 0.2);
  }
}

TEST_CASE("A straggler holds up no generation, and joins the one in which it ends") {
  const auto from = cmaes(reals(2));  // generations of 6
  History history(Goal::minimize);
  for (int i = 0; i < 13; ++i) {
    add(history, *propose(*from, history).parameters);
    if (i == 3) continue;
    end(history, i, i);
    history.edit(i).ended = Time(std::chrono::microseconds(i));
  }
  CHECK_THAT(propose(*from, history).reason, Catch::Contains("after 2 generations"));
  const auto before = propose(*from, history).parameters;
  end(history, 3, -1);
  history.edit(3).ended = Time(std::chrono::microseconds(20));
  CHECK(propose(*from, history).parameters == before);  // the third has begun with it
  // One that is tried again opens its generation again.
  history.restart(8);
  CHECK_THAT(propose(*from, history).reason, Catch::Contains("after 2 generations"));
  CHECK(propose(*from, history).parameters != before);
  CHECK(propose(*from, history).parameters == propose(*cmaes(reals(2)), history).parameters);
}

TEST_CASE("A run that was lost with its machine teaches cmaes nothing") {
  const auto from = cmaes(reals(2));
  History history(Goal::minimize), without(Goal::minimize);
  for (int i = 0; i < 18; ++i) {
    const Assignment x = *propose(*from, history).parameters;
    add(history, x);
    if (i % 3 == 0) {
      history.set_status(i, RunStatus::running);
      history.set_status(i, RunStatus::failed, EndCause::lost);
    } else {
      end(history, i, number(x, 0));
    }
  }
  CHECK_THAT(propose(*from, history).reason, Catch::Contains("after 2 generations"));
}

TEST_CASE("Many workers make large generations, a short sweep small ones") {
  const auto generations = [](std::int64_t runs, std::int64_t at_once) {
    return (*make_sampler({"cmaes", {}}, reals(5), {Goal::minimize, 1, runs, at_once}))->describe();
  };
  CHECK_THAT(generations(1000, 1), Catch::Contains("generations of 8,"));
  CHECK_THAT(generations(1000, 32), Catch::Contains("generations of 16,"));
  CHECK_THAT(generations(200, 64), Catch::Contains("generations of 20,"));
}

TEST_CASE("A search of cmaes that has converged begins anew elsewhere, with larger generations") {
  // Two valleys, the shallow one nearer to the middle.
  const auto objective = [](const Assignment& x) {
    const auto at = [&](double a) { return std::hypot(number(x, 0) - a, number(x, 1) - a); };
    return std::min(0.1 + at(0.3), at(0.85));
  };
  int found = 0;
  bool told = false;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto from = cmaes(reals(2), seed);
    const History history = evolved(*from, 1200, objective);
    found += *history.best(*history.incumbent()) < 0.01;
    told = told || propose(*from, history).reason.find(" of search ") != std::string::npos;
    CHECK(propose(*from, history).parameters ==
          propose(*cmaes(reals(2), seed), history).parameters);
  }
  CHECK(told);
  CHECK(found == 5);
}

TEST_CASE("A generation without results teaches nothing and stops nothing") {
  const auto from = cmaes(reals(2));
  History history(Goal::minimize);
  for (int i = 0; i < 30; ++i) {
    const Proposal proposal = propose(*from, history);
    REQUIRE(proposal.parameters);
    add(history, *proposal.parameters);
    end(history, i, std::nan(""));
  }
  CHECK_THAT(propose(*from, history).reason, Catch::Contains("after 0 generations"));
}
