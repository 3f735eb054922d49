// SPDX-License-Identifier: Apache-2.0
//
// What the repeats of a stored sweep's best runs came to, in words and as JSON. For `best`, `show`
// and the summary.
#pragma once

#include <string>
#include <vector>

#include "cli/json_fwd.h"
#include "hdrive/reader.h"
#include "hdrive/repeats.h"
#include "hdrive/spec.h"

namespace hdrive::cli {

/// The best mean first. Empty where the sweep repeats nothing, or has not begun to.
Result<std::vector<RepeatedRun>> repeats_of(const SweepSpec& spec, SweepReader& reader);

/// "0.931 +- 0.012 (95 %, 5 repeats)".
std::string mean_text(const RepeatedRun& repeated);
/// A line for each: "run 17: mean 0.931 +- 0.012 (95 %, 5 repeats), the best".
std::vector<std::string> repeats_lines(const std::vector<RepeatedRun>& repeated);

OrderedJson repeated_json(const RepeatedRun& repeated);
OrderedJson repeats_json(const std::vector<RepeatedRun>& repeated);

}  // namespace hdrive::cli
