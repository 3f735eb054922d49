// SPDX-License-Identifier: Apache-2.0
//
// Parameter importance by PED-ANOVA: how differently the best results are spread along a parameter
// than all results are.
//
// Source: Watanabe, Bansal, Hutter, "PED-ANOVA: efficiently quantifying hyperparameter importance
// in arbitrary subspaces", IJCAI 2023 (algorithm 1; the Pearson divergence of its equation 7).
// Deviations: the densities are histograms of truncated Gaussian kernels with one uniform
// observation added, on at most 50 cells; Scott's width, at least half a cell. A conditional
// parameter is judged by the runs that have it, the best of these against all of these, and counts
// for the part of the runs that they are.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/text.h"
#include "hdrive/sampler.h"
#include "sampling/coordinates.h"
#include "sampling/outcomes.h"

namespace hdrive {
namespace {

using sampling::Axis;
using sampling::Outcome;
using sampling::OutcomeKind;

constexpr std::size_t kFewest = 10;  // finished runs
constexpr std::size_t kMostCells = 50;

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// Scott's rule for the width of a kernel.
double scott(const std::vector<double>& sample) {
  const double n = static_cast<double>(sample.size());
  const double mean = std::accumulate(sample.begin(), sample.end(), 0.0) / n;
  double squares = 0;
  for (const double x : sample) squares += (x - mean) * (x - mean);
  return 1.059 * std::sqrt(squares / n) * std::pow(n, -0.2);
}

// The probability of each cell of the axis.
std::vector<double> histogram(const Axis& axis, const std::vector<double>& sample) {
  const bool even = axis.levels > 0 && axis.cell_ends.empty();
  const std::size_t cells =
      axis.categorical ? axis.levels : (even ? std::min(axis.levels, kMostCells) : kMostCells);
  const double size = static_cast<double>(cells);
  std::vector<double> result(cells, 1 / size);
  const double width = std::max(scott(sample), 0.5 / size);
  for (const double x : sample) {
    if (axis.categorical) {
      result[static_cast<std::size_t>(x)] += 1;
      continue;
    }
    const double total = normal_cdf((1 - x) / width) - normal_cdf(-x / width);
    double below = normal_cdf(-x / width);
    for (std::size_t i = 0; i < cells; ++i) {
      const double up_to = normal_cdf((static_cast<double>(i + 1) / size - x) / width);
      result[i] += (up_to - below) / total;
      below = up_to;
    }
  }
  for (double& probability : result) probability /= static_cast<double>(sample.size()) + 1;
  return result;
}

double pearson_divergence(const std::vector<double>& of, const std::vector<double>& from) {
  double sum = 0;
  for (std::size_t i = 0; i < of.size(); ++i) {
    const double ratio = of[i] / from[i] - 1;
    sum += ratio * ratio * from[i];
  }
  return sum;
}

bool varies(const std::vector<double>& sample) {
  return std::adjacent_find(sample.begin(), sample.end(), std::not_equal_to<>()) != sample.end();
}

// How differently the best tenth, which stands first, is spread than all are; 0 where too few tell.
// Those that are as good as the last of the tenth belong to it: which of them came first says
// nothing.
double divergence_of(const Axis& axis, const std::vector<double>& all,
                     const std::vector<double>& losses) {
  if (all.size() < kFewest) return 0;
  if (!varies(all)) return 0;  // what is left would be rounding
  std::size_t top = std::max<std::size_t>(2, (all.size() + 9) / 10);
  while (top < all.size() && losses[top] == losses[top - 1]) ++top;
  const std::vector<double> best(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(top));
  return pearson_divergence(histogram(axis, best), histogram(axis, all));
}

}  // namespace

Result<std::vector<ParameterImportance>> parameter_importance(const SearchSpace& space,
                                                              const History& history) {
  const sampling::Conditions conditions(space);
  const sampling::Coordinates coordinates(space);
  std::vector<std::vector<double>> points;  // best first
  std::vector<double> losses;
  for (const Outcome& outcome : sampling::ranked_outcomes(history)) {
    if (outcome.kind != OutcomeKind::final) continue;
    auto point = coordinates.point(history.run(outcome.run).parameters);
    if (!point) continue;
    points.push_back(*std::move(point));
    losses.push_back(outcome.loss);
  }
  if (points.size() < kFewest)
    return Error{
        "", fmt::format("importance needs at least {} finished runs with a value, and there {} {}",
                        kFewest, points.size() == 1 ? "is" : "are", points.size())};
  if (losses.front() == losses.back())
    return Error{"", fmt::format("all {} have the same value, so no parameter matters",
                                 base::plural(static_cast<long long>(points.size()), "run"))};

  std::vector<ParameterImportance> result;
  double total = 0;
  bool any_varies = false;
  for (std::size_t d = 0; d < space.parameters.size(); ++d) {
    std::vector<double> all, their_losses;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i][d] == sampling::kAbsent) continue;
      all.push_back(points[i][d]);
      their_losses.push_back(losses[i]);
    }
    any_varies = any_varies || varies(all);
    const double divergence = divergence_of(coordinates.axes()[d], all, their_losses) *
                              static_cast<double>(all.size()) / static_cast<double>(points.size());
    result.push_back({conditions.label(d), divergence});
    total += divergence;
  }
  if (!any_varies)
    return Error{"", fmt::format("no parameter varies over the {}, so none can matter",
                                 base::plural(static_cast<long long>(points.size()), "run"))};
  for (ParameterImportance& one : result) one.share = total > 0 ? one.share / total : 0;
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.share > b.share; });
  return result;
}

}  // namespace hdrive
