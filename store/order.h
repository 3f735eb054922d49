// SPDX-License-Identifier: Apache-2.0
//
// ChangeOrder: which changes may follow those recorded. Every store asks it before it records anything, so
// that a slip of the scheduler is an Error and never a database that cannot be replayed. One thread.
#pragma once

#include <span>
#include <vector>

#include "hdrive/store.h"

namespace hdrive::store {

/// What is taken over from earlier sweeps comes first; runs are proposed in the order of their numbers, from 0; nothing is told of a run before that; and all
/// is told of its current attempt, which RunRequeued counts up by one.
class ChangeOrder {
 public:
  /// Whether `changes` may be recorded now; names the first that may not.
  Result<void> check(std::span<const Change> changes);
  /// Takes over changes that `check` found sound.
  void take(std::span<const Change> changes);
  /// A run as found in a database, in the order of their numbers.
  void load(int attempt) { attempts_.push_back(attempt); }

 private:
  Result<void> step(const Change& change);
  Result<void> expect(RunId run, int attempt, int current_plus, std::string_view what) const;

  std::vector<int> attempts_;  // the current one of each run
};

}  // namespace hdrive::store
