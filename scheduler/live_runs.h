// SPDX-License-Identifier: Apache-2.0
//
// LiveRuns: the runs a target has in hand, from the decision to start them until they have ended.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "hdrive/sweep.h"

namespace hdrive::scheduler {

struct LiveRun {
  int attempt = 1;
  std::optional<Time> since;            ///< when it began; nothing: it is still to be started
  EndCause canceling = EndCause::none;  ///< why it was told to end
  bool told = false;                    ///< whether the target was told
};

/// By number, from the decision to start a run until it has ended. One thread.
class LiveRuns {
 public:
  std::int64_t size() const { return static_cast<std::int64_t>(runs_.size()); }
  bool empty() const { return runs_.empty(); }
  const std::map<RunId, LiveRun>& all() const { return runs_; }

  /// The live run, if it is live in this attempt: a late word of an earlier attempt is nobody's.
  LiveRun* find(RunId run, int attempt);
  LiveRun* find(RunId run);

  void add(RunId run, LiveRun live) { runs_.emplace(run, live); }
  void remove(RunId run) { runs_.erase(run); }

  /// When the first of the runs not yet told to end will have lasted as long as a run may.
  std::optional<Time> earliest_limit(Duration longest) const;

 private:
  std::map<RunId, LiveRun> runs_;
};

/// How a run's end is recorded: exit, signal, failure to start, or the cause it was told to end for.
RunEnded describe_end(const RunExited& exited, const LiveRun& live,
                      const std::string& canceling_reason, Time at);

}  // namespace hdrive::scheduler
