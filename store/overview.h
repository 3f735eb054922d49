// SPDX-License-Identifier: Apache-2.0
//
// What is told of a sweep as a whole, from its checked parts alone. Used within read transactions.
#pragma once

#include <optional>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "store/parts.h"

namespace hdrive::store {

/// But for its directory and its engine.
Result<SweepEntry> read_entry(Parts& parts);
/// As SweepReader has them.
Result<SweepTotals> read_totals(Parts& parts, std::optional<Time> now);
Result<std::vector<MetricTotals>> read_metric_totals(Parts& parts);
Result<std::vector<Improvement>> read_improvements(Parts& parts);
Result<std::vector<RunOutline>> read_outlines(Parts& parts);

}  // namespace hdrive::store
