// SPDX-License-Identifier: Apache-2.0
//
// ModelPick: the best run by what a model expects and not by the value that was reported, which of
// many noisy runs is the luckiest's.
#pragma once

#include "hdrive/history.h"
#include "hdrive/result.h"
#include "hdrive/sampler.h"

namespace hdrive {

/// The run of whose parameters a Gaussian process of all results expects the most. Values are in
/// the metric's unit.
struct ModelPick {
  RunId run = 0;         ///< completed; of several with these parameters the first
  double mean = 0;       ///< of the values that runs with its parameters report
  double deviation = 0;  ///< how sure the model is of that mean; a single run scatters by `noise`
  double reported = 0;   ///< the run's own best value
  double noise = 0;      ///< standard deviation of runs with equal parameters, near the best
  RunId leader = 0;      ///< the run that reported the best value of all
  double leader_reported = 0;
  /// Whether the leader is probably only lucky: its parameters are others, `noise` is at least 3 %
  /// of the deviation of all results, and what the leader reported is nearer to `mean` than four
  /// times that, which is what the luckiest of some thousand runs gains.
  bool leader_is_lucky = false;
};

/// Fits a model to the runs so far, whatever sampler proposed them; with the options of `spec` if
/// that is Bayesian sampling. Some tens of milliseconds for 1,000 runs; of more than 500 results it
/// looks at the best quarter, the newest eighth and those nearest to the best. Runs taken over from
/// earlier sweeps teach the model, and none of them is picked. Fails before ten runs have completed
/// with a value, one of this sweep among them, and where there is nothing to choose or all values
/// are equal.
Result<ModelPick> pick_by_model(const AlgorithmSpec& spec, const SearchSpace& space,
                                const SamplerContext& context, const History& history);

}  // namespace hdrive
