// SPDX-License-Identifier: Apache-2.0
//
// The table `seal`: the digests of what a sweep's database holds. Row 1 is of the whole; behind it lies one row for
// each metric, 1 + its number in `metric_names`, with the digest of its rows in `run_metrics`. All in one page, which
// an append writes anyway.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "hdrive/store.h"
#include "store/database.h"
#include "store/seal.h"

namespace hdrive::store {

struct SealRow {
  std::int64_t steps = 0;               ///< how many appends it holds
  std::optional<std::uint64_t> digest;  ///< Seal::digest of them; nothing: of an older version
  std::optional<std::uint64_t> header;  ///< Seal::of the header
  std::string recent;                   ///< RecentChanges::bytes
  /// Nothing: of an older version. Then no part can be read without the rest.
  struct Parts {
    PartDigests of;
    std::uint64_t names = 0;  ///< sum of Seal::of_name
    Time latest{};            ///< when anything of a run was last recorded
  };
  std::optional<Parts> parts;
};

Result<SealRow> read_seal(Database& database);
Result<void> write_seal(Database& database, const SealRow& row);

/// Of each metric's rows in `run_metrics`, by the number of its name.
using FigureDigests = std::unordered_map<std::int64_t, std::uint64_t>;
Result<FigureDigests> read_figure_digests(Database& database);
Result<void> write_figure_digest(Database& database, std::int64_t metric, std::uint64_t digest);

/// Whether the database has the steps that an engine noted beside it, and the header that was sealed.
Result<void> check_steps(Database& database, std::int64_t noted, const SweepHeader& header);

/// Writes all digests of a database of an older version, which was read in full for that: `seal` heard all it tells.
Result<void> seal_anew(Database& database, const Seal& seal);

}  // namespace hdrive::store
