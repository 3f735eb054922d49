// SPDX-License-Identifier: Apache-2.0
//
// What a user reads about a proposal of the model.
//
// Internal to sampling/. Pure.
#pragma once

#include <optional>
#include <string>

#include "hdrive/history.h"
#include "sampling/gp/precomputation.h"

namespace hdrive::sampling::gp {

/// `newest`: the result that came after the precomputation.
std::string explanation(const History& history, const Precomputation& work,
                        const std::optional<Observation>& newest, const Candidate& candidate,
                        RunId incumbent);

}  // namespace hdrive::sampling::gp
