// SPDX-License-Identifier: Apache-2.0
#include "hdrive/sweep.h"

#include <exception>

#include "scheduler/sweep_loop.h"

namespace hdrive {

Result<SweepSummary> run_sweep(const SweepSpec& spec, const SweepParts& parts, StopSignal stop) {
  if (auto sound = check(spec); !sound) return sound.error();
  if (!parts.target) return Error{"", "run_sweep needs a compute target (SweepParts::target)"};
  auto journal = scheduler::Journal::open(spec, parts);
  if (!journal) return journal.error();
  scheduler::SweepLoop loop(spec, *std::move(journal), std::move(stop));
  try {
    return loop.run();
  } catch (const std::exception& error) {
    // Of a target or a store of the caller's own; the other parts are guarded
    // one by one.
    loop.abandon();
    return Error{"", std::string("the sweep cannot go on after an exception: ") + error.what()};
  }
}

Result<SweepSummary> tune(const SweepSpec& spec, Objective objective,
                          std::vector<std::shared_ptr<Listener>> listeners, StopSignal stop) {
  SweepParts parts;
  parts.clock = make_steady_clock();
  parts.target = make_in_process_target(std::move(objective), parts.clock);
  parts.listeners = std::move(listeners);
  return run_sweep(spec, parts, std::move(stop));
}

}  // namespace hdrive
