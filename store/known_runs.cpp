// SPDX-License-Identifier: Apache-2.0
#include "store/known_runs.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/exact.h"
#include "store/replay.h"

namespace hdrive::store {
namespace {

class Collector {
 public:
  explicit Collector(Known& known) : known_(known) {}

  void operator()(const RunProposed& it) { known_.runs[it.run].proposed = it; }
  void operator()(const RunSubmitted& it) { of(it).submitted = it; }
  void operator()(const RunContact& it) { of(it).contact = it; }
  void operator()(const RunStarted& it) { of(it).started = it; }
  void operator()(const RunMetrics& it) {
    KnownAttempt& attempt = of(it);
    if (!attempt.metrics) {
      attempt.metrics = it;
      return;
    }
    std::vector<Metric>& all = attempt.metrics->metrics;
    all.insert(all.end(), it.metrics.begin(), it.metrics.end());
  }
  void operator()(const RunJudged& it) { of(it).verdicts.push_back(it); }
  void operator()(const RunCanceling& it) { of(it).canceling = it; }
  void operator()(const RunEnded& it) { of(it).ended = it; }
  void operator()(const RunRequeued& it) { of(it).requeued = it; }
  void operator()(const SweepChanged& it) { known_.before.emplace_back(it); }
  void operator()(const SweepEdited& it) { known_.before.emplace_back(it); }
  void operator()(const EarlierRunTaken& it) { known_.before.emplace_back(it); }
  void operator()(const Noted& it) { known_.after.emplace_back(it); }
  void operator()(const RequestAnswered&) {}

 private:
  template <class Change>
  KnownAttempt& of(const Change& it) {
    return known_.runs[it.run].attempts[it.attempt];
  }

  Known& known_;
};

}  // namespace

Result<void> collect(Database& database, Known& known, Seal* seal) {
  ReplayOptions options;
  options.seal = seal;
  Collector collector(known);
  return as_damage(database.path(), [&] {
    return replay(database, options, [&](const Change& change) { std::visit(collector, change); });
  });
}

std::vector<RunId> reconcile(Database& database) {
  std::vector<RunId> unreadable;
  (void)database.each("SELECT number, hyperparameters, hyperparameters_exact FROM runs",
                      [&](const Row& row) {
                        if (!restore(row.bytes(1), row.bytes(2)))
                          unreadable.push_back(row.integer(0));
                      });
  for (const RunId run : unreadable)
    (void)database.run(
        "UPDATE runs SET hyperparameters = '{}', hyperparameters_exact = NULL WHERE number = ?1",
        run);
  // A row under another's number tells by its run_id of which run it is.
  (void)database.execute(
      "CREATE TEMP TABLE told AS SELECT number, CAST(replace(run_id, rtrim(run_id, "
      "'0123456789'), '') AS INTEGER) AS run FROM runs;"
      "UPDATE OR IGNORE runs SET number = (SELECT run FROM told WHERE told.number = runs.number) "
      "WHERE number IN (SELECT number FROM told WHERE run <> number AND run < (SELECT count(*) "
      "FROM told) AND run NOT IN (SELECT number FROM told));"
      "DROP TABLE told");
  // Stands for a run of which the row is lost; an empty `run_id` tells it from others.
  (void)database.execute(
      "DELETE FROM runs WHERE number < 0 OR number > (SELECT 2 * count(*) + 1000 FROM runs);"
      "WITH RECURSIVE n(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM n "
      "WHERE number < (SELECT max(number) FROM runs)) "
      "INSERT OR IGNORE INTO runs(number, run_id, status, attempt, created, hyperparameters, "
      "proposal) "
      "SELECT number, '', 'Queued', 1, 0, '{}', '' FROM n WHERE (SELECT count(*) FROM runs) > 0;"
      "DELETE FROM earlier_attempts WHERE attempt >= (SELECT attempt FROM runs WHERE number = run);"
      "DELETE FROM metric_values WHERE name NOT IN (SELECT id FROM metric_names) OR NOT EXISTS "
      "(SELECT 1 FROM runs WHERE number = metric_values.id >> 32 AND (attempt = "
      "metric_values.attempt OR EXISTS (SELECT 1 FROM earlier_attempts e WHERE e.run = number AND "
      "e.attempt = metric_values.attempt)))");
  return unreadable;
}

Time time_of(const KnownRun& run) {
  if (run.proposed) return run.proposed->at;
  for (const auto& [number, attempt] : run.attempts)
    if (attempt.started) return attempt.started->at;
  return {};
}

void tell_run(RunId run, const KnownRun& known, std::vector<Change>& changes) {
  changes.emplace_back(*known.proposed);
  const int last = known.attempts.empty() ? 1 : std::max(1, known.attempts.rbegin()->first);
  for (int number = 1; number <= last; ++number) {
    const auto found = known.attempts.find(number);
    const KnownAttempt attempt = found == known.attempts.end() ? KnownAttempt{} : found->second;
    if (number > 1)
      changes.emplace_back(attempt.requeued.value_or(
          RunRequeued{run, number, "it was tried again; why was lost with the database",
                      time_of(known), EndCause::interrupt}));
    if (attempt.submitted) changes.emplace_back(*attempt.submitted);
    if (attempt.contact) changes.emplace_back(*attempt.contact);
    if (attempt.started) changes.emplace_back(*attempt.started);
    if (attempt.metrics) changes.emplace_back(*attempt.metrics);
    for (const RunJudged& verdict : attempt.verdicts) changes.emplace_back(verdict);
    if (attempt.canceling) changes.emplace_back(*attempt.canceling);
    if (attempt.ended) changes.emplace_back(*attempt.ended);
  }
}

std::uint64_t digest_of(const Known& known) {
  Seal seal(Seal::Source::as_stored);
  for (const Change& change : known.before) seal.add(change);
  std::vector<Change> changes;
  for (const auto& [run, of] : known.runs) {
    if (!of.proposed) return 0;
    tell_run(run, of, changes);
  }
  for (const Change& change : changes) seal.add(change);
  for (const Change& change : known.after) seal.add(change);
  return seal.digest();
}

void fill_gaps(Known& all, std::vector<std::string>& lost) {
  if (all.runs.empty()) return;
  const RunId last = all.runs.rbegin()->first;
  for (RunId run = 0; run <= last; ++run) {
    KnownRun& known = all.runs[run];
    if (known.proposed) continue;
    known.proposed = RunProposed{run, {}, "lost with the database", time_of(known)};
    lost.push_back(fmt::format("run {}: its parameters", run));
    if (!known.attempts.empty() && known.attempts.rbegin()->second.ended) continue;
    const int attempt = known.attempts.empty() ? 1 : known.attempts.rbegin()->first;
    known.attempts[attempt].ended = RunEnded{run,
                                             attempt,
                                             RunStatus::failed,
                                             EndCause::lost,
                                             {},
                                             {},
                                             "its parameters were lost with the database",
                                             "",
                                             time_of(known)};
  }
}

}  // namespace hdrive::store
