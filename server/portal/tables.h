// SPDX-License-Identifier: Apache-2.0
//
// Runs and values of a metric as tables for other programs: CSV, and Arrow's IPC stream. Pure readers.
#pragma once

#include <string>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"

namespace hdrive::server::portal {

enum class TableFormat { csv, arrow };

/// A row for each run of the query, whatever its limit; parameters and the last value of each metric as columns.
Result<std::string> runs_table(SweepReader& reader, const SweepHeader& header,
                               const RunQuery& query, TableFormat format);

/// A row for each value.
Result<std::string> series_table(SweepReader& reader, const SeriesQuery& query, TableFormat format);

}  // namespace hdrive::server::portal
