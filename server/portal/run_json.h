// SPDX-License-Identifier: Apache-2.0
//
// A run as the API tells it: as a row, and with all there is to say of it.
#pragma once

#include <cstddef>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "server/portal/json.h"

namespace hdrive::server::portal {

/// As `hdrive list SWEEP -f json` has it, metrics as an object.
Json run_row(const StoredRun& run, const SweepHeader& header);

Result<Json> run_details(const SweepEntry& sweep, SweepReader& reader, RunId run);

/// What the policy compares the run with, interval by interval, judged against all runs as they are now.
Result<Json> thresholds(const SweepEntry& sweep, SweepReader& reader, RunId run);
/// The same of several runs, by their numbers: of the first ones, as many as so many changes are gone through for.
Result<Json> thresholds(const SweepEntry& sweep, SweepReader& reader,
                        const std::vector<RunId>& runs, std::size_t most_changes);

}  // namespace hdrive::server::portal
