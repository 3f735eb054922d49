// SPDX-License-Identifier: Apache-2.0
//
// Journal: the sweep's books. What happened goes in as changes, is applied to the state at once, and is
// stored by `commit`; only then may anybody act on it. The loop and ask/tell keep the same books.
//
// One thread. The journal shares ownership of what it works with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/state.h"
#include "hdrive/sweep.h"

namespace hdrive::scheduler {

/// The parts of a sweep with nothing left empty, but for the target where there is none.
Result<SweepParts> complete_parts(const SweepSpec& spec, SweepParts parts);

class Journal {
 public:
  /// Replays what the store holds, unless the parts bring it.
  static Result<Journal> open(const SweepSpec& spec, const SweepParts& parts);

  /// Goes on with the sampler and the policy of a changed specification. Those a caller brought stay.
  Result<void> follow(const SweepSpec& spec);

  const SweepState& state() const { return state_; }
  const History& history() const { return state_.history(); }

  /// Applies a change; `commit` stores it.
  void record(Change change);

  /// Takes the next start point, or else asks the sampler, and records the run. Without a run the space
  /// is exhausted, and `reason` says so.
  struct Proposed {
    std::optional<RunId> run;
    std::string reason;
  };
  Result<Proposed> propose(const SweepSpec& spec);
  /// Lets the sampler use the time until it is asked again, if it will be.
  void prepare(const SweepSpec& spec);

  /// Records metrics and lets the policy see each report of the primary one, unless the run is already
  /// being cancelled or `to_stop` says that it will be. The stop verdict's sentence, if there was one.
  std::optional<std::string> report(RunMetrics metrics, bool to_stop = false);

  /// Records that the run is to end, and why.
  void cancel(RunId run, EndCause cause, std::string reason);

  void note(Noted::Level level, std::optional<RunId> run, std::string text);

  /// Stores all that was recorded since, in one transaction, then tells the listeners. On failure
  /// everything stays recorded and the next `commit` tries again.
  Result<void> commit();

  /// Since when something recorded waits to be stored; nothing if all is stored.
  std::optional<Time> waiting_since() const { return waiting_since_; }
  /// Whether what waits has consequences: anything but the start of processes, which the run
  /// directories tell as well.
  bool urgent() const { return urgent_; }

  /// Never before anything recorded, also where the system's clock was set back between two sessions.
  Time now() const { return parts_.clock->now() + ahead_; }
  /// A moment of `now` as the clock tells it.
  Time on_clock(Time time) const { return time - ahead_; }
  const SweepParts& parts() const { return parts_; }

 private:
  Journal(SweepParts parts, SweepState state);

  void keep(Change change);

  SweepParts parts_;
  SweepState state_;
  bool own_sampler_ = false, own_policy_ = false;  // brought by the caller
  Duration ahead_{};                               // of the clock
  std::vector<Change> waiting_;
  std::optional<Time> waiting_since_;
  bool urgent_ = false;
};

}  // namespace hdrive::scheduler
