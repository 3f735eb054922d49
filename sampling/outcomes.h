// SPDX-License-Identifier: Apache-2.0
//
// Outcomes: what a history says about each run, as all samplers that learn from results see it.
//
// Internal to sampling/. Plain data.
#pragma once

#include <vector>

#include "hdrive/history.h"

namespace hdrive::sampling {

/// Best first.
enum class OutcomeKind {
  value,    ///< completed, with a finite best value
  partial,  ///< ended before it was complete, with a finite best value: stopped, lost or crashed
  failure,  ///< failed, was too slow, or reported nothing but NaN and infinities
  pending,  ///< not ended
  nothing,  ///< ended by chance, without a value: with its machine, or since somebody wanted it so
};

/// How the run ended, as far as its parameters are concerned.
OutcomeKind outcome_of(const History& history, RunId run);

/// The run's best value, smaller is better under either goal. It has one.
double loss_of(const History& history, RunId run);

struct Outcome {
  RunId run = 0;
  OutcomeKind kind = OutcomeKind::pending;
  double loss = 0;           ///< smaller is better under either goal; 0 of a run without a value
  std::int64_t reports = 0;  ///< of the primary metric

  /// Where the run stands in a list of all runs.
  std::size_t index() const { return static_cast<std::size_t>(run); }
  bool has_value() const { return kind == OutcomeKind::value || kind == OutcomeKind::partial; }
  bool operator==(const Outcome&) const = default;
};

/// One for each run that says something, best first: those with a final value by it, the partial
/// ones by their reports and then by their value, the failures, the pending; ties by number.
std::vector<Outcome> ranked_outcomes(const History& history);

/// How many of the outcomes are of this kind.
std::size_t count(const std::vector<Outcome>& outcomes, OutcomeKind kind);

}  // namespace hdrive::sampling
