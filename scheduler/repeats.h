// SPDX-License-Identifier: Apache-2.0
//
// RepeatPlan: which of the best runs is repeated next. A function of the specification and of what
// happened, so that a resumed sweep goes on exactly where it was. Used by the loop and by those
// that ask whether anything is left; one thread.
#pragma once

#include <cstdint>
#include <optional>

#include "hdrive/changes.h"
#include "hdrive/spec.h"
#include "hdrive/state.h"

namespace hdrive::scheduler {

/// The next repeat, without its time; nothing while another run has not ended, or once all were
/// made. The runs to repeat are chosen once, by what they reported: those that have repeats stay
/// chosen. Each has its first repeat before any has its second.
std::optional<RunProposed> next_repeat(const SweepSpec& spec, const SweepState& state);

/// Remembers the answer until something happens.
class RepeatPlan {
 public:
  const std::optional<RunProposed>& next(const SweepSpec& spec, const SweepState& state);

 private:
  std::optional<std::uint64_t> version_;
  RepeatBest asked_;
  std::optional<RunProposed> next_;
};

}  // namespace hdrive::scheduler
