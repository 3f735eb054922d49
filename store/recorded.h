// SPDX-License-Identifier: Apache-2.0
//
// Takes what a run's directory tells into what rows of a damaged database tell of the run. Used by repairs.
//
// The database's digest says that something in it is not as it was written, and not what. So wherever run.json,
// metrics.jsonl or exit.json say otherwise than a row, they are believed: they were written by others, at other
// places. What only the rows tell (reasons, verdicts, when things were heard of) stays.
#pragma once

#include <string>
#include <vector>

#include "store/known_runs.h"

namespace hdrive::store {

/// Adds what the directory tells where `known` has nothing, and puts it in place of what differs, a sentence each in
/// `differences`.
void take_recorded(const RecordedRun& recorded, KnownRun& known,
                   std::vector<std::string>& differences);

/// How the attempt ended, as its exit.json tells; it has one.
RunEnded ended_as(const RecordedAttempt& attempt, RunId run);

}  // namespace hdrive::store
