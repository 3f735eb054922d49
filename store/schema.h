// SPDX-License-Identifier: Apache-2.0
//
// The tables of a sweep's database, by version. docs/store.md explains them to people; a change here is a
// new migration and a line there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hdrive/store.h"
#include "store/database.h"

namespace hdrive::store {

/// "HDRV": tells a sweep's database from any other SQLite file.
inline constexpr int kApplicationId = 0x48445256;
inline constexpr int kSchemaVersion = 4;

/// The row of the table `seal`.
struct SealRow {
  std::int64_t steps = 0;               ///< how many appends it holds
  std::optional<std::uint64_t> digest;  ///< Seal::digest of them; nothing: of an older version
  std::optional<std::uint64_t> header;  ///< Seal::of the header
  std::string recent;                   ///< RecentChanges::bytes
};
Result<SealRow> read_seal(Database& database);

/// Whether the database has the steps that an engine noted beside it, and the header that was sealed.
Result<void> check_steps(Database& database, std::int64_t noted, const SweepHeader& header);

/// The database of the sweep in this directory.
inline std::filesystem::path database_file(const std::filesystem::path& sweep_directory) {
  return sweep_directory / "sweep.db";
}

/// The Error for a sweep whose database is gone while its other files are there.
Error database_gone(const std::filesystem::path& sweep_directory);

/// Fails if there is none, or it cannot be seen.
Result<void> expect_database(const std::filesystem::path& sweep_directory);

/// The version of its tables; 0: it has none.
Result<int> schema_version(Database& database);

/// Brings an empty or older database to this version, in one transaction.
Result<void> migrate(Database& database, int to = kSchemaVersion);

/// Writes anew what is kept in short of each metric of a run.
Result<void> summarize_metrics(Database& database);

/// Whether SQLite finds the file's structure sound.
Result<void> check_integrity(Database& database);

/// Whether it is a sweep's database of a version this program can read as it is (`older_is_fine`: or can
/// migrate).
Result<void> check_schema(Database& database, bool older_is_fine);

}  // namespace hdrive::store
