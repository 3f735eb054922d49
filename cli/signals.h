// SPDX-License-Identifier: Apache-2.0
//
// Turns Ctrl-C, SIGTERM and SIGHUP into requests to stop. Made by the verbs that own runs, before
// any thread starts.
#pragma once

#include <csignal>
#include <thread>

#include "base/file.h"
#include "hdrive/stop_signal.h"

namespace hdrive::cli {

/// SIGHUP counts once only; the others, when they come again, end everything at once. While it
/// lives, the signals are blocked in the whole process (threads made later inherit that) and a
/// thread of its own takes them. Signals that were ignored (nohup) stay ignored. SIGPIPE is caught
/// and dropped, so that a reader that goes away ends no sweep, while programs started later have it
/// at its default. Afterwards all signals mean what they meant before.
class SignalWatcher {
 public:
  explicit SignalWatcher(StopSignal stop);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  sigset_t before_{};
  base::UniqueFd signals_, done_;
  std::thread thread_;
};

}  // namespace hdrive::cli
