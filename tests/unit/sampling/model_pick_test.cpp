// SPDX-License-Identifier: Apache-2.0
#include "hdrive/model_pick.h"

#include <cmath>

#include "tests/catch.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

const SearchSpace kSpace{{{"x", Uniform{0, 1}}, {"idle", Uniform{0, 1}}}};

void complete(History& history, Assignment parameters, double value) {
  add(history, std::move(parameters));
  const RunId run = history.size() - 1;
  history.set_status(run, RunStatus::running);
  history.report(run, value);
  history.set_status(run, RunStatus::completed, EndCause::exited);
}

// What runs with this x come to without noise: at most 1, where x is 0.3.
double expectation(double x) { return 1 - 4 * (x - 0.3) * (x - 0.3); }

History sweep(int runs, double noise, Goal goal = Goal::maximize, std::uint64_t seed = 5) {
  History history(goal);
  const double sign = goal == Goal::maximize ? 1 : -1;
  for (int i = 0; i < runs; ++i) {
    RandomStream random(seed, i, 0);
    const double x = random.uniform(), idle = random.uniform();
    // Three uniform ones: of deviation 0.5.
    const double luck = random.uniform() + random.uniform() + random.uniform() - 1.5;
    complete(history, {{"x", x}, {"idle", idle}}, sign * (expectation(x) + 2 * noise * luck));
  }
  return history;
}

Result<ModelPick> pick(const History& history, const std::string& sampler = "random",
                       const SearchSpace& space = kSpace) {
  SamplerContext context;
  context.goal = history.goal();
  context.seed = 3;
  return pick_by_model({sampler, {}}, space, context, history);
}

double x_of(const History& history, RunId run) {
  return as_number(history.run(run).parameters[0].value).value();
}

}  // namespace

TEST_CASE("Under noise the model's pick is better than the luckiest run, and says what to expect") {
  double regret_of_picks = 0, regret_of_leaders = 0, error_of_means = 0, luck_of_leaders = 0;
  double noise = 0;
  int lucky = 0;
  constexpr int kSweeps = 24;
  for (int i = 0; i < kSweeps; ++i) {
    const History history = sweep(150, 0.3, i % 2 ? Goal::minimize : Goal::maximize, 1000 + i);
    const double sign = i % 2 ? -1 : 1;
    const auto picked = pick(history);
    REQUIRE(picked);
    const double of_pick = expectation(x_of(history, picked->run));
    const double of_leader = expectation(x_of(history, picked->leader));
    regret_of_picks += 1 - of_pick;
    regret_of_leaders += 1 - of_leader;
    error_of_means += std::abs(sign * picked->mean - of_pick);
    luck_of_leaders += sign * picked->leader_reported - of_leader;
    noise += picked->noise;
    lucky += picked->leader_is_lucky;
    CHECK(picked->leader == history.incumbent());
    CHECK(picked->leader_reported == history.best(picked->leader));
    CHECK(picked->reported == history.best(picked->run));
    CHECK(picked->deviation > 0);
    CHECK(picked->deviation < picked->noise);
  }
  CHECK(regret_of_picks < 0.6 * regret_of_leaders);
  CHECK(error_of_means < 0.4 * luck_of_leaders);
  CHECK(noise / kSweeps > 0.1);
  CHECK(noise / kSweeps < 0.4);
  CHECK(lucky >= 0.7 * kSweeps);
}

TEST_CASE("Without noise the pick is the run with the best value, and no luck is told") {
  for (const Goal goal : {Goal::maximize, Goal::minimize}) {
    const History history = sweep(40, 0, goal);
    const auto picked = pick(history);
    REQUIRE(picked);
    CHECK(picked->run == history.incumbent());
    CHECK(picked->mean == Approx(picked->reported).margin(0.01));
    CHECK_FALSE(picked->leader_is_lucky);
  }
}

TEST_CASE("Differences as small as rounding are no luck, whichever run the model picks") {
  History history = sweep(40, 0);
  // What a search converges to: the same again and again, but for the last digits.
  for (int i = 0; i < 20; ++i)
    complete(history, {{"x", 0.3 + 1e-6 * i}, {"idle", 0.5}}, 1 + 1e-9 * ((7 * i) % 20));
  const auto picked = pick(history);
  REQUIRE(picked);
  CHECK(x_of(history, picked->run) == Approx(0.3).margin(0.01));
  CHECK_FALSE(picked->leader_is_lucky);
}

TEST_CASE("A run that beats all others by more than noise explains is no lucky one") {
  History history = sweep(60, 0.05);
  // A narrow peak that the model takes for chance.
  complete(history, {{"x", 0.9}, {"idle", 0.5}}, 3);
  const auto picked = pick(history);
  REQUIRE(picked);
  CHECK(picked->leader == 60);
  CHECK_FALSE(picked->leader_is_lucky);
}

TEST_CASE("Runs with the same parameters count together, and are not told against each other") {
  History history = sweep(30, 0.1);
  const Assignment best{{"x", 0.3}, {"idle", 0.5}};
  for (const double value : {1.2, 1.4, 1.3}) complete(history, best, value);
  const auto picked = pick(history);
  REQUIRE(picked);
  CHECK(picked->run == 30);
  CHECK(picked->reported == 1.2);
  CHECK(picked->leader == 31);
  CHECK_FALSE(picked->leader_is_lucky);
}

TEST_CASE("Stopped, failed and pending runs are never the pick") {
  History history = sweep(30, 0.1);
  for (int i = 0; i < 3; ++i) {
    add(history, {{"x", 0.3}, {"idle", 0.1 * i}});
    history.set_status(30 + i, RunStatus::running);
    history.report(30 + i, 5);
  }
  history.set_status(30, RunStatus::canceled, EndCause::policy);
  history.set_status(31, RunStatus::failed, EndCause::exited);
  const auto picked = pick(history);
  REQUIRE(picked);
  CHECK(picked->run < 30);
  CHECK(picked->leader == 30);
}

TEST_CASE("A sweep of any sampler has a pick, also over categories alone") {
  const SearchSpace kinds{
      {{"kind", Choice{{std::string("a"), std::string("b"), std::string("c")}}}}};
  History history(Goal::maximize);
  for (int i = 0; i < 30; ++i) {
    RandomStream random(9, i, 0);
    const std::string kind(1, static_cast<char>('a' + i % 3));
    complete(history, {{"kind", kind}}, (kind == "b" ? 1 : 0.8) + random.uniform());
  }
  for (const char* sampler : {"random", "grid", "bayesian", "tpe"}) {
    const auto picked = pick(history, sampler, kinds);
    REQUIRE(picked);
    CHECK(history.run(picked->run).parameters[0].value == Value(std::string("b")));
  }
}

TEST_CASE("A sweep of 1,000 runs has a pick that is near the optimum") {
  const History history = sweep(1000, 0.2);
  const auto picked = pick(history);
  REQUIRE(picked);
  CHECK(expectation(x_of(history, picked->run)) > 0.97);
  CHECK(picked->deviation < 0.1);
}

TEST_CASE("What is missing for a pick is told") {
  CHECK(pick(sweep(9, 0.1)).error().message() ==
        "the model has no pick yet: it needs 10 completed runs with a value, and there are 9");
  CHECK(pick(sweep(1, 0.1)).error().message().ends_with("there is 1"));
  History equal(Goal::maximize);
  const SearchSpace fixed{{{"x", Choice{{0.5}}}}};
  for (int i = 0; i < 10; ++i) complete(equal, {{"x", 0.5}}, i);
  CHECK(pick(equal, "random", fixed).error().message() ==
        "the model has no pick, since no parameter of this sweep varies");
  History same(Goal::maximize);
  for (int i = 0; i < 10; ++i) complete(same, {{"x", 0.1 * i}, {"idle", 0.5}}, 2);
  CHECK(pick(same).error().message() ==
        "the model has no pick, since all results have the same value");
}

TEST_CASE("Runs of earlier sweeps teach the model, and the pick is of the sweep's own") {
  const History old = sweep(150, 0.3);
  History history(Goal::maximize);
  for (RunId run = 0; run < old.size(); ++run)
    history.add_earlier({"HD_0123456789",
                         run,
                         old.run(run).parameters,
                         RunStatus::completed,
                         EndCause::exited,
                         false,
                         {*old.best(run)}});
  CHECK(pick(history).error().message() ==
        "the model has no pick, since no run of this sweep completed with a value");
  // By their values the second is the best of three; by what 150 others tell it is the first.
  complete(history, {{"x", 0.31}, {"idle", 0.5}}, 0.6);
  complete(history, {{"x", 0.9}, {"idle", 0.5}}, 0.7);
  complete(history, {{"x", 0.1}, {"idle", 0.5}}, 0.2);
  const auto picked = pick(history);
  REQUIRE(picked);
  CHECK(picked->run == 0);
  CHECK(picked->reported == 0.6);
  CHECK(picked->leader == 1);
  CHECK(picked->mean == Approx(1).margin(0.15));
}

TEST_CASE("A run that repeats one of an earlier sweep can be picked") {
  const History old = sweep(20, 0);
  History history(Goal::maximize);
  for (RunId run = 0; run < old.size(); ++run)
    history.add_earlier({"HD_0123456789",
                         run,
                         old.run(run).parameters,
                         RunStatus::completed,
                         EndCause::exited,
                         false,
                         {*old.best(run)}});
  complete(history, {{"x", 0.95}, {"idle", 0.5}}, expectation(0.95));
  complete(history, old.run(*old.incumbent()).parameters, *old.best(*old.incumbent()));
  const auto picked = pick(history);
  REQUIRE(picked);
  CHECK(picked->run == 1);
}
