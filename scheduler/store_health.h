// SPDX-License-Identifier: Apache-2.0
//
// StoreHealth: what is done while the store cannot be written. Pure
// bookkeeping; the loop acts.
//
// The loop keeps turning: it hears stops, events and requests, and starts
// nothing. A lock or a full disk is waited for without end. What does not pass
// by itself ends the session: damage at once, and the rest after a few more
// tries, in which a disk may recover or a directory be moved back.
#pragma once

#include <optional>
#include <string>

#include "hdrive/clock.h"
#include "hdrive/result.h"

namespace hdrive::scheduler {

class StoreHealth {
 public:
  bool is_failing() const { return failing_; }
  const Error& error() const { return error_; }

  /// A commit failed, while so many runs live. A sentence for the displays, if
  /// there is news.
  std::optional<std::string> failed(const Error& error, Time now, std::int64_t live);
  /// A commit succeeded. A sentence for the record, if it had failed for longer
  /// than a moment.
  std::optional<std::string> works(Time now);

  /// When the next commit is to be tried.
  Time try_again_at() const { return tried_at_ + retry(); }
  /// Whether waiting is pointless. `is_last`: nothing is left to be done but to record the end;
  /// `in_a_hurry`: somebody has asked for that twice.
  bool is_hopeless(Time now, bool is_last, bool in_a_hurry) const;
  /// Whether nobody could find the runs again: the sweep's own files are gone.
  bool is_gone() const { return failing_ && error_.kind == Error::Kind::not_found; }

 private:
  Duration retry() const;

  bool failing_ = false;
  bool told_ = false;
  Time failing_since_{}, tried_at_{};
  Error error_;
};

}  // namespace hdrive::scheduler
