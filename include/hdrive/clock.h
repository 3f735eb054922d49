// SPDX-License-Identifier: Apache-2.0
//
// Clock: the only source of time. Injected, so that days of training simulate in milliseconds.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace hdrive {

/// A moment, microseconds since the Unix epoch.
using Time = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

/// ISO 8601 in UTC: "2026-01-31T12:34:56Z", with the fraction of a second where there is one.
std::string iso_time(Time time);

/// Tells the time. Called from the thread that runs the sweep only.
class Clock {
 public:
  virtual ~Clock() = default;

  /// Never goes backwards within the life of the clock, whatever is done to the system's clock.
  virtual Time now() = 0;

  /// Whether it goes on by itself. Of a simulated clock the loop does not look ten times a second
  /// at what other processes want: each look would have to move the clock.
  virtual bool real() const { return true; }
};

/// The system's time when it was made, advanced by the monotonic clock.
std::shared_ptr<Clock> make_steady_clock();

/// Time that moves only when told to; a simulated target advances it.
class SimulatedClock final : public Clock {
 public:
  /// Not the epoch, which stands for "not yet" in records.
  explicit SimulatedClock(Time start = Time{std::chrono::seconds{1'600'000'000}}) : now_(start) {}
  Time now() override { return now_; }
  bool real() const override { return false; }
  /// Moves forward to `when`; an earlier moment is ignored.
  void advance_to(Time when) { now_ = when > now_ ? when : now_; }

 private:
  Time now_;
};

}  // namespace hdrive
