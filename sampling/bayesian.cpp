// SPDX-License-Identifier: Apache-2.0
//
// Bayesian sampling: a Gaussian process over the runs so far, and the point of largest expected
// improvement.
//
// Jones, Schonlau, Welch, "Efficient global optimization of expensive black-box functions", J.
// Global Optim. 13, 1998; docs/bayesian.md has the method as a whole, its sources, and what was
// measured.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "sampling/gp/groundwork.h"
#include "sampling/gp/settings.h"
#include "sampling/samplers.h"
#include "sampling/sobol_points.h"
#include "sampling/without_repeats.h"

namespace hdrive::sampling {
namespace {

using gp::Candidate;
using gp::Dataset;
using gp::Groundwork;
using gp::GroundworkInput;
using gp::Observation;

enum Purpose : std::uint32_t { kDesign = 0x5021, kExplore, kDraws };

// From so many runs on, what can be done before the newest result is known is done without it.
constexpr RunId kAheadFrom = 40;
// Spaces with at most this many points left are searched completely.
constexpr std::uint64_t kFewPoints = 2048;
// How often the least known point is tried instead of the most promising, and when else: the last
// five proposals were this near to the incumbent.
constexpr double kExploreProbability = 0.02;
constexpr int kStuckProposals = 5;
constexpr double kStuckDistance = 1e-3;

class BayesianSampler final : public Sampler {
 public:
  BayesianSampler(const SearchSpace& space, const SamplerContext& context,
                  const gp::Settings& settings)
      : encoding_(space, settings.ordered_choices),
        untried_(space, context.seed),
        context_(context),
        settings_(settings),
        design_(static_cast<std::size_t>(encoding_.size()), context.seed, kDesign),
        prior_{encoding_.spreads()},
        fits_(prior_, context.seed, settings.warp, settings.noise),
        observer_(encoding_),
        maker_(encoding_, prior_, context.seed, settings.warp) {}

  Result<Proposal> propose(const History& history, RunId id) override {
    if (untried_.is_exhausted(history)) return Proposal{std::nullopt, untried_.exhausted_text()};
    if (encoding_.size() == 0)
      return Proposal{encoding_.decode({}), "there is nothing to choose in this space"};
    if (id < settings_.initial_points)
      return design(history, id,
                    fmt::format("initial design, {} of {}", id + 1, settings_.initial_points));
    return by_model(history, id);
  }

  void prepare(const History& history) override {
    const RunId id = history.size();
    const RunId ended = history.count(RunStatus::completed) + history.count(RunStatus::failed) +
                        history.count(RunStatus::canceled);
    if (encoding_.size() == 0 || id < settings_.initial_points || !works_ahead(id)) return;
    if (ended == id) return;  // nothing is on its way
    if (std::pair(id, ended) == prepared_at_) return;
    if (ahead_.valid()) {
      if (!is_ready(ahead_)) return;  // it is still at what was asked before
      fits_ = ahead_.get().fits;
    }
    prepared_at_ = {id, ended};
    const auto& observations = observer_.update(history, gp::Observer::Newest::included);
    ahead_of_ = std::make_shared<const GroundworkInput>(
        GroundworkInput{id, observer_.digest(), observations, points_left(history)});
    try {
      // What was made before is of no use any more, and takes time to give back.
      Groundwork past = std::exchange(latest_, {});
      ahead_ = std::async(std::launch::async,
                          [this, of = ahead_of_, fits = fits_, past = std::move(past)]() mutable {
                            past = {};
                            Groundwork work = maker_.make(std::move(of), fits);
                            return Ahead{std::move(work), std::move(fits)};
                          });
    } catch (const std::system_error&) {
      ahead_ = {};  // no thread can be had: it is done when it is asked for
    }
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
  // Whether a proposal of it would be a repeat that the space need not have.
  bool is_repeat(const History& history, const Assignment& parameters) const {
    return untried_.applies() && history.find(parameters);
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
    return untried_.propose(history, id, reason, [&] {
      Coordinates point;
      for (int j = 0; j < encoding_.size(); ++j)
        point.push_back(encoding_.place(j, random.uniform()));
      return encoding_.decode(point);
    });
  }

  // ---- with a model ------------------------------------------------------------------------------

  // The groundwork as it was made while the newest run was training, or else made now.
  const Groundwork& groundwork(const History& history, gp::Observer::Newest newest) {
    const auto& observations = observer_.update(history, newest);
    const auto is_of = [&](const std::shared_ptr<const GroundworkInput>& input) {
      return input && input->id == history.size() && input->digest == observer_.digest();
    };
    if (is_of(latest_.input)) return latest_;
    if (ahead_.valid() && (is_of(ahead_of_) || is_ready(ahead_))) {
      Ahead ahead = ahead_.get();
      latest_ = std::move(ahead.work);
      fits_ = std::move(ahead.fits);
      if (is_of(latest_.input)) return latest_;
    }
    latest_ =
        maker_.make(std::make_shared<const GroundworkInput>(GroundworkInput{
                        history.size(), observer_.digest(), observations, points_left(history)}),
                    fits_);
    return latest_;
  }

  struct Ahead {
    Groundwork work;
    gp::Fits fits;
  };
  static bool is_ready(const std::future<Ahead>& ahead) {
    return ahead.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  std::vector<Coordinates> points_left(const History& history) const {
    std::vector<Coordinates> points;
    for (const std::uint64_t index : untried_.untried(history, kFewPoints))
      points.push_back(*encoding_.encode(untried_.point(index)));
    return points;
  }

  // Whether the newest result comes after the groundwork, once there are some.
  static bool works_ahead(RunId id) { return id >= kAheadFrom; }

  Proposal by_model(const History& history, RunId id) {
    using Newest = gp::Observer::Newest;
    const Groundwork* work =
        &groundwork(history, works_ahead(id) ? Newest::held_out : Newest::included);
    if (work->data.good < 2 && observer_.held_out()) work = &groundwork(history, Newest::included);
    const std::optional<Observation>& newest = observer_.held_out();
    if (work->data.good < 2)
      return design(history, id,
                    fmt::format("quasi-random, since a model needs two results and there {}",
                                work->data.good == 0 ? "are none" : "is one"));
    if (!work->model)
      return design(history, id, "quasi-random, since no covariance was positive definite");

    gp::Model model = *work->model;
    std::optional<Groundwork::Pending> resolved;
    if (newest) resolved = resolve(model, *work, *newest);
    const bool is_final = resolved && newest->kind == Observation::Kind::value;
    const gp::Incumbents incumbents =
        gp::incumbents(*work, model, is_final ? resolved : std::nullopt);
    const gp::Search search(encoding_, model, incumbents.best, incumbents.good);
    std::vector<Candidate> candidates;
    if (!work->input->points.empty()) {
      candidates = search.rank(work->pool);
    } else {
      // Where the newest is the best, nothing near it was looked at yet.
      std::vector<Coordinates> more;
      const int rows = static_cast<int>(work->rows.size());
      if (is_final && incumbents.run == newest->run)
        more = search.near(*newest->point, std::clamp(1'500'000 / (rows * rows), 8, 64),
                           context_.seed, id);
      candidates =
          search.run(work->pool, context_.seed, id, gp::short_search(rows), std::move(more));
    }
    std::string fallback = work->fallback;
    if (is_stuck(*work, incumbents.good.front()) || explores(id)) {
      fallback += "; the least known point, to explore";
      std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
        return a.prediction.variance > b.prediction.variance;
      });
    }
    for (const Candidate& candidate : candidates) {
      Assignment parameters = encoding_.decode(candidate.point);
      if (is_repeat(history, parameters)) continue;
      return {std::move(parameters),
              explain(history, *work, newest, candidate, incumbents.run) + fallback};
    }
    return anything_else(history, id,
                         "drawn at random, since all points the model proposed were tried before");
  }

  // Gives the model the newest result in place of what it was expected to be. Nothing where it has
  // no row.
  static std::optional<Groundwork::Pending> resolve(gp::Model& model, const Groundwork& work,
                                                    const Observation& newest) {
    using Kind = Observation::Kind;
    const auto found =
        std::find_if(work.pending.begin(), work.pending.end(),
                     [&](const Groundwork::Pending& each) { return each.run == newest.run; });
    if (found == work.pending.end() || newest.kind == Kind::nothing) return std::nullopt;
    if (newest.kind == Kind::failure)
      model.resolve(found->row, work.data.failure_score, 0);
    else
      model.resolve(found->row, work.data.score(newest.value),
                    newest.kind == Kind::partial ? gp::kPartialDoubt : 0);
    return *found;
  }

  bool explores(RunId id) const {
    return RandomStream(context_.seed, id, kExplore).uniform() < kExploreProbability;
  }

  bool is_stuck(const Groundwork& work, const Coordinates& incumbent) const {
    const auto& observations = work.input->observations;
    const auto runs = static_cast<RunId>(observations.size());
    if (runs < settings_.initial_points + kStuckProposals) return false;
    return std::all_of(
        observations.end() - kStuckProposals, observations.end(),
        [&](const Observation& each) { return each.point && is_near(*each.point, incumbent); });
  }

  static bool is_near(const Coordinates& a, const Coordinates& b) {
    for (std::size_t j = 0; j < a.size(); ++j)
      if (std::abs(a[j] - b[j]) > kStuckDistance) return false;
    return true;
  }

  std::string explain(const History& history, const Groundwork& work,
                      const std::optional<Observation>& newest, const Candidate& candidate,
                      RunId incumbent) const {
    const Dataset& data = work.data;
    const double sign = history.goal() == Goal::maximize ? -1 : 1;
    const double deviation = std::sqrt(candidate.prediction.variance);
    const double mean = candidate.prediction.mean;
    const double high = data.unwarped(mean + deviation), low = data.unwarped(mean - deviation);
    const auto is = [&](Observation::Kind kind) { return newest && newest->kind == kind ? 1 : 0; };
    const int failures = data.failures + is(Observation::Kind::failure);
    const int partials = data.partials + is(Observation::Kind::partial);
    const int good = data.good + is(Observation::Kind::value);
    const auto pending =
        std::count_if(work.pending.begin(), work.pending.end(),
                      [&](const auto& each) { return !newest || each.run != newest->run; });
    std::string text = fmt::format(
        "model of {}: log expected improvement {:.3g}, predicted {:.6g} +- {:.2g}; incumbent run "
        "{}",
        base::plural(good + failures + partials, "result"), candidate.log_improvement,
        sign * data.unwarped(mean), high / 2 - low / 2, incumbent);
    if (const auto value = history.best(incumbent)) text += fmt::format(" with {:.6g}", *value);
    if (failures > 0) text += fmt::format("; {} failed", failures);
    if (partials > 0) text += fmt::format("; {} stopped early", partials);
    if (pending > 0) text += fmt::format("; {} pending considered", pending);
    return text;
  }

  Encoding encoding_;
  WithoutRepeats untried_;
  SamplerContext context_;
  gp::Settings settings_;
  SobolPoints design_;
  gp::Prior prior_;
  gp::Fits fits_;
  gp::Observer observer_;
  gp::GroundworkMaker maker_;
  Groundwork latest_;  // the latest
  std::pair<RunId, RunId> prepared_at_{
      -1, -1};  // how many runs there were, and had ended, when it was last prepared
  std::shared_ptr<const GroundworkInput> ahead_of_;
  std::future<Ahead> ahead_;  // the last, so that it has ended before anything it uses does
};

MadeSampler make(const Options& options, const SearchSpace& space, const SamplerContext& context) {
  return std::shared_ptr<Sampler>(
      std::make_shared<BayesianSampler>(space, context, gp::settings_of(options, space, context)));
}

}  // namespace

SamplerTable::Row bayesian_row() {
  return {
      {.name = "bayesian",
       .aliases = {"BayesianParameterSampling", "BayesianOptimization"},
       .summary =
           "A Gaussian process over the runs so far proposes where it expects to improve most; "
           "takes every expression and works with every policy.",
       .options =
           {{.name = "initial_points",
             .kind = OptionKind::integer,
             .summary =
                 "Quasi-random runs before the model takes over; by default 10, or, where "
                 "parameters have levels to be tried, two a parameter within a quarter of the "
                 "budget; a third of a budget below 30.",
             .minimum = 1},
            {.name = "warp",
             .kind = OptionKind::boolean,
             .summary =
                 "Whether values worse than the median are drawn together, so that the model "
                 "spends itself on the good ones.",
             .default_text = "true"},
            {.name = "noise",
             .kind = OptionKind::boolean,
             .summary = "Whether two runs with the same parameters may report different values.",
             .default_text = "true"},
            {.name = "ordered_choices",
             .kind = OptionKind::boolean,
             .summary = "Whether a choice of three or more numbers is taken as ordered by them.",
             .default_text = "true"}},
       .runs_per_parameter = 20},
      make};
}

}  // namespace hdrive::sampling
