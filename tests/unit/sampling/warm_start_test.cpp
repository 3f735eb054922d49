// SPDX-License-Identifier: Apache-2.0
//
// What samplers make of the runs of earlier sweeps.
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/unit/sampling/sweeps.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

double bowl(const Assignment& assignment) {
  double sum = 0;
  for (const Binding& binding : assignment)
    sum += std::pow(as_number(binding.value).value() - 0.3, 2);
  return sum;
}

EarlierRun earlier(Assignment parameters, double value, RunId number) {
  return {"HD_0123456789", number, std::move(parameters), RunStatus::completed, EndCause::exited,
          false,           {value}};
}

/// A history that begins with so many runs of a random sweep of the space.
History after(int count, const SearchSpace& space, std::uint64_t seed = 9) {
  History old(Goal::minimize);
  sweep(
      *sampler("random", space, seed), old, count,
      [](const Assignment& at, RunId) { return bowl(at); }, space);
  History history(Goal::minimize);
  for (RunId run = 0; run < old.size(); ++run)
    history.add_earlier(earlier(old.run(run).parameters, *old.best(run), run));
  return history;
}

std::shared_ptr<Sampler> minimizer(const std::string& name, const SearchSpace& space,
                                   std::uint64_t seed = 1) {
  SamplerContext context;
  context.goal = Goal::minimize;
  context.seed = seed;
  context.max_total_runs = 40;
  return *make_sampler({name, {}}, space, context);
}

double best_of_ten(const std::string& name, History history, std::uint64_t seed) {
  sweep(
      *minimizer(name, reals(4), seed), history, 10,
      [](const Assignment& at, RunId) { return bowl(at); }, reals(4));
  return *history.best(*history.incumbent());
}

}  // namespace

TEST_CASE("After ten runs samplers that learn are far better with a warm start than without") {
  for (const std::string name : {"bayesian", "tpe", "cmaes"}) {
    double warm = 0, cold = 0;
    for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
      warm += std::log(best_of_ten(name, after(30, reals(4), seed + 100), seed));
      cold += std::log(best_of_ten(name, History(Goal::minimize), seed));
    }
    INFO(name << ": log of the loss, warm " << warm / 5 << ", cold " << cold / 5);
    CHECK(warm / 5 < cold / 5 - 0.5);
  }
}

TEST_CASE("Samplers that do not learn propose what they would without earlier runs") {
  SearchSpace space;
  space.parameters.push_back({"a", Choice{{Value(std::int64_t{1}), Value(std::int64_t{2})}}});
  space.parameters.push_back({"b", Choice{{Value(0.1), Value(0.2), Value(0.4)}}});
  for (const std::string name : {"random", "grid", "sobol", "latin_hypercube"}) {
    INFO(name);
    History cold(Goal::minimize), warm = after(6, space);
    const auto proposed = run(*minimizer(name, space), cold, 6);
    CHECK(run(*minimizer(name, space), warm, 6) == proposed);
    CHECK(proposed.size() == 6);
  }
}

TEST_CASE("Earlier runs take the place of the initial design, as many as there are") {
  for (const std::string name : {"bayesian", "tpe"}) {
    INFO(name);
    History some = after(7, reals(2)), enough = after(20, reals(2));
    const auto made = minimizer(name, reals(2));
    CHECK_THAT(propose(*made, some).reason,
               Catch::StartsWith("initial design") && Catch::Contains("8 of 10"));
    CHECK_THAT(propose(*made, enough).reason, Catch::StartsWith("model"));
  }
}

TEST_CASE("The reason tells which earlier run is the best one known") {
  History history = after(20, reals(2));
  CHECK_THAT(propose(*minimizer("bayesian", reals(2)), history).reason,
             Catch::Contains(" of HD_01234567 with "));
}

TEST_CASE("Earlier runs that lack a parameter or lie outside of the space teach nothing") {
  for (const std::string name : {"bayesian", "tpe", "cmaes"}) {
    INFO(name);
    History history(Goal::minimize);
    for (int i = 0; i < 15; ++i) {
      history.add_earlier(earlier({{"x0", 0.1 * i}}, 1.0 * i, 3 * i));
      history.add_earlier(earlier({{"x0", 5.0}, {"x1", 0.5}}, 1.0 * i, 3 * i + 1));
      history.add_earlier(earlier({{"x0", 0.5}, {"x1", 0.5}, {"more", 1.0}}, 1.0 * i, 3 * i + 2));
    }
    History cold(Goal::minimize);
    const auto warm_sampler = minimizer(name, reals(2)), cold_sampler = minimizer(name, reals(2));
    const std::string reason = propose(*warm_sampler, history).reason;
    if (name != "cmaes") CHECK_THAT(reason, Catch::Contains("1 of 10"));
    if (name == "cmaes")
      CHECK(propose(*warm_sampler, history).parameters == propose(*cold_sampler, cold).parameters);
    CHECK(check(reals(2), *propose(*warm_sampler, history).parameters));
  }
}

TEST_CASE("Earlier runs without a value, and such that were stopped, disturb nobody") {
  for (const std::string name : {"bayesian", "tpe", "cmaes", "auto"}) {
    INFO(name);
    History history = after(20, reals(2));
    for (int i = 0; i < 5; ++i) {
      EarlierRun failed = earlier({{"x0", 0.2 * i}, {"x1", 0.9}}, 0, 20 + i);
      failed.reports = i % 2 == 0 ? std::vector<double>{}
                                  : std::vector<double>{std::numeric_limits<double>::quiet_NaN()};
      failed.status = RunStatus::failed;
      history.add_earlier(failed);
      EarlierRun stopped = earlier({{"x0", 0.2 * i}, {"x1", 0.8}}, 0.1, 30 + i);
      stopped.status = RunStatus::canceled;
      stopped.ended_by = EndCause::policy;
      history.add_earlier(stopped);
    }
    sweep(
        *minimizer(name, reals(2)), history, 12,
        [](const Assignment& at, RunId) { return bowl(at); }, reals(2));
    CHECK(history.size() == 12);
    CHECK(*history.best(*history.incumbent()) < 0.05);
  }
}

TEST_CASE("A warm-started sampler is a function of seed, history and earlier runs") {
  for (const std::string name : {"bayesian", "tpe", "cmaes", "auto"}) {
    INFO(name);
    History history = after(15, reals(2));
    const auto one = minimizer(name, reals(2));
    for (int i = 0; i < 12; ++i) {
      const Proposal first = propose(*one, history);
      // As after a restart.
      const Proposal again = propose(*minimizer(name, reals(2)), history);
      CHECK(again.parameters == first.parameters);
      CHECK(again.reason == first.reason);
      one->prepare(history);
      add(history, *first.parameters);
      complete(history, history.size() - 1, bowl(*first.parameters));
    }
  }
}

TEST_CASE("auto takes a model for few runs where enough earlier ones are there to learn from") {
  SamplerContext context;
  context.goal = Goal::minimize;
  context.max_total_runs = 10;
  const auto made = *make_sampler({"auto", {}}, reals(2), context);
  History cold(Goal::minimize), warm = after(30, reals(2));
  CHECK_THAT(propose(*made, cold).reason, Catch::StartsWith("auto chose sobol"));
  CHECK_THAT(propose(*made, warm).reason,
             Catch::StartsWith("auto chose bayesian, because 10 runs after 30 earlier ones"));
}
