// SPDX-License-Identifier: Apache-2.0
//
// A stored sweep in short, as each door shows it: where it stands in one word, the sum of its runs,
// when it may end, and what its policy thought of a run. Read from a SweepReader; nothing is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/clock.h"
#include "hdrive/reader.h"
#include "hdrive/report.h"
#include "hdrive/result.h"
#include "hdrive/spec.h"

namespace hdrive {

/// "Running", "Completed", ...; "Interrupted" for a session that Ctrl-C ended.
std::string_view sweep_status_text(SweepStatus status, SweepEnd end);
/// The same; "Interrupted" also where the engine is gone.
std::string sweep_status_text(const SweepEntry& sweep);

/// The summary as it stands at `now`; where an engine runs the sweep, its live runs count up to
/// then. Without warnings.
Result<SweepSummary> summarize(const SweepEntry& sweep, SweepReader& reader, Time now);

/// A run as it is listed everywhere.
RunReport report_of(const StoredRun& run, const SweepHeader& header);

/// Why the policy stopped it, or why it did not: "did not stop it: ...", "never looked at it".
std::string policy_sentence(const StoredRun& run, const std::optional<RunJudged>& judged,
                            std::string_view metric);

/// What is known of how long runs take.
struct Pace {
  std::int64_t to_start = 0;      ///< runs not started yet
  std::int64_t at_once = 1;       ///< how many run side by side
  std::vector<Duration> running;  ///< how long each live run has been running
  std::int64_t ended = 0;         ///< runs that have ended
  Duration ended_total{};         ///< sum of their durations
  Duration budget_left{};         ///< active time the sweep may still take
};
/// The expected rest, from the mean duration of the runs that have ended; nothing before the first
/// one, and where all that is left are runs that take longer than that already.
std::optional<Duration> expected_rest(const Pace& pace);

}  // namespace hdrive
