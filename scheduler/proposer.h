// SPDX-License-Identifier: Apache-2.0
//
// Proposer: asks the sampler without making the loop wait for it. A quick
// sampler is asked at once, on the thread of the loop. One that takes long is
// asked on a thread of its own, with a snapshot of the history, while the loop
// goes on hearing stops, events and requests. On a simulated clock, where a
// thread would take no time and make no sweep repeatable, all are asked at
// once.
//
// Used by the loop's thread. Destroying it waits for a sampler that is at work.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/result.h"
#include "hdrive/sampler.h"

namespace hdrive::scheduler {

/// The sampler's answer; what it throws becomes an Error.
Result<Proposal> ask_sampler(Sampler& sampler, const History& history, RunId run);

class Proposer {
 public:
  explicit Proposer(std::shared_ptr<Clock> clock) : clock_(std::move(clock)) {}
  ~Proposer();
  Proposer(const Proposer&) = delete;
  Proposer& operator=(const Proposer&) = delete;

  /// The proposal for run `history.size()`; nothing while the sampler is at it.
  std::optional<Result<Proposal>> next(const std::shared_ptr<Sampler>& sampler,
                                       const History& history);
  /// Whether a sampler is at work, or has an answer that `next` has not taken.
  bool is_at_work() const { return task_ != nullptr; }
  /// Calls `ready`, on any thread, once the answer is there; at once if it is.
  void call_when_ready(std::function<void()> ready);
  /// What the sampler is at is no longer wanted: it would be an answer to
  /// another question.
  void discard() { discarded_ = task_ != nullptr; }

 private:
  struct Task;
  std::optional<Result<Proposal>> take_answer();
  void begin(const std::shared_ptr<Sampler>& sampler, const History& history);

  std::shared_ptr<Clock> clock_;
  std::shared_ptr<Task> task_;  // null: no sampler is at work
  std::thread thread_;
  Time begun_{};
  bool discarded_ = false;
  bool is_quick_ = false;  // as far as is known
};

}  // namespace hdrive::scheduler
