// SPDX-License-Identifier: Apache-2.0
//
// Sampler: chooses the next parameter set. Implement it to bring your own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/history.h"
#include "hdrive/random.h"
#include "hdrive/registry.h"
#include "hdrive/result.h"
#include "hdrive/space.h"

namespace hdrive {

/// A parameter set and why it was chosen; or, without one, that the space is exhausted.
struct Proposal {
  std::optional<Assignment> parameters;  ///< nothing: there is nothing left to try
  std::string reason;  ///< one sentence, stored with the run and shown to the user
};

/// Proposes parameter sets.
///
/// Pure: the same sampler, history and run id give the same answer, before and after a restart, so
/// nothing of it is stored. It may memoise privately on `History::version()`. `propose` is called
/// by one thread at a time; the sampler outlives the sweep it serves and owns all it needs.
class Sampler {
 public:
  virtual ~Sampler() = default;

  /// The parameters of run `id`, which is `history.size()`: the history holds every earlier run,
  /// those still training included. An Error ends the sweep with its message.
  virtual Result<Proposal> propose(const History& history, RunId id) = 0;

  /// Called while runs train and nothing is asked for: the time may be used for what the next
  /// proposal will need, on a thread of the sampler's own. It must return at once and keep nothing
  /// of the history. What `propose` answers does not depend on it.
  virtual void prepare(const History&) {}

  /// One line for the user: the algorithm, its settings and, where finite, the size of the space.
  virtual std::string describe() const = 0;
};

/// What a sampler may know of its sweep.
struct SamplerContext {
  Goal goal = Goal::maximize;
  std::uint64_t seed = 0;
  std::int64_t max_total_runs = 0;
  std::int64_t max_concurrent_runs = 1;
};

/// The sampler of `sampler_algorithms()` that `spec` names. Fails where the options or the space do
/// not fit it (a grid over a uniform parameter), naming what would.
Result<std::shared_ptr<Sampler>> make_sampler(const AlgorithmSpec& spec, const SearchSpace& space,
                                              const SamplerContext& context);

/// How much one parameter mattered to the results of a sweep.
struct ParameterImportance {
  std::string name;
  double share = 0;  ///< of all parameters together, which add up to 1
};

/// The importance of each parameter, largest first: how differently the best tenth of the runs is
/// spread along it than all are that were tried (PED-ANOVA: Watanabe, Bansal, Hutter, IJCAI 2023).
/// Runs that were stopped early or failed are never among the best. For a conditional parameter
/// those without it do not count; one that cannot vary has no importance. Parameters of one name
/// are called "lr (optimizer adam)". Fails where fewer than ten runs have a final value, or where
/// all that were tried have the same.
Result<std::vector<ParameterImportance>> parameter_importance(const SearchSpace& space,
                                                              const History& history);

/// What a Gaussian process believes about a sweep, whatever sampler ran it.
struct ModelReport {
  std::int64_t results = 0;  ///< runs that ended with a value
  std::int64_t failures = 0, stopped_early = 0;
  std::int64_t earlier = 0;  ///< of all these, how many are runs of earlier sweeps
  struct Relevance {
    std::string parameter;
    /// On the unit interval: how far one moves until values are unrelated. Nothing for a constant
    /// parameter.
    std::optional<double> lengthscale;
    /// Of the squared distance between two runs, as the kernel sees it, the mean part that is this
    /// parameter's; of a conditional one's, over the runs that have it. All shares add up to 1.
    double share = 0;
  };
  std::vector<Relevance> parameters;  ///< in the order of the space
  double noise = 0;  ///< standard deviation of repeated runs; all values, warped, have deviation 1
  double noise_near_best = 0;  ///< the same in the metric's unit, about the best value
  /// Each run predicted from all others.
  struct Calibration {
    double within_one_deviation = 0;   ///< the part of the runs; 0.68 of a well calibrated model's
    double within_two_deviations = 0;  ///< 0.95 of a well calibrated model's
    double explained =
        0;  ///< 1 - (squared errors / squared deviations from the mean); 1 is perfect
  };
  Calibration calibration;
};

/// Fits the model of Bayesian sampling to the runs so far, those taken over from earlier sweeps
/// among them; with the options of `spec` if that is its sampler. Fails before two runs have ended
/// with a value.
Result<ModelReport> inspect_model(const AlgorithmSpec& spec, const SearchSpace& space,
                                  const SamplerContext& context, const History& history);

/// A random value of the expression, by exactly the formula of its kind.
Value draw(const Expression& expression, RandomStream& random);

}  // namespace hdrive
