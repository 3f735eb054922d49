// SPDX-License-Identifier: Apache-2.0
//
// ModelView: what a Gaussian process expects of a sweep along each parameter, to be drawn.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/history.h"
#include "hdrive/result.h"
#include "hdrive/sampler.h"
#include "hdrive/value.h"

namespace hdrive {

/// The model along one parameter at a time. Values are in the metric's unit.
struct ModelView {
  std::int64_t results = 0;  ///< runs that ended with a value
  double noise = 0;          ///< standard deviation of runs with equal parameters, near the best
  struct Slice {
    std::string parameter;  ///< as the space calls it
    std::string label;      ///< where several have the name: "lr (optimizer adam)"
    /// Whose parameters all others are kept at: the best run that has this one, mostly the
    /// incumbent. Nothing: a run of an earlier sweep.
    std::optional<RunId> run;
    /// From the lowest up, as many as were asked for or as there are; of a choice its options.
    std::vector<Value> values;
    std::vector<double> mean;       ///< what a run there is expected to come to
    std::vector<double> low, high;  ///< two deviations about it, of the mean and not of one run
  };
  std::vector<Slice> slices;  ///< in the order of the space, without what cannot vary
};

/// Fits the model of Bayesian sampling as inspect_model does, and follows it along each parameter.
/// Where another option of a choice brings parameters that the best run lacks, they are those of
/// the best run that has them. Fails where the sampler was none with a model, saying so, and before
/// two runs have ended with a value.
Result<ModelView> view_model(const AlgorithmSpec& spec, const SearchSpace& space,
                             const SamplerContext& context, const History& history,
                             std::size_t places = 61);

}  // namespace hdrive
