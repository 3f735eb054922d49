// SPDX-License-Identifier: Apache-2.0
//
// What a target has told, as the cases of conformance look at it.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/catch.h"
#include "tests/conformance/target_kinds.h"

namespace hdrive::conformance {

inline RunId run_of(const TargetEvent& event) {
  return std::visit(
      [](const auto& e) -> RunId {
        if constexpr (std::is_same_v<std::decay_t<decltype(e)>, TargetNote>)
          return e.run.value_or(-1);
        else
          return e.run;
      },
      event);
}

inline bool is_end(const TargetEvent& event) {
  return std::holds_alternative<RunExited>(event) || std::holds_alternative<RunVanished>(event) ||
         std::holds_alternative<RunDeferred>(event) || std::holds_alternative<RunNotFound>(event);
}

// Everything told up to and with the end of `ends` runs; a minute at most.
inline std::vector<TargetEvent> until_ended(Fixture& fixture, int ends) {
  std::vector<TargetEvent> events;
  const Time deadline =
      fixture.now() + std::chrono::hours{fixture.simulated() ? 10000 : 0} + std::chrono::minutes{1};
  while (std::count_if(events.begin(), events.end(), is_end) < ends && fixture.now() < deadline)
    fixture.target().wait(deadline, {}, events);
  return events;
}

// Waits until the run has reported something.
inline void until_reported(Fixture& fixture, RunId run, std::vector<TargetEvent>& events) {
  const Time deadline = fixture.now() + std::chrono::minutes{1};
  const auto reported = [&](const TargetEvent& event) {
    return std::holds_alternative<RunReported>(event) && run_of(event) == run;
  };
  while (std::none_of(events.begin(), events.end(), reported) && fixture.now() < deadline)
    fixture.target().wait(deadline, {}, events);
}

// Not every target has a queue, or loses contact; where there is contact again is told by the next event, too.
inline bool is_told(const TargetEvent& event) {
  return !std::holds_alternative<RunAccepted>(event) &&
         !std::holds_alternative<RunUnreachable>(event) &&
         !std::holds_alternative<RunReachable>(event);
}

// "began, reported 1 2 3, exited 0": one run's events, those of the same kind joined.
inline std::string story(const std::vector<TargetEvent>& events, RunId run) {
  std::string result;
  bool reporting = false;
  for (const TargetEvent& event : events) {
    if (run_of(event) != run || !is_told(event)) continue;
    const auto* reported = std::get_if<RunReported>(&event);
    if (!reporting || !reported) result += result.empty() ? "" : ", ";
    if (reported && !reporting) result += "reported";
    reporting = reported != nullptr;
    if (reported)
      for (const Metric& metric : reported->metrics)
        result += " " + std::to_string(static_cast<int>(metric.value));
    if (std::holds_alternative<RunBegan>(event)) result += "began";
    if (const auto* exited = std::get_if<RunExited>(&event))
      result += exited->exit_code ? "exited " + std::to_string(*exited->exit_code)
                : exited->signal  ? "signal"
                                  : "not started";
    if (std::holds_alternative<RunVanished>(event)) result += "vanished";
    if (std::holds_alternative<RunNotFound>(event)) result += "not found";
    if (std::holds_alternative<RunDeferred>(event)) result += "deferred";
  }
  return result;
}

template <class Event>
Event only(const std::vector<TargetEvent>& events) {
  std::optional<Event> found;
  for (const TargetEvent& event : events)
    if (const auto* one = std::get_if<Event>(&event)) {
      CHECK_FALSE(found);
      found = *one;
    }
  REQUIRE(found);
  return *found;
}

inline bool ended_by_cancelling(const std::string& told) {
  return told == "began, reported 1, signal" || told == "began, reported 1, exited 0";
}

// Each target in a section of its own, with a fixture of its own.
#define FOR_EACH_TARGET()                                     \
  for (const Kind& each : kinds()) DYNAMIC_SECTION(each.name) \
  if (const auto fixture = each.make())

}  // namespace hdrive::conformance
