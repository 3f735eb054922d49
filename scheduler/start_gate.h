// SPDX-License-Identifier: Apache-2.0
//
// StartGate: what is done while no run can be started for a reason that lies
// outside of it (lies_outside): when it is tried again, what is told, and when
// the sweep stops waiting. Pure bookkeeping; the loop acts.
//
// Room, resources and locks come back by themselves, so the sweep waits for
// them and tells. A program or a folder that is gone, or a permission that is
// missing, somebody has to mend: the sweep is paused until one start succeeds,
// and ends where nothing lives and nobody mends it for a while, so that no job
// hangs for ever.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "hdrive/clock.h"
#include "hdrive/result.h"

namespace hdrive::scheduler {

class StartGate {
 public:
  /// A start was refused for this reason while so many runs live.
  void close(const Error& why, Time now, std::int64_t live);
  /// One succeeded.
  void open();
  /// Somebody asks for another try now.
  void try_now(Time now) { try_again_at_ = now; }

  bool is_closed() const { return why_.has_value(); }
  /// Whether somebody has to mend what is wrong; the sweep is paused as long as
  /// that is so.
  bool needs_somebody() const { return why_ && !passes_by_itself(why_->kind); }
  /// Whether a start may be tried: also at once when a run has ended, which may
  /// have given back what is missing.
  bool may_try(Time now, std::int64_t live) const;
  Time try_again_at() const { return try_again_at_; }

  /// Notes whether anything lives: the patience below counts while nothing
  /// does.
  void look(Time now, std::int64_t live);
  /// When the sweep has waited long enough; nothing: it waits on.
  std::optional<Time> gives_up_at() const;

  /// A sentence for the record; nothing if the same was told before.
  std::optional<std::string> news();
  /// A sentence for a display; nothing where the sweep is paused, which tells, or more runs merely
  /// do not fit.
  std::optional<std::string> trouble(std::int64_t live) const;
  /// Why the sweep is paused, and why it ended.
  std::string pause() const;
  std::string end() const;

 private:
  std::optional<Error> why_;
  Time try_again_at_{};
  std::int64_t live_at_refusal_ = 0;
  std::optional<Time> idle_since_;
  std::set<Error::Kind> told_;
};

}  // namespace hdrive::scheduler
