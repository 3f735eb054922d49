// SPDX-License-Identifier: Apache-2.0
//
// The commands on_run_end and on_end of a configuration. Those for single runs are run one after
// another by a thread of their own, so that the sweep never waits for one; each has a minute, then
// it is ended with all it started. What goes wrong with them is a warning, told by the display, and
// changes nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hdrive/listener.h"
#include "hdrive/report.h"
#include "hdrive/spec.h"
#include "hdrive/stop_signal.h"

namespace hdrive::cli {

/// What a command is told, beside hdrive's own environment.
using HookEnvironment = std::vector<std::pair<std::string, std::string>>;

/// Runs it to its end, or for a minute; for seconds where somebody is in a hurry. Its output goes to
/// hdrive's standard error. What went wrong; or nothing.
std::string run_hook(const std::vector<std::string>& command, const HookEnvironment& environment,
                     const std::filesystem::path& directory, const std::function<bool()>& hurry);

class Hooks final : public Listener {
 public:
  /// `display` is told the warnings, on the sweep's thread. A Ctrl-C once the sweep is over, or the second one, leaves
  /// each command seconds.
  Hooks(const SweepSpec& spec, std::string sweep_id, std::filesystem::path directory,
        std::shared_ptr<Listener> display, StopSignal stop);
  ~Hooks() override;

  void on_change(const Change& change, const SweepState& state) override;
  void on_turn(const SweepState& state, Time now) override;

  /// Waits for the commands of runs that have ended, for a minute, and then runs on_end. The
  /// warnings.
  std::vector<std::string> finish(const Result<SweepSummary>& summary);

 private:
  struct Job {
    RunId run = 0;
    HookEnvironment environment;
  };
  void work();
  bool in_a_hurry() const { return stop_.level() > patient_level_; }
  HookEnvironment about_sweep(const std::string& hook) const;

  const SweepSpec spec_;
  const std::string sweep_id_;
  const std::filesystem::path directory_;
  const std::shared_ptr<Listener> display_;
  const StopSignal stop_;
  std::atomic<int> patient_level_{1};  // up to which level commands have their minute

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::vector<std::pair<RunId, std::string>> warnings_;
  bool closing_ = false, busy_ = false;
  bool gave_up_ = false;  // somebody is in a hurry, and a command had to be ended
  std::thread thread_;    // once there is something to do
};

}  // namespace hdrive::cli
