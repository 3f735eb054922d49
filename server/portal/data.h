// SPDX-License-Identifier: Apache-2.0
//
// What charts and tables of a sweep ask for: rows, series, many curves at once, decisions, importance, the engine's log.
// Pure readers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/plot.h"
#include "hdrive/reader.h"
#include "server/portal/json.h"

namespace hdrive::server::portal {

Result<Json> runs_json(SweepReader& reader, const SweepHeader& header, const RunQuery& query);

Result<Json> series_json(SweepReader& reader, const SeriesQuery& query);

/// The curves to draw where all runs are asked for, as a binary table with the mark "HDV1".
Result<std::string> curves(SweepReader& reader, const SweepHeader& header,
                           const CurvesQuery& query);

/// Runs that were stopped, cancelled or failed, the latest first; they are numbered from the first one, so that later ones
/// do not move them. `before`: only those below this number.
Result<Json> decisions_json(SweepReader& reader, const SweepHeader& header,
                            std::optional<std::int64_t> before, std::int64_t limit);

Result<Json> importance_json(SweepReader& reader, const SweepEntry& sweep);

/// The controller's log from a byte on.
Result<Json> log_json(const SweepEntry& sweep, std::uint64_t from);

}  // namespace hdrive::server::portal
