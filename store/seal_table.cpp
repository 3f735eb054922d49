// SPDX-License-Identifier: Apache-2.0
#include "store/seal_table.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "store/recent_changes.h"
#include "store/replay.h"

namespace hdrive::store {
namespace {

constexpr char kSelect[] =
    "SELECT steps, digest, header, runs, states, status, changes, notes, edits, names, latest, "
    "own, recent FROM seal WHERE rowid = 1";
constexpr char kWrite[] =
    "UPDATE seal SET steps = ?1, digest = ?2, header = ?3, runs = ?4, states = ?5, status = ?6, "
    "changes = ?7, notes = ?8, edits = ?9, names = ?10, latest = ?11, own = ?12, recent = ?13 "
    "WHERE rowid = 1";
constexpr char kFigureDigests[] = "SELECT rowid - 1, digest FROM seal WHERE rowid > 1";
constexpr char kWriteFigureDigest[] =
    "INSERT OR REPLACE INTO seal(rowid, steps, digest) VALUES(?1 + 1, 0, ?2)";

constexpr char kNames[] = "SELECT id, name FROM metric_names";
constexpr char kFigures[] =
    "SELECT m.run, m.name, n.name, count, finite, last, last_step, least, greatest "
    "FROM run_metrics m JOIN metric_names n ON n.id = m.name";
constexpr char kSealRun[] =
    "UPDATE runs SET facts_digest = ?2, metrics_digest = ?3, verdicts_digest = ?4, "
    "figures_digest = ?5 WHERE number = ?1";
constexpr char kLatest[] =
    "SELECT max(max(created, ifnull(started, 0), ifnull(reported, 0), ifnull(ended, 0), "
    "ifnull(canceling_at, 0), ifnull(queued_again, 0))) FROM runs";

// The row is what all others are compared with, so it is sealed itself.
std::uint64_t own_digest(const SealRow& row) {
  const PartDigests& of = row.parts->of;
  const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  const std::array<std::int64_t, 11> numbers{row.steps,
                                             number(row.digest.value_or(0)),
                                             number(row.header.value_or(0)),
                                             of.runs,
                                             number(of.states),
                                             number(of.status),
                                             number(of.changes),
                                             number(of.notes),
                                             number(of.edits),
                                             number(row.parts->names),
                                             row.parts->latest.time_since_epoch().count()};
  return Seal::of(numbers, row.recent);
}

}  // namespace

Result<SealRow> read_seal(Database& database) {
  const auto digest = [](const Row& row, int column) {
    const auto value = row.maybe_integer(column);
    return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
  };
  std::optional<SealRow> seal;
  bool sound = true;
  Result<void> read = database.each(kSelect, [&](const Row& row) {
    const auto sum = [&](int column) { return static_cast<std::uint64_t>(row.integer(column)); };
    seal = SealRow{row.integer(0), digest(row, 1), digest(row, 2), row.text(12), {}};
    const auto own = digest(row, 11);
    if (!own) return;
    seal->parts = {{row.integer(3), sum(4), sum(5), sum(6), sum(7), sum(8)}, sum(9), row.time(10)};
    sound = own_digest(*seal) == *own;
  });
  if (!read) return read.error();
  if (!seal) return damaged(database.path(), "its seal is missing");
  if (!sound) return damaged(database.path(), "its seal is not what was written");
  return *seal;
}

Result<void> write_seal(Database& database, const SealRow& row) {
  const PartDigests& of = row.parts->of;
  return database.run(kWrite, row.steps, row.digest, row.header, of.runs, of.states, of.status,
                      of.changes, of.notes, of.edits, row.parts->names, row.parts->latest,
                      own_digest(row), Blob{row.recent});
}

Result<FigureDigests> read_figure_digests(Database& database) {
  FigureDigests digests;
  Result<void> read = database.each(kFigureDigests, [&](const Row& row) {
    digests[row.integer(0)] = static_cast<std::uint64_t>(row.integer(1));
  });
  if (!read) return read.error();
  return digests;
}

Result<void> write_figure_digest(Database& database, std::int64_t metric, std::uint64_t digest) {
  return database.run(kWriteFigureDigest, metric, digest);
}

Result<void> check_steps(Database& database, std::int64_t noted, const SweepHeader& header) {
  Result<SealRow> seal = read_seal(database);
  if (!seal) return seal.error();
  if (seal->steps < noted)
    return damaged(
        database.path(),
        fmt::format("its last {} in sweep.db-wal, which was removed or is damaged, or this is an "
                    "older copy",
                    noted - seal->steps == 1
                        ? std::string("step is missing; it was")
                        : fmt::format("{} steps are missing; they were", noted - seal->steps)));
  if (seal->header && *seal->header != Seal::of(header, Seal::Source::as_stored))
    return damaged(database.path(), "the description of the sweep is not what was written");
  return {};
}

Result<void> seal_anew(Database& database, const Seal& seal) {
  Result<Transaction> transaction = Transaction::begin(database, Transaction::Kind::write);
  if (!transaction) return transaction.error();
  Result<SealRow> row = read_seal(database);
  if (!row) return row.error();
  const Result<SweepHeader> header = read_header(database);
  if (!header) return header.error();
  row->digest = seal.digest();
  row->header = Seal::of(*header, Seal::Source::as_stored);
  row->recent = RecentChanges(row->steps).bytes();
  row->parts = SealRow::Parts{seal.parts(), 0, {}};

  std::vector<std::uint64_t> of_runs(static_cast<std::size_t>(seal.parts().runs));
  FigureDigests of_metrics;
  Result<void> done = database.each(kNames, [&](const Row& name) {
    row->parts->names += Seal::of_name(name.integer(0), name.bytes(1));
    of_metrics[name.integer(0)] = 0;
  });
  if (done)
    done = database.each(kFigures, [&](const Row& it) {
      const std::uint64_t hash =
          Seal::of(it.integer(0), it.bytes(2), read_summary(it, /*first=*/3));
      of_runs[static_cast<std::size_t>(it.integer(0))] += hash;
      of_metrics[it.integer(1)] += hash;
    });
  for (RunId run = 0; done && run < seal.parts().runs; ++run)
    done = database.run(kSealRun, run, seal.facts(run), seal.metrics(run), seal.verdicts(run),
                        of_runs[static_cast<std::size_t>(run)]);
  for (const auto& [metric, digest] : of_metrics)
    if (done) done = write_figure_digest(database, metric, digest);
  if (done) done = database.each(kLatest, [&](const Row& it) { row->parts->latest = it.time(0); });
  if (done) done = write_seal(database, *row);
  if (!done) return done;
  return transaction->commit();
}

}  // namespace hdrive::store
