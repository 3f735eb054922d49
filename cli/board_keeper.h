// SPDX-License-Identifier: Apache-2.0
//
// Keeps the board of a sweep (cli/board.h) up to date, from what its listener hears. One thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/board.h"
#include "hdrive/state.h"

namespace hdrive::cli {

/// Looks a run's curve up where the state knows no more of it than its best value.
using Glimpses = std::function<Glimpse(RunId)>;

class BoardKeeper {
 public:
  BoardKeeper(const std::string& metric, Goal goal, Glimpses glimpses);

  void take(const Change& change, const SweepState& state);
  /// What came before the first change: how the best value rose. Once.
  void look_back(const SweepState& state);
  /// As of now. `room`: so many lines it may have; 0 or less: nothing is looked up.
  void refresh(const SweepState& state, Time now, const std::vector<Progress::Live>& live,
               int room);
  const Board& board() const { return board_; }

 private:
  Glimpse glimpse(RunId run, const SweepState& state) const;
  Board::Row row(const Run& run, Duration age, const SweepState& state) const;

  const std::string metric_;
  Glimpses glimpses_;
  std::map<RunId, std::int64_t> steps_;  // of live runs, and of the best
  std::deque<std::string> ended_;        // the last one first
  std::vector<std::pair<Time, double>> record_;
  Board board_;
};

}  // namespace hdrive::cli
