// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;

namespace {

struct Asking {
  Simulation simulation;
  SweepParts parts;

  Asking() {
    parts.store = simulation.store;
    parts.clock = simulation.clock;
    parts.sampler = simulation.sampler;
    parts.policy = *make_policy({"bandit", {{"slack_amount", 0.5}}}, Goal::minimize);
  }
  AskTell open() {
    auto opened = AskTell::open(simulation.spec, parts);
    REQUIRE(opened);
    return *std::move(opened);
  }
};

}  // namespace

TEST_CASE("what is asked for is stored before it is handed out, and told values decide the best") {
  Asking asking;
  AskTell study = asking.open();
  for (int i = 0; i < 3; ++i) {
    const auto asked = study.ask();
    REQUIRE(asked);
    REQUIRE(asked->run);
    CHECK(*asked->run == i);
    CHECK(asked->parameters == Assignment{{"x", std::int64_t{i}}});
    CHECK(asked->reason == "the next number");
    CHECK(only<RunProposed>(asking.simulation.store->stored).size() == std::size_t(i) + 1);
    REQUIRE(study.tell(*asked->run, i == 1 ? 0.5 : 2.0));
  }
  CHECK(study.state().history().incumbent() == 1);
}

TEST_CASE("max_total_runs ends the asking, and says so") {
  Asking asking;
  asking.simulation.spec.max_total_runs = 2;
  AskTell study = asking.open();
  REQUIRE(study.ask());
  REQUIRE(study.ask());
  const auto done = study.ask();
  REQUIRE(done);
  CHECK_FALSE(done->run);
  CHECK(done->reason == "all 2 runs of max_total_runs were asked for");
}

TEST_CASE("a report is judged, a stop stands, and a stopped run is recorded as the policy's") {
  Asking asking;
  AskTell study = asking.open();
  REQUIRE(study.ask());
  REQUIRE(study.ask());
  REQUIRE(study.report(0, 1.0));
  const auto verdict = study.report(1, 2.0, 7);
  REQUIRE(verdict);
  CHECK(verdict->verdict.action == Verdict::Action::stop);
  CHECK(verdict->verdict.threshold == Approx(1.5));
  CHECK_FALSE(verdict->reason.empty());
  CHECK_FALSE(study.stopped(0));
  REQUIRE(study.stopped(1));
  CHECK(study.state().history().run(1).ended_by == EndCause::policy);
  CHECK(study.state().stopped_by_policy() == 1);
}

TEST_CASE("a run that was never asked for, or has ended, takes no word") {
  Asking asking;
  AskTell study = asking.open();
  CHECK(study.tell(0, 1).error().message() == "run 0: was never asked for; there are 0 runs");
  REQUIRE(study.ask());
  REQUIRE(study.fail(0, "out of memory"));
  CHECK(study.state().history().run(0).reason == "out of memory");
  CHECK_FALSE(study.tell(0, 1));
  CHECK_FALSE(study.report(0, 1));
  CHECK_FALSE(study.fail(0));
}

TEST_CASE("asking goes on where an earlier session left off, its open runs still open") {
  Asking asking;
  {
    AskTell study = asking.open();
    REQUIRE(study.ask());
    REQUIRE(study.tell(0, 3.0));
    REQUIRE(study.ask());
  }
  AskTell study = asking.open();
  const auto asked = study.ask();
  REQUIRE(asked);
  CHECK(asked->run == 2);
  REQUIRE(study.tell(1, 1.0));
  CHECK(study.state().history().incumbent() == 1);
}

TEST_CASE("a run that was told to stop is the policy's, however it is told to have ended") {
  for (const bool with_value : {true, false}) {
    Asking asking;
    AskTell study = asking.open();
    REQUIRE(study.ask());
    REQUIRE(study.ask());
    REQUIRE(study.report(0, 1.0));
    const auto stop = study.report(1, 2.0);
    REQUIRE(stop->verdict.action == Verdict::Action::stop);
    if (with_value)
      REQUIRE(study.tell(1, 0.1));
    else
      REQUIRE(study.fail(1, "gave up"));
    const Run& run = study.state().history().run(1);
    CHECK(run.status == RunStatus::canceled);
    CHECK(run.ended_by == EndCause::policy);
    CHECK(run.reason == stop->reason);
    CHECK(study.state().history().reports(1).size() == (with_value ? 2 : 1));
  }
}

TEST_CASE("runs that an earlier session left open are handed out again first, as new attempts") {
  Asking asking;
  {
    AskTell study = asking.open();
    for (int i = 0; i < 4; ++i) REQUIRE(study.ask());
    REQUIRE(study.tell(0, 3.0));
    REQUIRE(study.report(1, 3.2));
    REQUIRE(study.report(3, 1.0));
  }
  AskTell study = asking.open();
  CHECK(study.retry_open() == 3);
  REQUIRE(study.tell(2, 7.0));  // this one's training survived
  const auto first = study.ask();
  REQUIRE(first);
  CHECK(first->run == 1);
  CHECK(first->attempt == 2);
  CHECK(first->parameters == Assignment{{"x", std::int64_t{1}}});
  CHECK(study.state().history().reports(1).empty());
  CHECK(study.ask()->run == 3);
  const auto fresh = study.ask();
  CHECK(fresh->run == 4);
  CHECK(fresh->attempt == 1);
  REQUIRE(study.tell(1, 0.5));
  CHECK(study.state().history().incumbent() == 1);
}

TEST_CASE("what the policy had stopped is not handed out again") {
  Asking asking;
  {
    AskTell study = asking.open();
    REQUIRE(study.ask());
    REQUIRE(study.ask());
    REQUIRE(study.report(0, 1.0));
    REQUIRE(study.report(1, 2.0));
  }
  AskTell study = asking.open();
  CHECK(study.retry_open() == 1);
  CHECK(study.state().history().run(1).ended_by == EndCause::policy);
  CHECK(study.ask()->run == 0);
}

TEST_CASE("closing records whether the sweep is complete or can be gone on with") {
  Asking asking;
  asking.simulation.spec.max_total_runs = 2;
  {
    AskTell study = asking.open();
    CHECK(study.state().status() == SweepStatus::running);
    REQUIRE(study.ask());
    REQUIRE(study.tell(0, 1.0));
    REQUIRE(study.close());
    CHECK(study.state().end() == SweepEnd::interrupt);
    CHECK(study.state().reason() == "the session ended before all runs were asked for");
  }
  {
    AskTell study = asking.open();
    REQUIRE(study.ask());
    REQUIRE(study.close());
    CHECK(study.state().status() == SweepStatus::canceled);
    CHECK(study.state().reason() == "the session ended with 1 run open");
  }
  AskTell study = asking.open();
  CHECK(study.state().status() == SweepStatus::running);
  REQUIRE(study.tell(1, 1.0));
  REQUIRE(study.close());
  CHECK(study.state().status() == SweepStatus::completed);
  CHECK(study.state().end() == SweepEnd::all_runs);
}

TEST_CASE("a space without anything left ends the asking, and the sweep is complete") {
  Asking asking;
  asking.parts.sampler = std::make_shared<CountingSampler>(1);
  AskTell study = asking.open();
  REQUIRE(study.ask());
  CHECK_FALSE(study.ask()->run);
  REQUIRE(study.tell(0, 1.0));
  REQUIRE(study.close());
  CHECK(study.state().end() == SweepEnd::exhausted);
}

TEST_CASE("max_duration ends the asking, over all sessions together") {
  Asking asking;
  asking.simulation.spec.max_duration = std::chrono::minutes{10};
  {
    AskTell study = asking.open();
    REQUIRE(study.ask()->run);
    asking.simulation.clock->advance_to(asking.simulation.clock->now() + std::chrono::minutes{6});
    REQUIRE(study.tell(0, 1.0));
    REQUIRE(study.close());
  }
  AskTell study = asking.open();
  REQUIRE(study.ask()->run);
  asking.simulation.clock->advance_to(asking.simulation.clock->now() + std::chrono::minutes{5});
  const auto done = study.ask();
  CHECK_FALSE(done->run);
  CHECK(done->reason == "max_duration_minutes (10) are over");
  REQUIRE(study.tell(1, 1.0));
  REQUIRE(study.close());
  CHECK(study.state().end() == SweepEnd::duration);
}

TEST_CASE("a request to stop the sweep ends the asking, and tells those that report to stop") {
  Asking asking;
  std::vector<Request> requests;
  asking.simulation.store->requests = [&] { return std::exchange(requests, {}); };
  AskTell study = asking.open();
  for (int i = 0; i < 3; ++i) REQUIRE(study.ask()->run);
  requests = {{0, Request::Kind::stop_run, 2}};
  REQUIRE(study.report(0, 1.0)->verdict.action == Verdict::Action::keep);
  CHECK(study.report(2, 1.0)->verdict.action == Verdict::Action::stop);
  REQUIRE(study.tell(2, 1.0));
  CHECK(study.state().history().run(2).ended_by == EndCause::user);
  requests = {{3, Request::Kind::stop_run, 2}, {4, Request::Kind::stop_run, 7}};
  REQUIRE(study.report(1, 1.0));
  const auto answers = only<RequestAnswered>(asking.simulation.store->stored);
  REQUIRE(answers.size() == 3);
  CHECK(answers[1].text == "run 2 is over already (Canceled)");
  CHECK(answers[2].text == "run 7 has not begun; there are 3 runs");
  requests = {{1, Request::Kind::stop_sweep, std::nullopt}};
  CHECK_FALSE(study.ask()->run);
  const auto stop = study.report(0, 0.9);
  CHECK(stop->verdict.action == Verdict::Action::stop);
  CHECK(stop->reason == "stopped by `hdrive stop`");
  REQUIRE(study.stopped(0));
  REQUIRE(study.tell(1, 0.5));
  CHECK(study.state().history().run(1).status == RunStatus::completed);
  REQUIRE(study.close());
  CHECK(study.state().end() == SweepEnd::user);
}

TEST_CASE("a run whose parameters could not be stored is handed out by the next ask") {
  Asking asking;
  bool full = true;
  asking.simulation.store->refuse = [&] { return full; };
  AskTell study = asking.open();
  CHECK_FALSE(study.ask());
  CHECK_FALSE(study.ask());
  full = false;
  const auto asked = study.ask();
  CHECK(asked->run == 0);
  CHECK(asked->attempt == 1);
  CHECK(study.ask()->run == 1);
}

TEST_CASE("what was told and could not be stored is stored, once, when it is told again") {
  Asking asking;
  bool full = false;
  asking.simulation.store->refuse = [&] { return full; };
  AskTell study = asking.open();
  for (int i = 0; i < 5; ++i) REQUIRE(study.ask()->run);
  full = true;
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(study.report(0, 0.7, 1));
    CHECK_FALSE(study.report(3, 0.7));
    CHECK_FALSE(study.report(4, std::nan("")));
  }
  CHECK_FALSE(study.tell(1, 0.5));
  CHECK_FALSE(study.tell(1, 0.5));
  CHECK_FALSE(study.fail(2));
  full = false;
  REQUIRE(study.report(3, 0.7));
  REQUIRE(study.report(4, std::nan("")));
  CHECK_FALSE(study.fail(1));  // it has ended otherwise
  CHECK_FALSE(study.tell(1, 0.4));
  REQUIRE(study.tell(1, 0.5));
  REQUIRE(study.fail(2));
  REQUIRE(study.report(0, 0.6, 2));
  const History& history = study.state().history();
  CHECK(history.reports(0).size() == 2);
  CHECK(history.reports(1).size() == 1);
  CHECK(history.reports(3).size() == 1);
  CHECK(history.reports(4).size() == 1);
  CHECK(history.run(1).status == RunStatus::completed);
  CHECK(history.run(2).status == RunStatus::failed);
  CHECK_FALSE(study.tell(1, 0.5));  // what is stored is told once
  int ends = 0;
  for (const Change& change : asking.simulation.store->stored)
    ends += std::holds_alternative<RunEnded>(change);
  CHECK(ends == 2);
}

TEST_CASE("requests are heard with whatever is told, while the program waits, and at the end") {
  Asking asking;
  std::vector<Request> requests;
  asking.simulation.store->requests = [&] { return std::exchange(requests, {}); };
  AskTell study = asking.open();
  for (int i = 0; i < 4; ++i) REQUIRE(study.ask()->run);
  const auto asks_to_stop = [&](RunId run) { requests = {{run, Request::Kind::stop_run, run}}; };
  const auto is_told = [&](RunId run) { return study.state().canceling(run) == EndCause::user; };
  asks_to_stop(0);
  REQUIRE(study.tell(1, 0.5));
  CHECK(is_told(0));
  asks_to_stop(2);
  study.attend();
  CHECK(is_told(2));
  asks_to_stop(3);
  REQUIRE(study.close());
  CHECK(is_told(3));
}
