// SPDX-License-Identifier: Apache-2.0
//
// What a live display shows below its three lines where the terminal is high enough: the runs that train now against the
// best one, those that ended last and why, and the best value over time. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/picture.h"
#include "cli/progress.h"
#include "hdrive/history.h"
#include "hdrive/policy.h"

namespace hdrive::cli {

/// What is known of a run's curve.
struct Glimpse {
  std::int64_t reports = 0;          ///< of the primary metric
  std::optional<std::int64_t> step;  ///< of the last of them, where its script names steps
  std::vector<double> values;        ///< of the primary metric, oldest first; of many evenly some
  std::optional<Verdict> verdict;    ///< the policy's latest
};

struct Board {
  struct Row {
    RunId run = 0;
    Duration age{};
    std::string parameters;
    Glimpse glimpse;
  };
  Goal goal = Goal::minimize;
  std::string metric;
  std::optional<Row> best;  ///< the best run so far
  std::vector<Row>
      live;  ///< the runs that train now, as they were started; as many as may be shown
  std::int64_t live_runs = 0;  ///< how many there are
  std::vector<std::string>
      ended;  ///< "run 3  Stopped  loss 0.4  12s  because ...", the last one first
  std::vector<double> hours,
      record;  ///< the best value so far, and when it was reached, in hours since the sweep began
  double now = 0;  ///< in hours
};

/// How many rows of a terminal the board and the three lines may take: what scrolls above is to be read. 0: it is too
/// low for a board.
int board_room(TerminalSize size);

/// At most `height` lines none of which is wider than `width`.
std::vector<std::string> board_lines(const Board& board, int width, int height,
                                     const Glyphs& glyphs);

/// "stops at 0.34, 8 % away", or nothing where the policy compared it with nothing yet.
std::string limit_text(const Glimpse& glimpse, Goal goal);

}  // namespace hdrive::cli
