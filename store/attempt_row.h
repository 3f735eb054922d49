// SPDX-License-Identifier: Apache-2.0
//
// The rows of `runs`, `earlier_attempts` and `verdicts` as the changes they came from.
#pragma once

#include <optional>

#include "hdrive/changes.h"
#include "store/database.h"

namespace hdrive::store {

// Both tables of attempts give the columns that `read_attempt` expects.
#define HDRIVE_ATTEMPT_COLUMNS                                                              \
  "attempt, started, pid, reported, cursor, submitted, canceling, "                         \
  "canceling_reason, canceling_at, ended, status, ended_by, exit_code, signal, reason, "    \
  "stderr_tail, queued_again, queued_again_cause, queued_again_reason, slot, cpu_seconds, " \
  "peak_memory_bytes, handle"
// Contact is of the current attempt alone.
#define HDRIVE_CURRENT_ATTEMPT_COLUMNS HDRIVE_ATTEMPT_COLUMNS ", unreachable, unreachable_reason"
#define HDRIVE_EARLIER_ATTEMPT_COLUMNS HDRIVE_ATTEMPT_COLUMNS ", NULL, NULL"
/// How many columns there are with the number of the run.
inline constexpr int kAttemptColumns = 26;
#define HDRIVE_VERDICT_COLUMNS                                                               \
  "run, attempt, action, interval, finding, value, threshold, peers, leader, note, reason, " \
  "time"

/// One attempt of a run, but for its metrics and verdicts.
struct Attempt {
  RunId run = 0;
  int number = 1;
  std::optional<RunRequeued> requeued;  // what made it, unless it is the first
  std::optional<RunSubmitted> submitted;
  std::optional<RunContact> contact;  // that was lost
  std::optional<RunStarted> started;
  std::optional<Time> reported;  // when metrics of it were last received
  std::string cursor;
  std::optional<RunCanceling> canceling;
  std::optional<RunEnded> ended;
};

/// From the number of the run and the columns above.
Attempt read_attempt(const Row& row);
RunJudged read_verdict(const Row& row);

}  // namespace hdrive::store
