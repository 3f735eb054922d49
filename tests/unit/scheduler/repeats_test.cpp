// SPDX-License-Identifier: Apache-2.0
//
// The best runs once more at the end of a sweep, and what their repeats come to.
#include "hdrive/repeats.h"

#include <cmath>

#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using namespace std::chrono_literals;

namespace {

// What run i of ten reports; run 0 is the best, then 3, then 6.
double loss_of(RunId run) { return static_cast<double>(run * 7 % 10) / 10; }

// Ten runs, then the best three twice each; a repeat is worse by its number.
struct Repeating : Simulation {
  Repeating() {
    spec.repeat_best = {3, 2};
    model = [](const RunRequest& request) {
      const auto repeat = repeat_from(request.proposal);
      const double loss =
          repeat ? loss_of(repeat->of) + static_cast<double>(repeat->number) : loss_of(request.run);
      return curve({5, loss});
    };
  }

  // "0 1/2" for each repeat, in the order of the runs.
  std::vector<std::string> repeats() const {
    const SweepState now = state();
    std::vector<std::string> result;
    for (RunId run = 0; run < now.history().size(); ++run)
      if (const auto repeat = repeat_from(now.history().run(run).proposal))
        result.push_back(std::to_string(repeat->of) + " " + std::to_string(repeat->number) + "/" +
                         std::to_string(repeat->times));
    return result;
  }
};

using Texts = std::vector<std::string>;
const Texts kAll{"0 1/2", "3 1/2", "6 1/2", "0 2/2", "3 2/2", "6 2/2"};

}  // namespace

TEST_CASE("When all runs have ended the best are run again, in turns, with their parameters") {
  Repeating simulation;
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::all_runs);
  CHECK(summary->completed == 16);
  CHECK(simulation.repeats() == kAll);
  const SweepState state = simulation.state();
  const History& history = state.history();
  CHECK(history.run(13).proposal == "repeat of run 0 (2 of 2)");
  for (RunId run = 10; run < 16; ++run)
    CHECK(history.run(run).parameters ==
          history.run(repeat_from(history.run(run).proposal)->of).parameters);
  CHECK(state.repeats() == 6);
  CHECK(state.counted_runs() == 10);
  CHECK(nothing_left(simulation.spec, state));
}

TEST_CASE("No repeat begins while another run has not ended") {
  Repeating simulation;
  simulation.spec.max_concurrent_runs = 4;
  simulation.on_start = [&](const RunRequest& request) {
    if (!repeat_from(request.proposal)) return;
    const SweepState state = simulation.state();
    for (RunId run = 0; run < 10; ++run) CHECK(is_terminal(state.history().run(run).status));
  };
  REQUIRE(simulation.run());
  CHECK(simulation.repeats() == kAll);
}

TEST_CASE("Repeats are neither stopped by a policy nor by rules about progress and success") {
  Repeating simulation;
  simulation.policy = std::make_shared<Ceiling>();
  simulation.spec.stop_without_progress = 20;
  simulation.spec.stop_at = -10;
  simulation.spec.repeat_best = {3, 9};
  simulation.model = [](const RunRequest& request) {
    if (!repeat_from(request.proposal)) return curve({0.9, loss_of(request.run)});
    return request.run == 20 ? curve({5, 5, -20}) : curve({5, 5, 5});
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::all_runs);
  CHECK(summary->stopped == 0);
  CHECK(summary->completed == 37);
}

TEST_CASE("A sweep that is interrupted among its repeats goes on exactly there") {
  for (const RunId last : {10, 12, 15}) {
    Repeating simulation;
    simulation.on_start = [&](const RunRequest& request) {
      if (request.run == last) simulation.stop.request();
    };
    REQUIRE(simulation.run()->end == SweepEnd::interrupt);
    CHECK(!nothing_left(simulation.spec, simulation.state()));
    simulation.on_start = nullptr;
    simulation.stop = StopSignal();
    const auto summary = simulation.run();
    REQUIRE(summary);
    CHECK(summary->completed == 16);
    CHECK(simulation.repeats() == kAll);
  }
}

TEST_CASE("An engine that dies between any two transactions repeats nothing twice") {
  for (int transactions = 1;; ++transactions) {
    Repeating simulation;
    simulation.store->refuse_kind = Error::Kind::damaged;
    simulation.store->refuse = [&] { return simulation.store->transactions >= transactions; };
    const bool died = !simulation.run();
    simulation.store->refuse = nullptr;
    if (!died) break;
    REQUIRE(simulation.run());
    CHECK(simulation.repeats() == kAll);
    CHECK(simulation.state().counted_runs() == 10);
  }
}

TEST_CASE("A finished sweep can be told afterwards to repeat its best, and more of them") {
  Repeating simulation;
  simulation.spec.repeat_best = {};
  REQUIRE(simulation.run());
  CHECK(simulation.repeats().empty());
  simulation.spec.repeat_best = {1, 1};
  CHECK(!nothing_left(simulation.spec, simulation.state()));
  REQUIRE(simulation.run());
  CHECK(simulation.repeats() == Texts{"0 1/1"});
  simulation.spec.repeat_best = {2, 2};
  REQUIRE(simulation.run());
  CHECK(simulation.repeats() == Texts{"0 1/1", "3 1/2", "0 2/2", "3 2/2"});
}

TEST_CASE("Repeats leave the budget of other runs alone") {
  Repeating simulation;
  REQUIRE(simulation.run());
  simulation.spec.max_total_runs = 12;
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 18);
  CHECK(simulation.state().counted_runs() == 12);
  CHECK(simulation.repeats() == kAll);
  CHECK(edit_spec(simulation.spec, {{"max_total_runs", "11"}}, simulation.state().counted_runs())
            .error()
            .message()
            .find("there are 12 runs already") != std::string::npos);
}

TEST_CASE("Runs without a result are not repeated, nor the same parameters as another run") {
  Repeating simulation;
  simulation.spec.stop_when_all_fail = false;
  simulation.spec.space.parameters = {{"x", Choice{{std::int64_t{7}}}}};
  struct Same final : Sampler {
    Result<Proposal> propose(const History&, RunId) override {
      return Proposal{Assignment{{"x", std::int64_t{7}}}, "always"};
    }
    std::string describe() const override { return "same"; }
  };
  simulation.other_sampler = std::make_shared<Same>();
  simulation.model = [](const RunRequest& request) {
    return request.run == 0 ? exits(1) : curve({loss_of(request.run)});
  };
  REQUIRE(simulation.run());
  CHECK(simulation.repeats() == Texts{"3 1/2", "3 2/2"});
}

TEST_CASE("An exhausted space is followed by repeats, and time that is over by none") {
  Repeating exhausted;
  struct Four final : Sampler {
    Result<Proposal> propose(const History& history, RunId id) override {
      if (id >= 4) return Proposal{std::nullopt, "all 4 were tried"};
      return Proposal{Assignment{{"x", history.size()}}, "next"};
    }
    std::string describe() const override { return "four"; }
  };
  exhausted.other_sampler = std::make_shared<Four>();
  const auto summary = exhausted.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::exhausted);
  CHECK(exhausted.repeats() == Texts{"0 1/2", "3 1/2", "2 1/2", "0 2/2", "3 2/2", "2 2/2"});

  Repeating late;
  late.spec.max_duration = 11min;  // two at once, two minutes each: ten runs and a half
  const auto over = late.run();
  REQUIRE(over);
  CHECK(over->end == SweepEnd::duration);
  CHECK(late.repeats() == Texts{"0 1/2", "3 1/2"});
}

TEST_CASE("The sentence of a repeat is read back, and no other one") {
  const Repeat repeat{17, 2, 5};
  CHECK(to_text(repeat) == "repeat of run 17 (2 of 5)");
  CHECK(repeat_from(to_text(repeat)) == repeat);
  for (const char* text :
       {"", "random draw", "repeat of run ", "repeat of run 17", "repeat of run -1 (2 of 5)",
        "repeat of run 17 (2 of 5) again", "a repeat of run 17 (2 of 5)",
        "repeat of run 99999999999999999999 (2 of 5)"})
    CHECK_FALSE(repeat_from(text));
}

TEST_CASE("Repeats are told by mean and interval, the best first") {
  const auto runs = repeated_runs({{{7, 1, 5}, 1.0},
                                   {{3, 1, 2}, 9.0},
                                   {{7, 2, 5}, 2.0},
                                   {{7, 3, 5}, 3.0},
                                   {{5, 1, 2}, std::nullopt},
                                   {{7, 4, 5}, 4.0},
                                   {{7, 5, 5}, 5.0}},
                                  Goal::maximize);
  REQUIRE(runs.size() == 3);
  CHECK(runs[0].run == 3);
  CHECK(runs[0].mean == 9);
  CHECK(std::isnan(runs[0].half_width));
  CHECK(runs[1].run == 7);
  CHECK(runs[1].mean == 3);
  // t(0.975, 4) = 2.776445, and the standard error is sqrt(2.5 / 5).
  CHECK(runs[1].half_width == Approx(2.776445 * std::sqrt(0.5)).epsilon(1e-6));
  CHECK(runs[2].run == 5);
  CHECK(std::isnan(runs[2].mean));
  CHECK(repeated_runs({{{3, 1, 1}, 9.0}, {{7, 1, 1}, 1.0}}, Goal::minimize)[0].run == 7);
}
