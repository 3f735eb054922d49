// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/precomputation.h"

#include <algorithm>

namespace hdrive::sampling::gp {
namespace {

// Largest model: above it the runs nearest to the incumbent.
constexpr std::size_t kMostModelled = 500;
constexpr std::size_t kMostFittedAnew = 200;
constexpr int kIterationsAnew = 20;
constexpr std::uint32_t kAnewPurpose = 0x5012;

// There is one.
std::size_t best_final_row(const Dataset& data) {
  const std::vector<double>& values = data.training.values;
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (data.is_final[i] && (!best || values[i] < values[*best])) best = i;
  return best.value();
}

}  // namespace

SearchOptions whole_search(std::size_t rows) {
  SearchOptions options;
  options.raw = std::clamp<std::size_t>(options.raw * 200 / std::max<std::size_t>(rows, 200), 256,
                                        options.raw);
  return options;
}

// An iteration costs in proportion to the square of the rows.
SearchOptions short_search(std::size_t rows) {
  SearchOptions options = whole_search(rows);
  if (rows <= kFewRows) return options;
  const double affordable = 1.5 * 500 * 500 / static_cast<double>(rows * rows);
  options.iterations = std::clamp(static_cast<int>(affordable), 1, options.iterations);
  options.rounds = 1;
  options.climbs = 1;
  return options;
}

Precomputation Precomputer::make(std::shared_ptr<const PrecomputationInput> input,
                                 Fits& fits) const {
  Precomputation work;
  work.input = std::move(input);
  const auto& observations = work.input->observations;
  const auto runs = static_cast<RunId>(observations.size());
  work.data = learn_from(observations, runs, encoding_.size(), warp_);
  if (work.data.good < 2) return work;
  add_pending(work, fits.at(observations, runs, work.data));
  if (work.model) fill_pool(work);
  return work;
}

Precomputation Precomputer::make_anew(std::shared_ptr<const PrecomputationInput> input,
                                      bool noise) const {
  Precomputation work;
  work.input = std::move(input);
  work.data = learn_from(work.input->observations, work.input->id, encoding_.size(), warp_);
  if (work.data.good < 2) return work;
  const Training& training = work.data.training;
  RandomStream random(seed_, work.input->id, kAnewPurpose);
  const Training part = subset(training, representative_rows(training, kMostFittedAnew, random));
  Hyperparameters start = prior_.typical();
  if (!noise) start.noise = kNoNoise;
  const Fit found =
      fit(part, prior_, start, {kIterationsAnew, noise ? std::nullopt : std::optional(kNoNoise)});
  add_pending(work, found.hyperparameters);
  if (work.model) fill_pool(work);
  return work;
}

void Precomputer::add_pending(Precomputation& work, const Hyperparameters& fitted) const {
  std::vector<const Observation*> pending;
  for (const Observation& observation : work.input->observations)
    if (observation.kind == Observation::Kind::pending) pending.push_back(&observation);
  const std::size_t room = pending.size();
  const Training& training = work.data.training;
  work.rows = rows_near(training, kMostModelled, best_final_row(work.data), fitted);
  const Training active = subset(training, work.rows);
  work.model = Model::make(active, fitted, room);
  if (!work.model) {
    work.model = Model::make(active, prior_.typical(), room);
    work.fallback =
        "; with typical hyperparameters, since the fitted ones gave no positive definite "
        "covariance";
  }
  if (!work.model) return;
  for (const Observation* run : pending)
    if (const auto row = work.model->add_pending(*run->point))
      work.pending.push_back({run->run, *row});
}

Incumbents incumbents(const Precomputation& work, const Model& model,
                      std::optional<Precomputation::Pending> newest) {
  std::vector<Precomputation::Pending> order;
  for (std::size_t i = 0; i < work.rows.size(); ++i) {
    const std::size_t row = work.rows[i];
    if (work.data.is_final[row])
      order.push_back({work.data.runs[row], static_cast<Eigen::Index>(i)});
  }
  if (newest) order.push_back(*newest);
  const auto count = std::min<std::size_t>(order.size(), 5);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](const auto& a, const auto& b) {
                      const double left = model.fitted(a.row), right = model.fitted(b.row);
                      return left < right || (left == right && a.row < b.row);
                    });
  Incumbents result{model.fitted(order.front().row), order.front().run, {}};
  for (std::size_t i = 0; i < count; ++i) {
    const auto point = model.point(order[i].row);
    result.good.emplace_back(point.begin(), point.end());
  }
  return result;
}

void Precomputer::fill_pool(Precomputation& work) const {
  const PrecomputationInput& input = *work.input;
  Incumbents now = incumbents(work, *work.model, std::nullopt);
  const Search search(encoding_, *work.model, now.best, std::move(now.good));
  if (!input.points.empty()) {
    work.pool = search.pool(input.points);
    return;
  }
  const std::size_t rows = work.rows.size();
  const SearchOptions options = whole_search(rows);
  work.pool = search.pool(search.raw_points(seed_, input.id, options.raw));
  if (rows <= kFewRows) return;
  // There will be no time for a whole search: the best points by what is known now join the others.
  std::vector<Candidate> found = search.run(work.pool, seed_, input.id, options);
  found.resize(std::min(found.size(), options.starts));
  std::vector<Coordinates> points;
  for (Candidate& candidate : found) points.push_back(std::move(candidate.point));
  work.pool.add(search.pool(std::move(points)));
}

}  // namespace hdrive::sampling::gp
