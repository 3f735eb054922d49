// SPDX-License-Identifier: Apache-2.0
//
// The tables of a sweep's database, by version. docs/store.md explains them to people; a change here is a
// new migration and a line there.
#pragma once

#include <filesystem>

#include "hdrive/result.h"
#include "store/database.h"

namespace hdrive::store {

/// "HDRV": tells a sweep's database from any other SQLite file.
inline constexpr int kApplicationId = 0x48445256;
inline constexpr int kSchemaVersion = 6;

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

/// The version whose tables it has, whatever it says of itself; 0: they are of none that this program knows.
int version_of_tables(Database& database);

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
