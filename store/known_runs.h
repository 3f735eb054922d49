// SPDX-License-Identifier: Apache-2.0
//
// What is known of a sweep while its database is being repaired: run by run and attempt by attempt, from the
// rows that were read and from the run directories.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/store.h"
#include "store/database.h"
#include "store/seal.h"

namespace hdrive::store {

/// What is known of one attempt, in the order in which it is told.
struct KnownAttempt {
  std::optional<RunRequeued> requeued;
  std::optional<RunSubmitted> submitted;
  std::optional<RunContact> contact;  // that was lost
  std::optional<RunStarted> started;
  std::optional<RunMetrics> metrics;
  std::vector<RunJudged> verdicts;
  std::optional<RunCanceling> canceling;
  std::optional<RunEnded> ended;
};
struct KnownRun {
  std::optional<RunProposed> proposed;
  std::map<int, KnownAttempt> attempts;
};
struct Known {
  std::map<RunId, KnownRun> runs;
  std::vector<Change> before, after;  // what is not of a run: before the runs, and behind them
};

/// Adds all that the database tells; with a seal, an Error if that is not what was written.
Result<void> collect(Database& database, Known& known, Seal* seal);

/// Makes tables agree of which parts are missing, so that they can be replayed. A run of which the row is
/// lost gets one without a `run_id`. Gives the runs of which the parameters cannot be read.
std::vector<RunId> reconcile(Database& database);

/// When the run was proposed, or first seen.
Time time_of(const KnownRun& run);

/// The run's changes in an order every store takes. It has a proposal.
void tell_run(RunId run, const KnownRun& known, std::vector<Change>& changes);

/// What Seal::digest would be of all of it; 0 where a proposal is missing.
std::uint64_t digest_of(const Known& known);

/// Runs are numbered without gaps: one of which nothing is left but that it was becomes a lost one. A sentence each in
/// `lost`.
void fill_gaps(Known& known, std::vector<std::string>& lost);

}  // namespace hdrive::store
