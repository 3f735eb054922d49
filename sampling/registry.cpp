// SPDX-License-Identifier: Apache-2.0
//
// The table of samplers.
#include "hdrive/registry.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sampling/samplers.h"

namespace hdrive {
namespace {

struct Row {
  AlgorithmInfo info;
  sampling::SamplerFactory make;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows{
      {{"random",
        {"RandomParameterSampling"},
        "Independent random draws of each parameter; takes every expression. A finite space is "
        "drawn from without repeats.",
        {}},
       sampling::make_random},
      {{"grid",
        {"GridParameterSampling"},
        "Every combination of the options once, the first parameter slowest; choice only. Without "
        "max_total_runs it tries all of them.",
        {},
        0,
        true},
       sampling::make_grid},
      {{"bayesian",
        {"BayesianParameterSampling"},
        "A Gaussian process over the runs so far proposes where it expects to improve most; takes "
        "every expression and works with every policy.",
        {{.name = "initial_points",
          .kind = OptionKind::integer,
          .summary = "Quasi-random runs before the model takes over; by default 10, or two a "
                     "parameter within a quarter of the budget.",
          .minimum = 1},
         {.name = "warp",
          .kind = OptionKind::boolean,
          .summary = "Whether values worse than the median are drawn together, so that the model "
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
        20},
       sampling::make_bayesian},
      {{"sobol",
        {},
        "A scrambled Sobol sequence: any number of runs fills the space evenly; a finite space "
        "without repeats.",
        {}},
       sampling::make_sobol},
      {{"latin_hypercube",
        {"lhs"},
        "A Latin hypercube of max_total_runs points: each run has a stratum of each parameter to "
        "itself; a finite space without repeats.",
        {}},
       sampling::make_latin_hypercube},
      {{"tpe",
        {},
        "The tree-structured Parzen estimator, multivariate: a model of densities, for many runs, "
        "many "
        "parameters and choices.",
        {}},
       sampling::make_tpe},
      {{"cmaes",
        {},
        "CMA-ES with a margin for whole numbers: evolves a normal distribution, for hundreds of "
        "runs "
        "on real parameters.",
        {}},
       sampling::make_cmaes},
      {{"auto",
        {},
        "Chooses one of the others by the budget, the space and how many runs go on at once, and "
        "says "
        "why.",
        {}},
       sampling::make_auto},
  };
  return kRows;
}

Error unknown_sampler(const std::string& name) {
  std::vector<std::string> names;
  for (const AlgorithmInfo& info : sampler_algorithms()) names.emplace_back(info.name);
  return Error{"", fmt::format("unknown sampling \"{}\"; there is {};{}", name,
                               base::join(names, ", "), base::did_you_mean(name, names))};
}

}  // namespace

const std::vector<AlgorithmInfo>& sampler_algorithms() {
  static const std::vector<AlgorithmInfo> kAlgorithms = [] {
    std::vector<AlgorithmInfo> result;
    for (const Row& row : rows()) result.push_back(row.info);
    return result;
  }();
  return kAlgorithms;
}

Result<std::shared_ptr<Sampler>> make_sampler(const AlgorithmSpec& spec, const SearchSpace& space,
                                              const SamplerContext& context) {
  const AlgorithmInfo* info = find_algorithm(sampler_algorithms(), spec.name);
  if (!info) return unknown_sampler(spec.name);
  if (auto options = check_options(*info, spec); !options) return options.error();
  // A space built in code has not been through the configuration's checks.
  if (auto sound = check(space); !sound) return sound.error();
  const auto row = static_cast<std::size_t>(info - sampler_algorithms().data());
  return rows()[row].make(spec, space, context);
}

}  // namespace hdrive
