// SPDX-License-Identifier: Apache-2.0
//
// What every compute target must do for an engine that comes later than the one that started its runs.
#include "tests/conformance/target_stories.h"

namespace hdrive::conformance {
namespace {

// As the engine would have stored it.
void remember(const std::vector<TargetEvent>& events, RunRequest& request) {
  for (const TargetEvent& event : events) {
    if (run_of(event) != request.run) continue;
    if (const auto* accepted = std::get_if<RunAccepted>(&event)) request.handle = accepted->handle;
    if (const auto* reported = std::get_if<RunReported>(&event)) request.cursor = reported->cursor;
  }
}

TEST_CASE("runs go on without an engine, and the next one hears what the first did not") {
  FOR_EACH_TARGET() {
    constexpr int kRuns = 3;
    std::vector<RunRequest> requests;
    for (RunId run = 0; run < kRuns; ++run) {
      requests.push_back(fixture->request(run, Behaviour::succeed));
      REQUIRE(fixture->target().start(requests.back()));
    }
    std::vector<TargetEvent> before;
    for (RunId run = 0; run < kRuns; ++run) until_reported(*fixture, run, before);
    // What is told with the end the first engine may have heard, too.
    if (std::any_of(before.begin(), before.end(), is_end)) continue;
    if (!fixture->restart()) continue;
    for (RunRequest& request : requests) remember(before, request);
    REQUIRE(fixture->target().adopt(requests));
    const auto after = until_ended(*fixture, kRuns);
    for (RunId run = 0; run < kRuns; ++run) {
      std::vector<double> values;
      for (const std::vector<TargetEvent>* events : {&std::as_const(before), &after})
        for (const TargetEvent& event : *events)
          if (const auto* reported = std::get_if<RunReported>(&event);
              reported && reported->run == run)
            for (const Metric& metric : reported->metrics) values.push_back(metric.value);
      CHECK(values == std::vector<double>{1, 2, 3});
      CHECK_THAT(story(after, run), Catch::EndsWith("exited 0"));
    }
  }
}

TEST_CASE("a run that was found again is cancelled like one's own, and tells nothing twice") {
  for (const CancelMode mode : {CancelMode::graceful, CancelMode::kill}) {
    FOR_EACH_TARGET() {
      std::vector<RunRequest> requests{fixture->request(5, Behaviour::linger)};
      REQUIRE(fixture->target().start(requests[0]));
      std::vector<TargetEvent> before;
      until_reported(*fixture, 5, before);
      if (!fixture->restart()) {
        fixture->target().cancel(5, mode);
        until_ended(*fixture, 1);
        continue;
      }
      remember(before, requests[0]);
      REQUIRE(fixture->target().adopt(requests));
      fixture->target().cancel(5, mode);
      const std::string told = story(until_ended(*fixture, 1), 5);
      CHECK((told == "began, signal" || told == "signal"));
    }
  }
}

}  // namespace
}  // namespace hdrive::conformance
