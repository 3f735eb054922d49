// SPDX-License-Identifier: Apache-2.0
//
// What the Gaussian process of Bayesian sampling expects along each parameter.
#include "hdrive/model_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sampling/gp/settings.h"
#include "sampling/gp/study.h"
#include "sampling/samplers.h"

namespace hdrive {
namespace {

using namespace sampling::gp;
using sampling::Coordinates;
using sampling::Dimension;
using sampling::Encoding;
using sampling::kAbsent;

constexpr double kDeviations = 2;
// Of a choice with more options nobody reads so many.
constexpr std::size_t kMostOptions = 200;

bool has_model(const AlgorithmSpec& spec, const History& history) {
  constexpr std::string_view kModel = "bayesian", kChooser = "auto";
  const AlgorithmInfo* row = find_algorithm(sampler_algorithms(), spec.name);
  if (!row || row->name != kChooser) return row && row->name == kModel;
  for (RunId run = history.size(); run-- > 0;)
    if (sampling::chosen_by_auto(history.run(run)) == kModel) return true;
  return false;
}

// Rows whose value was seen to the end, the best first.
std::vector<std::size_t> ranked_rows(const Dataset& data) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < data.values.size(); ++row)
    if (data.is_final[row] && std::isfinite(data.values[row])) rows.push_back(row);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::size_t a, std::size_t b) { return data.values[a] < data.values[b]; });
  return rows;
}

std::vector<double> coordinates_of(const Dimension& dimension, std::size_t places) {
  std::vector<double> coordinates;
  if (dimension.is_continuous()) {
    for (std::size_t i = 0; i < places; ++i)
      coordinates.push_back(static_cast<double>(i) / static_cast<double>(places - 1));
    return coordinates;
  }
  const std::size_t all = dimension.positions.size();
  const std::size_t count = std::min(all, dimension.is_category() ? kMostOptions : places);
  for (std::size_t i = 0; i < count; ++i)
    coordinates.push_back(
        dimension
            .positions[dimension.is_category() || count < 2 ? i : i * (all - 1) / (count - 1)]);
  return coordinates;
}

class Follower {
 public:
  Follower(const Encoding& encoding, const Study& studied, const History& history)
      : encoding_(encoding),
        data_(studied.data),
        model_(studied.model),
        rows_(ranked_rows(studied.data)),
        earlier_(history.earlier()),
        sign_(history.goal() == Goal::maximize ? -1 : 1) {}

  // Nothing where no run has the parameter yet.
  std::optional<ModelView::Slice> follow(std::size_t j, std::size_t places) const {
    const auto base = best_with(j);
    if (!base) return std::nullopt;
    const Dimension& dimension = encoding_.dimensions()[j];
    ModelView::Slice slice;
    slice.parameter = encoding_.conditions().space().parameters[dimension.parameter].name;
    slice.label = encoding_.conditions().label(dimension.parameter);
    if (const RunId run = data_.runs[*base]; run >= earlier_) slice.run = run - earlier_;
    Points points(encoding_.size());
    for (const double coordinate : coordinates_of(dimension, places)) {
      const Coordinates point = moved(*base, j, coordinate);
      const Assignment set = encoding_.decode(point);
      const Value* value = find(set, slice.parameter);
      // The ends of a normal distribution lie nowhere; integers come up several times.
      const auto* real = value ? std::get_if<double>(value) : nullptr;
      if (!value || (real && !std::isfinite(*real))) continue;
      if (!slice.values.empty() && slice.values.back() == *value) continue;
      slice.values.push_back(*value);
      points.add(point);
    }
    for (const Model::Prediction& each : model_.predict(points)) {
      const double reach = kDeviations * std::sqrt(std::max(0.0, each.variance));
      const double better = in_unit(each.mean - reach), worse = in_unit(each.mean + reach);
      slice.mean.push_back(in_unit(each.mean));
      slice.low.push_back(std::min(better, worse));
      slice.high.push_back(std::max(better, worse));
    }
    return slice;
  }

 private:
  std::optional<std::size_t> best_with(std::size_t dimension) const {
    for (const std::size_t row : rows_)
      if (data_.training.points[row][dimension] != kAbsent) return row;
    return std::nullopt;
  }

  Coordinates moved(std::size_t row, std::size_t j, double coordinate) const {
    const auto from = data_.training.points[row];
    Coordinates point(from.begin(), from.end());
    point[j] = coordinate;
    encoding_.apply_conditions(point, [&](std::size_t other) {
      const auto best = best_with(other);
      return best ? data_.training.points[*best][other] : encoding_.dimensions()[other].place(0.5);
    });
    encoding_.snap(point);
    return point;
  }

  // Far beyond the worst value the slope there says nothing any more.
  double in_unit(double score) const {
    const double best = data_.known.front().value, worst = data_.known.back().value;
    return sign_ * std::min(data_.unwarped(score), worst + (worst - best) / 2);
  }

  const Encoding& encoding_;
  const Dataset& data_;
  const Model& model_;
  const std::vector<std::size_t> rows_;
  const RunId earlier_;
  const double sign_;
};

}  // namespace

Result<ModelView> view_model(const AlgorithmSpec& spec, const SearchSpace& space,
                             const SamplerContext& context, const History& history,
                             std::size_t places) {
  if (!has_model(spec, history))
    return Error{"sampling",
                 fmt::format("{} has no model of the results; bayesian has one (sampling: type: "
                             "bayesian), and auto where it chooses that",
                             spec.name)};
  const Encoding encoding(space, settings_of(spec, space, context).ordered_choices);
  const auto studied = study(spec, space, context, history, encoding);
  if (!studied) return studied.error();
  ModelView view;
  view.results = studied->data.good;
  view.noise = studied->noise_near_best();
  const Follower follower(encoding, *studied, history);
  for (std::size_t j = 0; j < encoding.size(); ++j)
    if (auto slice = follower.follow(j, std::max<std::size_t>(2, places)))
      view.slices.push_back(*std::move(slice));
  return view;
}

}  // namespace hdrive
