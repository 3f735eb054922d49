// SPDX-License-Identifier: Apache-2.0
#include "hdrive/model_pick.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "sampling/gp/evidence.h"
#include "sampling/gp/fits.h"
#include "sampling/gp/settings.h"
#include "sampling/outcomes.h"

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

// What the model learns from, and which of its rows are of this sweep's own runs: those of earlier
// ones teach it, and are not picked.
struct Evidence {
  Dataset data;
  std::vector<std::optional<RunId>> own;  // of each row a run that completed; nothing: none did
};

// Runs with the same parameters are one row, which is called by the first of them.
std::optional<RunId> own_run(const History& history, RunId run) {
  if (run >= history.earlier()) return run - history.earlier();
  const auto same = history.find(history.with_earlier().run(run).parameters);
  return same && sampling::outcome_of(history, *same) == sampling::OutcomeKind::value
             ? same
             : std::nullopt;
}

Evidence evidence_of(const History& history, const Encoding& encoding, Warp warp) {
  const History& all = history.with_earlier();
  Evidence evidence{learn_from(observe(all, encoding), all.size(), encoding.size(), warp), {}};
  const Dataset& data = evidence.data;
  for (std::size_t row = 0; row < data.runs.size(); ++row)
    evidence.own.push_back(data.is_final[row] ? own_run(history, data.runs[row]) : std::nullopt);
  return evidence;
}

// The best of those that can be picked, if there are any.
std::optional<std::size_t> least_own_row(const Evidence& evidence) {
  const std::vector<double>& values = evidence.data.values;
  std::optional<std::size_t> least;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (evidence.own[i] && (!least || values[i] < values[*least])) least = i;
  return least;
}

// Of the rows that the model has, in their order.
struct Expected {
  std::size_t row = 0;  // of the dataset
  Model::Prediction score;
};
Expected least_expected(const Evidence& evidence, const std::vector<std::size_t>& rows,
                        const Model& model) {
  Expected least{0, {std::numeric_limits<double>::infinity(), 0}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double mean = model.fitted(static_cast<Eigen::Index>(i));
    if (evidence.own[rows[i]] && mean < least.score.mean - kSame) least = {rows[i], {mean, 0}};
  }
  least.score = model.predict(evidence.data.training.points[least.row]);
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
  const Evidence evidence = evidence_of(history, encoding, settings.warp);
  const Dataset& data = evidence.data;
  if (auto enough = check_results(data, encoding); !enough) return enough.error();
  const auto center = least_own_row(evidence);
  if (!center)
    return Error{"", "the model has no pick, since no run of this sweep completed with a value"};

  const Prior prior{encoding.spreads()};
  const Hyperparameters fitted = fit_once(data.training, prior, context.seed, settings.noise);
  const auto rows = rows_near(data.training, kMostModelled, *center, fitted);
  const auto model = Model::make(subset(data.training, rows), fitted);
  if (!model) return Error{"", "the model's covariance is not positive definite"};
  const Expected best = least_expected(evidence, rows, *model);

  const double sign = history.goal() == Goal::maximize ? -1 : 1;
  const double noise = std::sqrt(fitted.noise);
  ModelPick pick;
  pick.run = evidence.own[best.row].value();
  pick.mean = sign * data.unwarped(best.score.mean);
  pick.deviation = in_unit(data, best.score.mean, std::sqrt(best.score.variance));
  pick.reported = history.best(pick.run).value_or(pick.mean);
  pick.noise = in_unit(data, best.score.mean, noise);
  compare_with_leader(pick, history);
  pick.leader_is_lucky = pick.leader_is_lucky && noise >= kLeastNoise;
  return pick;
}

}  // namespace hdrive
