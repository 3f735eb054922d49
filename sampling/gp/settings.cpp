// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/settings.h"

#include <algorithm>

namespace hdrive::sampling::gp {
namespace {

constexpr std::int64_t kUsualInitial = 10;

// Ten, or two a dimension where there is budget for it; less where there is little.
std::int64_t usual_initial_points(std::int64_t dimensions, std::int64_t budget) {
  if (budget <= 0) return std::max(kUsualInitial, 2 * dimensions);
  if (budget < 3 * kUsualInitial) return std::max<std::int64_t>(3, budget / 3);
  return std::max(kUsualInitial, std::min(2 * dimensions, budget / 4));
}

}  // namespace

Settings settings_of(const AlgorithmSpec& spec, const SearchSpace& space,
                     const SamplerContext& context) {
  const AlgorithmInfo* info = find_algorithm(sampler_algorithms(), spec.name);
  const bool own = info && info->name == "bayesian";
  const auto number = [&](const char* name, double otherwise) {
    const auto found = spec.options.find(name);
    if (!own || found == spec.options.end()) return otherwise;
    return as_number(found->second).value_or(otherwise);
  };
  const auto usual = usual_initial_points(static_cast<std::int64_t>(space.parameters.size()),
                                          context.max_total_runs);
  Settings settings;
  settings.initial_points =
      static_cast<std::int64_t>(number("initial_points", static_cast<double>(usual)));
  settings.warp = number("warp", 1) != 0 ? Warp::half_rank : Warp::none;
  settings.noise = number("noise", 1) != 0;
  settings.ordered_choices = number("ordered_choices", 1) != 0;
  return settings;
}

}  // namespace hdrive::sampling::gp
