// SPDX-License-Identifier: Apache-2.0
//
// LogEI (Ament et al., NeurIPS 2023), maximised from the best of many random points, by L-BFGS over
// the real coordinates in turns with exhaustive or local search over each discrete one.
#include "sampling/gp/acquisition.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "sampling/gp/special.h"
#include "sampling/sobol_points.h"

namespace hdrive::sampling::gp {
namespace {

constexpr std::size_t kBlock = 64;
// Below this many observations a task costs as much as its work.
constexpr int kFewObservations = 150;
// A discrete coordinate with at most this many values is searched exhaustively.
constexpr std::size_t kExhaustive = 32;
constexpr int kRandomLevels = 8;
// How often an option with parameters of its own is tried, each time with others of their values.
constexpr int kBranchTries = 4;

enum Purpose : std::uint32_t { kSobol = 0x5001, kPerturbations, kBoltzmann, kLevels, kNear };

// The share of an improvement that one noisy run would bring, as its logarithm: 1 - sqrt(noise /
// (variance + noise)). Without it a run is repeated where something was tried already and its noise
// is all there is to learn. Huang, Allen, Notz, Zeng, "Global optimization of stochastic black-box
// systems via sequential kriging meta-models", J. Global Optim. 34, 2006, equation 18.
struct NoiseShare {
  double logarithm = 0;
  double slope = 0;  // by the variance
};

NoiseShare noise_share(double variance, double of_model) {
  const double noise = of_model - kNumericalNoise;
  if (noise <= 0) return {};
  const double total = variance + noise, ratio = std::sqrt(noise / total);
  const double share = variance / (total * (1 + ratio));  // 1 - ratio without cancellation
  return {std::log(share), 0.5 * ratio / (total * share)};
}

double normal(RandomStream& random) {
  return normal_quantile(std::clamp(random.uniform(), 1e-12, 1 - 1e-12));
}

bool better(const Candidate& a, const Candidate& b) {
  return a.log_improvement > b.log_improvement;
}

}  // namespace

Search::Search(const Encoding& encoding, const Model& model, double best,
               std::vector<Coordinates> good)
    : encoding_(encoding), model_(model), best_(best), good_(std::move(good)) {}

Search::LogImprovement Search::log_improvement(const Model::Prediction& prediction) const {
  const double deviation = std::sqrt(prediction.variance);
  const LogH h = log_h((best_ - prediction.mean) / deviation);
  const NoiseShare share = noise_share(prediction.variance, model_.hyperparameters().noise);
  return {std::log(deviation) + h.value + share.logarithm, -h.cumulative / deviation,
          0.5 * h.density / (deviation * deviation) + share.slope};
}

// Calls `work(block, first, end)` for all blocks of kBlock points; on several threads where it pays.
template <class Work>
void Search::for_blocks(std::size_t points, Work work) const {
  const std::size_t blocks = (points + kBlock - 1) / kBlock;
  const auto work_on = [&](std::size_t block) {
    work(block, block * kBlock, std::min((block + 1) * kBlock, points));
  };
  if (model_.size() < kFewObservations || blocks < 2) {
    for (std::size_t block = 0; block < blocks; ++block) work_on(block);
    return;
  }
  // TBB hands the blocks over and back; the counter says so to race detectors, which cannot see
  // into it.
  std::atomic<int> done;
  done.store(0, std::memory_order_release);
  tbb::parallel_for(std::size_t{0}, blocks, [&](std::size_t block) {
    static_cast<void>(done.load(std::memory_order_acquire));
    work_on(block);
    done.fetch_add(1, std::memory_order_release);
  });
  static_cast<void>(done.load(std::memory_order_acquire));
}

double Search::promise(const Coordinates& point, const Model::Prediction& prediction) const {
  if (is_admitted_ && !is_admitted_(point)) return -std::numeric_limits<double>::infinity();
  return log_improvement(prediction).value;
}

void Search::evaluate(std::vector<Candidate>& candidates) const {
  for_blocks(candidates.size(), [&](std::size_t, std::size_t first, std::size_t end) {
    Points points(encoding_.size(), end - first);
    for (std::size_t i = first; i < end; ++i) points.add(candidates[i].point);
    const std::vector<Model::Prediction> predictions = model_.predict(points);
    for (std::size_t i = first; i < end; ++i) {
      Candidate& candidate = candidates[i];
      candidate.prediction = predictions[i - first];
      candidate.log_improvement = promise(candidate.point, candidate.prediction);
    }
  });
}

Pool Search::pool(std::vector<Coordinates> points) const {
  Pool pool{std::move(points), {}};
  pool.prepared.blocks.resize((pool.points.size() + kBlock - 1) / kBlock);
  for_blocks(pool.points.size(), [&](std::size_t block, std::size_t first, std::size_t end) {
    Points part(encoding_.size(), end - first);
    for (std::size_t i = first; i < end; ++i) part.add(pool.points[i]);
    pool.prepared.blocks[block] = model_.prepare(part);
  });
  return pool;
}

void Pool::add(Pool other) {
  points.insert(points.end(), std::make_move_iterator(other.points.begin()),
                std::make_move_iterator(other.points.end()));
  prepared.blocks.insert(prepared.blocks.end(),
                         std::make_move_iterator(other.prepared.blocks.begin()),
                         std::make_move_iterator(other.prepared.blocks.end()));
}

std::vector<Candidate> Search::rank(const Pool& pool) const {
  std::vector<Candidate> candidates;
  candidates.reserve(pool.points.size());
  for (const auto& block : pool.prepared.blocks)
    for (const Model::Prediction& prediction : model_.predict(block))
      candidates.push_back({pool.points[candidates.size()], prediction,
                            promise(pool.points[candidates.size()], prediction)});
  std::stable_sort(candidates.begin(), candidates.end(), better);
  return candidates;
}

std::vector<Candidate> Search::rank(std::vector<Coordinates> points) const {
  return rank(pool(std::move(points)));
}

// Where a dimension that comes to be active is tried first: at the best point that has it, or in
// the middle.
double Search::initial_value(std::size_t dimension) const {
  for (const Coordinates& point : good_)
    if (point[dimension] != kAbsent) return point[dimension];
  return encoding_.dimensions()[dimension].place(0.5);
}

Coordinates Search::perturbed(const Coordinates& around, RandomStream& random) const {
  Coordinates point = around;
  const double deviation = std::pow(10.0, -0.5 - 2 * random.uniform());
  const auto& dimensions = encoding_.dimensions();
  // A discrete coordinate changes with about the probability that a real one moves far.
  const double change = std::max(1 / static_cast<double>(dimensions.size()), deviation);
  for (std::size_t j = 0; j < dimensions.size(); ++j) {
    const Dimension& dimension = dimensions[j];
    double& coordinate = point[j];
    if (coordinate == kAbsent) continue;
    if (dimension.is_continuous()) {
      coordinate = std::clamp(coordinate + deviation * normal(random), 0.0, 1.0);
      continue;
    }
    if (random.uniform() >= change) continue;
    if (dimension.kind == Dimension::Kind::category || random.uniform() < deviation) {
      coordinate = dimension.place(random.uniform());
      continue;
    }
    const auto levels = static_cast<double>(dimension.positions.size());
    const double step = std::max(1.0, std::abs(deviation * levels * normal(random)));
    const double to = static_cast<double>(dimension.nearest(coordinate)) +
                      std::nearbyint(random.uniform() < 0.5 ? -step : step);
    coordinate = dimension.positions[static_cast<std::size_t>(std::clamp(to, 0.0, levels - 1))];
  }
  encoding_.apply_conditions(point, [&](std::size_t j) {
    return random.uniform() < 0.5 ? initial_value(j) : dimensions[j].place(random.uniform());
  });
  return point;
}

std::vector<Coordinates> Search::raw_points(std::uint64_t seed, RunId run,
                                            std::size_t count) const {
  std::vector<Coordinates> points;
  const std::size_t around = good_.empty() ? 0 : count / 2;
  // Another part of the sequence each time.
  RandomStream random(seed, run, kPerturbations);
  const SobolPoints sobol(encoding_.size(), random(), kSobol);
  Coordinates unit(encoding_.size());
  for (std::size_t i = 0; i < count - around; ++i) {
    sobol.point(static_cast<std::uint32_t>(i), unit);
    points.push_back(encoding_.place(unit));
  }
  for (std::size_t i = 0; i < around; ++i)
    points.push_back(perturbed(good_[i % good_.size()], random));
  for (Coordinates& point : points) {
    encoding_.snap(point);
    encoding_.apply_conditions(point, [&](std::size_t j) { return initial_value(j); });
  }
  return points;
}

std::vector<Candidate> Search::starts(const std::vector<Candidate>& ranked, RandomStream& random,
                                      std::size_t count) const {
  std::vector<Candidate> chosen{ranked.front()};
  if (!good_.empty())
    chosen.push_back({good_.front(), {}, -std::numeric_limits<double>::infinity()});
  // The others by chance, in proportion to exp of the standardised acquisition, none of them twice.
  double mean = 0, squares = 0;
  const double n = static_cast<double>(ranked.size());
  for (const Candidate& candidate : ranked) mean += candidate.log_improvement / n;
  for (const Candidate& candidate : ranked)
    squares += (candidate.log_improvement - mean) * (candidate.log_improvement - mean) / n;
  const double deviation = squares > 0 ? std::sqrt(squares) : 1;
  std::vector<double> weights;
  double total = 0;
  for (const Candidate& candidate : ranked) {
    weights.push_back(
        std::exp((candidate.log_improvement - ranked.front().log_improvement) / deviation));
    total += weights.back();
  }
  const auto take = [&](std::size_t i) { total -= std::exchange(weights[i], 0.0); };
  take(0);
  while (chosen.size() < count && total > 0) {
    double target = random.uniform() * total;
    std::size_t i = 0;
    while (i + 1 < weights.size() && target >= weights[i]) target -= weights[i++];
    chosen.push_back(ranked[i]);
    take(i);
  }
  return chosen;
}

// Climbs from the candidates, each within the box of what is continuous there.
std::vector<Lbfgs> Search::climbs_from(const std::vector<Candidate>& candidates,
                                       int iterations) const {
  Lbfgs::Options options;
  options.iterations = iterations;
  options.gradient = 1e-3;
  options.first_step = 0.05;
  options.backtracks = 6;
  std::vector<Lbfgs> climbs;
  for (const Candidate& candidate : candidates) {
    std::vector<double> lower = candidate.point, upper = candidate.point;
    for (std::size_t j = 0; j < encoding_.size(); ++j)
      if (encoding_.dimensions()[j].is_continuous() && candidate.point[j] != kAbsent) {
        lower[j] = 0;
        upper[j] = 1;
      }
    climbs.emplace_back(lower, upper, candidate.point, options);
  }
  return climbs;
}

// One step of all climbs that are not done, asked together. Keeps the best point of each.
bool Search::climb(std::vector<Lbfgs>& climbs, std::vector<Candidate>& best) const {
  Points points(encoding_.size(), climbs.size());
  std::vector<std::size_t> asked;
  for (std::size_t c = 0; c < climbs.size(); ++c) {
    if (climbs[c].done()) continue;
    asked.push_back(c);
    points.add(climbs[c].trial());
  }
  if (asked.empty()) return false;
  Model::Gradients over;
  const std::vector<Model::Prediction> predictions = model_.predict(points, over);
  std::vector<double> gradient(encoding_.size());
  for (std::size_t k = 0; k < asked.size(); ++k) {
    Lbfgs& climb = climbs[asked[k]];
    const LogImprovement improvement = log_improvement(predictions[k]);
    const auto column = static_cast<Eigen::Index>(k);
    vector(gradient) = -improvement.by_mean * over.mean.col(column) -
                       improvement.by_variance * over.variance.col(column);
    if (Candidate& found = best[asked[k]]; improvement.value > found.log_improvement)
      found = {climb.trial(), predictions[k], improvement.value};
    climb.tell(-improvement.value, gradient);
  }
  return true;
}

void Search::improve_real(std::vector<Candidate>& candidates, int iterations) const {
  std::vector<Lbfgs> climbs = climbs_from(candidates, iterations);
  std::vector<Candidate> found = candidates;
  while (climb(climbs, found)) {
  }
  if (has_kind(Dimension::Kind::snapped)) {
    for (Candidate& candidate : found) encoding_.snap(candidate.point);
    evaluate(found);
  }
  for (std::size_t c = 0; c < candidates.size(); ++c)
    if (better(found[c], candidates[c])) candidates[c] = std::move(found[c]);
}

bool Search::has_kind(Dimension::Kind kind) const {
  const auto& dimensions = encoding_.dimensions();
  return std::any_of(dimensions.begin(), dimensions.end(),
                     [&](const Dimension& each) { return each.kind == kind; });
}

// One pass over the discrete coordinates of the first candidates, all at once. Whether
// anything changed.
bool Search::improve_discrete(std::vector<Candidate>& candidates, const SearchOptions& options,
                              RandomStream& random) const {
  bool changed = false;
  for (std::size_t j = 0; j < encoding_.size(); ++j) {
    const Dimension& dimension = encoding_.dimensions()[j];
    if (dimension.is_continuous() || j == options.fixed) continue;
    const auto& positions = dimension.positions;
    std::vector<Candidate> alternatives;
    std::vector<std::size_t> owners;
    const auto consider = [&](std::size_t owner, std::size_t level) {
      if (positions[level] == candidates[owner].point[j]) return;
      // What the option brings with it is drawn anew each time, but for the first.
      bool brings = true;
      for (int tries = 0; tries < kBranchTries && brings; ++tries) {
        brings = false;
        Coordinates point = candidates[owner].point;
        point[j] = positions[level];
        encoding_.apply_conditions(point, [&](std::size_t child) {
          brings = true;
          return tries == 0 ? initial_value(child)
                            : encoding_.dimensions()[child].place(random.uniform());
        });
        alternatives.push_back({std::move(point), {}, 0});
        owners.push_back(owner);
      }
    };
    for (std::size_t c = 0; c < std::min(candidates.size(), options.climbs); ++c) {
      if (candidates[c].point[j] == kAbsent) continue;
      if (positions.size() <= kExhaustive) {
        for (std::size_t level = 0; level < positions.size(); ++level) consider(c, level);
        continue;
      }
      const std::size_t here = dimension.nearest(candidates[c].point[j]);
      for (std::size_t step = 8; step > 0; step /= 2)
        if (step <= here) consider(c, here - step);
      for (std::size_t step = 1; step <= 8; step *= 2)
        if (here + step < positions.size()) consider(c, here + step);
      const double levels = static_cast<double>(positions.size());
      for (int i = 0; i < kRandomLevels; ++i)
        consider(c, static_cast<std::size_t>(random.uniform() * levels));
    }
    evaluate(alternatives);
    for (std::size_t a = 0; a < alternatives.size(); ++a)
      if (better(alternatives[a], candidates[owners[a]])) {
        candidates[owners[a]] = alternatives[a];
        changed = true;
      }
  }
  return changed;
}

std::vector<Coordinates> Search::near(const Coordinates& around, std::size_t count,
                                      std::uint64_t seed, RunId run) const {
  RandomStream random(seed, run, kNear);
  std::vector<Coordinates> points;
  for (std::size_t i = 0; i < count; ++i) {
    points.push_back(perturbed(around, random));
    encoding_.snap(points.back());
    encoding_.apply_conditions(points.back(), [&](std::size_t j) { return initial_value(j); });
  }
  return points;
}

Coordinates Search::with_option(Coordinates point, Option option) const {
  const auto& dimensions = encoding_.dimensions();
  point[option.dimension] = dimensions[option.dimension].positions[option.position];
  // What it depends on has to be there too.
  for (std::size_t j = option.dimension; dimensions[j].parent; j = *dimensions[j].parent) {
    const std::size_t parent = *dimensions[j].parent;
    const std::vector<bool>& at = dimensions[j].at_position;
    if (point[parent] != kAbsent && at[dimensions[parent].nearest(point[parent])]) continue;
    std::size_t first = 0;
    while (!at[first]) ++first;
    point[parent] = dimensions[parent].positions[first];
  }
  encoding_.apply_conditions(point, [&](std::size_t j) { return initial_value(j); });
  return point;
}

std::vector<Candidate> Search::run(const Pool& pool, std::uint64_t seed, RunId run,
                                   SearchOptions options, std::vector<Coordinates> more) const {
  std::vector<Candidate> raw = rank(pool);
  if (!more.empty()) {
    std::vector<Candidate> others = rank(std::move(more));
    raw.insert(raw.end(), std::make_move_iterator(others.begin()),
               std::make_move_iterator(others.end()));
    std::stable_sort(raw.begin(), raw.end(), better);
  }
  RandomStream picks(seed, run, kBoltzmann), levels(seed, run, kLevels);
  std::vector<Candidate> improved = starts(raw, picks, options.starts);
  const bool has_discrete =
      has_kind(Dimension::Kind::ordinal) || has_kind(Dimension::Kind::category);
  const bool has_real = has_kind(Dimension::Kind::real) || has_kind(Dimension::Kind::snapped);
  if (has_discrete) evaluate(improved);
  for (int round = 0; round < options.rounds; ++round) {
    const bool changed = improve_discrete(improved, options, levels);
    if (round > 0 && !changed) break;
    if (has_real) improve_real(improved, options.iterations);
  }
  improved.insert(improved.end(), std::make_move_iterator(raw.begin()),
                  std::make_move_iterator(raw.end()));
  std::stable_sort(improved.begin(), improved.end(), better);
  return improved;
}

}  // namespace hdrive::sampling::gp
