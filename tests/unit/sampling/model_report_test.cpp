// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/catch.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

const SearchSpace kSpace{{{"matters", Uniform{0, 1}},
                          {"does_not", LogUniform{-5, 0}},
                          {"fixed", RandInt{1}},
                          {"kind", Choice{{std::string("a"), std::string("b")}}}}};

History random_sweep(int runs, double noise) {
  History history(Goal::maximize);
  for (int i = 0; i < runs; ++i) {
    RandomStream random(5, i, 0);
    Assignment at;
    for (const Parameter& parameter : kSpace.parameters)
      at.push_back({parameter.name, draw(parameter.expression, random)});
    const double x = as_number(at[0].value).value();
    add(history, at);
    history.set_status(i, RunStatus::running);
    history.report(i, 10 + std::sin(7 * x) + noise * (random.uniform() - 0.5));
    history.set_status(i, RunStatus::completed, EndCause::exited);
  }
  return history;
}

SamplerContext maximizing() {
  SamplerContext context;
  context.seed = 3;
  return context;
}

}  // namespace

TEST_CASE("The model tells which parameter matters, whatever sampler ran the sweep") {
  const auto report = inspect_model({"random", {}}, kSpace, maximizing(), random_sweep(60, 0));
  REQUIRE(report);
  CHECK(report->results == 60);
  REQUIRE(report->parameters.size() == 4);
  CHECK(report->parameters[0].parameter == "matters");
  CHECK(report->parameters[0].share > 0.5);
  CHECK(report->parameters[0].lengthscale.value() < report->parameters[1].lengthscale.value());
  CHECK_FALSE(report->parameters[2].lengthscale);
  CHECK(report->parameters[2].share == 0);
  double total = 0;
  for (const auto& relevance : report->parameters) total += relevance.share;
  CHECK(total == Approx(1));
  CHECK(report->calibration.explained > 0.95);
  CHECK(report->calibration.within_two_deviations > 0.8);
}

TEST_CASE("It tells how large the noise is, in the metric's unit") {
  const auto noisy = inspect_model({"random", {}}, kSpace, maximizing(), random_sweep(120, 0.5));
  const auto quiet = inspect_model({"random", {}}, kSpace, maximizing(), random_sweep(120, 0));
  REQUIRE(noisy);
  REQUIRE(quiet);
  CHECK(noisy->noise > 3 * quiet->noise);
  // A uniform error of width 0.5 has a deviation of 0.14.
  CHECK(noisy->noise_near_best > 0.03);
  CHECK(noisy->noise_near_best < 0.5);
  CHECK(noisy->calibration.explained < quiet->calibration.explained);
}

TEST_CASE("Failed and stopped runs are counted apart") {
  History history = random_sweep(20, 0);
  for (int i = 20; i < 25; ++i) {
    add(history, history.run(i - 20).parameters);
    history.set_status(i, RunStatus::running);
    if (i < 23) history.report(i, 9.5);
    history.set_status(i, i < 23 ? RunStatus::canceled : RunStatus::failed,
                       i < 23 ? EndCause::policy : EndCause::exited);
  }
  const auto report = inspect_model({"bayesian", {}}, kSpace, maximizing(), history);
  REQUIRE(report);
  CHECK(report->results == 20);
  CHECK(report->stopped_early == 3);
  CHECK(report->failures == 2);
}

TEST_CASE("Results that are all the same give no model") {
  History history(Goal::maximize);
  for (int i = 0; i < 20; ++i) {
    RandomStream random(5, i, 0);
    Assignment at;
    for (const Parameter& parameter : kSpace.parameters)
      at.push_back({parameter.name, draw(parameter.expression, random)});
    add(history, at);
    history.set_status(i, RunStatus::running);
    history.report(i, 1);
    history.set_status(i, RunStatus::completed, EndCause::exited);
  }
  CHECK(inspect_model({"random", {}}, kSpace, maximizing(), history).error().message() ==
        "all results have the same value, so there is nothing to model yet");
}

TEST_CASE("Before two results there is no model, and it says what is missing") {
  for (const int runs : {0, 1}) {
    const auto report =
        inspect_model({"bayesian", {}}, kSpace, maximizing(), random_sweep(runs, 0));
    REQUIRE_FALSE(report);
    CHECK(report.error().what.starts_with("there is no model yet: it needs two runs"));
  }
}

TEST_CASE("Runs of earlier sweeps are among the results, and counted") {
  const History old = random_sweep(60, 0);
  History history(old.goal());
  for (RunId run = 0; run < old.size(); ++run)
    history.add_earlier({"HD_0123456789",
                         run,
                         old.run(run).parameters,
                         old.run(run).status,
                         old.run(run).ended_by,
                         false,
                         {*old.best(run)}});
  const auto alone = inspect_model({"random", {}}, kSpace, maximizing(), old);
  const auto warm = inspect_model({"random", {}}, kSpace, maximizing(), history);
  REQUIRE(alone);
  REQUIRE(warm);
  CHECK(warm->results == 60);
  CHECK(warm->earlier == 60);
  CHECK(alone->earlier == 0);
  CHECK(warm->parameters[0].share == Approx(alone->parameters[0].share));
}
