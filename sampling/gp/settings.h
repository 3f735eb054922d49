// SPDX-License-Identifier: Apache-2.0
//
// The options of Bayesian sampling, as its row declares them.
//
// Internal to sampling/. Plain values.
#pragma once

#include <cstdint>

#include "hdrive/sampler.h"
#include "sampling/gp/warp.h"

namespace hdrive::sampling::gp {

struct Settings {
  std::int64_t initial_points = 10;  ///< quasi-random runs before the first model
  Warp warp = Warp::half_rank;
  bool noise = true;            ///< whether equal parameters may give different values
  bool ordered_choices = true;  ///< whether a choice of numbers is ordered by them
};

Settings settings_of(const Options& options, const SearchSpace& space,
                     const SamplerContext& context);
/// To look at a sweep with: its own options if Bayesian sampling ran it, else the usual ones.
Settings settings_of(const AlgorithmSpec& spec, const SearchSpace& space,
                     const SamplerContext& context);

}  // namespace hdrive::sampling::gp
