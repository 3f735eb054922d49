// SPDX-License-Identifier: Apache-2.0
//
// Bayesian sampling: a Gaussian process over the runs so far, and the point of largest expected improvement.
//
// Jones, Schonlau, Welch, "Efficient global optimization of expensive black-box functions", J. Global Optim.
// 13, 1998; docs/bayesian.md has the method as a whole, its sources, and what was measured.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "sampling/finite_space.h"
#include "sampling/gp/acquisition.h"
#include "sampling/gp/fits.h"
#include "sampling/gp/settings.h"
#include "sampling/samplers.h"
#include "sampling/sobol_points.h"

namespace hdrive::sampling {
namespace {

using gp::Candidate;
using gp::Coordinates;
using gp::Dataset;
using gp::Observation;

enum Purpose : std::uint32_t { kDesign = 0x5021, kExplore, kDraws };

// Largest model: above it the runs nearest to the incumbent.
constexpr int kMostModelled = 500;
// Spaces with at most this many points left are searched completely.
constexpr std::uint64_t kFewPoints = 2048;
constexpr std::uint64_t kMostDraws = std::uint64_t{1} << 12;
constexpr std::uint64_t kLargestEnumerated = std::uint64_t{1} << 20;
// How often the least known point is tried instead of the most promising, and when else: the last five
// proposals were this near to the incumbent.
constexpr double kExploreProbability = 0.02;
constexpr int kStuckProposals = 5;
constexpr double kStuckDistance = 1e-3;

class BayesianSampler final : public Sampler {
 public:
  BayesianSampler(const SearchSpace& space, const SamplerContext& context,
                  const gp::Settings& settings)
      : encoding_(space, settings.ordered_choices),
        finite_(FiniteSpace::of(space)),
        context_(context),
        settings_(settings),
        design_(static_cast<std::size_t>(encoding_.size()), context.seed, kDesign),
        prior_{encoding_.spreads()},
        fits_(prior_, context.seed, settings.warp, settings.noise) {}

  Result<Proposal> propose(const History& history, RunId id) override {
    if (is_exhausted(history))
      return Proposal{std::nullopt,
                      fmt::format("the search space has only {}, and {} tried", size_text(),
                                  finite_->size() == 1 ? "it was" : "all were")};
    if (encoding_.size() == 0)
      return Proposal{encoding_.decode({}), "there is nothing to choose in this space"};
    if (id < settings_.initial_points)
      return design(history, id,
                    fmt::format("initial design, {} of {}", id + 1, settings_.initial_points));
    const auto observations = gp::observe(history, encoding_);
    const Dataset data =
        gp::learn_from(observations, history.size(), encoding_.size(), settings_.warp);
    if (data.good < 2)
      return design(history, id,
                    fmt::format("quasi-random, since a model needs two results and there {}",
                                data.good == 0 ? "are none" : "is one"));
    return by_model(history, id, observations, data);
  }

  std::string describe() const override {
    return fmt::format(
        "Bayesian sampling, seed {}: {}, then a Gaussian process over {} and the point of largest "
        "expected improvement; warp {}, noise {}",
        context_.seed, base::plural(settings_.initial_points, "quasi-random point"),
        base::plural(static_cast<long long>(encoding_.size()), "dimension"),
        settings_.warp == gp::Warp::half_rank ? "on" : "off", settings_.noise ? "on" : "off");
  }

 private:
  std::string size_text() const {
    if (!finite_ || !finite_->size()) return "more than 2^63 parameter sets";
    return base::plural(static_cast<long long>(*finite_->size()), "parameter set");
  }

  bool is_exhausted(const History& history) const {
    if (!finite_ || !finite_->size()) return false;
    const std::uint64_t size = *finite_->size();
    if (static_cast<std::uint64_t>(history.size()) < size) return false;
    for (std::uint64_t i = 0; i < size; ++i)
      if (!history.find(finite_->point(i))) return false;
    return true;
  }

  // Whether a proposal of it would be a repeat that the space need not have.
  bool is_repeat(const History& history, const Assignment& parameters) const {
    return finite_ && history.find(parameters);
  }

  // ---- without a model ---------------------------------------------------------------------------

  Proposal design(const History& history, RunId id, std::string reason) const {
    Coordinates unit(static_cast<std::size_t>(encoding_.size()));
    design_.point(static_cast<std::uint32_t>(id), unit);
    for (int j = 0; j < encoding_.size(); ++j)
      unit[static_cast<std::size_t>(j)] = encoding_.place(j, unit[static_cast<std::size_t>(j)]);
    Assignment parameters = encoding_.decode(unit);
    if (is_repeat(history, parameters)) return anything_else(history, id, std::move(reason));
    return {std::move(parameters), std::move(reason)};
  }

  // A point at random that was not tried; of a finite space that is not exhausted.
  Proposal anything_else(const History& history, RunId id, std::string reason) const {
    RandomStream random(context_.seed, id, kDraws);
    Assignment drawn;
    for (std::uint64_t draws = 0; draws < kMostDraws; ++draws) {
      Coordinates point;
      for (int j = 0; j < encoding_.size(); ++j)
        point.push_back(encoding_.place(j, random.uniform()));
      drawn = encoding_.decode(point);
      if (!history.find(drawn)) return {std::move(drawn), std::move(reason)};
    }
    for (const std::uint64_t index : untried(history, kLargestEnumerated))
      return {finite_->point(index), std::move(reason)};
    return {std::move(drawn), reason + "; it repeats an earlier run, since nothing new was found"};
  }

  // The points of a finite space that were not tried, if it is not larger than `most`.
  std::vector<std::uint64_t> untried(const History& history, std::uint64_t most) const {
    std::vector<std::uint64_t> result;
    if (!finite_ || !finite_->size() || *finite_->size() > most) return result;
    for (std::uint64_t i = 0; i < *finite_->size(); ++i)
      if (!history.find(finite_->point(i))) result.push_back(i);
    return result;
  }

  // ---- with a model ------------------------------------------------------------------------------

  Result<Proposal> by_model(const History& history, RunId id,
                            const std::vector<Observation>& observations, const Dataset& data) {
    const gp::Hyperparameters fitted = fits_.at(observations, history.size(), data);
    std::vector<const Observation*> pending;
    for (const Observation& observation : observations)
      if (observation.kind == Observation::Kind::pending) pending.push_back(&observation);
    const int room = static_cast<int>(pending.size());
    const int best_row = best_final_row(data);

    const std::vector<int> rows =
        gp::rows_near(data.training, kMostModelled, data.training.points[best_row], fitted);
    const gp::Training active = gp::subset(data.training, rows);
    std::string fallback;
    auto model = gp::Model::make(active, fitted, room);
    if (!model) {
      model = gp::Model::make(active, prior_.typical(), room);
      fallback =
          "; with typical hyperparameters, since the fitted ones gave no positive definite "
          "covariance";
    }
    if (!model)
      return design(history, id, "quasi-random, since no covariance was positive definite");

    // What to improve on: the best mean where something was tried, which noise does not flatter.
    std::vector<int> order;
    for (int i = 0; i < active.size(); ++i)
      if (data.is_final[static_cast<std::size_t>(rows[static_cast<std::size_t>(i)])])
        order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return model->fitted(a) < model->fitted(b); });
    std::vector<Coordinates> good;
    for (const int row : order) {
      if (good.size() == 5) break;
      const auto point = active.points[row];
      good.emplace_back(point.begin(), point.end());
    }
    const double best = model->fitted(order.front());
    const RunId incumbent =
        data.runs[static_cast<std::size_t>(rows[static_cast<std::size_t>(order.front())])];
    for (const Observation* run : pending) model->believe(run->point);

    const gp::Search search(encoding_, *model, best, good);
    std::vector<Candidate> candidates = find(history, id, search, active.size());
    if (is_stuck(history, good.front()) || explores(id)) {
      fallback += "; the least known point, to explore";
      std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
        return a.prediction.variance > b.prediction.variance;
      });
    }
    for (const Candidate& candidate : candidates) {
      Assignment parameters = encoding_.decode(candidate.point);
      if (is_repeat(history, parameters)) continue;
      return Proposal{std::move(parameters),
                      explain(history, data, candidate, incumbent, pending.size()) + fallback};
    }
    return anything_else(history, id,
                         "drawn at random, since all points the model proposed were tried before");
  }

  static int best_final_row(const Dataset& data) {
    int best = -1;
    for (int i = 0; i < data.training.size(); ++i) {
      const auto row = static_cast<std::size_t>(i);
      if (data.is_final[row] &&
          (best < 0 ||
           data.training.values[row] < data.training.values[static_cast<std::size_t>(best)]))
        best = i;
    }
    return best;
  }

  std::vector<Candidate> find(const History& history, RunId id, const gp::Search& search,
                              int observed) const {
    const auto left = untried(history, kFewPoints);
    if (!left.empty()) {
      std::vector<Coordinates> points;
      for (const std::uint64_t index : left)
        points.push_back(*encoding_.encode(finite_->point(index)));
      return search.rank(std::move(points));
    }
    gp::SearchOptions options;
    options.raw = std::clamp(options.raw * 300 / std::max(observed, 300), 256, options.raw);
    return search.run(context_.seed, id, options);
  }

  bool explores(RunId id) const {
    return RandomStream(context_.seed, id, kExplore).uniform() < kExploreProbability;
  }

  bool is_stuck(const History& history, const Coordinates& incumbent) const {
    if (history.size() < settings_.initial_points + kStuckProposals) return false;
    for (RunId id = history.size() - kStuckProposals; id < history.size(); ++id) {
      const auto point = encoding_.encode(history.run(id).parameters);
      if (!point) return false;
      for (std::size_t j = 0; j < point->size(); ++j)
        if (std::abs((*point)[j] - incumbent[j]) > kStuckDistance) return false;
    }
    return true;
  }

  std::string explain(const History& history, const Dataset& data, const Candidate& candidate,
                      RunId incumbent, std::size_t pending) const {
    const double sign = history.goal() == Goal::maximize ? -1 : 1;
    const double deviation = std::sqrt(candidate.prediction.variance);
    const double mean = candidate.prediction.mean;
    const double high = data.unwarped(mean + deviation), low = data.unwarped(mean - deviation);
    std::string text = fmt::format(
        "model of {}: log expected improvement {:.3g}, predicted {:.6g} +- {:.2g}; incumbent run "
        "{}",
        base::plural(data.good + data.failures + data.partials, "result"),
        candidate.log_improvement, sign * data.unwarped(mean), (high - low) / 2, incumbent);
    if (const auto value = history.best(incumbent)) text += fmt::format(" with {:.6g}", *value);
    if (data.failures > 0) text += fmt::format("; {} failed", data.failures);
    if (data.partials > 0) text += fmt::format("; {} stopped early", data.partials);
    if (pending > 0) text += fmt::format("; {} pending considered", pending);
    return text;
  }

  gp::Encoding encoding_;
  std::optional<FiniteSpace> finite_;
  SamplerContext context_;
  gp::Settings settings_;
  SobolPoints design_;
  gp::Prior prior_;
  gp::Fits fits_;
};

}  // namespace

MadeSampler make_bayesian(const AlgorithmSpec& spec, const SearchSpace& space,
                          const SamplerContext& context) {
  return std::shared_ptr<Sampler>(
      std::make_shared<BayesianSampler>(space, context, gp::settings_of(spec, space, context)));
}

}  // namespace hdrive::sampling
