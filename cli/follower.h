// SPDX-License-Identifier: Apache-2.0
//
// Follows a sweep that another process runs, by reading what its store says changed. Used by
// `attach`; one thread.
#pragma once

#include <map>
#include <memory>

#include "cli/board.h"
#include "hdrive/catalog.h"
#include "hdrive/listener.h"
#include "hdrive/reader.h"
#include "hdrive/state.h"

namespace hdrive::cli {

class Follower {
 public:
  explicit Follower(SweepEntry sweep);

  /// Reads what came since and tells `listener`; the first time only which runs are alive, since
  /// the rest is past, and is known in short. Costs as much as there is new.
  void look(Listener& listener);

  /// As it was at the last look; its counts are those of the beginning.
  const SweepEntry& sweep() const { return sweep_; }
  /// Of the metrics it knows each run's best value alone.
  const SweepState& state() const { return state_; }
  /// The run's curve as it was at the last look; read once for each change of the run.
  Glimpse glimpse(RunId run);
  /// Whether it has ended, or nobody runs it any more.
  bool over() const { return is_over(sweep_.status) || !sweep_.engine; }

 private:
  void take_all();
  void take(const StoredRun& run);
  void take(const RunOutline& run);
  void take(const Change& change);

  SweepEntry sweep_;
  std::unique_ptr<SweepReader> reader_;
  SweepState state_;
  std::map<RunId, Glimpse> glimpses_;
  Listener* listener_ = nullptr;  // null: it is past
};

}  // namespace hdrive::cli
