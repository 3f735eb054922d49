// SPDX-License-Identifier: Apache-2.0
//
// What every compute target must do, whatever its runs are made of: one list of cases (target_resume_test.cpp has the
// rest of it), put to each kind of target (target_kinds.h).
#include "hdrive/target.h"

#include <thread>

#include "tests/conformance/target_stories.h"

namespace hdrive::conformance {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = [] {
    std::vector<Kind> found;
    for (const auto& some :
         {simulated_kinds(), local_kinds(), ssh_kinds(), batch_kinds(), unshared_kinds()})
      found.insert(found.end(), some.begin(), some.end());
    return found;
  }();
  return all;
}

Behaviour behaviour_of(const RunRequest& request) {
  return static_cast<Behaviour>(std::get<std::int64_t>(request.parameters.at(0).value));
}

RunRequest plain_request(RunId run, Behaviour behaviour) {
  RunRequest request;
  request.run = run;
  request.run_id = "HD_test_" + std::to_string(run);
  request.parameters = {{"behaviour", static_cast<std::int64_t>(behaviour)}};
  request.time_limit = std::chrono::hours{1};
  request.cancel_grace = seconds{20};
  return request;
}

namespace {

TEST_CASE("a run begins, reports in order and exits once, in that order") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::succeed)));
    const auto events = until_ended(*fixture, 1);
    CHECK(story(events, 0) == "began, reported 1 2 3, exited 0");
    const auto first = std::find_if(events.begin(), events.end(), [](const auto& event) {
      return std::holds_alternative<RunReported>(event);
    });
    REQUIRE(first != events.end());
    const Metric& metric = std::get<RunReported>(*first).metrics.front();
    CHECK(metric.name == "accuracy");
    CHECK(metric.step == 1);
  }
}

TEST_CASE("nothing is told of a run after its end") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::succeed)));
    until_ended(*fixture, 1);
    std::vector<TargetEvent> events;
    fixture->target().cancel(0, CancelMode::graceful);
    fixture->target().wait(fixture->now() + std::chrono::milliseconds{50}, {}, events);
    CHECK(events.empty());
  }
}

TEST_CASE("a run without reports just begins and exits") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(4, Behaviour::silent)));
    CHECK(story(until_ended(*fixture, 1), 4) == "began, exited 0");
  }
}

TEST_CASE("a failing run tells its exit code and its last words after its metrics") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::fail)));
    const auto events = until_ended(*fixture, 1);
    CHECK(story(events, 0) == "began, reported 1, exited 1");
    const std::string words = only<RunExited>(events).stderr_tail;
    CHECK((fixture->distributed() ? words.substr(0, words.find('\n')) : words) == "broken");
  }
}

TEST_CASE("what cannot be started is refused, or told as not started, with a reason") {
  for (const Kind& each : kinds()) {
    if (std::string(each.name) == "in-process") continue;  // a function is always there
    DYNAMIC_SECTION(each.name) {
      const auto fixture = each.make();
      const auto started = fixture->target().start(fixture->request(0, Behaviour::not_there));
      if (!started) {
        CHECK_FALSE(started.error().what.empty());
        continue;
      }
      const auto events = until_ended(*fixture, 1);
      const auto told = story(events, 0);
      if (told == "deferred") {
        CHECK_FALSE(only<RunDeferred>(events).why.what.empty());
        continue;
      }
      const auto end = only<RunExited>(events);
      if (fixture->distributed()) {
        CHECK(told == "began, exited 127");
        CHECK_THAT(end.stderr_tail, Catch::Contains("cannot start ./no_such_program"));
        continue;
      }
      CHECK(told == "not started");
      CHECK(end.not_started);
      CHECK_FALSE(end.note.empty());
    }
  }
}

TEST_CASE("a run that is running is not started again") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::linger)));
    CHECK_FALSE(fixture->target().start(fixture->request(0, Behaviour::linger)));
    fixture->target().cancel(0, CancelMode::kill);
    CHECK(ended_by_cancelling([&] {
      std::string told = story(until_ended(*fixture, 1), 0);
      const bool never_could = told == "began, signal" || told == "not found";
      return never_could ? "began, reported 1, signal" : told;
    }()));
  }
}

TEST_CASE("an ended run can be started again as another attempt") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::fail)));
    until_ended(*fixture, 1);
    RunRequest again = fixture->request(0, Behaviour::succeed);
    again.attempt = 2;
    REQUIRE(fixture->target().start(again));
    const auto events = until_ended(*fixture, 1);
    CHECK(story(events, 0) == "began, reported 1 2 3, exited 0");
    CHECK(only<RunExited>(events).attempt == 2);
  }
}

TEST_CASE("a cancelled run ends, and a second cancel changes nothing") {
  FOR_EACH_TARGET() {
    std::vector<TargetEvent> events;
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::linger)));
    until_reported(*fixture, 0, events);
    fixture->target().cancel(0, CancelMode::graceful);
    fixture->target().cancel(0, CancelMode::graceful);
    const auto rest = until_ended(*fixture, 1);
    events.insert(events.end(), rest.begin(), rest.end());
    CHECK(ended_by_cancelling(story(events, 0)));
  }
}

TEST_CASE("a killed run ends, also after it was asked to end") {
  FOR_EACH_TARGET() {
    std::vector<TargetEvent> events;
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::linger)));
    until_reported(*fixture, 0, events);
    fixture->target().cancel(0, CancelMode::graceful);
    fixture->target().cancel(0, CancelMode::kill);
    fixture->target().cancel(0, CancelMode::kill);
    const auto rest = until_ended(*fixture, 1);
    events.insert(events.end(), rest.begin(), rest.end());
    CHECK(ended_by_cancelling(story(events, 0)));
  }
}

TEST_CASE("cancelling a run that was never started does nothing") {
  FOR_EACH_TARGET() {
    fixture->target().cancel(77, CancelMode::graceful);
    fixture->target().cancel(77, CancelMode::kill);
    std::vector<TargetEvent> events;
    fixture->target().wait(fixture->now(), {}, events);
    CHECK(events.empty());
  }
}

TEST_CASE("several runs at once each have their own story") {
  FOR_EACH_TARGET() {
    constexpr int kRuns = 6;
    for (RunId run = 0; run < kRuns; ++run)
      REQUIRE(fixture->target().start(
          fixture->request(run, run % 2 ? Behaviour::fail : Behaviour::succeed)));
    const auto events = until_ended(*fixture, kRuns);
    for (RunId run = 0; run < kRuns; ++run)
      CHECK(story(events, run) ==
            (run % 2 ? "began, reported 1, exited 1" : "began, reported 1 2 3, exited 0"));
  }
}

TEST_CASE("a requested stop ends a wait that has nothing to tell") {
  for (const Kind& each : kinds()) {
    DYNAMIC_SECTION(each.name) {
      const auto fixture = each.make();
      std::stop_source stop;
      std::jthread other;
      if (fixture->simulated())
        stop.request_stop();
      else
        other = std::jthread([&] { stop.request_stop(); });
      const Time begin = fixture->now();
      std::vector<TargetEvent> events;
      fixture->target().wait(begin + std::chrono::hours{1}, stop.get_token(), events);
      CHECK(events.empty());
      CHECK(fixture->now() < begin + std::chrono::minutes{5});
    }
  }
}

TEST_CASE("a wait without events ends at its deadline, not before") {
  FOR_EACH_TARGET() {
    const Time deadline = fixture->now() + std::chrono::milliseconds{30};
    std::vector<TargetEvent> events;
    fixture->target().wait(deadline, {}, events);
    CHECK(events.empty());
    CHECK(fixture->now() >= deadline);
    CHECK(fixture->now() < deadline + seconds{10});
  }
}

TEST_CASE("a wait whose deadline is over returns at once, and events are appended") {
  FOR_EACH_TARGET() {
    std::vector<TargetEvent> events = {TargetNote{std::nullopt, "from before"}};
    fixture->target().wait(fixture->now() - seconds{1}, {}, events);
    REQUIRE(events.size() == 1);
    CHECK(std::get<TargetNote>(events.front()).note == "from before");
  }
}

TEST_CASE("a run that was never started is not found, and can be started then") {
  FOR_EACH_TARGET() {
    const std::vector<RunRequest> requests{fixture->request(9, Behaviour::silent),
                                           fixture->request(12, Behaviour::silent)};
    REQUIRE(fixture->target().adopt(requests));
    const auto events = until_ended(*fixture, 2);
    CHECK(story(events, 9) == "not found");
    CHECK(story(events, 12) == "not found");
    REQUIRE(fixture->target().start(requests[0]));
    CHECK(story(until_ended(*fixture, 1), 9) == "began, exited 0");
  }
}

TEST_CASE("a run is accepted before it begins, once, by a name that is kept") {
  FOR_EACH_TARGET() {
    REQUIRE(fixture->target().start(fixture->request(0, Behaviour::succeed)));
    bool began = false;
    int accepted = 0;
    for (const TargetEvent& event : until_ended(*fixture, 1)) {
      began = began || std::holds_alternative<RunBegan>(event);
      if (const auto* it = std::get_if<RunAccepted>(&event)) {
        CHECK_FALSE(began);
        CHECK_FALSE(it->handle.empty());
        ++accepted;
      }
    }
    CHECK(accepted <= 1);
  }
}

TEST_CASE("targets name themselves") {
  FOR_EACH_TARGET() { CHECK_FALSE(fixture->target().describe().empty()); }
}

}  // namespace
}  // namespace hdrive::conformance
