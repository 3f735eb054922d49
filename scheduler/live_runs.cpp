// SPDX-License-Identifier: Apache-2.0
#include "scheduler/live_runs.h"

#include <fmt/format.h>

#include <cstring>

namespace hdrive::scheduler {
namespace {

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? fmt::format("signal {} (SIG{})", signal, name) : fmt::format("signal {}", signal);
}

std::string with_note(std::string text, const std::string& note) {
  return note.empty() ? text : std::move(text) + "; " + note;
}

}  // namespace

LiveRun* LiveRuns::find(RunId run) {
  const auto found = runs_.find(run);
  return found == runs_.end() ? nullptr : &found->second;
}

LiveRun* LiveRuns::find(RunId run, int attempt) {
  LiveRun* live = find(run);
  return live && live->attempt == attempt ? live : nullptr;
}

void LiveRuns::add(RunId run, LiveRun live, std::optional<int> slot_before) {
  const std::optional<Time> since = live.since;
  live.slot = take_slot(slot_before);
  runs_.emplace(run, std::move(live));
  if (since) set_since(run, *since);
}

int LiveRuns::take_slot(std::optional<int> before) {
  constexpr int kMost =
      1'000'000;  // of max_concurrent_runs; more would be a stored number that makes no sense
  const int made = static_cast<int>(taken_slots_.size() + free_slots_.size());
  int slot = free_slots_.empty() ? made : *free_slots_.begin();
  if (before && *before >= 0 && *before < kMost && !taken_slots_.contains(*before)) slot = *before;
  for (int between = made; between <= slot; ++between) free_slots_.insert(between);
  free_slots_.erase(slot);
  taken_slots_.insert(slot);
  return slot;
}

void LiveRuns::remove(RunId run) {
  forget_times(run);
  if (const LiveRun* live = find(run)) {
    taken_slots_.erase(live->slot);
    free_slots_.insert(live->slot);
  }
  runs_.erase(run);
}

void LiveRuns::set_since(RunId run, Time since) {
  LiveRun& live = runs_.at(run);
  if (live.since) by_start_.erase({*live.since, run});
  live.since = since;
  if (live.canceling != EndCause::none) return;
  by_start_.insert({since, run});
  if (live.unreachable) return;
  const auto word = last_word_.find(run);
  if (word == last_word_.end() || word->second < since) heard_of(run, since);
}

void LiveRuns::heard_of(RunId run, Time when) {
  if (runs_.at(run).canceling != EndCause::none) return;
  const auto [word, added] = last_word_.try_emplace(run, when);
  if (!added) by_word_.erase({std::exchange(word->second, when), run});
  by_word_.insert({when, run});
}

void LiveRuns::stop_clock(RunId run) {
  forget_times(run);
  runs_.at(run).since.reset();
}

void LiveRuns::lose_sight(RunId run) {
  const auto word = last_word_.find(run);
  if (word == last_word_.end()) return;
  by_word_.erase({word->second, run});
  last_word_.erase(word);
}

void LiveRuns::set_canceling(RunId run, EndCause cause) {
  forget_times(run);
  runs_.at(run).canceling = cause;
}

std::optional<LiveRuns::Moment> LiveRuns::first(const std::set<Moment>& of) {
  return of.empty() ? std::nullopt : std::optional(*of.begin());
}

void LiveRuns::forget_times(RunId run) {
  const LiveRun* live = find(run);
  if (live && live->since) by_start_.erase({*live->since, run});
  lose_sight(run);
}

RunEnded describe_end(const RunExited& exited, const LiveRun& live,
                      const std::string& canceling_reason, Time at) {
  RunEnded ended{exited.run, exited.attempt};
  ended.exit_code = exited.exit_code;
  ended.signal = exited.signal;
  ended.stderr_tail = exited.stderr_tail;
  ended.cpu_time = exited.cpu_time;
  ended.peak_memory = exited.peak_memory;
  ended.at = at;
  const auto set = [&](RunStatus status, EndCause cause, std::string reason) {
    ended.status = status;
    ended.cause = cause;
    ended.reason = with_note(std::move(reason), exited.note);
    return ended;
  };
  if (exited.not_started) {
    ended.status = RunStatus::failed;
    ended.cause = EndCause::not_started;
    ended.reason = exited.note.empty() ? "its program could not be started" : exited.note;
    return ended;
  }
  // A run that ended before it was told to has ended by itself.
  if (live.canceling != EndCause::none && live.told)
    return set(RunStatus::canceled, live.canceling, canceling_reason);
  if (exited.over_time)
    return set(RunStatus::canceled, EndCause::time_limit, "ran longer than its time limit");
  if (exited.signal)
    return set(RunStatus::failed, EndCause::signaled, "killed by " + signal_name(*exited.signal));
  if (exited.exit_code.value_or(0) != 0)
    return set(RunStatus::failed, EndCause::exited,
               fmt::format("exited with code {}", *exited.exit_code));
  return set(RunStatus::completed, EndCause::exited, "completed");
}

}  // namespace hdrive::scheduler
