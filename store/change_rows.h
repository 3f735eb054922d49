// SPDX-License-Identifier: Apache-2.0
//
// ChangeRows: writes changes into the tables, with the digests of what they change, one transaction an append. Used by
// the engine that owns the sweep; one thread. A failed append leaves tables and digests as they were.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "hdrive/changes.h"
#include "store/database.h"
#include "store/metric_rows.h"
#include "store/recent_changes.h"
#include "store/seal.h"
#include "store/seal_table.h"

namespace hdrive::store {

class ChangeRows {
 public:
  explicit ChangeRows(Database& database) : database_(database) {}

  /// Reads and checks all there is, and seals what an older version left unsealed. Before anything else. `tell` may be
  /// null.
  Result<void> load(SweepHeader header, const std::function<void(const Change&)>& tell);

  Result<void> append(std::span<const Change> changes);

  const SweepHeader& header() const { return header_; }
  /// How many appends there were.
  std::int64_t steps() const { return row_.steps; }

 private:
  Result<void> expect_no_other_writer();
  Result<void> write(std::span<const Change> changes);
  void note_run(const Change& change);
  // The number of the append that is being made.
  std::int64_t step() const { return next_row_.steps; }

  Result<void> record(const RunProposed& it);
  Result<void> record(const RunSubmitted& it);
  Result<void> record(const RunContact& it);
  Result<void> record(const RunStarted& it);
  Result<void> record(const RunMetrics& it);
  Result<void> record(const RunJudged& it);
  Result<void> record(const RunCanceling& it);
  Result<void> record(const RunEnded& it);
  Result<void> record(const RunRequeued& it);
  Result<void> record(const SweepChanged& it);
  Result<void> record(const SweepEdited& it);
  Result<void> record(const RequestAnswered& it);
  Result<void> record(const Noted& it);
  Result<void> record(const EarlierRunTaken& it);

  Database& database_;
  SweepHeader header_;
  SealRow row_;
  // As this append makes them.
  std::optional<SweepHeader> edited_;
  SealRow next_row_;
  RecentChanges recent_;
  MetricRows metrics_{database_};
  Seal seal_{Seal::Source::as_stored};
};

}  // namespace hdrive::store
