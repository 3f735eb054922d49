// SPDX-License-Identifier: Apache-2.0
//
// What a person sees of a sweep while it runs: a live display on a terminal, else a line a run.
#pragma once

#include <memory>

#include "cli/board_keeper.h"
#include "hdrive/listener.h"
#include "hdrive/spec.h"
#include "hdrive/stop_signal.h"

namespace hdrive::cli {

/// A listener that shows the sweep. All calls come from the thread of the sweep.
class Display : public Listener {
 public:
  /// The last words; the final state stays on the screen. Called once, when the sweep is over.
  virtual void finish() {}
  /// What could not be shown so far, since the terminal was stopped or nobody reads: waits for it.
  virtual void drain() {}
};

/// Live on stderr where that is a terminal that can be redrawn; else lines on stdout and warnings
/// on stderr; with `quiet` warnings alone. Tells of interruptions through `stop`. `glimpses`: where curves are looked
/// up, if not in the state that is told.
std::shared_ptr<Display> make_display(const SweepSpec& spec, bool quiet, const StopSignal& stop,
                                      Glimpses glimpses = nullptr);

/// Lines and warnings, whatever stderr is.
std::shared_ptr<Display> make_plain_display(bool quiet, const StopSignal& stop);

}  // namespace hdrive::cli
