// SPDX-License-Identifier: Apache-2.0
//
// StopSignal: stops a sweep from any thread.
#pragma once

#include <memory>
#include <stop_token>

namespace hdrive {

/// Stops a sweep from any thread: once to cancel its runs and keep everything, twice to kill them.
/// Copies share one signal. Not for signal handlers: hand signals over to a thread first.
class StopSignal {
 public:
  StopSignal();
  /// The first call asks for a clean stop, each later one for an immediate one.
  void request();
  /// How often `request` was called: 0, 1, or 2 for more.
  int level() const;
  /// Requested when the level next rises above `level`.
  std::stop_token token(int level) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace hdrive
