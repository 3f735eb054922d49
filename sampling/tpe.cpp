// SPDX-License-Identifier: Apache-2.0
//
// TPE: the tree-structured Parzen estimator, multivariate.
//
// The results are split into the best and the rest; each part's points give a density
// (product_kernels.h); of 24 candidates drawn from that of the best, the one is proposed whose
// densities' ratio is largest.
//
// Sources: Bergstra, Bardenet, Bengio, Kegl, "Algorithms for hyper-parameter optimization", NIPS
// 2011 (section 4); Bergstra, Yamins, Cox, "Making a science of model search", ICML 2013; Watanabe,
// "Tree-structured Parzen estimator: understanding its algorithm components and their roles for
// better empirical performance", arXiv 2304.11127, 2023 (multivariate kernels, split, widths).
// Deviations: the initial design is a Sobol sequence; one uniform component is the prior; runs that
// are not done count as bad (the constant liar of Ginsbourger et al., 2010), so parallel runs keep
// apart; a run stopped early is ranked behind every finished one, by its reports, and is never
// among the best while there are enough others.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/text.h"
#include "sampling/outcomes.h"
#include "sampling/product_kernels.h"
#include "sampling/samplers.h"
#include "sampling/sobol_points.h"
#include "sampling/without_repeats.h"

namespace hdrive::sampling {
namespace {

constexpr std::size_t kCandidates = 24;
constexpr std::size_t kMostGood = 25;
constexpr std::uint32_t kPurpose =
    1'000'000;  // of the random stream; parameters have the lowest numbers

std::size_t good_of(std::size_t results) { return std::min((results + 9) / 10, kMostGood); }

class TpeSampler final : public Sampler {
 public:
  TpeSampler(const SearchSpace& space, const SamplerContext& context)
      : encoding_(space),
        seed_(context.seed),
        initial_(initial_runs(space, context.max_total_runs)),
        design_(dimensions().size(), seed_, 0),
        untried_(space, seed_),
        columns_(dimensions().size()) {}

  // Runs of earlier sweeps are the first ones of the history that the densities are of.
  Result<Proposal> propose(const History& own, RunId own_id) override {
    const History& history = own.with_earlier();
    const RunId id = own.earlier() + own_id;
    observe(history);
    const std::vector<Outcome> ranked = usable(ranked_outcomes(history));
    const std::size_t results =
        count(ranked, OutcomeKind::value) + count(ranked, OutcomeKind::partial);
    const RunId known = own_id + instructive_earlier_runs(own, encoding_);
    if (known < initial_ || results < 2 || columns_.empty())
      return initial_design(history, id, known, results);

    const std::size_t good = good_of(results);
    std::vector<Candidate> candidates = best_candidates(ranked, good, id);
    const std::string how = fmt::format(
        "model (TPE): best of {} candidates, log density ratio {:.3g}, from {} good of {}, seed "
        "{}; {}",
        kCandidates, candidates.front().score, good,
        base::plural(static_cast<long long>(results), "result"), seed_, incumbent_text(history));
    // Where all candidates were tried, what follows is drawn at random.
    std::size_t next = 0;
    RandomStream further(seed_, id, kPurpose + 1);
    return untried_.propose(history, id, how, [&] {
      if (next < candidates.size()) return encoding_.decode(candidates[next++].point);
      return draw_at_random(further);
    });
  }

  std::string describe() const override {
    return fmt::format("TPE, multivariate, {} initial points, {} candidates, seed {}, of {}{}",
                       initial_, kCandidates, seed_, parameters_text(space()),
                       untried_.applies() ? ", without repeats, from " + untried_.size_text() : "");
  }

 private:
  struct Candidate {
    Coordinates point;
    double score = 0;
  };

  // Keeps the points of the runs, which never change, and what was computed of each.
  void observe(const History& history) {
    if (history.identity() != seen_ || history.size() < static_cast<RunId>(known_.size())) {
      seen_ = history.identity();
      known_.clear();
      for (auto& column : columns_) column.clear();
      scales_.clear();
    }
    for (RunId run = static_cast<RunId>(known_.size()); run < history.size(); ++run) {
      const auto point = encoding_.encode(history.run(run).parameters);
      known_.push_back(point.has_value());
      for (std::size_t d = 0; d < columns_.size(); ++d)
        columns_[d].push_back(point ? static_cast<float>((*point)[d]) : 0.5f);
    }
  }

  std::vector<Outcome> usable(std::vector<Outcome> outcomes) const {
    std::erase_if(outcomes, [&](const Outcome& of) { return !known_[of.index()]; });
    return outcomes;
  }

  // `known`: of so many runs something is or will be known, this one left out.
  Proposal initial_design(const History& history, RunId id, RunId known,
                          std::size_t results) const {
    const std::string how =
        known < initial_
            ? fmt::format("initial design: Sobol point {} of {}, seed {}", known + 1, initial_,
                          seed_)
            : fmt::format(
                  "Sobol point, seed {}, in place of the model, which needs two results and has {}",
                  seed_, results);
    auto index = static_cast<std::uint32_t>(id);
    return untried_.propose(history, id, how, [&] {
      Coordinates unit(design_.dimensions());
      design_.point(index++, unit);
      return encoding_.decode(encoding_.place(unit));
    });
  }

  // Best first.
  std::vector<Candidate> best_candidates(const std::vector<Outcome>& ranked, std::size_t good,
                                         RunId id) {
    Columns best(columns_.size());
    for (std::size_t i = 0; i < good; ++i)
      for (std::size_t d = 0; d < columns_.size(); ++d)
        best[d].push_back(columns_[d][ranked[i].index()]);
    std::vector<std::size_t> counts;
    for (const auto& column : best) counts.push_back(present(column));
    if (!near_ || counts != near_counts_) {
      near_counts_ = counts;
      near_.emplace(dimensions(), counts);
    }
    const ProductKernels& near = *near_;
    std::vector<float> near_scales;
    for (std::size_t i = 0; i < good; ++i) near_scales.push_back(near.log_scale(best, i));

    std::vector<Candidate> candidates = draw_candidates(near, best, good, id);
    std::vector<std::vector<float>> at;
    for (const Candidate& candidate : candidates)
      at.emplace_back(candidate.point.begin(), candidate.point.end());
    const auto high = near.log_density(best, near_scales, good, at);
    const auto low = log_density_of_rest(ranked, good, at);
    for (std::size_t c = 0; c < candidates.size(); ++c) candidates[c].score = high[c] - low[c];
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    return candidates;
  }

  std::vector<Candidate> draw_candidates(const ProductKernels& near, const Columns& best,
                                         std::size_t good, RunId id) const {
    RandomStream random(seed_, id, kPurpose);
    std::vector<Candidate> result(kCandidates);
    for (Candidate& candidate : result) {
      const auto component =
          static_cast<std::size_t>(random.uniform() * static_cast<double>(good + 1));
      candidate.point =
          component < good ? near.draw(best, component, random) : near.draw_uniform(random);
      encoding_.snap(candidate.point);
      encoding_.apply_conditions(candidate.point,
                                 [](std::size_t) { return 0.5; });  // of nothing: all were drawn
    }
    return result;
  }

  // Over all but the `good` first. The columns of all runs are used as they stand, those of no
  // concern left out by their scale; scales are kept until the widths change.
  std::vector<double> log_density_of_rest(const std::vector<Outcome>& ranked, std::size_t good,
                                          const std::vector<std::vector<float>>& at) {
    const std::size_t members = ranked.size() - good;
    std::vector<std::size_t> stages = stages_of(ranked, good);
    if (stages != stages_ || !rest_) {
      rest_.emplace(dimensions(), stages);
      stages_ = std::move(stages);
      scales_.clear();
    }
    for (std::size_t run = scales_.size(); run < known_.size(); ++run)
      scales_.push_back(rest_->log_scale(columns_, run));
    std::vector<float> chosen(known_.size(), -std::numeric_limits<float>::infinity());
    for (std::size_t i = good; i < ranked.size(); ++i) {
      const std::size_t run = ranked[i].index();
      chosen[run] = scales_[run];
    }
    return rest_->log_density(columns_, chosen, members, at);
  }

  static std::size_t present(const std::vector<float>& column) {
    return static_cast<std::size_t>(std::count_if(column.begin(), column.end(), [](float each) {
      return each != static_cast<float>(kAbsent);
    }));
  }

  // By dimension: how many of all but the `good` first have the parameter, rounded to where widths
  // change.
  std::vector<std::size_t> stages_of(const std::vector<Outcome>& ranked, std::size_t good) const {
    const std::size_t members = ranked.size() - good;
    std::vector<std::size_t> stages(columns_.size(), ProductKernels::stage(members));
    for (std::size_t d = 0; d < columns_.size(); ++d) {
      if (!dimensions()[d].is_conditional()) continue;
      const auto having = std::count_if(
          ranked.begin() + static_cast<std::ptrdiff_t>(good), ranked.end(), [&](const Outcome& of) {
            return columns_[d][of.index()] != static_cast<float>(kAbsent);
          });
      stages[d] = ProductKernels::stage(static_cast<std::size_t>(having));
    }
    return stages;
  }

  Assignment draw_at_random(RandomStream& random) const {
    return encoding_.conditions().make_set(
        [&](std::size_t i) { return draw(space().parameters[i].expression, random); });
  }

  const std::vector<Dimension>& dimensions() const { return encoding_.dimensions(); }
  const SearchSpace& space() const { return encoding_.conditions().space(); }

  Encoding encoding_;
  std::uint64_t seed_;
  RunId initial_;
  SobolPoints design_;
  WithoutRepeats untried_;

  // What is derived from the history's runs; nothing that the history would not give again.
  std::uint64_t seen_ = 0;
  std::vector<bool> known_;  // by run: belongs to the space
  Columns columns_;
  std::vector<std::size_t> near_counts_;
  std::optional<ProductKernels> near_;
  std::vector<std::size_t> stages_;
  std::optional<ProductKernels> rest_;
  std::vector<float> scales_;  // by run, of rest_
};

MadeSampler make(const Options&, const SearchSpace& space, const SamplerContext& context) {
  return std::shared_ptr<Sampler>(std::make_shared<TpeSampler>(space, context));
}

}  // namespace

SamplerTable::Row tpe_row() {
  return {{.name = "tpe",
           .summary =
               "The tree-structured Parzen estimator, multivariate: a model of densities, for many "
               "runs, many parameters and choices."},
          make};
}

}  // namespace hdrive::sampling
