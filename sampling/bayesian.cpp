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
#include <cmath>
#include <utility>

#include "base/text.h"
#include "sampling/gp/background.h"
#include "sampling/gp/explanation.h"
#include "sampling/gp/lookback.h"
#include "sampling/gp/settings.h"
#include "sampling/gp/zoom.h"
#include "sampling/samplers.h"
#include "sampling/sobol_points.h"
#include "sampling/without_repeats.h"

namespace hdrive::sampling {
namespace {

using gp::Candidate;
using gp::Observation;
using gp::Precomputation;
using gp::PrecomputationInput;
using Newest = gp::Observer::Newest;

enum Purpose : std::uint32_t { kDesign = 0x5021, kExplore, kDraws, kKeep, kZoom };

// From so many runs on, what can be done before the newest result is known is done without it.
constexpr RunId kAheadFrom = 40;
// Spaces with at most this many points left are searched completely.
constexpr std::uint64_t kFewPoints = 2048;
// How often the least known point is tried instead of the most promising, and when else: the last
// five proposals were this near to the incumbent.
constexpr double kExploreProbability = 0.02;
// How often the option of a category that was tried longest ago is tried again, lest the model give
// one up for good that only looked bad: so often up to kKeepFalls runs, from there on in proportion
// to 1/n. Before kKeepFrom runs the design has just tried them all.
constexpr double kKeepProbability = 0.125;
constexpr RunId kKeepFrom = 25, kKeepFalls = 100;
constexpr int kStuckProposals = 5;
constexpr double kStuckDistance = 1e-3;
// How often, and from when on, only the surroundings of the best run are modelled.
constexpr double kZoomProbability = 0.5;
constexpr RunId kZoomFrom = 50;

class BayesianSampler final : public Sampler {
 public:
  BayesianSampler(const SearchSpace& space, const SamplerContext& context,
                  const gp::Settings& settings)
      : encoding_(space, settings.ordered_choices),
        untried_(space, context.seed),
        context_(context),
        settings_(settings),
        design_(encoding_.size(), context.seed, kDesign),
        prior_{encoding_.spreads()},
        observer_(encoding_),
        background_({encoding_, prior_, context.seed, settings.warp},
                    {prior_, context.seed, settings.warp, settings.noise}) {}

  // Runs of earlier sweeps are the first ones of the history that the model sees.
  Result<Proposal> propose(const History& own, RunId own_id) override {
    const History& history = own.with_earlier();
    const RunId id = own.earlier() + own_id;
    if (untried_.is_exhausted(history)) return Proposal{std::nullopt, untried_.exhausted_text()};
    if (encoding_.size() == 0)
      return Proposal{encoding_.decode({}), "there is nothing to choose in this space"};
    if (own_id < settings_.initial_points) {
      const RunId known = own_id + instructive(own);
      if (known < settings_.initial_points)
        return design(history, id,
                      fmt::format("initial design, {} of {}", known + 1, settings_.initial_points));
    }
    return by_model(history, id);
  }

  void prepare(const History& own) override {
    const History& history = own.with_earlier();
    const RunId id = history.size();
    const RunId ended = history.count(RunStatus::completed) + history.count(RunStatus::failed) +
                        history.count(RunStatus::canceled);
    if (encoding_.size() == 0 || own.size() + instructive(own) < settings_.initial_points ||
        !works_ahead(id))
      return;
    if (ended == id) return;  // nothing is on its way
    if (zooms(id)) return;    // that needs the newest result
    if (std::pair(id, ended) == prepared_at_) return;
    if (background_.is_busy()) return;
    prepared_at_ = {id, ended};
    const auto& observations = observer_.update(history, gp::Observer::Newest::included);
    background_.start(input_of(history, observations));
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
  RunId instructive(const History& own) {
    if (own.earlier() == 0) return 0;
    if (std::exchange(instructive_of_, own.identity()) != own.identity())
      instructive_ = instructive_earlier_runs(own, encoding_);
    return instructive_;
  }

  // Whether a proposal of it would be a repeat that the space need not have.
  bool is_repeat(const History& history, const Assignment& parameters) const {
    return untried_.applies() && history.find(parameters);
  }
  // The same for a proposal of the model: beside real parameters a repeat is worth its run only
  // where there is noise to be averaged, which repeats so far would have shown.
  bool is_wasted(const History& history, const Precomputation& work,
                 const Assignment& parameters) const {
    return history.find(parameters) &&
           (untried_.applies() || work.model->hyperparameters().noise <= gp::kNumericalNoise ||
            gp::repeats_agree(work.input->observations));
  }

  // ---- without a model ---------------------------------------------------------------------------

  Proposal design(const History& history, RunId id, std::string reason) const {
    Coordinates unit(encoding_.size());
    design_.point(static_cast<std::uint32_t>(id), unit);
    Assignment parameters = encoding_.decode(encoding_.place(unit));
    if (is_repeat(history, parameters)) return anything_else(history, id, std::move(reason));
    return {std::move(parameters), std::move(reason)};
  }

  // A point at random that was not tried; of a finite space that is not exhausted.
  Proposal anything_else(const History& history, RunId id, std::string reason) const {
    RandomStream random(context_.seed, id, kDraws);
    return untried_.propose(history, id, reason, [&] {
      Coordinates unit(encoding_.size());
      for (double& coordinate : unit) coordinate = random.uniform();
      return encoding_.decode(encoding_.place(unit));
    });
  }

  // ---- with a model ------------------------------------------------------------------------------

  std::shared_ptr<const PrecomputationInput> input_of(
      const History& history, const std::vector<Observation>& observations) const {
    return std::make_shared<const PrecomputationInput>(PrecomputationInput{
        history.size(), observer_.digest(), observations, points_left(history)});
  }

  // The precomputation as it was made while the newest run was training, or else made now.
  const Precomputation& precomputation(const History& history, Newest newest) {
    const auto& observations = observer_.update(history, newest);
    if (const Precomputation* made = background_.find(history.size(), observer_.digest()))
      return *made;
    return background_.make(input_of(history, observations));
  }

  // The same; the newest result comes after it, once there are enough others.
  const Precomputation& precomputation(const History& history, RunId id) {
    const Precomputation& work =
        precomputation(history, works_ahead(id) ? Newest::held_out : Newest::included);
    if (work.data.good >= 2 || !observer_.held_out()) return work;
    return precomputation(history, Newest::included);
  }

  std::vector<Coordinates> points_left(const History& history) const {
    std::vector<Coordinates> points;
    for (const std::uint64_t index : untried_.untried(history, kFewPoints))
      points.push_back(*encoding_.encode(untried_.point(index)));
    return points;
  }

  // Whether the newest result comes after the precomputation, once there are some.
  static bool works_ahead(RunId id) { return id >= kAheadFrom; }

  bool zooms(RunId id) const {
    return has_real_ && id >= kZoomFrom &&
           RandomStream(context_.seed, id, kZoom).uniform() < kZoomProbability;
  }

  // The most promising point near the best run, by a model of the runs near it.
  std::optional<Proposal> by_zoom(const History& history, RunId id) {
    const auto& observations = observer_.update(history, Newest::included);
    const auto zoom = gp::Zoom::make(encoding_, observations);
    if (!zoom) return std::nullopt;
    const gp::Precomputer maker(encoding_, prior_, context_.seed, settings_.warp);
    const Precomputation work =
        maker.make_anew(std::make_shared<const PrecomputationInput>(
                            PrecomputationInput{id, observer_.digest(), zoom->into(observations)}),
                        settings_.noise);
    if (!work.model) return std::nullopt;
    const gp::Incumbents now = gp::incumbents(work, *work.model, std::nullopt);
    gp::Search search(encoding_, *work.model, now.best, now.good);
    search.admit_only([&](const Coordinates& point) { return zoom->knows_options_of(point); });
    const gp::SearchOptions options = gp::whole_search(work.rows.size());
    for (const Candidate& candidate : search.run(work.pool, context_.seed, id, options)) {
      Assignment parameters = encoding_.decode(zoom->out_of(candidate.point));
      if (is_wasted(history, work, parameters)) continue;
      return Proposal{std::move(parameters),
                      gp::explanation(history, work, std::nullopt, candidate, now.run) +
                          "; by the runs near the best alone" + work.fallback};
    }
    return std::nullopt;
  }

  Proposal by_model(const History& history, RunId id) {
    if (zooms(id))
      if (auto proposal = by_zoom(history, id)) return *std::move(proposal);
    const Precomputation& work = precomputation(history, id);
    if (work.data.good < 2)
      return design(history, id,
                    fmt::format("quasi-random, since a model needs two results and there {}",
                                work.data.good == 0 ? "are none" : "is one"));
    if (!work.model)
      return design(history, id, "quasi-random, since no covariance was positive definite");

    const Conditioned now = conditioned(work);
    std::string remark = work.fallback;
    for (const Candidate& candidate : candidates(work, now, id, remark)) {
      Assignment parameters = encoding_.decode(candidate.point);
      if (is_wasted(history, work, parameters)) continue;
      return {std::move(parameters),
              gp::explanation(history, work, observer_.held_out(), candidate, now.incumbents.run) +
                  remark};
    }
    return anything_else(history, id,
                         "drawn at random, since all points the model proposed were tried before");
  }

  // The model with the newest result in place of what it was expected to be.
  struct Conditioned {
    gp::Model model;
    gp::Incumbents incumbents;
  };
  Conditioned conditioned(const Precomputation& work) const {
    gp::Model model = *work.model;
    std::optional<Precomputation::Pending> observed;
    const std::optional<Observation>& newest = observer_.held_out();
    if (newest) observed = condition(model, work, *newest);
    if (newest && newest->kind != Observation::Kind::value) observed.reset();
    gp::Incumbents incumbents = gp::incumbents(work, model, observed);
    return {std::move(model), std::move(incumbents)};
  }

  // Points to try, best first. What is to be told of how they were chosen is added to `remark`.
  std::vector<Candidate> candidates(const Precomputation& work, const Conditioned& now, RunId id,
                                    std::string& remark) const {
    const gp::Search search(encoding_, now.model, now.incumbents.best, now.incumbents.good);
    std::vector<Candidate> found;
    if (const auto option = option_to_keep(work, id)) {
      remark += "; of an option that was long not tried";
      found = with_option(search, work, now, *option, id);
    } else if (!work.input->points.empty()) {
      found = search.rank(work.pool);
    } else {
      found = promising(search, work, now.incumbents.run, id);
    }
    if (is_stuck(work, now.incumbents.good.front()) || explores(id)) {
      remark += "; the least known point, to explore";
      std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return a.prediction.variance > b.prediction.variance;
      });
    }
    return found;
  }

  std::vector<Candidate> promising(const gp::Search& search, const Precomputation& work,
                                   RunId incumbent, RunId id) const {
    const std::size_t rows = work.rows.size();
    const std::optional<Observation>& newest = observer_.held_out();
    // Where the newest is the best, nothing near it was looked at yet.
    std::vector<Coordinates> more;
    if (newest && newest->kind == Observation::Kind::value && incumbent == newest->run)
      more = search.near(*newest->point, std::clamp<std::size_t>(1'500'000 / (rows * rows), 8, 64),
                         context_.seed, id);
    return search.run(work.pool, context_.seed, id, gp::short_search(rows), std::move(more));
  }

  std::optional<gp::Option> option_to_keep(const Precomputation& work, RunId id) const {
    RandomStream random(context_.seed, id, kKeep);
    const double falls = std::min(
        1.0, static_cast<double>(kKeepFalls) / static_cast<double>(std::max<RunId>(id, 1)));
    if (id < kKeepFrom || random.uniform() >= kKeepProbability * falls) return std::nullopt;
    return gp::neglected_option(encoding_, work.input->observations, random);
  }

  // The most promising points with this option.
  std::vector<Candidate> with_option(const gp::Search& search, const Precomputation& work,
                                     const Conditioned& now, gp::Option option, RunId id) const {
    if (!work.input->points.empty()) {
      std::vector<Candidate> found = search.rank(work.pool);
      const double position = encoding_.dimensions()[option.dimension].positions[option.position];
      std::stable_partition(found.begin(), found.end(), [&](const Candidate& each) {
        return each.point[option.dimension] == position;
      });
      return found;
    }
    const auto changed = [&](std::vector<Coordinates> points) {
      for (Coordinates& point : points) point = search.with_option(std::move(point), option);
      return points;
    };
    gp::SearchOptions options = gp::short_search(work.rows.size());
    options.fixed = option.dimension;
    const gp::Search restricted(encoding_, now.model, now.incumbents.best,
                                changed(now.incumbents.good));
    return restricted.run(restricted.pool(changed(work.pool.points)), context_.seed, id, options);
  }

  // Gives the model the newest result in place of what it was expected to be. Nothing where it has
  // no row.
  static std::optional<Precomputation::Pending> condition(gp::Model& model,
                                                          const Precomputation& work,
                                                          const Observation& newest) {
    using Kind = Observation::Kind;
    const auto found =
        std::find_if(work.pending.begin(), work.pending.end(),
                     [&](const Precomputation::Pending& each) { return each.run == newest.run; });
    if (found == work.pending.end() || newest.kind == Kind::nothing) return std::nullopt;
    if (newest.kind == Kind::failure)
      model.condition(found->row, work.data.failure_score, 0);
    else
      model.condition(found->row, work.data.score(newest.value),
                      newest.kind == Kind::partial ? gp::kPartialDoubt : 0);
    return *found;
  }

  bool explores(RunId id) const {
    return RandomStream(context_.seed, id, kExplore).uniform() < kExploreProbability;
  }

  bool is_stuck(const Precomputation& work, const Coordinates& incumbent) const {
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

  Encoding encoding_;
  bool has_real_ =
      std::any_of(encoding_.dimensions().begin(), encoding_.dimensions().end(),
                  [](const Dimension& each) { return each.kind == Dimension::Kind::real; });
  WithoutRepeats untried_;
  SamplerContext context_;
  gp::Settings settings_;
  SobolPoints design_;
  gp::Prior prior_;
  gp::Observer observer_;
  std::uint64_t instructive_of_ = 0;  // which history the number below is of
  RunId instructive_ = 0;
  std::pair<RunId, RunId> prepared_at_{
      -1, -1};  // how many runs there were, and had ended, when it was last prepared
  gp::Background background_;
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
