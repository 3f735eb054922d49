// SPDX-License-Identifier: Apache-2.0
//
// From runs to what a model learns from: the warp, and what each end of a run means.
#include <algorithm>
#include <cmath>
#include <limits>

#include "sampling/gp/evidence.h"
#include "tests/catch.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::sampling;
using namespace hdrive::sampling::gp;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

RunId add_run(History& history, double x, RunStatus status, EndCause cause,
              const std::vector<double>& reports) {
  trials::add(history, {{"x", x}});
  const RunId id = history.size() - 1;
  if (status == RunStatus::queued) return id;
  history.set_status(id, RunStatus::running);
  for (const double value : reports) history.report(id, value);
  if (is_terminal(status)) history.set_status(id, status, cause);
  return id;
}

const SearchSpace kLine{{{"x", Uniform{0, 1}}}};

}  // namespace

TEST_CASE("A warp keeps the order, with mean 0 and variance 1") {
  RandomStream random(3, 0, 0);
  std::vector<double> values;
  for (int i = 0; i < 101; ++i) values.push_back(std::exp(8 * random.uniform()));
  for (const Warp warp : {Warp::half_rank, Warp::none}) {
    const auto scores = warped(values, warp);
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      mean += scores[i] / 101;
      square += scores[i] * scores[i] / 101;
      for (std::size_t k = 0; k < values.size(); ++k)
        if (values[i] < values[k]) CHECK(scores[i] < scores[k]);
    }
    CHECK(mean == Approx(0).margin(1e-12));
    CHECK(square == Approx(1));
  }
}

TEST_CASE("A warp draws together what is worse than the median, and does not mind the unit") {
  const std::vector<double> values{1, 2, 3, 4, 5, 6, 1e6, 1e9, 1e12};
  const auto scores = warped(values, Warp::half_rank);
  CHECK(scores.back() - scores[4] < 4 * (scores[4] - scores[0]));
  for (const double unit : {1e-300, 1e-100, 1e-12, 1e12, 1e100, 1e290}) {
    INFO(unit);
    std::vector<double> scaled = values;
    for (double& value : scaled) value *= unit;
    const auto others = warped(scaled, Warp::half_rank);
    for (std::size_t i = 0; i < scores.size(); ++i)
      CHECK(others[i] == Approx(scores[i]).margin(1e-9));
  }
}

TEST_CASE("Values without any difference, and the largest there are, are warped to numbers") {
  CHECK(warped(std::vector<double>{}, Warp::half_rank).empty());
  CHECK(warped(std::vector<double>{7}, Warp::half_rank) == std::vector<double>{0});
  CHECK(warped(std::vector<double>{7, 7, 7}, Warp::none) == std::vector<double>{0, 0, 0});
  for (const Warp warp : {Warp::half_rank, Warp::none})
    for (const auto& values : {std::vector<double>{-1.7e308, 1.7e308, 0, 1, 2},
                               std::vector<double>{1e-300, 2e-300, 3e-300, 1e300},
                               std::vector<double>{1, 1, 1, 1, 2}, std::vector<double>{5e-324, 0}})
      for (const double score : warped(values, warp)) CHECK(std::isfinite(score));
}

TEST_CASE("Each end of a run means what it should") {
  using Kind = Observation::Kind;
  History history(Goal::maximize);
  const RunId value = add_run(history, 0.1, RunStatus::completed, EndCause::exited, {1, 3, 2});
  const RunId nan = add_run(history, 0.2, RunStatus::completed, EndCause::exited, {kNan});
  const RunId crash = add_run(history, 0.3, RunStatus::failed, EndCause::exited, {kInfinity});
  const RunId waiting = add_run(history, 0.4, RunStatus::queued, EndCause::none, {});
  const RunId stopped = add_run(history, 0.5, RunStatus::canceled, EndCause::policy, {0.5});
  const RunId by_user = add_run(history, 0.6, RunStatus::canceled, EndCause::user, {});
  const RunId lost = add_run(history, 0.7, RunStatus::failed, EndCause::lost, {});
  const RunId slow = add_run(history, 0.8, RunStatus::canceled, EndCause::time_limit, {});
  const RunId late = add_run(history, 0.9, RunStatus::failed, EndCause::exited, {4, 5, 6, 7});
  const auto observations = observe(history, Encoding(kLine, true));
  REQUIRE(observations.size() == 9);
  const auto is = [&](std::size_t i, RunId run, Kind kind) {
    return observations[i].run == run && observations[i].kind == kind;
  };
  CHECK(is(0, value, Kind::value));
  CHECK(observations[0].value == -3);
  CHECK(is(1, nan, Kind::failure));
  CHECK(is(2, crash, Kind::failure));
  CHECK(is(3, waiting, Kind::pending));
  CHECK(is(4, stopped, Kind::partial));
  CHECK(is(5, by_user, Kind::nothing));
  CHECK(is(6, lost, Kind::nothing));
  CHECK(is(7, slow, Kind::failure));
  // It came further than any that completed, and may be the sweep's best.
  CHECK(is(8, late, Kind::partial));
  CHECK(observations[8].value == -7);
  for (RunId id = 0; id < history.size(); ++id)  // as the other samplers read it
    CHECK(outcome_of(history, id) == observations[static_cast<std::size_t>(id)].kind);
}

TEST_CASE("A run that crashed after good values is ranked among the others and not fled from") {
  History history(Goal::maximize);
  for (int i = 0; i < 10; ++i)
    add_run(history, 0.1 * i, RunStatus::completed, EndCause::exited, {0.1 * i, 0.5 + 0.04 * i});
  add_run(history, 0.95, RunStatus::failed, EndCause::signaled, {0.88});
  const Observation crashed = observe(history, Encoding(kLine)).back();
  CHECK(crashed.kind == Observation::Kind::partial);
  CHECK(crashed.value == Approx(-0.88));
  add_run(history, 0.05, RunStatus::failed, EndCause::exited, {0.05});
  CHECK(observe(history, Encoding(kLine)).back().value == Approx(-0.5));
}

TEST_CASE("A run stopped early is ranked by what others came to from where it was") {
  History history(Goal::minimize);
  // After one report each stands where it does in the end, ten units above.
  for (int i = 0; i < 10; ++i)
    add_run(history, 0.1 * i, RunStatus::completed, EndCause::exited, {10.0 + i, 0.0 + i});
  const auto stopped_at = [&](double value) {
    add_run(history, 0.55, RunStatus::canceled, EndCause::policy, {value});
    return observe(history, Encoding(kLine, true)).back().value;
  };
  CHECK(stopped_at(15.5) == 6);
  CHECK(stopped_at(100) == 9);
  CHECK(stopped_at(3) == 0);
  // It never counts as worse than it was already.
  CHECK(stopped_at(-5) == -5);
}

TEST_CASE("A run stopped before any other came so far tells nothing") {
  History history(Goal::minimize);
  add_run(history, 0.1, RunStatus::completed, EndCause::exited, {1});
  add_run(history, 0.5, RunStatus::canceled, EndCause::policy, {3, 2});
  CHECK(observe(history, Encoding(kLine, true)).back().kind == Observation::Kind::nothing);
}

TEST_CASE("An observer that looks again and again sees what one sees that looks once") {
  const Encoding encoding(kLine, true);
  History history(Goal::minimize);
  Observer often(encoding);
  RandomStream random(3, 0, 0);
  using Newest = Observer::Newest;
  for (int step = 0; step < 1000; ++step) {
    INFO(step);
    const auto pick = static_cast<RunId>(random.uniform() * static_cast<double>(history.size()));
    const double chance = random.uniform();
    if (history.size() == 0 || chance < 0.4) {
      trials::add(history, {{chance < 0.02 ? "unknown" : "x", random.uniform()}});
    } else if (const RunStatus status = history.run(pick).status; status == RunStatus::queued) {
      history.set_status(pick, RunStatus::running);
    } else if (status == RunStatus::running && chance < 0.6) {
      history.report(pick, random.uniform());
    } else if (status == RunStatus::running) {
      constexpr std::pair<RunStatus, EndCause> kEnds[]{
          {RunStatus::completed, EndCause::exited}, {RunStatus::failed, EndCause::exited},
          {RunStatus::canceled, EndCause::policy},  {RunStatus::canceled, EndCause::interrupt},
          {RunStatus::failed, EndCause::lost},      {RunStatus::completed, EndCause::exited}};
      const auto& [end, cause] = kEnds[static_cast<std::size_t>(random.uniform() * 6)];
      history.edit(pick).ended = Time{std::chrono::microseconds{step}};
      history.set_status(pick, end, cause);
    } else if (history.run(pick).ended_by == EndCause::interrupt) {
      history.restart(pick);
    }
    if (random.uniform() < 0.5) continue;  // much may happen between two looks
    const Newest newest = random.uniform() < 0.5 ? Newest::included : Newest::held_out;
    Observer once(encoding);
    const auto expected = once.update(history, newest);
    const auto got = often.update(history, newest);
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i].kind == expected[i].kind);
      CHECK(got[i].value == expected[i].value);
    }
    CHECK(often.digest() == once.digest());
    REQUIRE(often.held_out().has_value() == once.held_out().has_value());
    if (!once.held_out()) continue;
    CHECK(often.held_out()->run == once.held_out()->run);
    CHECK(often.held_out()->kind == once.held_out()->kind);
    CHECK(often.held_out()->value == once.held_out()->value);
    CHECK(got[static_cast<std::size_t>(once.held_out()->run)].kind == Observation::Kind::pending);
  }
}

TEST_CASE("A value that comes after a scattered group of replicates is scored by single values") {
  History history(Goal::minimize);
  for (int i = 0; i < 9; ++i)
    add_run(history, 0.5, RunStatus::completed, EndCause::exited, {i == 8 ? 1e6 : 0.1 + 0.001 * i});
  for (int i = 0; i < 40; ++i)
    add_run(history, 0.01 * i, RunStatus::completed, EndCause::exited, {0.45 + 0.075 * i});
  const Dataset data =
      learn_from(observe(history, Encoding(kLine, true)), history.size(), 1, Warp::half_rank);
  CHECK(data.score(9) >= data.score(3.375));
  CHECK(data.score(0.1) < data.score(0.5));
  CHECK(data.unwarped(data.score(2.0)) == Approx(2.0));
}

TEST_CASE("What says nothing is not held out") {
  History history(Goal::minimize);
  add_run(history, 0.1, RunStatus::completed, EndCause::exited, {1});
  add_run(history, 0.5, RunStatus::canceled, EndCause::policy, {3, 2});  // no other came so far
  const Encoding encoding(kLine, true);
  Observer observer(encoding);
  const auto& seen = observer.update(history, Observer::Newest::held_out);
  CHECK_FALSE(observer.held_out());
  CHECK(seen[1].kind == Observation::Kind::nothing);
}

TEST_CASE("What is held out is the last to have ended that says something") {
  const Encoding encoding(kLine, true);
  History history(Goal::minimize);
  for (int i = 0; i < 4; ++i) {
    trials::add(history, {{"x", 0.2 * i}});
    history.set_status(i, RunStatus::running);
    if (i < 3) history.report(i, i);
  }
  Observer observer(encoding);
  observer.update(history, Observer::Newest::included);
  const auto before = observer.digest();
  history.edit(2).ended = Time{std::chrono::seconds{5}};
  history.set_status(2, RunStatus::completed, EndCause::exited);
  observer.update(history, Observer::Newest::held_out);
  CHECK(observer.held_out()->run == 2);
  // As it was while it was running.
  CHECK(observer.digest() == before);
  history.edit(1).ended = Time{std::chrono::seconds{6}};
  history.set_status(1, RunStatus::completed, EndCause::exited);
  history.edit(3).ended = Time{std::chrono::seconds{7}};
  history.set_status(3, RunStatus::canceled, EndCause::user);
  observer.update(history, Observer::Newest::held_out);
  CHECK(observer.held_out()->run == 1);
  CHECK(observer.held_out()->value == 1);
}

TEST_CASE("A value that comes later is scored between its neighbours, or by the slope at the end") {
  History history(Goal::minimize);
  for (int i = 0; i < 20; ++i)
    add_run(history, 0.05 * i, RunStatus::completed, EndCause::exited, {std::exp(0.5 * i)});
  const Dataset data =
      learn_from(observe(history, Encoding(kLine, true)), history.size(), 1, Warp::half_rank);
  const auto& scores = data.training.values;
  for (std::size_t i = 0; i < 20; ++i)
    CHECK(data.score(std::exp(0.5 * static_cast<double>(i))) == Approx(scores[i]));
  CHECK(data.score(std::exp(1.2)) > scores[2]);
  CHECK(data.score(std::exp(1.2)) < scores[3]);
  CHECK(data.score(1e300) == scores[19]);
  CHECK(data.score(0.5) < scores[0]);
  CHECK(data.score(-1e308) == scores[0] - 8);

  History equal(Goal::minimize);
  for (int i = 0; i < 3; ++i) add_run(equal, 0.3 * i, RunStatus::completed, EndCause::exited, {7});
  const Dataset same =
      learn_from(observe(equal, Encoding(kLine, true)), equal.size(), 1, Warp::half_rank);
  CHECK(same.score(7) == 0);
  CHECK(same.score(6) == -1);
  CHECK(same.score(8) == 0);
}

TEST_CASE("A point tried often is no less known for the one try that failed") {
  History history(Goal::minimize);
  for (int i = 0; i < 20; ++i)
    add_run(history, 0.5, i == 9 ? RunStatus::failed : RunStatus::completed, EndCause::exited,
            {i == 9 ? kNan : 1.0 + i % 2});
  const Dataset data =
      learn_from(observe(history, Encoding(kLine, true)), history.size(), 1, Warp::half_rank);
  REQUIRE(data.training.size() == 2);
  CHECK(data.is_final[0]);
  CHECK(data.values[0] == Approx(1.5).margin(0.05));
  CHECK(data.training.shares[0] == Approx(1.0 / 19));
  CHECK_FALSE(data.is_final[1]);
  CHECK(data.good == 19);
  CHECK(data.failures == 1);
}

TEST_CASE("Failures are worse than anything, and only the newest of many count") {
  History history(Goal::minimize);
  for (int i = 0; i < 10; ++i)
    add_run(history, 0.1 * i, RunStatus::completed, EndCause::exited, {static_cast<double>(i)});
  for (int i = 0; i < 200; ++i)
    add_run(history, 0.001 * i, RunStatus::failed, EndCause::exited, {});
  const Encoding encoding(kLine, true);
  const Dataset data = learn_from(observe(history, encoding), history.size(), 1, Warp::half_rank);
  CHECK(data.good == 10);
  CHECK(data.failures <= 64);
  CHECK(data.failures > 32);
  CHECK(data.runs.back() == history.size() - 1);
  const double worst =
      *std::max_element(data.training.values.begin(), data.training.values.begin() + 10);
  for (std::size_t i = 10; i < data.training.size(); ++i)
    CHECK(data.training.values[i] > worst + 1);
}

TEST_CASE("A point tried very often counts once, by its mean and with less noise") {
  History history(Goal::minimize);
  for (int i = 0; i < 500; ++i)
    add_run(history, 0.5, RunStatus::completed, EndCause::exited, {static_cast<double>(i % 2)});
  add_run(history, 0.7, RunStatus::completed, EndCause::exited, {3});
  const Dataset data =
      learn_from(observe(history, Encoding(kLine, true)), history.size(), 1, Warp::none);
  REQUIRE(data.training.size() == 2);
  CHECK(data.training.shares[0] == Approx(1.0 / 500));
  CHECK(data.values[0] == Approx(0.5));
  CHECK(data.good == 501);
}

TEST_CASE("A warped value leads back to the user's unit") {
  History history(Goal::minimize);
  for (int i = 0; i < 20; ++i)
    add_run(history, 0.05 * i, RunStatus::completed, EndCause::exited, {std::exp(0.5 * i)});
  const Dataset data =
      learn_from(observe(history, Encoding(kLine, true)), history.size(), 1, Warp::half_rank);
  for (int i = 0; i < 20; ++i)
    CHECK(data.unwarped(data.training.values[static_cast<std::size_t>(i)]) ==
          Approx(std::exp(0.5 * i)));
}
