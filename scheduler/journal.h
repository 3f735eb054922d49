// SPDX-License-Identifier: Apache-2.0
//
// Journal: what happened in the sweep. Changes are applied to the state at
// once, so that policy and sampler see them, and stored by `commit`; only then
// may anybody act on them. The loop and ask/tell share it.
//
// Policies, listeners and clocks are other people's code. What one of them
// throws is kept as `failure`, and the one that threw is not called again: the
// loop ends the sweep with it.
//
// One thread. The journal shares ownership of what it works with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hdrive/state.h"
#include "hdrive/sweep.h"

namespace hdrive::scheduler {

/// The parts of a sweep with nothing left empty, but for the target where there
/// is none.
Result<SweepParts> complete_parts(const SweepSpec& spec, SweepParts parts);

class Journal {
 public:
  /// Replays what the store holds, unless the parts bring it.
  static Result<Journal> open(const SweepSpec& spec, const SweepParts& parts);

  /// Goes on with the sampler and the policy of a changed specification. Those
  /// a caller brought stay.
  Result<void> use(const SweepSpec& spec);

  const SweepState& state() const { return state_; }
  const History& history() const { return state_.history(); }

  /// Applies a change; `commit` stores it.
  void record(Change change);

  /// Takes the next start point, or else asks the sampler, and records the run.
  /// Without a run the space is exhausted, and `reason` says so.
  struct Proposed {
    std::optional<RunId> run;
    std::string reason;
  };
  Result<Proposed> propose(const SweepSpec& spec);
  /// The two halves of it: the next start point, if there is one left; and what
  /// the sampler answered.
  std::optional<RunId> propose_start_point(const SweepSpec& spec);
  Proposed propose(Proposal proposal);
  /// Records a run that was decided on without the sampler.
  RunId propose(RunProposed proposed);
  /// Lets the sampler use the time until it is asked again, if it will be.
  void prepare(const SweepSpec& spec);

  /// Records metrics and lets the policy see each report of the primary one,
  /// unless the run is already being cancelled or `to_stop` says that it will
  /// be. The stop verdict's sentence, if there was one.
  std::optional<std::string> report(RunMetrics metrics, bool to_stop = false);

  /// Records that the run is to end, and why.
  void cancel(RunId run, EndCause cause, std::string reason);

  void note(Noted::Level level, std::optional<RunId> run, std::string text);

  /// Tell the listeners what is not stored: a trouble, a turn of the loop.
  void tell_trouble(const std::string& trouble);
  void tell_turn();

  /// Stores all that was recorded since, in one transaction, then tells the
  /// listeners. On failure everything stays recorded and the next `commit`
  /// tries again.
  Result<void> commit();

  /// Since when something recorded waits to be stored; nothing if all is
  /// stored.
  std::optional<Time> waiting_since() const { return waiting_since_; }
  /// Whether what waits has consequences: anything but the start of processes,
  /// which the run directories tell as well.
  bool urgent() const { return urgent_; }
  /// How many metrics wait to be stored.
  std::size_t backlog() const { return backlog_; }

  /// "the policy threw an exception: ..."; nothing as long as all is well.
  const std::optional<std::string>& failure() const { return failure_; }

  /// Never before anything recorded, also where the system's clock was set back
  /// between two sessions.
  Time now() const;
  /// A moment of `now` as the clock tells it.
  Time on_clock(Time time) const { return time - ahead_; }
  const SweepParts& parts() const { return parts_; }

 private:
  Journal(SweepParts parts, SweepState state);

  void keep(Change change);
  Verdict judge(RunId run, std::optional<std::string>& stopped);
  template <class Call>
  bool guard(std::string_view part, Call call) const;
  template <class Call>
  void tell_listeners(Call call);

  SweepParts parts_;
  SweepState state_;
  bool own_sampler_ = false, own_policy_ = false;  // brought by the caller
  Duration ahead_{};                               // of the clock
  std::vector<Change> waiting_;
  std::optional<Time> waiting_since_;
  bool urgent_ = false;
  std::size_t backlog_ = 0;
  mutable std::optional<std::string> failure_;
  mutable Time latest_now_{};  // what a broken clock told last
  bool judging_ = true;        // until the policy throws
};

}  // namespace hdrive::scheduler
