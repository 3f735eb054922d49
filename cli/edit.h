// SPDX-License-Identifier: Apache-2.0
//
// Asking the engine of a live sweep for something, and changing a sweep that nobody runs. Used by
// `pause`, `resume`, `update` and `enqueue`.
#pragma once

#include <optional>
#include <string>

#include "cli/lookup.h"
#include "hdrive/catalog.h"
#include "hdrive/edit.h"
#include "hdrive/requests.h"

namespace hdrive::cli {

/// Tells once whoever waits for an engine that it is suspended, as Ctrl-Z does it: it answers
/// nothing until then.
class SuspensionNotice {
 public:
  void look_at(const SweepEntry& sweep);

 private:
  bool told_ = false;
};

/// Leaves the request and waits for the answer: "HD_1a2b3c4d: paused; nothing runs\n". A Failure if
/// the engine refuses, or ends before it answers.
std::string ask(const SweepEntry& sweep, const Request& request);

/// Changes a sweep by its engine, or by itself where none runs it; what was done, for the user.
std::string change_sweep(const SweepEntry& sweep, const Settings& settings,
                         const std::string& output_dir);

/// Records the edit and says what changed, nothing where it is so already; a Failure (code 2) where
/// it is not possible.
std::optional<std::string> edit_or_fail(const OwnedSweep& owned, const SweepEntry& sweep,
                                        const Settings& settings);

}  // namespace hdrive::cli
