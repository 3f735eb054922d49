// SPDX-License-Identifier: Apache-2.0
//
// SweepLoop: fill the free slots, store what was decided, act on it, wait,
// handle what happened, judge. One thread decides; the target and the clock are
// given, so the same loop trains networks for days and simulates thousands of
// sweeps in a test.
//
// A turn is short whatever there is to do: starts and proposals are made in
// slices, a sampler that takes long has a thread of its own, and a store that
// cannot be written is tried again at a later turn. So stops, reports and
// requests are heard within a tenth of a second.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/active_time.h"
#include "scheduler/journal.h"
#include "scheduler/proposer.h"
#include "scheduler/repeats.h"
#include "scheduler/run_controller.h"
#include "scheduler/start_gate.h"
#include "scheduler/store_health.h"

namespace hdrive::scheduler {

class SweepLoop {
 public:
  SweepLoop(const SweepSpec& spec, Journal journal, StopSignal stop);

  /// To the end of the session.
  Result<SweepSummary> run();
  /// For a session that an exception has cut short: nothing it started goes on
  /// unattended.
  void abandon() { runs_.abandon(); }

 private:
  struct Ending {
    SweepEnd end;
    std::string reason;
  };

  const History& history() const { return journal_.history(); }
  Result<void> begin();
  void change(SweepStatus status, SweepEnd end = SweepEnd::none, const std::string& reason = "");

  // ---- one turn
  void fill();
  std::optional<RunId> new_run();
  std::optional<RunId> new_repeat();
  bool store();
  void act();
  void wait();
  void wait_without_reading(Time deadline);
  Time deadline() const;
  void look_at_clock();
  void stop_counting_when_idle();
  void count_time_again();

  // ---- starts that cannot be
  void look_at_starts();
  void close_gate(const Error& why);
  void open_gate();
  void tell_trouble(const std::string& trouble);

  // ---- where the sweep stands
  std::int64_t slots() const;
  void look_at_capacity(Time now);
  bool may_fill() const;
  bool is_left_to_start() const;
  bool is_left_to_propose() const;
  bool more_to_start() const { return !ending_ && is_left_to_start(); }
  bool nothing_left() const { return runs_.live() == 0 && !more_to_start(); }
  bool over() const { return nothing_left() && !journal_.waiting_since(); }
  bool stop_is_news() const { return stop_.level() > stops_seen_; }
  std::string pause_reason() const;
  std::string what_goes_on() const;

  // ---- requests of other processes (loop_requests.cpp)
  void take_requests();
  Answer carry_out(const Request& request);
  Answer pause();
  Answer go_on();
  Answer update(const Request& request);

  // ---- the end
  void end(SweepEnd how, EndCause cause, const std::string& reason);
  void decide_to_end();
  void look_at_failures();
  Error lost_store();
  Result<SweepSummary> finish();

  SweepSpec spec_;
  Journal journal_;
  RunController runs_;
  Proposer proposer_;
  mutable RepeatPlan repeats_;
  StartGate gate_;
  StoreHealth store_health_;
  StopSignal stop_;
  const bool ticking_;

  ActiveTime active_;
  std::vector<TargetEvent> events_;
  std::optional<TargetCapacity> capacity_;
  Time next_capacity_{};
  std::string exhausted_;  // why the sampler has nothing left; empty: it may have
  std::optional<Ending> ending_;
  bool paused_ = false;  // by somebody
  int stops_seen_ = 0;
  bool trouble_told_ = false;
  bool failing_told_ = false;
  std::mutex mutex_;  // of the loop's own waiting
  std::condition_variable_any waiting_;
};

}  // namespace hdrive::scheduler
