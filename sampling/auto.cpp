// SPDX-License-Identifier: Apache-2.0
//
// auto: chooses one of the other samplers by the budget, the space, how many runs go on at once and
// what was taken over from earlier sweeps, and says which and why. The choice is made once, from the
// specification and the earlier runs, so it is the same after a restart; where the budget or the
// number of runs at once was changed, it may be another.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sampling/samplers.h"

namespace hdrive::sampling {
namespace {

struct Chosen {
  std::string name;
  std::string why;
};

constexpr std::int64_t kModelRuns = 20;     // below, a model has nothing to learn from
constexpr std::int64_t kMostExact = 10000;  // runs up to which a Gaussian process is affordable
constexpr std::size_t kMostDimensions = 60;

// `earlier`: how many runs were taken over from earlier sweeps.
Chosen choose(const SearchSpace& space, const SamplerContext& context, std::int64_t earlier) {
  const auto size = cardinality(space);
  const std::size_t dimensions = space.parameters.size();
  const std::string parameters = parameters_text(space);
  const std::int64_t runs = context.max_total_runs;
  const auto runs_text = base::plural(runs, "run");
  if (size && runs > 0 && *size <= static_cast<std::uint64_t>(runs))
    return {"random", fmt::format("{} can try all {} of the space", runs_text,
                                  base::plural(static_cast<long long>(*size), "point"))};
  const bool has_results = earlier >= kModelRuns;
  if (context.max_concurrent_runs >= runs && !has_results)
    return {"sobol", "all runs start at once, before there is any result"};
  if (runs < kModelRuns && !has_results)
    return {"sobol", fmt::format("{} are too few to learn from", runs_text)};
  if (runs + earlier > kMostExact)
    return {"tpe", fmt::format("{} are many for a Gaussian process", runs_text)};
  if (dimensions > kMostDimensions)
    return {"tpe", fmt::format("{} are many for a Gaussian process", parameters)};
  // Many at once do not speak against it: of two batches of 16 runs its regret was half of Sobol's on
  // smooth functions, and smaller on tables. Nor do conditional parameters: on spaces of branches it
  // was a tenth of tpe's after 100 runs (docs/bayesian.md).
  return {"bayesian", fmt::format("{}{} for {} suit a Gaussian process", runs_text,
                                  has_results ? fmt::format(" after {} earlier ones", earlier) : "",
                                  parameters)};
}

// "auto chose bayesian, because 100 runs ...: what bayesian says" at first, then
// "auto, bayesian: what bayesian says".
constexpr std::string_view kChose = "auto chose ", kAgain = "auto, ";

// The one before this run was proposed: another where the budget was changed since.
std::string_view chosen_before(const History& history, RunId id) {
  for (RunId before = id; before-- > 0;)
    if (const auto chosen = chosen_by_auto(history.run(before)); !chosen.empty()) return chosen;
  return {};
}

class AutoSampler final : public Sampler {
 public:
  AutoSampler(Chosen chosen, std::shared_ptr<Sampler> sampler, const SearchSpace& space,
              const SamplerContext& context)
      : chosen_(std::move(chosen)),
        sampler_(std::move(sampler)),
        space_(space),
        context_(context) {}

  Result<Proposal> propose(const History& history, RunId id) override {
    if (auto chosen = choose_for(history); !chosen) return chosen.error();
    auto proposal = sampler_->propose(history, id);
    if (!proposal) return proposal;
    // The first says why, and each that comes from another one than those before.
    proposal->reason = chosen_before(history, id) == chosen_.name
                           ? fmt::format("{}{}: {}", kAgain, chosen_.name, proposal->reason)
                           : fmt::format("{}{}, because {}: {}", kChose, chosen_.name, chosen_.why,
                                         proposal->reason);
    return proposal;
  }

  void prepare(const History& history) override {
    if (choose_for(history)) sampler_->prepare(history);
  }

  std::string describe() const override {
    return fmt::format("auto: {}, because {}; {}", chosen_.name, chosen_.why, sampler_->describe());
  }

 private:
  // What was taken over is known only now.
  Result<void> choose_for(const History& history) {
    if (earlier_ == history.earlier()) return {};
    Chosen chosen = choose(space_, context_, history.earlier());
    if (chosen.name != chosen_.name) {
      auto sampler = make_sampler({chosen.name, {}}, space_, context_);
      if (!sampler) return sampler.error();
      sampler_ = *std::move(sampler);
    }
    chosen_ = std::move(chosen);
    earlier_ = history.earlier();
    return {};
  }

  Chosen chosen_;
  std::shared_ptr<Sampler> sampler_;
  SearchSpace space_;
  SamplerContext context_;
  std::int64_t earlier_ = 0;  // how many earlier runs the choice is for
};

MadeSampler make(const Options&, const SearchSpace& space, const SamplerContext& context) {
  Chosen chosen = choose(space, context, 0);
  auto sampler = make_sampler({chosen.name, {}}, space, context);
  if (!sampler) return sampler.error();
  return std::shared_ptr<Sampler>(
      std::make_shared<AutoSampler>(std::move(chosen), *std::move(sampler), space, context));
}

}  // namespace

std::string_view chosen_by_auto(const Run& run) {
  const std::string_view text = run.proposal;
  for (const std::string_view words : {kChose, kAgain})
    if (text.starts_with(words))
      return text.substr(words.size(), text.find_first_of(",:", words.size()) - words.size());
  return {};
}

SamplerTable::Row auto_row() {
  return {
      {.name = "auto",
       .summary =
           "Chooses one of the others by the budget, the space and how many runs go on at once, "
           "and says why."},
      make};
}

}  // namespace hdrive::sampling
