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

  /// Called when the store cannot be written, or there is no room for the files of a run: nothing is started
  /// until there is, and changes that cannot be stored are not told. `trouble` is a sentence; empty once it
  /// is over.
  virtual void on_trouble(const std::string& /*trouble*/) {}

  /// Called at every turn of the loop, at least four times a second on a real clock: redraw here.
  virtual void on_turn(const SweepState& /*state*/, Time /*now*/) {}
};

}  // namespace hdrive
