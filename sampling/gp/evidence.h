// SPDX-License-Identifier: Apache-2.0
//
// Evidence: what the runs of a history tell a model.
//
// Internal to sampling/. Computed from the history alone, in the order of run numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "hdrive/history.h"
#include "sampling/gp/encoding.h"
#include "sampling/gp/model.h"
#include "sampling/gp/warp.h"

namespace hdrive::sampling::gp {

/// One run of the space.
struct Observation {
  enum class Kind {
    value,    ///< it ended by itself with a finite best value
    failure,  ///< it failed, or reported nothing but NaN and infinities
    partial,  ///< it was stopped early; `value` is what it would probably have come to
    pending,  ///< it has not ended
  };
  Kind kind = Kind::pending;
  RunId run = 0;
  Coordinates point;
  double value = 0;  ///< smaller is better
};

/// All runs whose parameters are of the space and that tell something. A run stopped early by a policy, a
/// time limit or a user is placed among the completed ones by what it had reached: if it was better than 40 %
/// of them were after as many reports, it counts as the 40 % quantile of their final values, and never as
/// better than it was. Where no completed run has as many reports, it tells nothing.
std::vector<Observation> observe(const History& history, const Encoding& encoding);

/// What a model of them learns from, and the way back to the user's unit.
struct Dataset {
  Training training;
  std::vector<RunId> runs;     ///< of each row of the training
  std::vector<double> values;  ///< the same rows' values, smaller is better; NaN for failures
  std::vector<bool> is_final;  ///< of the same rows: whether the value was seen, not inferred
  int good = 0;                ///< runs with a final value
  int failures = 0, partials = 0;

  /// The value, smaller is better, that the warp takes to about `warped`.
  double unwarped(double warped_value) const;
};

/// The observations with a run number below `before`.
Dataset learn_from(const std::vector<Observation>& observations, RunId before, int dimensions,
                   Warp warp);

}  // namespace hdrive::sampling::gp
