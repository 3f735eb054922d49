// SPDX-License-Identifier: Apache-2.0
//
// Running a sweep: the engine's loop, and what it runs with. One thread runs it and blocks.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/listener.h"
#include "hdrive/policy.h"
#include "hdrive/report.h"
#include "hdrive/result.h"
#include "hdrive/sampler.h"
#include "hdrive/spec.h"
#include "hdrive/state.h"
#include "hdrive/stop_signal.h"
#include "hdrive/store.h"
#include "hdrive/target.h"

namespace hdrive {

/// A specification checked as a whole, as `run_sweep` does first: limits positive, expressions
/// sound, sampler and policy made.
Result<void> check(const SweepSpec& spec);

/// What a sweep runs with. Empty ones are made from the specification.
struct SweepParts {
  std::shared_ptr<Store> store;  ///< null: in memory. One that holds runs is resumed.
  std::shared_ptr<SweepState>
      state;  ///< null: replayed from the store. Else just that, to be moved from
  std::shared_ptr<ComputeTarget> target;  ///< required by run_sweep
  std::shared_ptr<Clock> clock;           ///< null: the steady clock
  std::shared_ptr<Sampler> sampler;       ///< null: spec.sampling
  std::shared_ptr<const Policy> policy;   ///< null: spec.policy
  std::vector<std::shared_ptr<Listener>> listeners;
  /// What a new sweep takes over (warm_start.h), unless it is in the store already. A sweep that
  /// goes on has what it was begun with.
  std::vector<EarlierRun> earlier;
  std::filesystem::path directory;  ///< where the run directories go; may be empty in-process
};

/// Runs a sweep to its end, or goes on with the one in the store. Blocks; nothing else of the
/// process is touched. An Error: it could not begin, or could not go on (its runs are cancelled
/// then). Runs that fail are no error.
Result<SweepSummary> run_sweep(const SweepSpec& spec, const SweepParts& parts,
                               StopSignal stop = StopSignal());

/// The shortest way: maximise or minimise a C++ callable in memory.
Result<SweepSummary> tune(const SweepSpec& spec, Objective objective,
                          std::vector<std::shared_ptr<Listener>> listeners = {},
                          StopSignal stop = StopSignal());

}  // namespace hdrive
