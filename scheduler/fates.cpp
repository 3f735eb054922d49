// SPDX-License-Identifier: Apache-2.0
#include "scheduler/fates.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "base/text.h"

namespace hdrive::scheduler {
namespace {

std::string in_seconds(Duration duration) {
  return base::shortest(static_cast<double>(duration.count()) / 1e6) + " s";
}

// A resumed sweep tries those again.
bool was_cut_short(EndCause cause) {
  return cause == EndCause::interrupt || cause == EndCause::budget;
}

}  // namespace

RunRequest Fates::request(RunId run) const {
  const Run& record = history().run(run);
  const SweepHeader& header = ledger_.parts().store->header();
  RunRequest request;
  request.run = run;
  request.attempt = record.attempt;
  request.run_id = run_id(header.id, run);
  request.parameters = record.parameters;
  RunCommand command = render_command(spec_, record.parameters, header.id, run);
  request.arguments = std::move(command.arguments);
  request.environment = std::move(command.environment);
  request.working_directory = spec_.source_directory;
  const auto& directory = ledger_.parts().directory;
  request.workspace.source = spec_.source_directory;
  if (spec_.working_directory == WorkingDirectory::run && !directory.empty()) {
    request.workspace.snapshot = header.snapshot;
    request.workspace.store = snapshot_store(directory.parent_path());
  }
  request.workspace.keep = spec_.keep_work;
  if (!directory.empty()) request.directory = run_directory(directory, run);
  request.time_limit = spec_.max_run_duration;
  request.cancel_grace = spec_.cancel_grace;
  request.position = ledger_.state().position(run);
  request.proposal = record.proposal;
  request.proposed = record.created;
  return request;
}

// ---- runs of earlier sessions -------------------------------------------------------------------

Result<void> Fates::take_up() {
  outlook_.recall(history());
  for (RunId run = 0; run < history().size(); ++run) {
    if (!is_terminal(history().run(run).status))
      if (auto looked = look_for(run); !looked) return looked;
    const Run& record = history().run(run);
    const EndCause cause = record.ended_by;
    if (!is_terminal(record.status) || !was_cut_short(cause)) continue;
    ledger_.record(RunRequeued{run, record.attempt + 1, "tried again by the resumed sweep",
                               ledger_.now(), cause});
    queued_.push_back(run);
  }
  return {};
}

Result<void> Fates::look_for(RunId run) {
  auto outcome = target_.attach(request(run));
  if (!outcome)
    return Error{fmt::format("run {}", run),
                 fmt::format("it may still be alive, but it cannot be followed, so nothing was "
                             "started; mend this and resume again: {}",
                             outcome.error().message())};
  if (*outcome == AttachOutcome::attached)
    attached(run);
  else
    gone(run);
  return {};
}

void Fates::attached(RunId run) {
  LiveRun live{history().run(run).attempt, ledger_.now()};
  live.canceling = ledger_.state().canceling(run);
  live_.add(run, live);
  if (live.canceling != EndCause::none) cancels_.push_back({run, CancelMode::graceful});
}

void Fates::gone(RunId run) {
  const EndCause canceling = ledger_.state().canceling(run);
  if (canceling != EndCause::none)
    ended_canceled(run, canceling, ledger_.state().canceling_reason(run));
  else if (history().run(run).status == RunStatus::running)
    lose(run, "it was gone when the sweep was resumed");
  else
    queued_.push_back(run);
}

// ---- decisions ----------------------------------------------------------------------------------

void Fates::plan_queued() {
  plan(queued_.front());
  queued_.pop_front();
}

void Fates::plan(RunId run) {
  live_.add(run, LiveRun{history().run(run).attempt, std::nullopt});
  starts_.push_back(run);
}

void Fates::unplan() {
  for (; !starts_.empty(); starts_.pop_back()) {
    live_.remove(starts_.back());
    queued_.push_front(starts_.back());
  }
}

void Fates::cancel(RunId run, EndCause cause, std::string reason) {
  LiveRun* live = live_.find(run);
  if (live->canceling != EndCause::none) return;
  live->canceling = cause;
  ledger_.cancel(run, cause, std::move(reason));
  cancels_.push_back({run, CancelMode::graceful});
}

void Fates::cancel_all(EndCause cause, const std::string& reason) {
  for (const auto& [run, live] : live_.all()) cancel(run, cause, reason);
}

void Fates::kill_all() {
  for (const auto& [run, live] : live_.all()) cancels_.push_back({run, CancelMode::kill});
}

void Fates::cancel_late() {
  const Time now = ledger_.now();
  for (const auto& [run, live] : live_.all())
    if (live.canceling == EndCause::none && live.since &&
        now >= *live.since + spec_.max_run_duration)
      cancel(
          run, EndCause::time_limit,
          "ran longer than max_run_duration_seconds (" + in_seconds(spec_.max_run_duration) + ")");
}

bool Fates::stop(RunId run, const std::string& reason) {
  if (std::erase(starts_, run) > 0) {
    live_.remove(run);
  } else if (live_.find(run)) {
    cancel(run, EndCause::user, reason);
    return true;
  } else if (std::erase(queued_, run) == 0) {
    return false;
  }
  ended_canceled(run, EndCause::user, reason);
  return true;
}

// ---- acting -------------------------------------------------------------------------------------

void Fates::act() {
  while (!starts_.empty() && !hopeless_) {
    const RunId run = starts_.front();
    starts_.pop_front();
    start(run);
    if (no_room_) unplan();
  }
  for (const auto& [run, mode] : std::exchange(cancels_, {})) {
    LiveRun* live = live_.find(run);
    if (!live) continue;
    live->told = true;
    target_.cancel(run, mode);
  }
}

void Fates::start(RunId run) {
  LiveRun* live = live_.find(run);
  live->since = ledger_.now();
  auto started = target_.start(request(run));
  no_room_.reset();
  if (started) return;
  if (started.error().kind == Error::Kind::no_room) {
    no_room_ = started.error();
    starts_.push_front(run);
    return;
  }
  RunExited failed{run, live->attempt};
  failed.not_started = true;
  failed.note = started.error().message();
  on(failed);
}

// ---- what happened ------------------------------------------------------------------------------

void Fates::take_over(std::vector<TargetEvent>& events) {
  condemned_.clear();
  for (TargetEvent& event : events) std::visit([this](auto& one) { on(one); }, event);
  // Only now: a run that ended in the same breath has ended by itself.
  for (auto& [run, reason] : condemned_)
    if (live_.find(run)) cancel(run, EndCause::policy, std::move(reason));
}

bool Fates::condemned(RunId run) const {
  return std::any_of(condemned_.begin(), condemned_.end(),
                     [run](const auto& one) { return one.first == run; });
}

void Fates::on(const RunBegan& began) {
  LiveRun* live = live_.find(began.run, began.attempt);
  if (!live) return;
  const Time now = ledger_.now();
  const Run& record = history().run(began.run);
  const bool known = record.status == RunStatus::running;  // to an earlier session, too
  if (began.ran)
    live->since = now - *began.ran;
  else if (known)
    live->since = std::min(record.started, now);
  if (!known) ledger_.record(RunStarted{began.run, began.attempt, began.pid, now});
}

// The program's beginning was not told: it was over before it could be.
void Fates::begin(RunId run, int attempt) {
  if (history().run(run).status == RunStatus::queued)
    ledger_.record(RunStarted{run, attempt, 0, ledger_.now()});
}

void Fates::on(RunReported& reported) {
  if (!live_.find(reported.run, reported.attempt)) return;
  const RunId run = reported.run;
  begin(run, reported.attempt);
  auto stop = ledger_.report(RunMetrics{run, reported.attempt, std::move(reported.metrics),
                                        reported.position, ledger_.now()},
                             condemned(run));
  if (stop) condemned_.emplace_back(run, *std::move(stop));
}

void Fates::on(const RunExited& exited) {
  const LiveRun* live = live_.find(exited.run, exited.attempt);
  if (!live) return;
  if (!exited.not_started) begin(exited.run, exited.attempt);
  ended(describe_end(exited, *live, ledger_.state().canceling_reason(exited.run), ledger_.now()));
}

void Fates::on(const RunVanished& vanished) {
  const LiveRun* live = live_.find(vanished.run, vanished.attempt);
  if (!live) return;
  if (live->canceling != EndCause::none)
    ended_canceled(vanished.run, live->canceling, ledger_.state().canceling_reason(vanished.run));
  else
    lose(vanished.run, vanished.note);
}

void Fates::on(const TargetNote& note) { ledger_.note(Noted::Level::warning, note.run, note.note); }

// ---- endings ------------------------------------------------------------------------------------

// A run that is gone: tried again as the same run as often as the specification allows.
void Fates::lose(RunId run, const std::string& why) {
  live_.remove(run);
  const int attempt = history().run(run).attempt;
  const std::string what = fmt::format("was lost{}{}", why.empty() ? "" : ": ", why);
  if (ledger_.state().lost_attempts(run) < spec_.max_lost_retries) {
    ledger_.record(RunRequeued{run, attempt + 1, what, ledger_.now(), EndCause::lost});
    ledger_.note(Noted::Level::warning, run, what + "; it is tried again");
    queued_.push_front(run);
    return;
  }
  RunEnded lost{run, attempt, RunStatus::failed, EndCause::lost};
  lost.reason = what + fmt::format(", and its {} used up (max_lost_retries)",
                                   spec_.max_lost_retries == 1
                                       ? "one retry is"
                                       : fmt::format("{} retries are", spec_.max_lost_retries));
  lost.at = ledger_.now();
  ended(std::move(lost));
}

void Fates::ended_canceled(RunId run, EndCause cause, const std::string& reason) {
  RunEnded canceled{run, history().run(run).attempt, RunStatus::canceled, cause};
  canceled.reason = reason;
  canceled.at = ledger_.now();
  ended(std::move(canceled));
}

void Fates::ended(RunEnded change) {
  const RunId run = change.run;
  const bool completed = change.status == RunStatus::completed;
  live_.remove(run);
  if (completed && history().reports(run).empty()) change.reason += " without the primary metric";
  ledger_.record(std::move(change));
  if (completed && history().reports(run).empty() && !missing_metric_told_) {
    missing_metric_told_ = true;
    ledger_.note(Noted::Level::warning, run, missing_metric(run, ledger_.state()));
  }
  outlook_.see(run, ledger_.state());
  if (!hopeless_) hopeless_ = outlook_.hopeless(ledger_.state());
}

}  // namespace hdrive::scheduler
