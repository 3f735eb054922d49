// SPDX-License-Identifier: Apache-2.0
//
// Follows a sweep that another process runs, by reading its store. Used by `attach`; one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/listener.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {

class Follower {
 public:
  explicit Follower(SweepEntry sweep);

  /// Reads the sweep anew and tells `listener` what came since; the first time only which runs are alive,
  /// since the rest is past.
  void look(Listener& listener);

  /// As it was at the last look.
  const SweepEntry& sweep() const { return sweep_; }
  const SweepState& state() const { return state_; }
  /// Whether it has ended, or nobody runs it any more.
  bool over() const { return is_over(sweep_.status) || !sweep_.engine; }

 private:
  SweepEntry sweep_;
  SweepState state_;
  // How many changes of each kind are known, of the sweep (-1) and of its runs: those of each come in their
  // order, so that the ones beyond are new.
  std::map<std::pair<RunId, std::size_t>, std::size_t> known_;
  bool first_ = true;
};

}  // namespace hdrive::cli
