// SPDX-License-Identifier: Apache-2.0
//
// What the Gaussian process of Bayesian sampling believes about a sweep.
#include <algorithm>
#include <cmath>

#include "hdrive/sampler.h"
#include "sampling/gp/settings.h"
#include "sampling/gp/study.h"

namespace hdrive {
namespace {

using namespace sampling::gp;
using sampling::Conditions;
using sampling::Encoding;
using sampling::kAbsent;

// The mean of the squared distance over all pairs of rows that both have the dimension.
double mean_square_distance(const Points& points, std::size_t dimension) {
  double sum = 0;
  std::int64_t pairs = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i][dimension] == kAbsent) continue;
    for (std::size_t k = 0; k < i; ++k) {
      if (points[k][dimension] == kAbsent) continue;
      const double difference = points[i][dimension] - points[k][dimension];
      sum += std::min(difference * difference, 1.0);
      ++pairs;
    }
  }
  return pairs > 0 ? sum / static_cast<double>(pairs) : 0;
}

std::vector<ModelReport::Relevance> relevances(const Encoding& encoding, const Points& points,
                                               const Hyperparameters& hyperparameters) {
  std::vector<ModelReport::Relevance> result;
  const Conditions& conditions = encoding.conditions();
  for (std::size_t i = 0; i < conditions.space().parameters.size(); ++i)
    result.push_back({conditions.label(i), std::nullopt, 0});
  double total = 0;
  for (std::size_t j = 0; j < encoding.size(); ++j) {
    const double l = hyperparameters.lengthscales[j];
    auto& relevance = result[encoding.dimensions()[j].parameter];
    relevance.lengthscale = l;
    relevance.share = mean_square_distance(points, j) / (l * l);
    total += relevance.share;
  }
  if (total > 0)
    for (auto& relevance : result) relevance.share /= total;
  return result;
}

ModelReport::Calibration calibration(const Model& model, const Training& training) {
  ModelReport::Calibration result;
  const auto predictions = model.leave_one_out();
  double residuals = 0, squares = 0, mean = 0;
  const double n = static_cast<double>(predictions.size());
  for (const double value : training.values) mean += value / n;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const double residual = training.values[i] - predictions[i].mean;
    const double score = std::abs(residual) / std::sqrt(predictions[i].variance);
    result.within_one_deviation += score <= 1 ? 1 / n : 0;
    result.within_two_deviations += score <= 2 ? 1 / n : 0;
    residuals += residual * residual;
    squares += (training.values[i] - mean) * (training.values[i] - mean);
  }
  result.explained = squares > 0 ? 1 - residuals / squares : 0;
  return result;
}

}  // namespace

Result<ModelReport> inspect_model(const AlgorithmSpec& spec, const SearchSpace& space,
                                  const SamplerContext& context, const History& history) {
  const Settings settings = settings_of(spec, space, context);
  const Encoding encoding(space, settings.ordered_choices);
  const auto studied = study(spec, space, context, history, encoding);
  if (!studied) return studied.error();
  const Dataset& data = studied->data;
  const auto& observations = studied->observations;
  const Hyperparameters& fitted = studied->model.hyperparameters();

  ModelReport report;
  report.results = data.good;
  report.failures = data.failures;
  report.stopped_early = data.partials;
  report.earlier = std::count_if(
      observations.begin(), observations.begin() + history.earlier(), [](const Observation& one) {
        return one.kind != Observation::Kind::nothing && one.kind != Observation::Kind::pending;
      });
  report.parameters = relevances(encoding, studied->part.points, fitted);
  report.noise = std::sqrt(fitted.noise);
  report.noise_near_best = studied->noise_near_best();
  report.calibration = calibration(studied->model, studied->part);
  return report;
}

}  // namespace hdrive
