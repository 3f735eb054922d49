// SPDX-License-Identifier: Apache-2.0
//
// Slots: which of the places for concurrent runs a run has.
#include <set>

#include "hdrive/random.h"
#include "scheduler/live_runs.h"
#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::scheduler;

namespace {

int slot_of(LiveRuns& runs, RunId run) { return runs.find(run)->slot; }

}  // namespace

TEST_CASE("A run gets the lowest slot that is free") {
  LiveRuns runs;
  for (RunId run = 0; run < 4; ++run) runs.add(run, {});
  for (RunId run = 0; run < 4; ++run) CHECK(slot_of(runs, run) == run);
  runs.remove(2);
  runs.remove(1);
  runs.add(7, {});
  runs.add(8, {});
  runs.add(9, {});
  CHECK(slot_of(runs, 7) == 1);
  CHECK(slot_of(runs, 8) == 2);
  CHECK(slot_of(runs, 9) == 4);
}

TEST_CASE("A run that is tried again has its slot again, unless another has it") {
  LiveRuns runs;
  runs.add(0, {}, 5);
  CHECK(slot_of(runs, 0) == 5);
  runs.add(1, {}, 5);
  CHECK(slot_of(runs, 1) == 0);
  runs.add(2, {}, 2);
  runs.add(3, {});
  CHECK(slot_of(runs, 2) == 2);
  CHECK(slot_of(runs, 3) == 1);
  runs.remove(0);
  runs.add(0, {}, 5);
  CHECK(slot_of(runs, 0) == 5);
  runs.add(4, {}, -1);
  CHECK(slot_of(runs, 4) == 3);
}

TEST_CASE("No two live runs ever have the same slot, and of n no slot is n or more") {
  constexpr int kAtOnce = 6;
  RandomStream random(2026, 0, 0);
  LiveRuns runs;
  std::set<RunId> live;
  for (RunId next = 0; next < 2000; ++next) {
    if (live.size() == kAtOnce) {
      const auto gone = std::next(live.begin(), static_cast<int>(random.uniform() * kAtOnce));
      runs.remove(*gone);
      live.erase(gone);
    }
    const auto before = random.uniform() < 0.5
                            ? std::optional(static_cast<int>(random.uniform() * kAtOnce))
                            : std::nullopt;
    runs.add(next, {}, before);
    live.insert(next);
    std::set<int> slots;
    for (const RunId run : live) slots.insert(slot_of(runs, run));
    REQUIRE(slots.size() == live.size());
    REQUIRE(*slots.rbegin() < kAtOnce);
  }
}
