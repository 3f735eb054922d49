// SPDX-License-Identifier: Apache-2.0
//
// The sampler as its users meet it; what every sampler must keep is in tests/conformance.
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <cmath>
#include <limits>
#include <set>

#include "tests/catch.h"
#include "tests/unit/sampling/sweeps.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double bowl(const Assignment& assignment) {
  double sum = 0;
  for (const Binding& binding : assignment)
    sum += std::pow(as_number(binding.value).value() - 0.3, 2);
  return sum;
}

double best_after(const std::string& name, const SearchSpace& space, int count,
                  std::uint64_t seed) {
  const auto made = sampler(name, space, seed);
  History history(Goal::minimize);
  sweep(
      *made, history, count, [](const Assignment& at, RunId) { return bowl(at); }, space);
  return history.best(*history.incumbent()).value();
}

}  // namespace

TEST_CASE("It finds a minimum that random sampling comes nowhere near") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const double found = best_after("bayesian", reals(3), 40, seed);
    CHECK(found < 1e-4);
    CHECK(found < 0.1 * best_after("random", reals(3), 40, seed));
  }
}

TEST_CASE(
    "A function too rough to be modelled is not taken for noise and tried again where it was "
    "best") {
  const SearchSpace space = reals(2);
  const auto made = sampler("bayesian", space, 4);
  History history(Goal::minimize);
  const auto rough = [](const Assignment& at, RunId) {
    double sum = bowl(at);
    for (const Binding& binding : at) sum += 0.3 * std::cos(900 * as_number(binding.value).value());
    return sum;
  };
  sweep(*made, history, 70, rough, space);
  int repeats = 0;
  for (RunId id = 1; id < history.size(); ++id)
    for (RunId before = 0; before < id; ++before) {
      double distance = 0;
      for (std::size_t j = 0; j < 2; ++j)
        distance =
            std::max(distance, std::abs(*as_number(history.run(id).parameters[j].value) -
                                        *as_number(history.run(before).parameters[j].value)));
      if (distance < 1e-3) {
        ++repeats;
        break;
      }
    }
  CHECK(repeats < 14);
}

TEST_CASE("It maximises as well as it minimises") {
  const auto made = sampler("bayesian", reals(2), 5);
  History history(Goal::maximize);
  sweep(
      *made, history, 30, [](const Assignment& at, RunId) { return -bowl(at); }, reals(2));
  CHECK(history.best(*history.incumbent()).value() > -1e-3);
}

TEST_CASE("It begins with an initial design, and each proposal says what it is") {
  SamplerContext context;
  context.goal = Goal::minimize;
  const auto made =
      *make_sampler({"bayesian", {{"initial_points", std::int64_t{4}}}}, reals(2), context);
  History history(Goal::minimize);
  for (int i = 0; i < 4; ++i) {
    CHECK(propose(*made, history).reason == "initial design, " + std::to_string(i + 1) + " of 4");
    sweep(
        *made, history, 1, [](const Assignment& at, RunId) { return 100 + bowl(at); }, reals(2));
  }
  const std::string reason = propose(*made, history).reason;
  CHECK(reason.starts_with("model of 4 results: log expected improvement "));
  CHECK(reason.find(", predicted 100") != std::string::npos);
  CHECK(reason.find(" +- ") != std::string::npos);
  CHECK(reason.find("; incumbent run ") != std::string::npos);
  CHECK(reason.find(" with 100.") != std::string::npos);
  CHECK(reason.find("pending") == std::string::npos);
  add(history, *propose(*made, history).parameters);
  CHECK(propose(*made, history).reason.ends_with("; 1 pending considered"));
}

TEST_CASE("Without results, with one, and with two it goes on") {
  const auto made =
      *make_sampler({"bayesian", {{"initial_points", std::int64_t{1}}}}, reals(2), {});
  History history(Goal::maximize);
  CHECK(propose(*made, history).reason == "initial design, 1 of 1");
  add(history, *propose(*made, history).parameters);
  CHECK(propose(*made, history).reason ==
        "quasi-random, since a model needs two results and there are none");
  complete(history, 0, 1);
  CHECK(propose(*made, history).reason ==
        "quasi-random, since a model needs two results and there is one");
  add(history, *propose(*made, history).parameters);
  complete(history, 1, 2);
  CHECK(propose(*made, history).reason.starts_with("model of 2 results"));
}

TEST_CASE("Metrics of every kind leave it on its feet") {
  const std::vector<std::pair<std::string, Metric>> metrics{
      {"NaN always", [](const Assignment&, RunId) { return kNan; }},
      {"one infinity",
       [](const Assignment& at, RunId id) { return id == 5 ? kInfinity : bowl(at); }},
      {"constant", [](const Assignment&, RunId) { return 4.0; }},
      {"tiny", [](const Assignment& at, RunId) { return 1e-300 * bowl(at); }},
      {"huge", [](const Assignment& at, RunId) { return 1e300 * bowl(at); }},
      {"of all sizes", [](const Assignment& at,
                          RunId id) { return std::pow(10.0, 40.0 * (id % 15) - 300) * bowl(at); }},
      {"half NaN", [](const Assignment& at, RunId id) { return id % 2 ? kNan : bowl(at); }}};
  for (const auto& [name, metric] : metrics)
    for (const Goal goal : {Goal::minimize, Goal::maximize}) {
      INFO(name);
      const auto made = sampler("bayesian", reals(2));
      History history(goal);
      sweep(*made, history, 30, metric, reals(2));
      CHECK(history.size() == 30);
    }
}

TEST_CASE("Values at the ends of what numbers hold are a space like others") {
  const std::int64_t large = std::int64_t{1} << 60;
  const SearchSpace ids{{{"id", Choice{{large, large + 1, large + 2}}}, {"x", Uniform{0, 1}}}};
  const SearchSpace near{{{"n", Choice{{0.0, 1e-300, 1.0}}}, {"x", Uniform{0, 1}}}};
  const SearchSpace lattice{{{"q", QUniform{-1.7e308, 1.7e308, 1e307}}, {"x", Uniform{0, 1}}}};
  const SearchSpace wide{{{"w", Uniform{-1.7e308, 1.7e308}}, {"x", Uniform{0, 1}}}};
  for (const SearchSpace& space : {ids, near, lattice, wide})
    for (const char* name : {"bayesian", "tpe", "cmaes"}) {
      INFO(name << " " << space.parameters[0].name);
      const auto made = sampler(name, space);
      History history(Goal::minimize);
      std::set<std::string> seen;
      sweep(
          *made, history, 40,
          [](const Assignment& at, RunId) {
            return std::abs(as_number(at[0].value).value() / 1.7e308 - 0.2) +
                   as_number(at[1].value).value();
          },
          space);
      for (RunId id = 0; id < history.size(); ++id) {
        seen.insert(to_json(history.run(id).parameters[0].value));
        CHECK(history.run(id).proposal.find("nan") == std::string::npos);
      }
      CHECK(history.size() == 40);
      CHECK(seen.size() >= 3);
      if (name != std::string("bayesian") || space.parameters[0].name != "w") continue;
      CHECK(seen.size() > 20);
    }
}

TEST_CASE("A point that was tried often and failed once is a result like others") {
  const SearchSpace space = reals(1);
  for (const RunStatus odd : {RunStatus::failed, RunStatus::canceled}) {
    const auto made = sampler("bayesian", space);
    History history(Goal::minimize);
    for (RunId id = 0; id < 10; ++id) {
      add(history, {{"x0", 0.5}});
      history.set_status(id, RunStatus::running);
      history.report(id, 1);
      const bool is_odd = id == 9;
      history.set_status(
          id, is_odd ? odd : RunStatus::completed,
          is_odd && odd == RunStatus::canceled ? EndCause::policy : EndCause::exited);
    }
    const Proposal proposal = propose(*made, history);
    REQUIRE(proposal.parameters);
    CHECK(proposal.reason.find("incumbent run 0") != std::string::npos);
  }
}

TEST_CASE("Five hundred runs of one point do not stall it") {
  History history(Goal::minimize);
  for (int i = 0; i < 500; ++i) {
    add(history, {{"x0", 0.5}, {"x1", 0.5}});
    complete(history, i, 1 + 1e-3 * (i % 10));
  }
  const auto made = sampler("bayesian", reals(2));
  sweep(
      *made, history, 10, [](const Assignment& at, RunId) { return bowl(at); }, reals(2));
  CHECK(history.best(*history.incumbent()).value() < 0.5);
}

TEST_CASE("One level, a million levels and sixty dimensions are spaces like others") {
  const SearchSpace one{{{"k", RandInt{1}}, {"x", Uniform{0, 1}}}};
  const SearchSpace million{{{"k", RandInt{1'000'000}}, {"x", QUniform{0, 1, 1e-5}}}};
  for (const SearchSpace& space : {one, million, reals(60)}) {
    const auto made = sampler("bayesian", space);
    History history(Goal::minimize);
    std::set<std::string> distinct;
    sweep(
        *made, history, 25,
        [](const Assignment& at, RunId) {
          return std::abs(as_number(at[1].value).value() - 0.4) +
                 1e-7 * as_number(at[0].value).value();
        },
        space);
    for (RunId id = 0; id < history.size(); ++id)
      distinct.insert(to_json(history.run(id).parameters));
    CHECK(distinct.size() == 25);
  }
}

TEST_CASE("With everything pending it goes on, and keeps away from where runs are under way") {
  const auto made = sampler("bayesian", reals(2));
  History history(Goal::minimize);
  CHECK(run(*made, history, 60).size() == 60);

  History some(Goal::minimize);
  sweep(
      *made, some, 20, [](const Assignment& at, RunId) { return bowl(at); }, reals(2));
  std::set<std::string> batch;
  for (const std::string& proposed : run(*made, some, 16)) batch.insert(proposed);
  CHECK(batch.size() == 16);
}

TEST_CASE("One, two and sixteen threads give the same bits") {
  const SearchSpace space{{{"a", Uniform{0, 1}}, {"b", LogUniform{-5, 0}}, {"c", RandInt{9}}}};
  const auto proposals = [&](int threads) {
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(threads));
    tbb::task_arena arena(threads);
    return arena.execute([&] {
      const auto made = sampler("bayesian", space);
      History history(Goal::minimize);
      for (int i = 0; i < 180; ++i) {
        RandomStream random(3, i, 0);
        Assignment at;
        for (const Parameter& parameter : space.parameters)
          at.push_back({parameter.name, draw(parameter.expression, random)});
        add(history, at);
        complete(history, i, bowl(at));
      }
      std::string all;
      for (int i = 0; i < 3; ++i) {
        const Proposal proposal = propose(*made, history);
        all += to_json(*proposal.parameters) + proposal.reason + "\n";
        add(history, *proposal.parameters);
        complete(history, history.size() - 1, bowl(*proposal.parameters));
      }
      return all;
    });
  };
  const std::string one = proposals(1);
  CHECK(proposals(2) == one);
  CHECK(proposals(16) == one);
}

TEST_CASE("A restarted sampler proposes what the one before would have, at every size") {
  const SearchSpace space = reals(2);
  const auto kept = sampler("bayesian", space);
  History history(Goal::minimize);
  for (int i = 0; i < 240; ++i) {
    const bool asked = i < 30 || i % 30 == 0;
    Assignment at;
    if (asked) {
      const Proposal proposal = propose(*kept, history);
      const Proposal fresh = propose(*sampler("bayesian", space), history);
      REQUIRE(fresh.parameters == proposal.parameters);
      REQUIRE(fresh.reason == proposal.reason);
      at = *proposal.parameters;
    } else {
      RandomStream random(8, i, 0);
      at = {{"x0", random.uniform()}, {"x1", random.uniform()}};
    }
    add(history, at);
    // Some finish much later than others.
    if (i % 6 != 5) complete(history, i, bowl(at));
    if (i >= 20 && (i - 20) % 6 == 5)
      complete(history, i - 20, bowl(history.run(i - 20).parameters));
  }
}

TEST_CASE("A finite space too large to list is searched without repeats") {
  const SearchSpace space{{{"a", RandInt{40}}, {"b", RandInt{40}}, {"c", RandInt{40}}}};
  const auto made = sampler("bayesian", space);
  History history(Goal::minimize);
  const auto metric = [](const Assignment& at, RunId) {
    double sum = 0;
    for (const Binding& binding : at) sum += std::pow(as_number(binding.value).value() - 7, 2);
    return sum;
  };
  sweep(*made, history, 60, metric, space);
  std::set<std::string> distinct;
  for (RunId id = 0; id < history.size(); ++id)
    distinct.insert(to_json(history.run(id).parameters));
  CHECK(distinct.size() == 60);
  CHECK(history.best(*history.incumbent()).value() <= 3);
}

TEST_CASE("Where runs fail it learns not to go") {
  const SearchSpace space = reals(2);
  const auto made = sampler("bayesian", space);
  History history(Goal::minimize);
  int failed_late = 0;
  for (int i = 0; i < 60; ++i) {
    const Proposal proposal = propose(*made, history);
    add(history, *proposal.parameters);
    const double x = as_number((*proposal.parameters)[0].value).value();
    if (x < 0.6) {
      complete(history, i, std::pow(x - 0.5, 2) + bowl(*proposal.parameters));
      continue;
    }
    history.set_status(i, RunStatus::running);
    history.set_status(i, RunStatus::failed, EndCause::exited);
    if (i >= 20) ++failed_late;
  }
  CHECK(failed_late < 10);
}

TEST_CASE("Runs that a policy stopped are counted as such and not as results") {
  const SearchSpace space = reals(1);
  const auto made = *make_sampler({"bayesian", {{"initial_points", std::int64_t{4}}}}, space, {});
  History history(Goal::minimize);
  sweep(
      *made, history, 4, [](const Assignment& at, RunId) { return 1 + bowl(at); }, space);
  add(history, {{"x0", 0.9}});
  history.set_status(4, RunStatus::running);
  history.report(4, 0.5);  // better than all others, but not at its end
  history.set_status(4, RunStatus::canceled, EndCause::policy);
  const std::string reason = propose(*made, history).reason;
  CHECK(reason.starts_with("model of 5 results"));
  CHECK(reason.find("; 1 stopped early") != std::string::npos);
  CHECK(reason.find("incumbent run 4") == std::string::npos);
}

TEST_CASE("Its description names its settings") {
  const auto described = [](const AlgorithmSpec& spec) {
    SamplerContext context;
    context.seed = 7;
    context.max_total_runs = 100;
    return (*make_sampler(spec, reals(8), context))->describe();
  };
  CHECK(described({"bayesian", {}}) ==
        "Bayesian sampling, seed 7: 10 quasi-random points, then a Gaussian process over 8 "
        "dimensions "
        "and the point of largest expected improvement; warp on, noise on");
  CHECK(described({"bayesian", {{"warp", false}, {"noise", false}}})
            .ends_with("warp off, noise off"));
  CHECK(make_sampler({"bayesian", {{"initial_points", std::int64_t{0}}}}, reals(1), {})
            .error()
            .message()
            .find("initial_points") != std::string::npos);
}
