// SPDX-License-Identifier: Apache-2.0
//
// CMA-ES: evolution of a normal distribution over the unit cube, with a margin for whole numbers.
//
// Sources: Hansen, "The CMA evolution strategy: a tutorial", arXiv 1604.00772, 2016 (weights,
// negative ones included, rates, step size control); Hamano, Saito, Nomura, Shirakawa, "CMA-ES with
// margin", GECCO 2022; Hansen, "Injecting external solutions into CMA-ES", arXiv 1110.4181, 2011;
// Hansen, "Benchmarking a BI-population CMA-ES on the BBOB-2009 function testbed", GECCO 2009.
// Deviations: the step size path uses the Cholesky factor of the covariance in place of its root;
// the margin widens a distribution that would hardly leave its level, and does not move its mean
// too.
//
// Choices that are not numeric have a probability for each option, moved towards those of the
// better half of each generation and never below a margin (Baluja, "Population-based incremental
// learning", 1994; Hamano et al., "CatCMA", GECCO 2024).
//
// A parameter that does not exist in a set has a step all the same, drawn from the distribution as
// it is: so its coordinate is neither moved nor narrowed by runs that say nothing about it.
//
// A warm start begins where the best tenth of the earlier runs lie: Nomura, Watanabe, Akimoto, Ozaki,
// Onishi, "Warm starting CMA-ES for hyperparameter optimization", AAAI 2021, with its parameters.
//
// The state is a function of the history: a generation are the next lambda runs in the order in
// which they ended, whenever they were proposed. So no worker ever waits, nor does what was learnt:
// a run that takes long joins the generation in which it ends. Points of an older state are taken as
// injected ones.
#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <deque>

#include "base/normal.h"
#include "base/text.h"
#include "sampling/cma_rates.h"
#include "sampling/encoding.h"
#include "sampling/gp/algebra.h"
#include "sampling/outcomes.h"
#include "sampling/samplers.h"
#include "sampling/without_repeats.h"

namespace hdrive::sampling {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kSigma = 0.3;        // of the first generation, in the unit cube
constexpr double kLeastStep = 1e-5;   // of any coordinate: below it the search begins anew
constexpr double kLeastGain = 1e-12;  // of the best value in many generations
constexpr std::int64_t kFewestGenerations = 10;  // of all runs, however many go on at once
constexpr double kPromising = 0.1;               // of the earlier runs: gamma of the paper
constexpr double kBreadth = 0.1;  // of the normal distribution about each of these: its alpha
constexpr int kTries = 30;        // to draw a point inside the cube, before it is moved there
constexpr std::uint32_t kPurpose = 2'000'000;         // of the random stream
constexpr std::uint32_t kAbsentPurpose = 2'000'001;   // the same, for steps of what does not exist
constexpr std::uint32_t kRestartPurpose = 2'000'002;  // the same, for where a search begins anew

// ---- the distribution ----------------------------------------------------------------------------

// L x for a lower triangular L; the same bits on every processor, as draws have them.
VectorXd times(const MatrixXd& l, const VectorXd& x) {
  VectorXd product(x.size());
  gp::portable_numerics().multiply(gp::input(l), gp::input(x), gp::output(product));
  return product;
}

struct State {
  CmaRates rates;
  VectorXd mean, path_sigma, path_c;  // of the numbers
  MatrixXd covariance;
  MatrixXd factor, inverse;  // lower triangular: factor factor' = covariance, inverse factor = 1
  VectorXd widening;         // of whole-numbered coordinates, at least 1
  std::vector<std::vector<double>> options;  // by category: the probability of each
  double sigma = kSigma;
  std::int64_t updates = 0;  // of this search
  std::uint32_t search = 0;  // how often it began anew
  std::deque<double> bests;  // the best losses of its latest generations

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
        encoding_(space),
        seed_(context.seed),
        untried_(space, seed_) {
    for (std::size_t j = 0; j < encoding_.dimensions().size(); ++j)
      (encoding_.dimensions()[j].is_category() ? categories_ : numbers_).push_back(j);
    lambda_ = first_lambda(context);
  }

  Result<Proposal> propose(const History& history, RunId id) override {
    const State& state = evolve(history);
    RandomStream random(seed_, id, kPurpose);
    const std::string how = fmt::format(
        "model (CMA-ES): drawn from the distribution after {}{}, step size {:.3g}, seed {}; {}",
        base::plural(state.updates, "generation"),
        state.search > 0 ? fmt::format(" of search {}", state.search + 1) : "", state.sigma, seed_,
        incumbent_text(history));
    return untried_.propose(history, id, how,
                            [&] { return encoding_.decode(draw_point(state, random)); });
  }

  std::string describe() const override {
    return fmt::format("CMA-ES with margin, generations of {}, seed {}, of {}{}", lambda_, seed_,
                       parameters_text_,
                       untried_.applies() ? ", without repeats, from " + untried_.size_text() : "");
  }

 private:
  // The more there is to be learnt, the larger is a generation, and no smaller than half of the runs
  // at once: or most of them would come from a distribution of the past (measured with 32 at once:
  // half of them is better than all, and than the usual).
  std::size_t first_lambda(const SamplerContext& context) const {
    const std::size_t all = std::max<std::size_t>(numbers_.size() + categories_.size(), 1);
    const auto usual = 4 + static_cast<std::size_t>(3 * std::log(static_cast<double>(all)));
    const std::int64_t parallel =
        std::min(context.max_concurrent_runs / 2, context.max_total_runs / kFewestGenerations);
    return std::max(usual, static_cast<std::size_t>(std::max<std::int64_t>(parallel, 0)));
  }

  // The first search begins in the middle, the others anywhere: in turns one of small steps and
  // generations as before, which looks closely, and one of ever larger generations, which looks
  // widely.
  State begin(std::uint32_t search) const {
    const Eigen::Index d = std::ssize(numbers_);
    const bool widely = search % 2 == 0;
    const std::size_t lambda = widely ? lambda_ << std::min(search / 2, 10U) : lambda_;
    RandomStream random(seed_, search, kRestartPurpose);
    State state{.rates = CmaRates(numbers_.size(), lambda),
                .mean = VectorXd::Constant(d, 0.5),
                .path_sigma = VectorXd::Zero(d),
                .path_c = VectorXd::Zero(d),
                .covariance = MatrixXd::Identity(d, d),
                .factor = MatrixXd::Identity(d, d),
                .inverse = MatrixXd::Identity(d, d),
                .widening = VectorXd::Ones(d),
                .sigma = widely ? kSigma : kSigma * std::pow(10, -2 * random.uniform()),
                .search = search};
    if (search > 0)
      for (double& coordinate : state.mean) coordinate = random.uniform();
    for (const std::size_t dimension : categories_) {
      const std::size_t count = encoding_.dimensions()[dimension].positions.size();
      state.options.emplace_back(count, 1 / static_cast<double>(count));
    }
    widen(state);
    return state;
  }

  // The coordinates of the best of the earlier runs that belong to the space and have a value.
  std::vector<Coordinates> promising_earlier(const History& own) const {
    const History& all = own.with_earlier();
    std::vector<Coordinates> points;
    for (const Outcome& outcome : ranked_outcomes(all)) {
      if (outcome.run >= own.earlier() || !outcome.has_value()) continue;
      if (auto point = encoding_.encode(all.run(outcome.run).parameters))
        points.push_back(*std::move(point));
    }
    const auto best =
        static_cast<std::size_t>(std::ceil(kPromising * static_cast<double>(points.size())));
    points.resize(best);
    return points;
  }

  // The first search after a warm start: the normal distribution nearest to a mixture of one about
  // each of the points.
  State begin_at(const std::vector<Coordinates>& points) const {
    State state = begin(0);
    const auto count = static_cast<double>(points.size());
    for (std::size_t c = 0; c < categories_.size(); ++c) {
      std::vector<double>& options = state.options[c];
      for (double& each : options) each = 1;
      for (const Coordinates& point : points)
        if (const double option = point[categories_[c]]; option != kAbsent)
          ++options[static_cast<std::size_t>(option)];
      double sum = 0;
      for (const double each : options) sum += each;
      for (double& each : options) each /= sum;
    }
    const Eigen::Index d = std::ssize(numbers_);
    if (d == 0) return state;
    MatrixXd at(d, std::ssize(points));
    for (Eigen::Index i = 0; i < d; ++i)
      for (Eigen::Index p = 0; p < at.cols(); ++p) {
        const double coordinate = points[static_cast<std::size_t>(p)][dimension(i)];
        at(i, p) = coordinate == kAbsent ? 0.5 : coordinate;
      }
    for (Eigen::Index i = 0; i < d; ++i) state.mean[i] = at.row(i).sum() / count;
    const MatrixXd off = at.colwise() - state.mean;
    state.covariance =
        kBreadth * kBreadth * MatrixXd::Identity(d, d) + off.lazyProduct(off.transpose()) / count;
    factorise(state);
    double log_determinant = 0;
    for (Eigen::Index i = 0; i < d; ++i) log_determinant += std::log(state.factor(i, i));
    state.sigma = std::exp(log_determinant / static_cast<double>(d));
    state.covariance /= state.sigma * state.sigma;
    factorise(state);
    widen(state);
    return state;
  }

  State first_state(const History& history) const {
    const std::vector<Coordinates> points = promising_earlier(history);
    return points.empty() ? begin(0) : begin_at(points);
  }

  Coordinates draw_point(const State& state, RandomStream& random) const {
    Coordinates point(encoding_.dimensions().size());
    const Eigen::Index d = std::ssize(numbers_);
    for (int tries = 0; d > 0 && tries < kTries; ++tries) {
      const VectorXd x =
          state.mean + state.sigma * state.widening.cwiseProduct(state.step(draw(d, random)));
      const VectorXd inside = x.cwiseMax(0.0).cwiseMin(1.0);
      for (Eigen::Index i = 0; i < d; ++i) point[dimension(i)] = inside[i];
      if (inside == x) break;
    }
    for (std::size_t c = 0; c < categories_.size(); ++c) {
      double left = random.uniform();
      std::size_t option = 0;
      while (option + 1 < state.options[c].size() && left >= state.options[c][option])
        left -= state.options[c][option++];
      point[categories_[c]] = static_cast<double>(option);
    }
    encoding_.snap(point);
    return point;
  }

  // ---- generations -------------------------------------------------------------------------------

  struct Generation {
    std::vector<Outcome> ranked;
    State after;
  };

  // The runs that ended and say something, in the order of their ends, as places in `ranked`.
  static std::vector<std::size_t> in_order(const History& history,
                                           const std::vector<Outcome>& ranked) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < ranked.size(); ++i)
      if (ranked[i].kind != OutcomeKind::pending) order.push_back(i);
    const auto key = [&](std::size_t i) {
      return std::pair(history.run(ranked[i].run).ended, ranked[i].run);
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    return order;
  }

  // The state after all whole generations. They are kept with what they rest on, so that one whose
  // runs were tried again is made anew.
  const State& evolve(const History& history) {
    if (history.identity() != seen_) {
      generations_.clear();
      beginning_ = first_state(history);
    }
    seen_ = history.identity();
    const std::vector<Outcome> ranked = ranked_outcomes(history);
    std::vector<std::size_t> order = in_order(history, ranked);
    std::size_t made = 0;
    for (auto begin = order.begin();; ++made) {
      const State& state = made == 0 ? *beginning_ : generations_[made - 1].after;
      const auto size = static_cast<std::ptrdiff_t>(state.rates.lambda);
      if (order.end() - begin < size) break;
      std::sort(begin, begin + size);  // places are ranks
      std::vector<Outcome> now;
      for (const auto end = begin + size; begin != end; ++begin) now.push_back(ranked[*begin]);
      if (made < generations_.size() && generations_[made].ranked == now) continue;
      State next = after(state, history, now);
      generations_.erase(generations_.begin() + static_cast<std::ptrdiff_t>(made),
                         generations_.end());
      generations_.push_back({std::move(now), std::move(next)});
    }
    generations_.erase(generations_.begin() + static_cast<std::ptrdiff_t>(made),
                       generations_.end());
    return made == 0 ? *beginning_ : generations_.back().after;
  }

  // One generation's runs, best first; those of unknown parameters are left out.
  struct Evaluated {
    std::vector<Coordinates> points;
    std::vector<RunId> runs;
    std::size_t parents = 0;  // the first that have a value, at most rates.parents
  };

  // The tutorial's figure 6. Failed runs are worse than all others; with fewer than two that have a
  // value there is nothing to learn.
  State after(State state, const History& history, const std::vector<Outcome>& ranked) const {
    Evaluated all;
    for (const Outcome& outcome : ranked) {
      auto point = encoding_.encode(history.run(outcome.run).parameters);
      if (!point) continue;
      all.points.push_back(*std::move(point));
      all.runs.push_back(outcome.run);
      if (outcome.has_value() && all.parents < state.rates.parents) ++all.parents;
    }
    if (all.parents < 2) return state;
    const auto parents = static_cast<Eigen::Index>(all.parents);
    VectorXd weights = state.rates.weights.head(std::ssize(all.points));
    weights.head(parents) /= weights.head(parents).sum();
    weights.tail(weights.size() - parents) = weights.tail(weights.size() - parents).cwiseMin(0.0);
    ++state.updates;
    if (!numbers_.empty()) move(state, all, weights);
    for (std::size_t c = 0; c < categories_.size(); ++c)
      learn(state.options[c], categories_[c], all, weights, state.rates.lambda);
    widen(state);
    if (ranked.front().kind == OutcomeKind::value) state.bests.push_back(ranked.front().loss);
    return has_converged(state) ? begin(state.search + 1) : state;
  }

  // Whether no step is left to speak of, or nothing was gained for long.
  bool has_converged(State& state) const {
    const std::size_t d = numbers_.size();
    const std::size_t patience = 10 + 30 * encoding_.dimensions().size() / state.rates.lambda;
    while (state.bests.size() > patience) state.bests.pop_front();
    const auto [least, most] = std::minmax_element(state.bests.begin(), state.bests.end());
    if (state.bests.size() == patience && !(*most - *least > kLeastGain * std::abs(*least)))
      return true;
    if (d == 0) return false;
    const VectorXd steps =
        state.sigma * state.widening.cwiseProduct(state.covariance.diagonal().cwiseSqrt());
    return steps.maxCoeff() < kLeastStep;
  }

  // Fills in the steps of the coordinates that the point lacks.
  void step_absent(const State& state, const Coordinates& point, RunId run, VectorXd& step) const {
    RandomStream random(seed_, run, kAbsentPurpose);
    const VectorXd drawn = state.step(draw(step.size(), random));
    for (Eigen::Index i = 0; i < step.size(); ++i)
      if (point[dimension(i)] == kAbsent) step[i] = drawn[i];
  }

  // The steps from the mean to the points of a generation, a column each.
  MatrixXd steps_to(const State& state, const Evaluated& all) const {
    MatrixXd steps(std::ssize(numbers_), std::ssize(all.points));
    for (std::size_t p = 0; p < all.points.size(); ++p) {
      const Coordinates& point = all.points[p];
      VectorXd step(steps.rows());
      for (Eigen::Index i = 0; i < step.size(); ++i)
        step[i] = (point[dimension(i)] - state.mean[i]) / (state.sigma * state.widening[i]);
      if (std::find(point.begin(), point.end(), kAbsent) != point.end())
        step_absent(state, point, all.runs[p], step);
      steps.col(static_cast<Eigen::Index>(p)) = step;
    }
    return steps;
  }

  // An injected point may lie far outside the distribution; one with a negative weight must not take
  // more from the covariance than there is.
  static void shorten(const State& state, MatrixXd& steps, VectorXd& weights) {
    const double d = static_cast<double>(steps.rows());
    const double longest = std::sqrt(d) + 2 * d / (d + 2);
    for (Eigen::Index p = 0; p < steps.cols(); ++p) {
      const double length = std::max(state.whitened(steps.col(p)).norm(), 1e-10);
      steps.col(p) *= std::min(1.0, longest / length);
      if (weights[p] < 0) weights[p] *= d / std::pow(std::min(length, longest), 2);
    }
  }

  void move(State& state, const Evaluated& all, const VectorXd& weights) const {
    const CmaRates& rates = state.rates;
    const double d = static_cast<double>(numbers_.size());
    MatrixXd steps = steps_to(state, all);
    VectorXd of_covariance = weights;
    shorten(state, steps, of_covariance);
    const auto parents = static_cast<Eigen::Index>(all.parents);
    const VectorXd mean_step = steps.leftCols(parents).lazyProduct(weights.head(parents));
    state.mean = (state.mean + state.sigma * state.widening.cwiseProduct(mean_step))
                     .cwiseMax(0.0)
                     .cwiseMin(1.0);

    const double cs = rates.path_sigma, cc = rates.path_c;
    state.path_sigma = (1 - cs) * state.path_sigma +
                       std::sqrt(cs * (2 - cs) * rates.mu_eff) * state.whitened(mean_step);
    const double length = state.path_sigma.norm();
    const double grown = 1 - std::pow(1 - cs, 2 * static_cast<double>(state.updates));
    const bool steady = length / std::sqrt(grown) < (1.4 + 2 / (d + 1)) * rates.expected_norm;
    state.path_c *= 1 - cc;
    if (steady) state.path_c += std::sqrt(cc * (2 - cc) * rates.mu_eff) * mean_step;

    const double c1 = rates.rank_one, cmu = rates.rank_mu;
    const double kept = 1 - c1 - cmu * weights.sum() + (steady ? 0 : c1 * cc * (2 - cc));
    const MatrixXd weighted = cmu * steps * of_covariance.asDiagonal();
    state.covariance = kept * state.covariance + c1 * state.path_c * state.path_c.transpose() +
                       weighted.lazyProduct(steps.transpose());
    factorise(state);
    state.sigma *= std::exp(std::min(1.0, cs / rates.damping * (length / rates.expected_norm - 1)));
    state.sigma = std::clamp(state.sigma, 1e-8, 1.0);
  }

  static void learn(std::vector<double>& options, std::size_t dimension, const Evaluated& all,
                    const VectorXd& weights, std::size_t lambda) {
    constexpr double kRate = 0.25;
    double had = 0;  // the weight of those that have the parameter
    std::vector<double> towards(options.size());
    for (std::size_t p = 0; p < all.parents; ++p) {
      const double option = all.points[p][dimension];
      if (option == kAbsent) continue;
      had += weights[static_cast<Eigen::Index>(p)];
      towards[static_cast<std::size_t>(option)] += weights[static_cast<Eigen::Index>(p)];
    }
    const double least = 1 / static_cast<double>(lambda * options.size());
    double sum = 0;
    for (std::size_t k = 0; k < options.size(); ++k) {
      options[k] = std::max(options[k] * (1 - kRate * had) + kRate * towards[k], least);
      sum += options[k];
    }
    for (double& probability : options) probability /= sum;
  }

  // So that each whole-numbered coordinate leaves the level of its mean with a probability of 1 /
  // (d lambda).
  void widen(State& state) const {
    const double alpha =
        1 / static_cast<double>(std::max<std::size_t>(numbers_.size(), 1) * state.rates.lambda);
    const double quantile = base::normal_quantile(1 - alpha / 2);
    for (Eigen::Index i = 0; i < state.mean.size(); ++i) {
      const Dimension& along = encoding_.dimensions()[dimension(i)];
      const double half = 0.5 * along.cell_width(state.mean[i]);
      if (half == 0) continue;
      const double away = std::abs(state.mean[i] - encoding_.snapped(along, state.mean[i]));
      const double deviation = state.sigma * std::sqrt(state.covariance(i, i));
      state.widening[i] = std::max(1.0, (half - std::min(away, half)) / (quantile * deviation));
    }
  }

  // Where the i-th number stands among all coordinates.
  std::size_t dimension(Eigen::Index i) const { return numbers_[static_cast<std::size_t>(i)]; }

  std::string parameters_text_;
  Encoding encoding_;
  std::uint64_t seed_;
  WithoutRepeats untried_;
  std::vector<std::size_t> numbers_, categories_;  // dimensions of either kind
  std::size_t lambda_ = 0;                         // of the first search
  std::optional<State> beginning_;

  // What the history would give again.
  std::uint64_t seen_ = 0;
  std::vector<Generation> generations_;
};

MadeSampler make(const Options&, const SearchSpace& space, const SamplerContext& context) {
  return std::shared_ptr<Sampler>(std::make_shared<CmaesSampler>(space, context));
}

}  // namespace

SamplerTable::Row cmaes_row() {
  return {
      {.name = "cmaes",
       .summary =
           "CMA-ES with a margin for whole numbers: evolves a normal distribution, for hundreds "
           "of runs on real parameters."},
      make};
}

}  // namespace hdrive::sampling
