// SPDX-License-Identifier: Apache-2.0
//
// What the runs so far say about where to look, beside what the model makes of them.
//
// Internal to sampling/. Pure.
#pragma once

#include <optional>
#include <vector>

#include "hdrive/random.h"
#include "sampling/gp/acquisition.h"
#include "sampling/gp/evidence.h"

namespace hdrive::sampling::gp {

/// The option that was proposed longest ago, of all categories; `random` decides between equals.
/// Nothing where there is no category.
std::optional<Option> neglected_option(const Encoding& encoding,
                                       const std::vector<Observation>& observations,
                                       RandomStream& random);

/// Whether a point was tried twice with the same value, as happens where there is no noise.
bool repeats_agree(const std::vector<Observation>& observations);

}  // namespace hdrive::sampling::gp
