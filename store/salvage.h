// SPDX-License-Identifier: Apache-2.0
//
// Reads what can be read of a damaged database. Used by repairs.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hdrive/result.h"
#include "store/database.h"

namespace hdrive::store {

/// A sound database with all rows that could be read.
struct Salvage {
  std::unique_ptr<Database> database;  ///< of the current version
  bool whole = false;                  ///< each table was read to its end, and the digest agrees
  std::vector<std::string> lost;       ///< what could not be read, a sentence each
};

/// Copies the rows of `damaged` (and of the log beside it) into `scratch`, which it makes anew. Rows behind
/// a damaged page are looked for. An Error: it is not even clear where its tables are.
Result<Salvage> salvage(const std::filesystem::path& damaged, const std::filesystem::path& scratch);

/// Removes a database with what SQLite keeps beside it.
void remove_database(const std::filesystem::path& file);

}  // namespace hdrive::store
