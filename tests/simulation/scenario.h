// SPDX-License-Identifier: Apache-2.0
//
// Scenario: all that a seed decides before a simulated sweep begins: its specification, what its runs do,
// what befalls it and when.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hdrive/hdrive.h"
#include "tests/simulation/dice.h"

namespace hdrive::simulation {

/// Something that happens at a moment of true time, whether an engine is alive or not.
struct Incident {
  enum class Kind {
    stop,          ///< hdrive stop SWEEP
    stop_run,      ///< hdrive stop SWEEP/RUN
    pause,         ///< hdrive pause
    resume,        ///< hdrive resume of a paused sweep
    update,        ///< hdrive update
    interrupt,     ///< Ctrl-C
    disk_full,     ///< for `length`
    suspended,     ///< the clock of the machine jumps ahead by `length`
    reboot,        ///< all runs vanish and the engine dies
    lose_run,      ///< one run vanishes
    no_resources,  ///< for `length` there are no processes for more than one run
    program_gone,  ///< for `length` no program can be started, which is told at once or late
    store_locked,  ///< somebody else holds the database for `length`
    store_gone,    ///< the database is moved away for `length`
  };
  Kind kind = Kind::stop;
  Duration at{};  ///< since the beginning
  Duration length{};
  RunId run = 0;
  Settings settings;
};

struct Scenario {
  std::uint64_t seed = 0;
  SweepSpec spec;
  bool sqlite = false;
  std::vector<Incident> incidents;        ///< in order of time
  std::vector<std::int64_t> crash_after;  ///< the sessions that die, each at so many-th point
  double late = 0;                        ///< how likely an event is told late
  double queued = 0;        ///< how likely a run is accepted into a queue before it is told of
  double outage = 0;        ///< how likely contact with a run is lost before its next event
  double stale = 0;         ///< how likely an event of an earlier attempt is told again
  double refused = 0;       ///< how likely single appends fail
  double stalled = 0;       ///< how likely an append takes long
  double unattachable = 0;  ///< how likely an attach fails
  double asked_early = 0;   ///< how likely something is asked while an engine opens the sweep
  /// A part of somebody else's that throws an exception, once, at its so many-th call.
  enum class Thrower { none, sampler, policy, listener };
  Thrower thrower = Thrower::none;
  std::int64_t throws_at = 0;

  /// What run `id` does in this attempt. An Error: it cannot be started.
  Result<SimulatedRun> behaviour(const RunRequest& request) const;
};

Scenario make_scenario(std::uint64_t seed);

/// What happens in it, in words.
std::string describe(const Scenario& scenario);

}  // namespace hdrive::simulation
