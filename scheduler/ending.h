// SPDX-License-Identifier: Apache-2.0
//
// How a sweep's end is told. Pure functions; the loop and ask/tell use them.
#pragma once

#include <optional>
#include <string>

#include "hdrive/changes.h"
#include "hdrive/spec.h"
#include "hdrive/store.h"

namespace hdrive::scheduler {

/// What becomes of a sweep that ended so with these runs (reference, 10.10):
/// completed if any run gave a result.
SweepStatus status_after(SweepEnd end, const History& history);

/// What makes a sweep fail whose runs have all ended: "; none completed: 2 ran
/// longer than max_run_duration_seconds, 1 failed". Empty where one did.
std::string none_completed(const History& history);

/// "all 20 runs have ended", and `none_completed`.
std::string all_ended(const History& history);

/// What to do where every run reported the metric only once, when it was over,
/// so that a policy had nothing to save. Nothing without a policy, or before
/// three runs show it.
std::optional<std::string> policy_without_use(const SweepSpec& spec, const History& history);

/// Why nobody can stop this run: "run 3 is over already (Completed)", "run 7 has not begun; there are
/// 5 runs".
std::string why_not_stopped(const History& history, std::optional<RunId> run);

/// "max_duration_minutes (0.5)", as it was given.
std::string time_budget(const SweepSpec& spec);

}  // namespace hdrive::scheduler
