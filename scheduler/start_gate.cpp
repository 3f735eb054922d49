// SPDX-License-Identifier: Apache-2.0
#include "scheduler/start_gate.h"

#include <fmt/format.h>

namespace hdrive::scheduler {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kRetry{1};
// How long nothing may live before the sweep ends (docs/reliability.md). A full
// disk is waited for without end.
constexpr seconds kPatience{60};
constexpr minutes kPatienceWithOthers{10};

}  // namespace

void StartGate::close(const Error& why, Time now, std::int64_t live) {
  if (why_ && why_->kind != why.kind) idle_since_.reset();
  why_ = why;
  try_again_at_ = now + kRetry;
  live_at_refusal_ = live;
}

void StartGate::open() {
  why_.reset();
  idle_since_.reset();
}

bool StartGate::may_try(Time now, std::int64_t live) const {
  if (!why_ || now >= try_again_at_) return true;
  return why_->kind == Error::Kind::no_resources && live < live_at_refusal_;
}

void StartGate::look(Time now, std::int64_t live) {
  if (!why_ || live > 0)
    idle_since_.reset();
  else if (!idle_since_)
    idle_since_ = now;
}

std::optional<Time> StartGate::gives_up_at() const {
  if (!why_ || !idle_since_ || why_->kind == Error::Kind::no_room) return std::nullopt;
  return *idle_since_ + (needs_somebody() ? Duration{kPatience} : Duration{kPatienceWithOthers});
}

std::optional<std::string> StartGate::news() {
  if (!told_.insert(why_->kind).second) return std::nullopt;
  if (why_->kind == Error::Kind::no_room)
    return "no run could be started for want of room: " + why_->message();
  if (why_->kind == Error::Kind::no_resources)
    return "not as many runs can live at once as were asked for; those that "
           "find no place wait: " +
           why_->message();
  return "no run could be started; those that wait are tried again: " + why_->message();
}

std::optional<std::string> StartGate::trouble(std::int64_t live) const {
  if (needs_somebody()) return std::nullopt;  // that it is paused says so already
  if (why_->kind == Error::Kind::no_room)
    return "there is no room for the files of another run, so no new ones are started; the sweep "
           "goes on by "
           "itself as soon as there is: " +
           why_->message();
  if (live > 0) return std::nullopt;
  if (why_->kind == Error::Kind::busy)
    return "no run can be started at the moment; it is tried again, and the sweep goes on by "
           "itself once one can: " +
           why_->message();
  return "there are not enough processes, open files or memory for a run; the sweep goes on by "
         "itself as soon "
         "as there are: " +
         why_->message();
}

std::string StartGate::pause() const {
  return fmt::format(
      "no run can be started ({}); it is tried again every "
      "second, and the sweep goes on by itself "
      "once one can",
      why_->message());
}

std::string StartGate::end() const {
  const auto waited = std::chrono::duration_cast<seconds>(
      needs_somebody() ? Duration{kPatience} : Duration{kPatienceWithOthers});
  return fmt::format(
      "no run could be started for {} seconds: {}; the runs "
      "that wait are kept, and `hdrive resume` "
      "goes on with them once this is mended",
      waited.count(), why_->message());
}

}  // namespace hdrive::scheduler
