// SPDX-License-Identifier: Apache-2.0
//
// The model's pick of a stored sweep: asked for, or told in passing where luck decided what is
// called the best. For `best`, `show` and the summary.
#pragma once

#include <optional>
#include <string>

#include "cli/json_fwd.h"
#include "hdrive/model_pick.h"
#include "hdrive/reader.h"
#include "hdrive/spec.h"

namespace hdrive::cli {

SamplerContext sampler_context(const SweepSpec& spec);

/// The pick, if the run that reported the best value is probably only lucky. Nothing where it is
/// not, where there is no model, and where reading and fitting would take longer than some tens of
/// milliseconds (more than 1,000 runs, or 20,000 logged values). Never a Failure.
std::optional<ModelPick> pick_worth_telling(const SweepSpec& spec, const SweepEntry& sweep,
                                            SweepReader& reader);
/// The same of a sweep that is in memory.
std::optional<ModelPick> pick_worth_telling(const SweepSpec& spec, const History& history);

/// "0.93 +- 0.012", with as many digits of the mean as the deviation lets count.
std::string with_deviation(double mean, double deviation);

/// "picks run 17, 0.93 +- 0.012 (run 25 reported the best value, 0.94)".
std::string pick_text(const ModelPick& pick);

/// What the model says of its pick; null without one.
OrderedJson pick_json(const std::optional<ModelPick>& pick);

}  // namespace hdrive::cli
