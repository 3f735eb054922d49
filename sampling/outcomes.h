// SPDX-License-Identifier: Apache-2.0
//
// Outcomes: what a history says about each run, as samplers that learn from results see it.
//
// Internal to sampling/. Plain data.
#pragma once

#include <vector>

#include "hdrive/history.h"

namespace hdrive::sampling {

enum class OutcomeKind {
  final,    ///< completed with a finite value
  partial,  ///< stopped before its end, with a finite value: at best what it would have reached
  failed,   ///< ended without a finite value, or failed
  pending,  ///< not ended
};

struct Outcome {
  RunId run = 0;
  OutcomeKind kind = OutcomeKind::pending;
  double loss = 0;           ///< lower is better under either goal; of final and partial runs
  std::int64_t reports = 0;  ///< of the primary metric
};

/// One for each run, best first: the final ones by loss, the partial ones by their reports and then
/// by loss, the failed, the pending; ties by number. Runs that somebody cut off without a value say
/// nothing and are left out.
std::vector<Outcome> ranked_outcomes(const History& history);

/// How many of the outcomes are of this kind.
std::size_t count(const std::vector<Outcome>& outcomes, OutcomeKind kind);

}  // namespace hdrive::sampling
