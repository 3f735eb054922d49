// SPDX-License-Identifier: Apache-2.0
#include "store/stored_runs.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "store/attempt_row.h"
#include "store/exact.h"

namespace hdrive::store {
namespace {

constexpr char kRun[] =
    "SELECT number, " HDRIVE_CURRENT_ATTEMPT_COLUMNS
    ", hyperparameters, hyperparameters_exact, proposal, created, start_point, facts_digest, "
    "verdicts_digest, figures_digest FROM runs WHERE number = ?1";
constexpr char kFiguresOfRun[] =
    "SELECT n.name, count, finite, last, last_step, least, greatest FROM metric_names n "
    "CROSS JOIN run_metrics m ON m.name = n.id AND m.run = ?1 ORDER BY n.name";
constexpr char kJudged[] = "SELECT " HDRIVE_VERDICT_COLUMNS
                           " FROM verdicts WHERE run = ?1 AND attempt = ?2 "
                           "ORDER BY action = 'stop', interval";

std::optional<double> unless_nan(double value) {
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

MetricFigures figures_of(std::string name, const MetricSummary& it) {
  return {std::move(name),        it.count,
          it.count - it.finite,   it.last,
          it.last_step,           unless_nan(it.least),
          unless_nan(it.greatest)};
}

}  // namespace

Error StoredRuns::wrong(RunId run, const char* what) const {
  return damaged(database_.path(), fmt::format("{} run {} is not what was written", what, run));
}

Result<StoredRun> StoredRuns::read(const Row& row, Digests& digests) const {
  constexpr int kParameters = kAttemptColumns, kExact = kParameters + 1, kProposal = kExact + 1,
                kCreated = kProposal + 1, kStartPoint = kCreated + 1, kFacts = kStartPoint + 1,
                kVerdicts = kFacts + 1, kFiguresDigest = kVerdicts + 1;
  const Attempt attempt = read_attempt(row);
  Result<Assignment> parameters = restore(row.bytes(kParameters), row.bytes(kExact));
  const bool possible =
      parameters && !row.null(kFacts) && (attempt.number == 1 || attempt.requeued);
  if (!possible) return wrong(attempt.run, "what it tells of");
  digests.verdicts = static_cast<std::uint64_t>(row.integer(kVerdicts));
  digests.figures = static_cast<std::uint64_t>(row.integer(kFiguresDigest));
  const RunProposed proposed{attempt.run, *parameters, row.text(kProposal), row.time(kCreated),
                             row.integer(kStartPoint) != 0};
  Seal seal(Seal::Source::as_stored, attempt.run);
  seal.add(proposed);
  if (attempt.requeued) seal.add(*attempt.requeued);
  if (attempt.submitted) seal.add(*attempt.submitted);
  if (attempt.contact) seal.add(*attempt.contact);
  if (attempt.started) seal.add(*attempt.started);
  if (attempt.reported)
    seal.add_report({attempt.run, attempt.number, {}, attempt.cursor, *attempt.reported});
  if (attempt.canceling) seal.add(*attempt.canceling);
  if (attempt.ended) seal.add(*attempt.ended);
  if (seal.facts(attempt.run) != static_cast<std::uint64_t>(row.integer(kFacts)))
    return wrong(attempt.run, "what it tells of");
  StoredRun stored;
  Run& run = stored.run;
  run.id = attempt.run;
  run.attempt = attempt.number;
  run.status = attempt.ended     ? attempt.ended->status
               : attempt.started ? RunStatus::running
                                 : RunStatus::queued;
  run.parameters = *std::move(parameters);
  run.proposal = proposed.reason;
  run.created = proposed.at;
  stored.start_point = proposed.start_point;
  stored.reported = attempt.reported;
  stored.requeued = attempt.requeued;
  if (const auto& started = attempt.started) {
    run.started = started->at;
    stored.pid = started->pid;
    stored.slot = started->slot;
  }
  if (attempt.submitted) stored.handle = attempt.submitted->handle;
  if (attempt.contact) stored.lost_contact = {attempt.contact->at, attempt.contact->why};
  if (const auto& canceling = attempt.canceling) {
    stored.canceling = canceling->cause;
    stored.canceling_reason = canceling->reason;
  }
  if (const auto& ended = attempt.ended) {
    run.ended_by = ended->cause;
    run.reason = ended->reason;
    run.exit_code = ended->exit_code;
    run.signal = ended->signal;
    run.ended = ended->at;
    stored.stderr_tail = ended->stderr_tail;
    stored.cpu_time = ended->cpu_time;
    stored.peak_memory = ended->peak_memory;
  }
  return stored;
}

Result<StoredRun> StoredRuns::find(RunId run, Digests& digests) const {
  std::optional<Result<StoredRun>> found;
  Result<void> done = database_.each(
      kRun, [&](const Row& row) { found = read(row, digests); }, run);
  if (!done) return done.error();
  if (found) return *std::move(found);
  if (run >= 0 && run < parts_.digests().runs)
    return damaged(database_.path(), fmt::format("run {} is missing", run));
  return Error{fmt::format("run {}", run), "is not in this sweep", Error::Kind::not_found};
}

Result<StoredRun> StoredRuns::facts(RunId run) const {
  Digests digests;
  return find(run, digests);
}

Result<StoredRun> StoredRuns::run(RunId run) const {
  Digests digests;
  Result<StoredRun> stored = find(run, digests);
  if (!stored) return stored;
  std::uint64_t sum = 0;
  Result<void> done = database_.each(
      kFiguresOfRun,
      [&](const Row& row) {
        const MetricSummary summary = read_summary(row, /*first=*/1);
        sum += Seal::of(run, row.bytes(0), summary);
        stored->metrics.push_back(figures_of(row.text(0), summary));
      },
      run);
  if (!done) return done.error();
  if (sum != digests.figures) return wrong(run, "what it tells in short of the metrics of");
  return stored;
}

Result<std::optional<RunJudged>> StoredRuns::judged(RunId run) const {
  Digests digests;
  const Result<StoredRun> stored = find(run, digests);
  if (!stored) return stored.error();
  std::optional<RunJudged> judged;
  Seal seal(Seal::Source::as_stored, run);
  seal.add(RunProposed{run, {}, "", {}});
  Result<void> done = database_.each(
      kJudged,
      [&](const Row& row) {
        judged = read_verdict(row);
        seal.add(*judged);
      },
      run, stored->run.attempt);
  if (!done) return done.error();
  if (seal.verdicts(run) != digests.verdicts) return wrong(run, "what it tells of the verdicts on");
  return judged;
}

}  // namespace hdrive::store
