// SPDX-License-Identifier: Apache-2.0
//
// LiveRuns: the runs a target has in hand, from the decision to start them
// until they have ended.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "hdrive/changes.h"
#include "hdrive/target.h"

namespace hdrive::scheduler {

struct LiveRun {
  int attempt = 1;
  std::optional<Time> since;            ///< from when its time counts; nothing: it does not
  bool handed_over = false;             ///< its target has it
  bool unreachable = false;             ///< and no contact with it
  EndCause canceling = EndCause::none;  ///< why it was told to end
  bool told = false;                    ///< whether the target was told
  int slot = 0;                         ///< no two live runs have the same
  std::optional<std::string> verdict;   ///< the policy's stop verdict, until it is acted on
};

/// By number, from the decision to start a run until it has ended. Knows which
/// of those that nobody has told to end began first, and which was silent for
/// longest: each in O(log runs). One thread.
class LiveRuns {
 public:
  std::int64_t size() const { return static_cast<std::int64_t>(runs_.size()); }
  bool empty() const { return runs_.empty(); }
  const std::map<RunId, LiveRun>& all() const { return runs_; }

  /// The live run, if it is live in this attempt: a late word of an earlier
  /// attempt is nobody's.
  LiveRun* find(RunId run, int attempt);
  LiveRun* find(RunId run);

  /// Gives it the slot it had, if that is free, or else the lowest that is.
  void add(RunId run, LiveRun live, std::optional<int> slot_before = std::nullopt);
  void remove(RunId run);

  /// It runs since then. It is heard of, too, if nothing was heard of it later.
  void set_since(RunId run, Time since);
  void heard_of(RunId run, Time when);
  /// Its time does not count until `set_since`: it waits for its turn.
  void stop_clock(RunId run);
  /// Nothing can be heard of it until something is.
  void lose_sight(RunId run);
  /// It was told to end: it is no longer among those below.
  void set_canceling(RunId run, EndCause cause);

  using Moment = std::pair<Time, RunId>;
  std::optional<Moment> longest_running() const { return first(by_start_); }
  std::optional<Moment> longest_silent() const { return first(by_word_); }

 private:
  static std::optional<Moment> first(const std::set<Moment>& of);
  void forget_times(RunId run);

  int take_slot(std::optional<int> before);

  std::map<RunId, LiveRun> runs_;
  std::set<int> taken_slots_, free_slots_;  // all below the highest ever taken
  std::map<RunId, Time> last_word_;         // of those below
  std::set<Moment> by_start_, by_word_;
};

/// How a run's end is recorded: exit, signal, failure to start, or the cause it
/// was told to end for.
RunEnded describe_end(const RunExited& exited, const LiveRun& live,
                      const std::string& canceling_reason, Time at);

}  // namespace hdrive::scheduler
