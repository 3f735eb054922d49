// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/settings.h"

#include "sampling/samplers.h"

namespace hdrive::sampling::gp {

Settings settings_of(const Options& options, const SearchSpace& space,
                     const SamplerContext& context) {
  Settings settings;
  settings.initial_points =
      options.integer("initial_points").value_or(initial_runs(space, context.max_total_runs));
  settings.warp = options.is_on("warp") ? Warp::half_rank : Warp::none;
  settings.noise = options.is_on("noise");
  settings.ordered_choices = options.is_on("ordered_choices");
  return settings;
}

Settings settings_of(const AlgorithmSpec& spec, const SearchSpace& space,
                     const SamplerContext& context) {
  constexpr const char* kSampler = "bayesian";
  const AlgorithmInfo& row = *find_algorithm(sampler_algorithms(), kSampler);
  const AlgorithmSpec usual{kSampler, {}};
  const bool own = find_algorithm(sampler_algorithms(), spec.name) == &row;
  return settings_of(Options(row, own ? spec : usual), space, context);
}

}  // namespace hdrive::sampling::gp
