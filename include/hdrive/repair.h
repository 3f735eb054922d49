// SPDX-License-Identifier: Apache-2.0
//
// Rebuilding the database of a sweep that was damaged or lost.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "hdrive/changes.h"
#include "hdrive/history.h"
#include "hdrive/result.h"
#include "hdrive/target.h"

namespace hdrive {

/// What `repair_sweep` found and did.
struct RepairReport {
  bool sound = false;          ///< the database was sound, and nothing was changed
  std::filesystem::path kept;  ///< the damaged file under its new name; empty: there was none
  std::int64_t runs = 0;       ///< in the rebuilt database
  std::int64_t from_directories = 0;        ///< of those, runs the database no longer told of
  std::int64_t metrics = 0;                 ///< in the rebuilt database
  std::vector<std::string> restored, lost;  ///< sentences
};

/// What the directory of a run tells (read_run_directory), with the configuration of its sweep.
using ReadRunDirectory = std::function<Result<RecordedRun>(const std::filesystem::path& directory,
                                                           RunId run, const SweepHeader& header)>;

/// Rebuilds a damaged or missing database: what of it can be read, what sweep.json tells, and what
/// the run directories tell. The damaged file is kept. Refused while an engine owns the sweep, and
/// where the database is sound. Fails, changing nothing, where not even the sweep's description is
/// left.
Result<RepairReport> repair_sweep(const std::filesystem::path& directory,
                                  const ReadRunDirectory& read_run);

}  // namespace hdrive
