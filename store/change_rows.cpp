// SPDX-License-Identifier: Apache-2.0
#include "store/change_rows.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hdrive/ids.h"
#include "store/earlier_rows.h"
#include "store/edit_rows.h"
#include "store/exact.h"
#include "store/replay.h"
#include "store/words.h"

namespace hdrive::store {
namespace {

constexpr char kStoredSteps[] = "SELECT steps FROM seal WHERE rowid = 1";
constexpr char kProposed[] =
    "INSERT INTO runs(number, run_id, status, attempt, created, hyperparameters, proposal, "
    "hyperparameters_exact, start_point, changed, facts_digest, metrics_digest, verdicts_digest, "
    "figures_digest) VALUES(?1, ?2, 'Queued', 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0)";
constexpr char kStarted[] =
    "UPDATE runs SET status = 'Running', started = ?2, pid = ?3, slot = ?4, changed = ?5, "
    "facts_digest = ?6 WHERE number = ?1";
constexpr char kSubmitted[] =
    "UPDATE runs SET submitted = ?2, handle = ?3, changed = ?4, facts_digest = ?5 WHERE number = "
    "?1";
constexpr char kContact[] =
    "UPDATE runs SET unreachable = ?2, unreachable_reason = ?3, changed = ?4, facts_digest = ?5 "
    "WHERE number = ?1";
constexpr char kJudged[] =
    "INSERT OR REPLACE INTO verdicts(run, attempt, action, interval, finding, value, threshold, "
    "peers, leader, note, reason, time) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
constexpr char kCanceling[] =
    "UPDATE runs SET canceling = ?2, canceling_reason = ?3, canceling_at = ?4, changed = ?5, "
    "facts_digest = ?6 WHERE number = ?1";
constexpr char kEnded[] =
    "UPDATE runs SET status = ?2, ended_by = ?3, ended = ?4, exit_code = ?5, signal = ?6, "
    "reason = ?7, stderr_tail = ?8, cpu_seconds = ?9, peak_memory_bytes = ?10, "
    "unreachable = NULL, unreachable_reason = NULL, changed = ?11, facts_digest = ?12 "
    "WHERE number = ?1";
constexpr char kKeepAttempt[] =
    "INSERT INTO earlier_attempts(run, attempt, status, ended_by, started, ended, exit_code, "
    "signal, "
    "pid, reported, cursor, submitted, handle, canceling, canceling_reason, canceling_at, "
    "queued_again, queued_again_cause, queued_again_reason, reason, stderr_tail, slot, "
    "cpu_seconds, "
    "peak_memory_bytes, metrics_digest) "
    "SELECT number, attempt, status, ended_by, started, ended, exit_code, signal, pid, reported, "
    "cursor, submitted, handle, canceling, canceling_reason, canceling_at, queued_again, "
    "queued_again_cause, queued_again_reason, reason, stderr_tail, slot, cpu_seconds, "
    "peak_memory_bytes, metrics_digest FROM runs WHERE number = ?1";
constexpr char kRequeued[] =
    "UPDATE runs SET attempt = ?2, queued_again = ?3, queued_again_cause = ?4, "
    "queued_again_reason = ?5, status = 'Queued', ended_by = NULL, started = NULL, ended = NULL, "
    "exit_code = NULL, signal = NULL, pid = NULL, reported = NULL, cursor = '', "
    "submitted = NULL, handle = NULL, unreachable = NULL, unreachable_reason = NULL, "
    "canceling = NULL, canceling_reason = NULL, canceling_at = NULL, "
    "reason = NULL, stderr_tail = NULL, slot = NULL, cpu_seconds = NULL, peak_memory_bytes = NULL, "
    "changed = ?6, facts_digest = ?7, metrics_digest = 0, verdicts_digest = 0, figures_digest = 0 "
    "WHERE number = ?1";
constexpr char kSweepChange[] =
    "INSERT INTO sweep_changes(status, ended_by, reason, active_seconds, time) "
    "VALUES(?1, ?2, ?3, ?4, ?5)";
constexpr char kSweepStatus[] =
    "UPDATE sweep SET status = ?1, ended_by = ?2, reason = ?3, active_seconds = ?4, changed = ?5";
constexpr char kEdit[] =
    "INSERT INTO edits(config, what, time, head, tail) VALUES(?1, ?2, ?3, ?4, ?5)";
constexpr char kConfig[] = "UPDATE sweep SET config = ?1";
constexpr char kAnswered[] =
    "UPDATE requests SET answered = ?2, accepted = ?3, answer = ?4 WHERE id = ?1";
constexpr char kNote[] = "INSERT INTO notes(level, run, text, time) VALUES(?1, ?2, ?3, ?4)";

// NULL where there is nothing yet, so that people can write `WHERE ended_by IS NULL`.
template <class Enum>
std::optional<std::string_view> unless_none(Enum value) {
  return value == Enum::none ? std::nullopt : std::optional(to_string(value));
}

}  // namespace

// All of it is read and checked, so whoever wants to hear it is told in passing.
Result<void> ChangeRows::load(SweepHeader header, const std::function<void(const Change&)>& tell) {
  header_ = std::move(header);
  ReplayOptions options;
  options.metrics = tell != nullptr;
  options.seal = &seal_;
  const std::function<void(const Change&)> nobody = [](const Change&) {};
  const auto sound =
      as_damage(database_.path(), [&] { return replay(database_, options, tell ? tell : nobody); });
  if (!sound) return sound;
  Result<SealRow> row = read_seal(database_);
  if (row && !row->parts) {
    if (Result<void> sealed = seal_anew(database_, seal_); !sealed) return sealed;
    row = read_seal(database_);
  }
  if (!row) return row.error();
  row_ = *row;
  recent_ = RecentChanges(row_.steps);
  seal_.continue_with(Seal::Source::as_appended);
  return metrics_.load();
}

Result<void> ChangeRows::append(std::span<const Change> changes) {
  Result<Transaction> transaction = Transaction::begin(database_, Transaction::Kind::write);
  if (!transaction) return transaction.error();
  if (Result<void> alone = expect_no_other_writer(); !alone) return alone;
  seal_.mark();
  metrics_.mark();
  edited_.reset();
  next_row_ = row_;
  ++next_row_.steps;
  const RecentChanges recent = recent_;
  Result<void> kept = write(changes);
  if (kept) kept = transaction->commit();
  if (!kept) {
    seal_.undo();
    metrics_.undo();
    recent_ = recent;
    return kept;
  }
  if (edited_) header_ = *std::move(edited_);
  row_ = next_row_;
  return {};
}

// Where locks do nothing, or their file was deleted, two engines may have the same sweep: what one of
// them does not know it must not write over.
Result<void> ChangeRows::expect_no_other_writer() {
  std::int64_t steps = -1;
  const Result<void> read =
      database_.each(kStoredSteps, [&](const Row& row) { steps = row.integer(0); });
  if (!read || steps == row_.steps) return read;
  return Error{database_.path().string(),
               "another process has gone on with this sweep meanwhile; nothing more is written by "
               "this one"};
}

Result<void> ChangeRows::write(std::span<const Change> changes) {
  for (const Change& change : changes) {
    // What was gathered is of the attempt before.
    Result<void> kept;
    if (std::holds_alternative<RunRequeued>(change)) kept = metrics_.flush(step(), seal_);
    if (!kept) return kept;
    seal_.add(change);
    note_run(change);
    kept = std::visit([this](const auto& it) { return record(it); }, change);
    if (!kept) return kept;
  }
  if (Result<void> kept = metrics_.flush(step(), seal_); !kept) return kept;
  recent_.forget_old();
  next_row_.recent = recent_.bytes();
  next_row_.digest = seal_.digest();
  next_row_.parts->of = seal_.parts();
  next_row_.parts->names = metrics_.names_digest();
  return write_seal(database_, next_row_);
}

// Of which run it tells something, and when.
void ChangeRows::note_run(const Change& change) {
  std::visit(
      [this](const auto& it) {
        using T = std::decay_t<decltype(it)>;
        constexpr bool of_run = requires { it.parameters; }
        || requires { it.attempt; };
        if constexpr (of_run) recent_.add(it.run, step());
        if constexpr (of_run && !std::is_same_v<T, RunJudged>) {
          const Time at(duration_of(seconds_of(it.at.time_since_epoch())));  // as it is stored
          next_row_.parts->latest = std::max(next_row_.parts->latest, at);
        }
      },
      change);
}

// ---- one kind of change each --------------------------------------------------------------------

Result<void> ChangeRows::record(const RunProposed& it) {
  metrics_.proposed();
  return database_.run(kProposed, it.run, run_id(header_.id, it.run), it.at, to_json(it.parameters),
                       it.reason, lost_in_json(it.parameters), it.start_point ? 1 : 0, step(),
                       seal_.facts(it.run));
}

Result<void> ChangeRows::record(const RunStarted& it) {
  return database_.run(kStarted, it.run, it.at, it.pid, it.slot, step(), seal_.facts(it.run));
}

Result<void> ChangeRows::record(const RunSubmitted& it) {
  return database_.run(kSubmitted, it.run, it.at, it.handle, step(), seal_.facts(it.run));
}

Result<void> ChangeRows::record(const RunContact& it) {
  const auto since = it.lost ? std::optional(it.at) : std::nullopt;
  const auto why = it.lost ? std::optional(it.why) : std::nullopt;
  return database_.run(kContact, it.run, since, why, step(), seal_.facts(it.run));
}

Result<void> ChangeRows::record(const RunMetrics& it) { return metrics_.add(it); }

Result<void> ChangeRows::record(const RunJudged& it) {
  metrics_.touch(it.run);
  const Verdict& verdict = it.verdict;
  std::optional<RunId> leader;
  if (verdict.leader >= 0) leader = verdict.leader;
  return database_.run(kJudged, it.run, it.attempt, word(kActions, verdict.action),
                       verdict.interval, word(kFindings, verdict.finding), verdict.value,
                       verdict.threshold, verdict.peers, leader, verdict.note, it.reason, it.at);
}

Result<void> ChangeRows::record(const RunCanceling& it) {
  return database_.run(kCanceling, it.run, to_string(it.cause), it.reason, it.at, step(),
                       seal_.facts(it.run));
}

Result<void> ChangeRows::record(const RunEnded& it) {
  metrics_.ended(it.run);
  return database_.run(kEnded, it.run, to_string(it.status), unless_none(it.cause), it.at,
                       it.exit_code, it.signal, it.reason, it.stderr_tail, it.cpu_time,
                       it.peak_memory, step(), seal_.facts(it.run));
}

Result<void> ChangeRows::record(const RunRequeued& it) {
  if (Result<void> kept = metrics_.forget(it.run); !kept) return kept;
  if (Result<void> kept = database_.run(kKeepAttempt, it.run); !kept) return kept;
  return database_.run(kRequeued, it.run, it.attempt, it.at, to_string(it.cause), it.reason, step(),
                       seal_.facts(it.run));
}

Result<void> ChangeRows::record(const SweepChanged& it) {
  const std::string_view status = to_string(it.status);
  const auto end = unless_none(it.end);
  Result<void> kept = database_.run(kSweepChange, status, end, it.reason, it.active, it.at);
  if (!kept) return kept;
  return database_.run(kSweepStatus, status, end, it.reason, it.active, it.at);
}

Result<void> ChangeRows::record(const SweepEdited& it) {
  SweepHeader& header = edited_ ? *edited_ : edited_.emplace(header_);
  const ConfigStep step = step_back(header.config, it.config);
  Result<void> kept = database_.run(kEdit, step.replaced, it.what, it.at, step.head, step.tail);
  if (kept) kept = database_.run(kConfig, it.config);
  header.config = it.config;
  next_row_.header = Seal::of(header, Seal::Source::as_appended);
  return kept;
}

Result<void> ChangeRows::record(const RequestAnswered& it) {
  return database_.run(kAnswered, it.request, it.at, it.accepted ? 1 : 0, it.text);
}

Result<void> ChangeRows::record(const EarlierRunTaken& it) { return write_earlier(database_, it); }

Result<void> ChangeRows::record(const Noted& it) {
  return database_.run(kNote, word(kLevels, it.level), it.run, it.text, it.at);
}

}  // namespace hdrive::store
