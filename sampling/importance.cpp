// SPDX-License-Identifier: Apache-2.0
//
// Parameter importance by PED-ANOVA: how differently the best results are spread along a parameter
// than all are that were tried.
//
// Source: Watanabe, Bansal, Hutter, "PED-ANOVA: efficiently quantifying hyperparameter importance
// in arbitrary subspaces", IJCAI 2023 (algorithm 1; the Pearson divergence of its equation 7).
// Deviations: the densities are histograms of truncated Gaussian kernels with one uniform
// observation added, on at most 50 cells; Scott's width, at least half a cell. A conditional
// parameter is judged by the runs that have it, the best of these against all of these, and counts
// for the part of the runs that they are.
//
// Runs that were stopped early or failed were tried too, and are not among the best: left out, what
// decides whether a run survives would seem to matter least.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/normal.h"
#include "base/text.h"
#include "hdrive/sampler.h"
#include "sampling/encoding.h"
#include "sampling/outcomes.h"

namespace hdrive {
namespace {

using base::normal_cdf;
using sampling::Coordinates;
using sampling::Dimension;
using sampling::Encoding;
using sampling::Outcome;
using sampling::OutcomeKind;

constexpr std::size_t kFewest = 10;  // runs
constexpr std::size_t kMostCells = 50;

// Scott's rule for the width of a kernel.
double scott(const std::vector<double>& sample) {
  const double n = static_cast<double>(sample.size());
  const double mean = std::accumulate(sample.begin(), sample.end(), 0.0) / n;
  double squares = 0;
  for (const double x : sample) squares += (x - mean) * (x - mean);
  return 1.059 * std::sqrt(squares / n) * std::pow(n, -0.2);
}

// The probability of each cell: a value each where there are few, which then lie evenly, else parts
// of the interval of one width.
std::vector<double> histogram(const Dimension& dimension, const std::vector<double>& sample) {
  const std::size_t levels = dimension.positions.size();
  const bool few = dimension.is_category() || (levels > 0 && levels <= kMostCells);
  const std::size_t cells = few ? levels : kMostCells;
  const double size = static_cast<double>(cells);
  std::vector<double> result(cells, 1 / size);
  const double width = std::max(scott(sample), 0.5 / size);
  for (const double x : sample) {
    if (dimension.is_category()) {
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

double middle(std::size_t cell, std::size_t cells) {
  return (static_cast<double>(cell) + 0.5) / static_cast<double>(cells);
}

bool varies(const std::vector<double>& sample) {
  return std::adjacent_find(sample.begin(), sample.end(), std::not_equal_to<>()) != sample.end();
}

// How differently the best tenth is spread than all are, which stand best first, those with a final
// value before the others; 0 where too few tell. Those that are as good as the last of the tenth
// belong to it: which of them came first says nothing.
double divergence_of(const Dimension& dimension, const std::vector<double>& all,
                     const std::vector<double>& finals) {
  if (finals.size() < 2 || all.size() < kFewest) return 0;
  if (!varies(all)) return 0;  // what is left would be rounding
  std::size_t top = std::min(std::max<std::size_t>(2, (all.size() + 9) / 10), finals.size());
  while (top < finals.size() && finals[top] == finals[top - 1]) ++top;
  const std::vector<double> best(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(top));
  return pearson_divergence(histogram(dimension, best), histogram(dimension, all));
}

// The runs that say something, best first, as points, and the losses of those with a final value.
struct Ranked {
  std::vector<Coordinates> points;
  std::vector<double> losses;
};

Ranked ranked(const Encoding& encoding, const History& history) {
  Ranked result;
  for (const Outcome& outcome : sampling::ranked_outcomes(history)) {
    if (outcome.kind == OutcomeKind::pending) continue;
    auto point = encoding.encode(history.run(outcome.run).parameters);
    if (!point) continue;
    result.points.push_back(*std::move(point));
    if (outcome.kind == OutcomeKind::value) result.losses.push_back(outcome.loss);
  }
  return result;
}

// Of one dimension, over the runs that have it, for the part of all runs that they are.
double divergence_along(const Encoding& encoding, std::size_t d, const Ranked& runs) {
  const Dimension& dimension = encoding.dimensions()[d];
  const std::size_t levels = dimension.positions.size();
  const bool few = !dimension.is_category() && levels > 0 && levels <= kMostCells;
  std::vector<double> all, finals;
  for (std::size_t i = 0; i < runs.points.size(); ++i) {
    const double x = runs.points[i][d];
    if (x == sampling::kAbsent) continue;
    all.push_back(few ? middle(dimension.nearest(x), levels) : x);
    if (i < runs.losses.size()) finals.push_back(runs.losses[i]);
  }
  return divergence_of(dimension, all, finals) * static_cast<double>(all.size()) /
         static_cast<double>(runs.points.size());
}

bool any_varies(const Ranked& runs, std::size_t dimensions) {
  for (std::size_t d = 0; d < dimensions; ++d) {
    std::vector<double> all;
    for (const Coordinates& point : runs.points)
      if (point[d] != sampling::kAbsent) all.push_back(point[d]);
    if (varies(all)) return true;
  }
  return false;
}

}  // namespace

Result<std::vector<ParameterImportance>> parameter_importance(const SearchSpace& space,
                                                              const History& history) {
  const Encoding encoding(space);
  const Ranked runs = ranked(encoding, history);
  const std::size_t finals = runs.losses.size();
  if (finals < kFewest)
    return Error{
        "", fmt::format("importance needs at least {} finished runs with a value, and there {} {}",
                        kFewest, finals == 1 ? "is" : "are", finals)};
  if (runs.losses.front() == runs.losses.back() && finals == runs.points.size())
    return Error{"", fmt::format("all {} have the same value, so no parameter matters",
                                 base::plural(static_cast<long long>(finals), "run"))};
  const std::size_t dimensions = encoding.size();
  if (!any_varies(runs, dimensions))
    return Error{"", fmt::format("no parameter varies over the {}, so none can matter",
                                 base::plural(static_cast<long long>(runs.points.size()), "run"))};

  std::vector<ParameterImportance> result;
  for (std::size_t i = 0; i < space.parameters.size(); ++i)
    result.push_back({encoding.conditions().label(i), 0});
  double total = 0;
  for (std::size_t d = 0; d < dimensions; ++d)
    total += result[encoding.dimensions()[d].parameter].share = divergence_along(encoding, d, runs);
  for (ParameterImportance& one : result) one.share = total > 0 ? one.share / total : 0;
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.share > b.share; });
  return result;
}

}  // namespace hdrive
