// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/study.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sampling/gp/fits.h"
#include "sampling/gp/settings.h"

namespace hdrive::sampling::gp {

double Study::noise_near_best() const {
  const double score = data.training.values[best];
  const double noise = std::sqrt(model.hyperparameters().noise);
  return std::abs(data.unwarped(score + noise) - data.unwarped(score));
}

Result<Study> study(const AlgorithmSpec& spec, const SearchSpace& space,
                    const SamplerContext& context, const History& history,
                    const Encoding& encoding) {
  constexpr std::size_t kLargest = 500;
  const Settings settings = settings_of(spec, space, context);
  const History& all = history.with_earlier();
  auto observations = observe(all, encoding);
  Dataset data = learn_from(observations, all.size(), encoding.size(), settings.warp);
  if (data.good < 2 || encoding.size() == 0)
    return Error{"",
                 "there is no model yet: it needs two runs that ended with a value, and a "
                 "parameter to choose"};
  const std::vector<double>& values = data.training.values;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (*least == *most)
    return Error{"", "all results have the same value, so there is nothing to model yet"};
  Fits fits({encoding.spreads()}, context.seed, settings.warp, settings.noise);
  const Hyperparameters fitted = fits.at(observations, all.size(), data);
  const auto best = static_cast<std::size_t>(least - values.begin());
  Training part = subset(data.training, rows_near(data.training, kLargest, best, fitted));
  auto model = Model::make(part, fitted);
  if (!model) return Error{"", "the model's covariance is not positive definite"};
  return Study{std::move(observations), std::move(data), std::move(part), best, *std::move(model)};
}

}  // namespace hdrive::sampling::gp
