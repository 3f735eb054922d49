// SPDX-License-Identifier: Apache-2.0
//
// Study: the model of a sweep's results as one who looks at it wants it, fitted as Bayesian sampling fits its own.
//
// Internal to sampling/. Immutable after it was made.
#pragma once

#include <cstddef>
#include <vector>

#include "hdrive/history.h"
#include "hdrive/result.h"
#include "hdrive/sampler.h"
#include "sampling/encoding.h"
#include "sampling/gp/evidence.h"
#include "sampling/gp/model.h"

namespace hdrive::sampling::gp {

struct Study {
  std::vector<Observation> observations;  ///< of all runs, those of earlier sweeps first
  Dataset data;
  Training part;         ///< what the model was made of: the rows near the best, 500 at most
  std::size_t best = 0;  ///< the row of `data` with the least value
  Model model;

  /// The best value, smaller is better, and how far runs with its parameters scatter about it.
  double noise_near_best() const;
};

/// Fails before two runs have ended with a value, and where all have the same.
Result<Study> study(const AlgorithmSpec& spec, const SearchSpace& space,
                    const SamplerContext& context, const History& history,
                    const Encoding& encoding);

}  // namespace hdrive::sampling::gp
