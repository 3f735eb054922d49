// SPDX-License-Identifier: Apache-2.0
//
// Which runs a query means, in its order. Numbers, status, times and metrics are told by parts of the database that are
// read as a whole; for parameters and texts each run is read.
#pragma once

#include <vector>

#include "hdrive/reader.h"
#include "store/parts.h"
#include "store/stored_runs.h"

namespace hdrive::store {

/// All that match, whatever the query's offset and limit.
Result<std::vector<RunId>> select_runs(Parts& parts, const StoredRuns& runs, const RunQuery& query);

}  // namespace hdrive::store
