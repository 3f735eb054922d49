// SPDX-License-Identifier: Apache-2.0
#include "scheduler/live_runs.h"

#include <fmt/format.h>

#include <algorithm>
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

std::optional<Time> LiveRuns::earliest_limit(Duration longest) const {
  std::optional<Time> earliest;
  for (const auto& [run, live] : runs_)
    if (live.since && live.canceling == EndCause::none)
      earliest = std::min(earliest.value_or(*live.since), *live.since);
  return earliest ? std::optional(*earliest + longest) : std::nullopt;
}

RunEnded describe_end(const RunExited& exited, const LiveRun& live,
                      const std::string& canceling_reason, Time at) {
  RunEnded ended{exited.run, exited.attempt};
  ended.exit_code = exited.exit_code;
  ended.signal = exited.signal;
  ended.stderr_tail = exited.stderr_tail;
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
