// SPDX-License-Identifier: Apache-2.0
//
// CMA-ES: evolution of a normal distribution over the unit cube, with a margin for whole numbers.
//
// Sources: Hansen, "The CMA evolution strategy: a tutorial", arXiv 1604.00772, 2016 (weights,
// rates, step size control); Hamano, Saito, Nomura, Shirakawa, "CMA-ES with margin", GECCO 2022;
// Hansen, "Injecting external solutions into CMA-ES", arXiv 1110.4181, 2011. Deviations: the step
// size path uses the Cholesky factor of the covariance in place of its root; negative weights are
// left out; the margin widens a distribution that would hardly leave its level, and does not move
// its mean too.
//
// Choices that are not numeric have a probability for each option, moved towards those of the
// better half of each generation and never below a margin (Baluja, "Population-based incremental
// learning", 1994; Hamano et al., "CatCMA", GECCO 2024).
//
// A parameter that does not exist in a set has a step all the same, drawn from the distribution as
// it is: so its coordinate is neither moved nor narrowed by runs that say nothing about it.
//
// The state is a function of the history: generation g are the runs g lambda to (g + 1) lambda - 1,
// and it counts once all of them have ended. Until then proposals come from the newest state there
// is, so no worker ever waits; points of an older state are taken as injected ones.
#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "sampling/coordinates.h"
#include "sampling/gp/algebra.h"
#include "sampling/outcomes.h"
#include "sampling/samplers.h"
#include "sampling/without_repeats.h"

namespace hdrive::sampling {
namespace {

constexpr double kSigma = 0.3;  // of the first generation, in the unit cube
constexpr int kTries = 30;      // to draw a point inside the cube, before it is moved there
constexpr std::uint32_t kPurpose = 2'000'000;        // of the random stream
constexpr std::uint32_t kAbsentPurpose = 2'000'001;  // the same, for steps of what does not exist

// ---- the constants of the tutorial, table 1 ------------------------------------------------------

struct Rates {
  std::size_t lambda, parents;
  std::vector<double> weights;
  double mu_eff, path_sigma, damping, path_c, rank_one, rank_mu, expected_norm;

  // The paths and the covariance are of the numbers alone; the more there is to be learnt, the larger is a
  // generation.
  Rates(std::size_t numbers, std::size_t categories) {
    const double d = static_cast<double>(std::max<std::size_t>(numbers, 1));
    const auto all = static_cast<double>(std::max<std::size_t>(numbers + categories, 1));
    lambda = 4 + static_cast<std::size_t>(3 * std::log(all));
    parents = lambda / 2;
    for (std::size_t i = 0; i < parents; ++i)
      weights.push_back(std::log((static_cast<double>(lambda) + 1) / 2) -
                        std::log(static_cast<double>(i + 1)));
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    double squares = 0;
    for (double& weight : weights) {
      weight /= sum;
      squares += weight * weight;
    }
    mu_eff = 1 / squares;
    path_sigma = (mu_eff + 2) / (d + mu_eff + 5);
    damping = 1 + 2 * std::max(0.0, std::sqrt((mu_eff - 1) / (d + 1)) - 1) + path_sigma;
    path_c = (4 + mu_eff / d) / (d + 4 + 2 * mu_eff / d);
    rank_one = 2 / ((d + 1.3) * (d + 1.3) + mu_eff);
    rank_mu = std::min(1 - rank_one, 2 * (mu_eff - 2 + 1 / mu_eff) / ((d + 2) * (d + 2) + mu_eff));
    expected_norm = std::sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d * d));
  }
};

// ---- the distribution ----------------------------------------------------------------------------

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Point = std::vector<double>;

// L x for a lower triangular L.
VectorXd times(const MatrixXd& l, const VectorXd& x) {
  VectorXd product(x.size());
  gp::portable_numerics().multiply(gp::input(l), gp::input(x), gp::output(product));
  return product;
}

struct State {
  VectorXd mean, path_sigma, path_c;  // of the numbers
  MatrixXd covariance;
  MatrixXd factor, inverse;    // lower triangular: factor factor' = covariance, inverse factor = 1
  VectorXd widening;           // of whole-numbered coordinates, at least 1
  std::vector<Point> options;  // by categorical axis: the probability of each
  double sigma = kSigma;
  std::int64_t updates = 0;

  /// A step of N(0, covariance), by a draw of N(0, 1).
  VectorXd step(const VectorXd& z) const { return times(factor, z); }
  /// The draw that gave this step.
  VectorXd whitened(const VectorXd& step) const { return times(inverse, step); }
};

// Rounding may take a covariance that hardly varies in some direction below zero.
void factorise(State& state) {
  MatrixXd sum = state.covariance;
  for (double ridge = 0;; ridge = ridge == 0 ? 1e-14 : 10 * ridge) {
    sum.diagonal().array() += ridge;
    state.factor = sum;
    if (gp::portable_numerics().cholesky(gp::output(state.factor))) break;
  }
  gp::portable_numerics().invert(gp::input(state.factor), gp::output(state.inverse));
}

VectorXd draw(Eigen::Index d, RandomStream& random) {
  boost::random::normal_distribution<double> normal;
  VectorXd z(d);
  for (double& one : z) one = normal(random);
  return z;
}

class CmaesSampler final : public Sampler {
 public:
  CmaesSampler(const SearchSpace& space, const SamplerContext& context)
      : parameters_text_(parameters_text(space)),
        coordinates_(space),
        seed_(context.seed),
        untried_(space, seed_),
        rates_(0, 0) {
    for (std::size_t i = 0; i < coordinates_.axes().size(); ++i)
      (coordinates_.axes()[i].categorical ? categories_ : numbers_).push_back(i);
    rates_ = Rates(numbers_.size(), categories_.size());
    states_.push_back(beginning());
  }

  Result<Proposal> propose(const History& history, RunId id) override {
    evolve(history);
    const State& state = states_.back();
    RandomStream random(seed_, id, kPurpose);
    const std::string how = fmt::format(
        "model (CMA-ES): drawn from the distribution after {}, step size {:.3g}, seed {}; {}",
        base::plural(state.updates, "generation"), state.sigma, seed_, incumbent_text(history));
    return untried_.propose(history, id, how,
                            [&] { return coordinates_.assignment(draw_point(state, random)); });
  }

  std::string describe() const override {
    return fmt::format("CMA-ES with margin, generations of {}, seed {}, of {}{}", rates_.lambda,
                       seed_, parameters_text_,
                       untried_.applies() ? ", without repeats, from " + untried_.size_text() : "");
  }

 private:
  // What a generation was ranked by.
  using Ranked = std::vector<Outcome>;

  State beginning() const {
    State state;
    const Eigen::Index d = std::ssize(numbers_);
    state.mean = VectorXd::Constant(d, 0.5);
    state.path_sigma = state.path_c = VectorXd::Zero(d);
    state.covariance = state.factor = state.inverse = MatrixXd::Identity(d, d);
    state.widening = VectorXd::Ones(d);
    for (const std::size_t axis : categories_) {
      const std::size_t count = coordinates_.axes()[axis].levels;
      state.options.emplace_back(count, 1 / static_cast<double>(count));
    }
    widen(state);
    return state;
  }

  Point draw_point(const State& state, RandomStream& random) const {
    Point point(coordinates_.axes().size());
    const Eigen::Index d = std::ssize(numbers_);
    for (int tries = 0; d > 0 && tries < kTries; ++tries) {
      const VectorXd x =
          state.mean + state.sigma * state.widening.cwiseProduct(state.step(draw(d, random)));
      const VectorXd inside = x.cwiseMax(0.0).cwiseMin(1.0);
      for (Eigen::Index i = 0; i < d; ++i)
        point[axis(i)] = coordinates_.snapped(axis(i), inside[i]);
      if (inside == x) break;
    }
    for (std::size_t c = 0; c < categories_.size(); ++c) {
      double left = random.uniform();
      std::size_t option = 0;
      while (option + 1 < state.options[c].size() && left >= state.options[c][option])
        left -= state.options[c][option++];
      point[categories_[c]] = static_cast<double>(option);
    }
    return point;
  }

  // Takes over every generation that has ended. States are kept with what they rest on, so that one
  // whose runs were tried again is made anew.
  void evolve(const History& history) {
    if (history.identity() != seen_) {
      seen_ = history.identity();
      states_.resize(1);
      ranked_.clear();
    }
    const auto lambda = static_cast<RunId>(rates_.lambda);
    std::vector<Ranked> generations(static_cast<std::size_t>(history.size() / lambda));
    for (const Outcome& outcome : ranked_outcomes(history)) {
      const auto generation = static_cast<std::size_t>(outcome.run / lambda);
      if (generation < generations.size()) generations[generation].push_back(outcome);
    }
    std::size_t next = 0;
    for (; next < generations.size(); ++next) {
      const Ranked& now = generations[next];
      if (count(now, OutcomeKind::pending) > 0) break;
      if (next < ranked_.size() && same(ranked_[next], now)) continue;
      states_.resize(next + 1);
      ranked_.resize(next);
      states_.push_back(after(states_.back(), history, now));
      ranked_.push_back(now);
    }
    states_.resize(next + 1);
    ranked_.resize(next);
  }

  static bool same(const Ranked& a, const Ranked& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Outcome& x, const Outcome& y) {
                        return x.run == y.run && x.kind == y.kind && x.loss == y.loss;
                      });
  }

  // The tutorial's figure 6. Failed runs and those of unknown parameters are worse than all others;
  // with fewer than two that have a value there is nothing to learn.
  State after(State state, const History& history, const Ranked& ranked) const {
    std::vector<Point> best;
    std::vector<RunId> runs;
    for (const Outcome& outcome : ranked) {
      if (outcome.kind != OutcomeKind::final && outcome.kind != OutcomeKind::partial) continue;
      auto point = coordinates_.point(history.run(outcome.run).parameters);
      if (!point || best.size() >= rates_.parents) continue;
      best.push_back(*std::move(point));
      runs.push_back(outcome.run);
    }
    if (best.size() < 2) return state;
    VectorXd weights = Eigen::Map<const VectorXd>(rates_.weights.data(), std::ssize(best));
    weights /= weights.sum();
    ++state.updates;
    if (!numbers_.empty()) move(state, best, runs, weights);
    for (std::size_t c = 0; c < categories_.size(); ++c)
      learn(state.options[c], categories_[c], best, weights);
    widen(state);
    return state;
  }

  // Fills in the steps of the coordinates that the point lacks.
  void step_absent(const State& state, const Point& point, RunId run, VectorXd& step) const {
    RandomStream random(seed_, run, kAbsentPurpose);
    const VectorXd drawn = state.step(draw(step.size(), random));
    for (Eigen::Index i = 0; i < step.size(); ++i)
      if (point[axis(i)] == kAbsent) step[i] = drawn[i];
  }

  // The steps from the mean to the best points of a generation, a column each.
  MatrixXd steps_to(const State& state, const std::vector<Point>& best,
                    const std::vector<RunId>& runs) const {
    const double d = static_cast<double>(numbers_.size());
    const double longest = std::sqrt(d) + 2 * d / (d + 2);
    MatrixXd steps(std::ssize(numbers_), std::ssize(best));
    for (std::size_t p = 0; p < best.size(); ++p) {
      VectorXd step(steps.rows());
      for (Eigen::Index i = 0; i < step.size(); ++i)
        step[i] = (best[p][axis(i)] - state.mean[i]) / (state.sigma * state.widening[i]);
      if (std::find(best[p].begin(), best[p].end(), kAbsent) != best[p].end())
        step_absent(state, best[p], runs[p], step);
      // An injected point may lie far outside the distribution.
      const double length = state.whitened(step).norm();
      steps.col(static_cast<Eigen::Index>(p)) = step * std::min(1.0, longest / length);
    }
    return steps;
  }

  void move(State& state, const std::vector<Point>& best, const std::vector<RunId>& runs,
            const VectorXd& weights) const {
    const double d = static_cast<double>(numbers_.size());
    const MatrixXd steps = steps_to(state, best, runs);
    const VectorXd mean_step = steps.lazyProduct(weights);
    state.mean = (state.mean + state.sigma * state.widening.cwiseProduct(mean_step))
                     .cwiseMax(0.0)
                     .cwiseMin(1.0);

    const double cs = rates_.path_sigma, cc = rates_.path_c;
    state.path_sigma = (1 - cs) * state.path_sigma +
                       std::sqrt(cs * (2 - cs) * rates_.mu_eff) * state.whitened(mean_step);
    const double length = state.path_sigma.norm();
    const double grown = 1 - std::pow(1 - cs, 2 * static_cast<double>(state.updates));
    const bool steady = length / std::sqrt(grown) < (1.4 + 2 / (d + 1)) * rates_.expected_norm;
    state.path_c *= 1 - cc;
    if (steady) state.path_c += std::sqrt(cc * (2 - cc) * rates_.mu_eff) * mean_step;

    const double c1 = rates_.rank_one, cmu = rates_.rank_mu;
    const double kept = 1 - c1 - cmu + (steady ? 0 : c1 * cc * (2 - cc));
    const MatrixXd weighted = cmu * steps * weights.asDiagonal();
    state.covariance = kept * state.covariance + c1 * state.path_c * state.path_c.transpose() +
                       weighted.lazyProduct(steps.transpose());
    factorise(state);
    state.sigma *=
        std::exp(std::min(1.0, cs / rates_.damping * (length / rates_.expected_norm - 1)));
    state.sigma = std::clamp(state.sigma, 1e-8, 1.0);
  }

  void learn(Point& options, std::size_t axis, const std::vector<Point>& best,
             const VectorXd& weights) const {
    constexpr double kRate = 0.25;
    const double count = static_cast<double>(options.size());
    if (options.size() == 1) return;
    double had = 0;  // the weight of those that have the parameter
    for (std::size_t p = 0; p < best.size(); ++p)
      had += best[p][axis] == kAbsent ? 0 : weights[static_cast<Eigen::Index>(p)];
    for (double& probability : options) probability *= 1 - kRate * had;
    for (std::size_t p = 0; p < best.size(); ++p)
      if (best[p][axis] != kAbsent)
        options[static_cast<std::size_t>(best[p][axis])] +=
            kRate * weights[static_cast<Eigen::Index>(p)];
    const double least = 1 / (static_cast<double>(rates_.lambda) * count);
    double sum = 0;
    for (double& probability : options) sum += probability = std::max(probability, least);
    for (double& probability : options) probability /= sum;
  }

  // So that each whole-numbered coordinate leaves the level of its mean with a probability of 1 /
  // (d lambda).
  void widen(State& state) const {
    const std::size_t d = numbers_.size();
    const double alpha = 1 / (static_cast<double>(std::max<std::size_t>(d, 1) * rates_.lambda));
    using namespace boost::math::policies;  // long double differs between machines
    const double quantile =
        std::sqrt(2.0) * boost::math::erf_inv(1 - alpha, policy<promote_double<false>>());
    for (Eigen::Index i = 0; i < state.mean.size(); ++i) {
      if (coordinates_.axes()[axis(i)].levels < 2) continue;
      const double half = 0.5 * coordinates_.cell_width(axis(i), state.mean[i]);
      const double away = std::abs(state.mean[i] - coordinates_.snapped(axis(i), state.mean[i]));
      const double deviation = state.sigma * std::sqrt(state.covariance(i, i));
      state.widening[i] = std::max(1.0, (half - std::min(away, half)) / (quantile * deviation));
    }
  }

  // Where the i-th number stands among all coordinates.
  std::size_t axis(Eigen::Index i) const { return numbers_[static_cast<std::size_t>(i)]; }

  std::string parameters_text_;
  Coordinates coordinates_;
  std::uint64_t seed_;
  WithoutRepeats untried_;
  Rates rates_;
  std::vector<std::size_t> numbers_, categories_;  // axes of either kind

  // What the history would give again.
  std::uint64_t seen_ = 0;
  std::vector<State> states_;  // before any generation, then after each that ended
  std::vector<Ranked> ranked_;
};

}  // namespace

MadeSampler make_cmaes(const AlgorithmSpec&, const SearchSpace& space,
                       const SamplerContext& context) {
  return std::shared_ptr<Sampler>(std::make_shared<CmaesSampler>(space, context));
}

}  // namespace hdrive::sampling
