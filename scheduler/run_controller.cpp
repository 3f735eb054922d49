// SPDX-License-Identifier: Apache-2.0
#include "scheduler/run_controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "base/text.h"
#include "hdrive/begin.h"
#include "hdrive/ids.h"
#include "hdrive/warm_start.h"
#include "scheduler/ending.h"

namespace hdrive::scheduler {
namespace {

std::string in_seconds(Duration duration) {
  return base::shortest(static_cast<double>(duration.count()) / 1e6) + " s";
}

// HyperDrive's two ways of telling a script where the outputs of the run are that it goes on from.
void go_on_from(const std::filesystem::path& outputs, RunRequest& request) {
  request.arguments.insert(request.arguments.end(), {"--resume-from", outputs.string()});
  request.environment.emplace_back("AZUREML_DATAREFERENCE_MODEL_LOCATION", outputs.string());
  request.resume_from = outputs;
}

}  // namespace

RunRequest RunController::request(RunId run) const {
  const Run& record = history().run(run);
  const SweepHeader& header = journal_.parts().store->header();
  RunRequest request;
  request.run = run;
  request.attempt = record.attempt;
  request.run_id = run_id(header.id, run);
  request.parameters = record.parameters;
  RunCommand command = render_command(spec_, record.parameters, header.id, run);
  request.arguments = std::move(command.arguments);
  request.environment = std::move(command.environment);
  // A sweep without a directory has no place for what an earlier one left.
  if (const auto earlier = continuation_from(record.proposal);
      earlier && !journal_.parts().directory.empty())
    go_on_from(continued_outputs(journal_.parts().directory, *earlier), request);
  request.working_directory = spec_.source_directory;
  const auto& directory = journal_.parts().directory;
  request.workspace.source = spec_.source_directory;
  if (spec_.working_directory == WorkingDirectory::run && !directory.empty()) {
    request.workspace.snapshot = header.snapshot;
    request.workspace.store = snapshot_store(directory.parent_path());
  }
  request.workspace.keep = spec_.keep_work;
  if (!directory.empty()) request.directory = run_directory(directory, run);
  if (const auto live = live_.all().find(run); live != live_.all().end())
    request.slot = live->second.slot;
  request.time_limit = spec_.max_run_duration;
  request.cancel_grace = spec_.cancel_grace;
  request.resources = resources_of(spec_);
  request.distribution = spec_.distribution;
  request.handle = journal_.state().handle(run);
  request.cursor = journal_.state().cursor(run);
  request.proposal = record.proposal;
  request.proposed = record.created;
  return request;
}

// ---- decisions ----------------------------------------------------------------------------------

void RunController::plan_queued() {
  plan(queued_.front());
  queued_.pop_front();
}

void RunController::plan(RunId run) {
  // A place that there is no more, since fewer may run now, is not given again.
  auto before = journal_.state().slot(run);
  if (before && *before >= spec_.max_concurrent_runs) before.reset();
  live_.add(run, LiveRun{history().run(run).attempt, std::nullopt}, before);
  starts_.push_back(run);
}

void RunController::unplan() {
  for (; !starts_.empty(); starts_.pop_back()) {
    live_.remove(starts_.back());
    queued_.push_front(starts_.back());
  }
}

void RunController::cancel(RunId run, EndCause cause, std::string reason) {
  LiveRun* live = live_.find(run);
  if (live->canceling != EndCause::none) return;
  live_.set_canceling(run, cause);
  journal_.cancel(run, cause, std::move(reason));
  cancels_.push_back({run, CancelMode::graceful});
}

void RunController::cancel_all(EndCause cause, const std::string& reason) {
  ending_ = true;
  for (const auto& [run, live] : live_.all()) cancel(run, cause, reason);
}

void RunController::kill_all() {
  for (const auto& [run, live] : live_.all()) cancels_.push_back({run, CancelMode::kill});
}

void RunController::cancel_late() {
  const Time now = journal_.now();
  for (auto first = live_.longest_running(); first && now >= first->first + spec_.max_run_duration;
       first = live_.longest_running())
    cancel(first->second, EndCause::time_limit,
           "ran longer than max_run_duration_seconds (" + in_seconds(spec_.max_run_duration) + ")");
  if (spec_.max_silent.count() == 0) return;
  for (auto first = live_.longest_silent(); first && now >= first->first + spec_.max_silent;
       first = live_.longest_silent())
    cancel(first->second, EndCause::silent,
           "reported nothing for max_silent_seconds (" + in_seconds(spec_.max_silent) + ")");
}

std::optional<Time> RunController::earliest_limit() const {
  std::optional<Time> earliest;
  if (const auto first = live_.longest_running()) earliest = first->first + spec_.max_run_duration;
  const auto silent = live_.longest_silent();
  if (silent && spec_.max_silent.count() > 0)
    earliest = std::min(earliest.value_or(Time::max()), silent->first + spec_.max_silent);
  return earliest;
}

bool RunController::stop(RunId run, const std::string& reason) {
  if (std::erase(starts_, run) > 0) {
    live_.remove(run);
  } else if (live_.find(run)) {
    cancel(run, EndCause::user, reason);
    return true;
  } else if (std::erase(queued_, run) == 0) {
    return false;
  }
  record_canceled(run, EndCause::user, reason);
  return true;
}

Answer RunController::retry(RunId run) {
  if (run < 0 || run >= history().size()) return {false, "there is no such run"};
  const Run& record = history().run(run);
  if (!is_terminal(record.status))
    return {false, fmt::format("it has not ended: it is {}", to_string(record.status))};
  const int attempt = record.attempt + 1;
  journal_.record(
      RunRequeued{run, attempt, "tried again by `hdrive retry`", journal_.now(), EndCause::user});
  queued_.push_back(run);
  return {true, fmt::format("it is tried again, as attempt {}", attempt)};
}

// ---- acting -------------------------------------------------------------------------------------

void RunController::act(const std::function<bool()>& is_enough) {
  for (const auto& [run, mode] : std::exchange(cancels_, {})) {
    LiveRun* live = live_.find(run);
    if (!live) continue;
    live->told = true;
    target_.cancel(run, mode);
  }
  while (!starts_.empty() && !hopeless_ && !is_enough()) {
    const RunId run = starts_.front();
    starts_.pop_front();
    start(run);
  }
}

void RunController::abandon() {
  for (const auto& [run, live] : live_.all())
    if (live.handed_over) target_.cancel(run, CancelMode::kill);
}

void RunController::start(RunId run) {
  auto started = target_.start(request(run));
  if (started) {
    live_.find(run)->handed_over = true;
    live_.set_since(run, journal_.now());
    // There is room again, unless the target took the refused one, too, and gave it back later. Whether a program
    // runs that could not be executed is told later as well.
    if (!blocked_) return;
    if (!passes_by_itself(blocked_->kind))
      probe_ = run;
    else if (!given_back_)
      blocked_.reset();
    return;
  }
  if (lies_outside(started.error().kind)) return postpone(run, started.error());
  RunExited failed{run, live_.find(run)->attempt};
  failed.not_started = true;
  failed.note = started.error().message();
  on(failed);
}

// It could not be started for a reason that has nothing to do with it: it
// waits, as the same attempt, and those that were to be started after it wait
// with it.
void RunController::postpone(RunId run, Error why) {
  refusal_ = why;
  blocked_ = std::move(why);
  given_back_ = false;
  probe_.reset();
  live_.remove(run);
  unplan();
  queued_.push_front(run);
}

// The target has it for good, so that what it gave back may be tried again.
void RunController::confirm_acceptance() {
  if (given_back_ && blocked_ && passes_by_itself(blocked_->kind)) blocked_.reset();
}

// Its program runs.
void RunController::confirm_start(RunId run) {
  confirm_acceptance();
  if (!probe_ || *probe_ != run) return;
  probe_.reset();
  blocked_.reset();
}

// ---- what happened ------------------------------------------------------------------------------

void RunController::handle(std::vector<TargetEvent>& events) {
  to_stop_.clear();
  for (TargetEvent& event : events) std::visit([this](auto& one) { on(one); }, event);
  // Only now: a run that ended in the same turn has ended by itself.
  for (const RunId run : to_stop_)
    if (LiveRun* live = live_.find(run); live && live->verdict)
      cancel(run, EndCause::policy, *std::exchange(live->verdict, std::nullopt));
}

void RunController::on(const RunAccepted& accepted) {
  if (!live_.find(accepted.run, accepted.attempt)) return;
  find_again(accepted.run);
  confirm_acceptance();
  if (history().run(accepted.run).status == RunStatus::running) return;
  live_.stop_clock(accepted.run);
  if (journal_.state().handle(accepted.run) == accepted.handle)
    return;  // to an earlier session, too
  journal_.record(RunSubmitted{accepted.run, accepted.attempt, accepted.handle, journal_.now()});
}

// Nothing of it is there, and nothing was its fault.
void RunController::on(const RunDeferred& deferred) {
  const LiveRun* live = live_.find(deferred.run, deferred.attempt);
  if (!live) return;
  const auto& state = journal_.state();
  if (live->canceling != EndCause::none)
    return record_canceled(deferred.run, live->canceling, state.canceling_reason(deferred.run));
  find_again(deferred.run);
  postpone(deferred.run, deferred.why);
  given_back_ = true;
}

void RunController::on(const RunNotFound& missing) {
  const LiveRun* live = live_.find(missing.run, missing.attempt);
  if (!live) return;
  const RunId run = missing.run;
  if (live->canceling != EndCause::none)
    return record_canceled(run, live->canceling, journal_.state().canceling_reason(run));
  if (history().run(run).status == RunStatus::running)
    return lose(run, "it was gone when it was looked for");
  find_again(run);
  live_.remove(run);
  queued_.push_back(run);
}

void RunController::on(const RunUnreachable& unreachable) {
  LiveRun* live = live_.find(unreachable.run, unreachable.attempt);
  if (!live || std::exchange(live->unreachable, true)) return;
  // That it is silent says nothing now; and what has not begun waits.
  if (history().run(unreachable.run).status == RunStatus::running)
    live_.lose_sight(unreachable.run);
  else
    live_.stop_clock(unreachable.run);
  journal_.record(
      RunContact{unreachable.run, unreachable.attempt, true, unreachable.why, journal_.now()});
}

void RunController::on(const RunReachable& reachable) {
  if (live_.find(reachable.run, reachable.attempt)) find_again(reachable.run);
}

// There is contact with the run again, if there was none.
void RunController::find_again(RunId run) {
  LiveRun* live = live_.find(run);
  if (!std::exchange(live->unreachable, false)) return;
  const Time now = journal_.now();
  if (live->since) live_.heard_of(run, now);
  journal_.record(RunContact{run, live->attempt, false, "", now});
}

void RunController::on(const RunBegan& began) {
  if (!live_.find(began.run, began.attempt)) return;
  find_again(began.run);
  const Time now = journal_.now();
  const Run& record = history().run(began.run);
  const bool known = record.status == RunStatus::running;  // to an earlier session, too
  confirm_start(began.run);
  const Time since = began.ran ? now - *began.ran : known ? std::min(record.started, now) : now;
  live_.set_since(began.run, since);
  if (known) return;
  const Time started = std::max(record.created, now - began.ran.value_or(Duration{}));
  journal_.record(RunStarted{began.run, began.attempt, began.pid, started, slot_of(began.run)});
}

std::optional<int> RunController::slot_of(RunId run) const {
  const auto live = live_.all().find(run);
  return live == live_.all().end() ? std::nullopt : std::optional(live->second.slot);
}

// The program's beginning was not told: it was over before it could be.
void RunController::record_start(RunId run, int attempt) {
  if (!live_.find(run)->since) live_.set_since(run, journal_.now());
  if (history().run(run).status == RunStatus::queued)
    journal_.record(RunStarted{run, attempt, 0, journal_.now(), slot_of(run)});
}

void RunController::on(RunReported& reported) {
  LiveRun* live = live_.find(reported.run, reported.attempt);
  if (!live) return;
  const RunId run = reported.run;
  const Time now = journal_.now();
  find_again(run);
  record_start(run, reported.attempt);
  confirm_start(run);
  live_.heard_of(run, now);
  auto stop = journal_.report(RunMetrics{run, reported.attempt, std::move(reported.metrics),
                                         std::move(reported.cursor), now},
                              live->verdict.has_value());
  if (!stop) return;
  live->verdict = std::move(stop);
  to_stop_.push_back(run);
}

void RunController::on(const RunExited& exited) {
  const LiveRun* live = live_.find(exited.run, exited.attempt);
  if (!live) return;
  if (!exited.not_started) {
    record_start(exited.run, exited.attempt);
    confirm_start(exited.run);
  }
  record_end(
      describe_end(exited, *live, journal_.state().canceling_reason(exited.run), end_time(exited)));
}

// Nobody may have looked when it ended. Counted from its start here, so that no two machines' clocks are
// compared.
Time RunController::end_time(const RunExited& exited) const {
  const Time now = journal_.now();
  const Run& record = history().run(exited.run);
  if (!exited.ran || record.status != RunStatus::running) return now;
  return std::min(now, record.started + *exited.ran);
}

void RunController::on(const RunVanished& vanished) {
  const LiveRun* live = live_.find(vanished.run, vanished.attempt);
  if (!live) return;
  if (live->canceling != EndCause::none)
    record_canceled(vanished.run, live->canceling, journal_.state().canceling_reason(vanished.run));
  else
    lose(vanished.run, vanished.note);
}

void RunController::on(const TargetNote& note) {
  if (notes_.admit(note)) journal_.note(Noted::Level::warning, note.run, note.note);
}

// ---- endings ------------------------------------------------------------------------------------

// A run that is gone: tried again as the same run as often as the specification
// allows.
void RunController::lose(RunId run, const std::string& why) {
  live_.remove(run);
  const std::string what = fmt::format("was lost{}{}", why.empty() ? "" : ": ", why);
  if (journal_.state().lost_attempts(run) < spec_.max_lost_retries)
    return try_again(run, EndCause::lost, what);
  RunEnded lost{run, history().run(run).attempt, RunStatus::failed, EndCause::lost};
  lost.reason =
      what + (spec_.max_lost_retries == 0
                  ? "; it is not tried again (max_lost_retries is 0)"
                  : fmt::format(", and its {} used up (max_lost_retries)",
                                spec_.max_lost_retries == 1
                                    ? "one retry is"
                                    : fmt::format("{} retries are", spec_.max_lost_retries)));
  lost.at = journal_.now();
  record_end(std::move(lost));
}

void RunController::try_again(RunId run, EndCause cause, const std::string& what) {
  journal_.record(RunRequeued{run, history().run(run).attempt + 1, what, journal_.now(), cause});
  journal_.note(Noted::Level::warning, run, what + "; it is tried again");
  queued_.push_front(run);
}

void RunController::record_canceled(RunId run, EndCause cause, const std::string& reason) {
  RunEnded canceled{run, history().run(run).attempt, RunStatus::canceled, cause};
  canceled.reason = reason;
  canceled.at = journal_.now();
  record_end(std::move(canceled));
}

bool RunController::is_tried_again(const RunEnded& change) const {
  const bool failed = change.status == RunStatus::failed &&
                      (change.cause == EndCause::exited || change.cause == EndCause::signaled);
  return failed && !ending_ &&
         journal_.state().failed_attempts(change.run) < spec_.max_failed_retries;
}

void RunController::record_end(RunEnded change) {
  const RunId run = change.run;
  const bool completed = change.status == RunStatus::completed;
  const bool again = is_tried_again(change);
  const EndCause cause = change.cause;
  live_.remove(run);
  const bool lacks_metric = completed && history().reports(run).empty() && !is_single_run(spec_);
  if (lacks_metric) change.reason += " without the primary metric";
  const std::string reason = change.reason;
  journal_.record(std::move(change));
  failures_.observe_attempt(run, journal_.state());
  if (again) return try_again(run, cause, reason);
  if (lacks_metric && !missing_metric_told_) {
    missing_metric_told_ = true;
    journal_.note(Noted::Level::warning, run,
                  missing_metric(run, journal_.state(), spec_.azureml_sdk));
  }
  failures_.observe(run, journal_.state());
  progress_.observe(run, history());
  if (!hopeless_) hopeless_ = failures_.hopeless(journal_.state());
}

void RunController::note_at_the_end() {
  for (std::string& sentence : notes_.take_counted())
    journal_.note(Noted::Level::warning, std::nullopt, std::move(sentence));
  if (auto advice = policy_without_use(spec_, history()))
    journal_.note(Noted::Level::warning, std::nullopt, *std::move(advice));
}

}  // namespace hdrive::scheduler
