// SPDX-License-Identifier: Apache-2.0
//
// Listener: sees everything that happens in a sweep. Displays, callbacks and servers are listeners.
#pragma once

#include "hdrive/store.h"

namespace hdrive {

class SweepState;

/// Called on the thread that runs the sweep, after a change was stored and applied. It must return
/// soon and must not throw; a slow listener slows the sweep.
class Listener {
 public:
  virtual ~Listener() = default;

  /// `state` already includes the change.
  virtual void on_change(const Change& change, const SweepState& state) = 0;

  /// Called when the store cannot be written: no changes are told until it can, and no runs are started.
  /// `trouble` is a sentence; empty once it works again.
  virtual void on_trouble(const std::string& /*trouble*/) {}

  /// Called at every turn of the loop, at least four times a second on a real clock: redraw here.
  virtual void on_turn(const SweepState& /*state*/, Time /*now*/) {}
};

}  // namespace hdrive
