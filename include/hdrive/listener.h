// SPDX-License-Identifier: Apache-2.0
//
// Listener: sees everything that happens in a sweep. Displays, callbacks and servers are listeners.
#pragma once

#include "hdrive/changes.h"

namespace hdrive {

class SweepState;

/// Called on the thread that runs the sweep, after a change was applied and stored. It should
/// return soon: a slow listener slows the sweep. An exception ends the sweep with its message; the
/// listener hears no more.
class Listener {
 public:
  virtual ~Listener() = default;

  /// `state` already includes the change.
  virtual void on_change(const Change& change, const SweepState& state) = 0;

  /// Called when the store cannot be written, or no run can be started (a full disk, a program that
  /// is gone): nothing is started until that is over, and changes that cannot be stored are not
  /// told. `trouble` is a sentence; empty once it is over.
  virtual void on_trouble(const std::string& /*trouble*/) {}

  /// Called at every turn of the loop, several times a second on a real clock: redraw here.
  virtual void on_turn(const SweepState& /*state*/, Time /*now*/) {}
};

}  // namespace hdrive
