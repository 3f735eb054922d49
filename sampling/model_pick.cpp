// SPDX-License-Identifier: Apache-2.0
#include "hdrive/model_pick.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "sampling/gp/evidence.h"
#include "sampling/gp/fits.h"
#include "sampling/gp/settings.h"

namespace hdrive {
namespace {

using namespace sampling::gp;
using sampling::Encoding;

constexpr int kFewestResults = 10;
constexpr std::size_t kMostFitted = 200, kMostModelled = 500;
constexpr int kIterations = 40;
constexpr std::uint32_t kPurpose = 0x91c5;
// How many noises the luckiest of some thousand runs is better than its mean. The noise counts from
// so much of the deviation of all results on: a model needs a little of it for any function.
constexpr double kMostLuck = 4, kLeastNoise = 0.03;
// Runs with the same parameters have the same mean, but for rounding.
constexpr double kSame = 1e-9;

// One fit from the typical hyperparameters. The sampler's own fits, each from the one before, would
// all have to be made again; a second start, from much noise, ends in the same place.
Hyperparameters fit_once(const Training& training, const Prior& prior, std::uint64_t seed,
                         bool noise) {
  RandomStream random(seed, static_cast<std::int64_t>(training.size()), kPurpose);
  const Training part = subset(training, representative_rows(training, kMostFitted, random));
  Hyperparameters start = prior.typical();
  if (!noise) start.noise = kNoNoise;
  return fit(part, prior, start, {kIterations, noise ? std::nullopt : std::optional(kNoNoise)})
      .hyperparameters;
}

// There is one.
std::size_t least_final_row(const Dataset& data) {
  std::optional<std::size_t> least;
  for (std::size_t i = 0; i < data.values.size(); ++i)
    if (data.is_final[i] && (!least || data.values[i] < data.values[*least])) least = i;
  return least.value();
}

// Of the rows that the model has, in their order.
struct Expected {
  std::size_t row = 0;  // of the dataset
  Model::Prediction score;
};
Expected least_expected(const Dataset& data, const std::vector<std::size_t>& rows,
                        const Model& model) {
  Expected least{0, {std::numeric_limits<double>::infinity(), 0}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double mean = model.fitted(static_cast<Eigen::Index>(i));
    if (data.is_final[rows[i]] && mean < least.score.mean - kSame) least = {rows[i], {mean, 0}};
  }
  least.score = model.predict(data.training.points[least.row]);
  return least;
}

Result<void> check_results(const Dataset& data, const Encoding& encoding) {
  if (encoding.size() == 0)
    return Error{"", "the model has no pick, since no parameter of this sweep varies"};
  if (data.good < kFewestResults)
    return Error{"",
                 fmt::format("the model has no pick yet: it needs {} completed runs with a value, "
                             "and there {} {}",
                             kFewestResults, data.good == 1 ? "is" : "are", data.good)};
  const auto [least, most] =
      std::minmax_element(data.training.values.begin(), data.training.values.end());
  if (*least == *most)
    return Error{"", "the model has no pick, since all results have the same value"};
  return {};
}

// Half the distance between what lies a deviation above and a deviation below.
double in_unit(const Dataset& data, double score, double deviation) {
  return std::abs(data.unwarped(score + deviation) - data.unwarped(score - deviation)) / 2;
}

void compare_with_leader(ModelPick& pick, const History& history) {
  pick.leader = history.incumbent().value_or(pick.run);
  pick.leader_reported = history.best(pick.leader).value_or(pick.reported);
  pick.leader_is_lucky = history.run(pick.leader).parameters != history.run(pick.run).parameters &&
                         std::abs(pick.leader_reported - pick.mean) < kMostLuck * pick.noise;
}

}  // namespace

Result<ModelPick> pick_by_model(const AlgorithmSpec& spec, const SearchSpace& space,
                                const SamplerContext& context, const History& history) {
  const Settings settings = settings_of(spec, space, context);
  const Encoding encoding(space, settings.ordered_choices);
  const auto observations = observe(history, encoding);
  const Dataset data = learn_from(observations, history.size(), encoding.size(), settings.warp);
  if (auto enough = check_results(data, encoding); !enough) return enough.error();

  const Prior prior{encoding.spreads()};
  const Hyperparameters fitted = fit_once(data.training, prior, context.seed, settings.noise);
  const auto rows = rows_near(data.training, kMostModelled, least_final_row(data), fitted);
  const auto model = Model::make(subset(data.training, rows), fitted);
  if (!model) return Error{"", "the model's covariance is not positive definite"};
  const Expected best = least_expected(data, rows, *model);

  const double sign = history.goal() == Goal::maximize ? -1 : 1;
  const double noise = std::sqrt(fitted.noise);
  ModelPick pick;
  pick.run = data.runs[best.row];
  pick.mean = sign * data.unwarped(best.score.mean);
  pick.deviation = in_unit(data, best.score.mean, std::sqrt(best.score.variance));
  pick.reported = history.best(pick.run).value_or(pick.mean);
  pick.noise = in_unit(data, best.score.mean, noise);
  compare_with_leader(pick, history);
  pick.leader_is_lucky = pick.leader_is_lucky && noise >= kLeastNoise;
  return pick;
}

}  // namespace hdrive
