// SPDX-License-Identifier: Apache-2.0
//
// Turns the tables of a sweep's database back into its changes.
#pragma once

#include <functional>
#include <string>

#include "hdrive/store.h"
#include "store/database.h"
#include "store/seal.h"

namespace hdrive::store {

/// The sweep's constant facts; an Error if there are none.
Result<SweepHeader> read_header(Database& database);

/// Where the sweep stands by its own row.
struct SweepStanding {
  SweepChanged latest;
  std::uint64_t digest = 0;  ///< to be compared with PartDigests::status
};
Result<SweepStanding> read_standing(Database& database);

struct ReplayOptions {
  std::string only_metric = "";  ///< empty: all
  bool metrics = true;           ///< whether to tell any
  /// Where to add all that the database holds, told or not. Empty before.
  Seal* seal = nullptr;
};

/// As Store::replay: the changes of the sweep's status, the runs, the notes. One consistent view, however
/// much an engine writes meanwhile. With a seal, an Error if what was read is not what was written.
Result<void> replay(Database& database, const ReplayOptions& options,
                    const std::function<void(const Change&)>& tell);

}  // namespace hdrive::store
