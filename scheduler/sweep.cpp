// SPDX-License-Identifier: Apache-2.0
//
// The engine's loop: fill the free slots, store what was decided, act on it, wait, take over what
// happened, judge. One thread decides; the target and the clock are given, so the same loop trains
// networks for days and simulates thousands of sweeps in a test.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <type_traits>
#include <variant>

#include "base/text.h"
#include "scheduler/ending.h"
#include "scheduler/ledger.h"
#include "scheduler/live_runs.h"
#include "scheduler/outlook.h"

namespace hdrive {
namespace scheduler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How often the loop looks for requests of other processes and lets displays redraw.
constexpr milliseconds kTick{100};
// How long the start of a process may wait for the next transaction.
constexpr milliseconds kLazyCommit{100};
// How often a store that cannot write is tried again.
constexpr seconds kStoreRetry{1};
// "Never", far enough to need no special case and near enough to calculate with.
constexpr Time kNever{std::chrono::hours{24 * 365 * 1000}};

std::string in_seconds(Duration duration) {
  return base::shortest(static_cast<double>(duration.count()) / 1e6) + " s";
}

class SweepLoop {
 public:
  SweepLoop(const SweepSpec& spec, Ledger ledger, StopSignal stop)
      : spec_(spec),
        ledger_(std::move(ledger)),
        target_(*ledger_.parts().target),
        stop_(std::move(stop)),
        outlook_(spec),
        ticking_(ledger_.parts().store->takes_requests() ||
                 (!ledger_.parts().listeners.empty() &&
                  dynamic_cast<SimulatedClock*>(ledger_.parts().clock.get()) == nullptr)) {}

  Result<SweepSummary> run() {
    begin();
    look_at_clock();  // a resumed sweep may have used up its time
    while (true) {
      fill();
      const bool stored = store();
      // An ending does not wait for a full disk: what is cancelled now is told when it resumes.
      if (stored || ending_) act();
      if (stored && over()) break;
      wait();
      take_over_events();
      take_requests();
      look_at_clock();
      for (const auto& listener : ledger_.parts().listeners)
        listener->on_turn(ledger_.state(), ledger_.now());
      if (given_up_) return store_error_;
    }
    return finish();
  }

 private:
  struct Ending {
    SweepEnd end;
    std::string reason;
  };

  const History& history() const { return ledger_.history(); }

  // ---- beginning -------------------------------------------------------------------------------

  void begin() {
    began_ = ledger_.now();
    const SweepState& state = ledger_.state();
    active_before_ = state.active();
    time_is_over_ = began_ + std::max(Duration{}, Duration{spec_.max_duration} - active_before_);
    outlook_.recall(history());
    for (RunId run = 0; run < history().size(); ++run) take_up(run);
    ledger_.record(SweepChanged{SweepStatus::running, SweepEnd::none, "", active_before_, began_});
  }

  // Finds out what became of a run of an earlier session.
  void take_up(RunId run) {
    const Run& record = history().run(run);
    if (is_terminal(record.status)) {
      const EndCause cause = record.ended_by;
      if (cause != EndCause::interrupt && cause != EndCause::budget) return;
      ledger_.record(RunRequeued{run, record.attempt + 1, "tried again by the resumed sweep",
                                 ledger_.now(), cause});
      queued_.push_back(run);
      return;
    }
    const bool was_running = record.status == RunStatus::running;
    auto attached = target_.attach(request(run));
    if (attached && *attached == AttachOutcome::attached) {
      const Time started = was_running ? record.started : ledger_.now();
      LiveRun live{record.attempt, started + spec_.max_run_duration};
      if (!was_running) ledger_.record(RunStarted{run, record.attempt, 0, started});
      live_.add(run, live);
      if (ledger_.state().canceling(run) != EndCause::none) {
        live_.find(run)->canceling = ledger_.state().canceling(run);
        cancels_.push_back({run, CancelMode::graceful});
      }
      return;
    }
    const std::string why = attached ? "it was gone when the sweep was resumed"
                                     : "it could not be found again: " + attached.error().message();
    if (was_running)
      lose(run, record.attempt, why);
    else
      queued_.push_back(run);
  }

  RunRequest request(RunId run) const {
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
    if (!directory.empty()) request.directory = run_directory(directory, run);
    request.time_limit = spec_.max_run_duration;
    request.cancel_grace = spec_.cancel_grace;
    request.position = ledger_.state().position(run);
    request.proposal = record.proposal;
    request.proposed = record.created;
    return request;
  }

  // ---- one turn --------------------------------------------------------------------------------

  // Decides which runs are to start. Nothing is started before it is stored.
  void fill() {
    if (ending_ || store_failing_) return;
    while (live_.size() < spec_.max_concurrent_runs) {
      const auto run = next_run();
      if (!run) return;
      live_.add(*run, LiveRun{history().run(*run).attempt, kNever});
      starts_.push_back(*run);
    }
  }

  // A run to try again, or a new one; nothing when there is none left, or an ending was decided.
  std::optional<RunId> next_run() {
    if (!queued_.empty()) {
      const RunId run = queued_.front();
      queued_.pop_front();
      return run;
    }
    if (!exhausted_.empty() || history().size() >= spec_.max_total_runs) return std::nullopt;
    auto proposed = ledger_.propose();
    if (!proposed) {
      end(SweepEnd::error, EndCause::sweep_ended,
          "the sampler could not propose run " + std::to_string(history().size()) + ": " +
              proposed.error().message());
      return std::nullopt;
    }
    if (!proposed->run) exhausted_ = proposed->reason;
    return proposed->run;
  }

  // Stores what waits, unless it may wait. False: it could not be stored, so nothing may be acted on.
  bool store() {
    const auto since = ledger_.waiting_since();
    const bool may_wait = since && !ledger_.urgent() && starts_.empty() && cancels_.empty() &&
                          ledger_.now() < *since + kLazyCommit && !nothing_left();
    if (!since || may_wait) return !store_failing_;
    auto stored = ledger_.commit();
    if (stored) {
      if (store_failing_)
        ledger_.note(Noted::Level::info, std::nullopt, "the store can be written again");
      store_failing_ = false;
      return true;
    }
    if (!store_failing_)
      ledger_.note(Noted::Level::error, std::nullopt,
                   "the store cannot be written, so no new runs are started until it can: " +
                       stored.error().message());
    store_failing_ = true;
    store_error_ = stored.error();
    given_up_ = ending_.has_value() && live_.empty();
    return false;
  }

  void act() {
    // One by one: a start that fails may end the sweep, and with it those that wait behind it.
    while (!starts_.empty()) {
      const RunId run = starts_.front();
      starts_.pop_front();
      start(run);
    }
    for (const auto& [run, mode] : std::exchange(cancels_, {})) {
      LiveRun* live = live_.find(run);
      if (!live) continue;
      live->told = true;
      target_.cancel(run, mode);
    }
  }

  void start(RunId run) {
    LiveRun* live = live_.find(run);
    live->limit = ledger_.now() + spec_.max_run_duration;
    auto started = target_.start(request(run));
    if (started) return;
    RunExited failed{run, live->attempt};
    failed.not_started = true;
    failed.note = started.error().message();
    on(failed);
  }

  // Whether another run can be started as soon as a slot is free.
  bool more_to_start() const {
    if (ending_) return false;
    return !queued_.empty() || (exhausted_.empty() && history().size() < spec_.max_total_runs);
  }

  bool nothing_left() const { return live_.empty() && !more_to_start(); }

  bool over() const { return nothing_left() && !ledger_.waiting_since(); }

  void wait() {
    Time deadline = kNever;
    const Time now = ledger_.now();
    if (!ending_) deadline = time_is_over_;
    if (const auto limit = live_.earliest_limit()) deadline = std::min(deadline, *limit);
    if (const auto since = ledger_.waiting_since())
      deadline = std::min(deadline, store_failing_ ? now + kStoreRetry : *since + kLazyCommit);
    if (ticking_) deadline = std::min(deadline, now + kTick);
    // A run that could not be started has left a slot free, or there is nothing to wait for.
    const bool slot_free = more_to_start() && live_.size() < spec_.max_concurrent_runs;
    if (!store_failing_ && (slot_free || nothing_left())) deadline = now;
    events_.clear();
    target_.wait(deadline, stop_.token(stops_seen_), events_);
  }

  void take_over_events() {
    condemned_.clear();
    for (TargetEvent& event : events_) std::visit([this](auto& one) { on(one); }, event);
    // Only now: a run that ended in the same breath has ended by itself.
    for (auto& [run, reason] : condemned_)
      if (live_.find(run)) cancel(run, EndCause::policy, std::move(reason));
  }

  void on(const RunBegan& began) {
    if (!live_.find(began.run, began.attempt)) return;
    if (history().run(began.run).status == RunStatus::running) return;  // attached
    ledger_.record(RunStarted{began.run, began.attempt, began.pid, ledger_.now()});
  }

  void on(RunReported& reported) {
    const LiveRun* live = live_.find(reported.run, reported.attempt);
    if (!live) return;
    const RunId run = reported.run;
    auto stop = ledger_.report(RunMetrics{run, reported.attempt, std::move(reported.metrics),
                                          reported.position, ledger_.now()});
    if (stop) condemned_.emplace_back(run, *std::move(stop));
  }

  void on(const RunExited& exited) {
    const LiveRun* live = live_.find(exited.run, exited.attempt);
    if (!live) return;
    ended(describe_end(exited, *live, ledger_.state().canceling_reason(exited.run), ledger_.now()));
  }

  void on(const RunVanished& vanished) {
    const LiveRun* live = live_.find(vanished.run, vanished.attempt);
    if (!live) return;
    if (live->canceling != EndCause::none) {
      ended(RunEnded{vanished.run,
                     vanished.attempt,
                     RunStatus::canceled,
                     live->canceling,
                     {},
                     {},
                     ledger_.state().canceling_reason(vanished.run),
                     "",
                     ledger_.now()});
      return;
    }
    live_.remove(vanished.run);
    lose(vanished.run, vanished.attempt, vanished.note);
  }

  void on(const TargetNote& note) { ledger_.note(Noted::Level::warning, note.run, note.note); }

  // A run that is gone: tried again as the same run as often as the specification allows.
  void lose(RunId run, int attempt, const std::string& why) {
    const std::string what = fmt::format("was lost{}{}", why.empty() ? "" : ": ", why);
    if (ledger_.state().lost_attempts(run) < spec_.max_lost_retries) {
      ledger_.record(RunRequeued{run, attempt + 1, what, ledger_.now(), EndCause::lost});
      ledger_.note(Noted::Level::warning, run, what + "; it is tried again");
      queued_.push_front(run);
      return;
    }
    ended(RunEnded{run,
                   attempt,
                   RunStatus::failed,
                   EndCause::lost,
                   {},
                   {},
                   what + fmt::format(", and its {} used up (max_lost_retries)",
                                      spec_.max_lost_retries == 1
                                          ? "one retry is"
                                          : fmt::format("{} retries are", spec_.max_lost_retries)),
                   "",
                   ledger_.now()});
  }

  void ended(RunEnded change) {
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
    if (const auto why = outlook_.hopeless(ledger_.state()))
      end(SweepEnd::hopeless, EndCause::sweep_ended, *why);
  }

  void take_requests() {
    if (!ledger_.parts().store->takes_requests()) return;
    auto requests = ledger_.parts().store->take_requests();
    if (!requests) return;  // a store that cannot be read now is asked again at the next turn
    for (const Request& request : *requests) {
      if (request.kind == Request::Kind::stop_sweep)
        end(SweepEnd::user, EndCause::interrupt, "stopped by `hdrive stop`");
      else if (request.run)
        stop_run(*request.run);
    }
  }

  void stop_run(RunId run) {
    const std::string why = "stopped by `hdrive stop`";
    if (live_.find(run)) return cancel(run, EndCause::user, why);
    if (std::erase(queued_, run) == 0) return;
    ended(RunEnded{run,
                   history().run(run).attempt,
                   RunStatus::canceled,
                   EndCause::user,
                   {},
                   {},
                   why,
                   "",
                   ledger_.now()});
  }

  void look_at_clock() {
    if (stop_.level() > stops_seen_) {
      stops_seen_ = stop_.level();
      end(SweepEnd::interrupt, EndCause::interrupt, "interrupted");
      if (stops_seen_ > 1)
        for (const auto& [run, live] : live_.all()) cancels_.push_back({run, CancelMode::kill});
    }
    const Time now = ledger_.now();
    if (!ending_ && now >= time_is_over_)
      end(SweepEnd::duration, EndCause::budget,
          "max_duration_minutes (" +
              base::shortest(static_cast<double>(spec_.max_duration.count()) / 60) +
              ") were over after " + base::plural(history().size(), "run"));
    std::vector<RunId> late;
    for (const auto& [run, live] : live_.all())
      if (live.canceling == EndCause::none && now >= live.limit) late.push_back(run);
    for (const RunId run : late)
      cancel(
          run, EndCause::time_limit,
          "ran longer than max_run_duration_seconds (" + in_seconds(spec_.max_run_duration) + ")");
  }

  void cancel(RunId run, EndCause cause, std::string reason) {
    LiveRun* live = live_.find(run);
    if (live->canceling != EndCause::none) return;
    live->canceling = cause;
    ledger_.cancel(run, cause, std::move(reason));
    cancels_.push_back({run, CancelMode::graceful});
  }

  // Decides that the sweep ends: no more runs, and those that live are cancelled.
  void end(SweepEnd how, EndCause cause, const std::string& reason) {
    if (ending_) return;
    ending_ = Ending{how, reason};
    // Decided but not begun: they stay queued, as nothing of them exists outside the books.
    for (const RunId run : std::exchange(starts_, {})) live_.remove(run);
    std::vector<RunId> alive;
    for (const auto& [run, live] : live_.all()) alive.push_back(run);
    const std::string why = how == SweepEnd::hopeless ? "the sweep stopped itself" : reason;
    for (const RunId run : alive) cancel(run, cause, why);
  }

  // ---- the end ---------------------------------------------------------------------------------

  Result<SweepSummary> finish() {
    if (!ending_)
      ending_ = exhausted_.empty() ? Ending{SweepEnd::all_runs, all_ended(history())}
                                   : Ending{SweepEnd::exhausted, exhausted_};
    ledger_.record(SweepChanged{status_after(ending_->end, history()), ending_->end,
                                ending_->reason, active_before_ + (ledger_.now() - began_),
                                ledger_.now()});
    if (auto stored = ledger_.commit(); !stored) return stored.error();
    if (ending_->end == SweepEnd::error) return Error{"", ending_->reason};
    return summarize(ledger_.state());
  }

  const SweepSpec& spec_;
  Ledger ledger_;
  ComputeTarget& target_;
  StopSignal stop_;
  Outlook outlook_;
  const bool ticking_;

  LiveRuns live_;
  std::deque<RunId> queued_;                              // exist, and are to be started (again)
  std::deque<RunId> starts_;                              // to start once stored
  std::vector<std::pair<RunId, CancelMode>> cancels_;     // to cancel once stored
  std::vector<std::pair<RunId, std::string>> condemned_;  // by the policy, in this turn
  std::vector<TargetEvent> events_;
  std::string exhausted_;  // why the sampler has nothing left; empty: it may have
  std::optional<Ending> ending_;

  Time began_{};
  Time time_is_over_{};
  Duration active_before_{};
  int stops_seen_ = 0;
  bool missing_metric_told_ = false;
  bool store_failing_ = false;
  bool given_up_ = false;
  Error store_error_;
};

}  // namespace
}  // namespace scheduler

Result<SweepSummary> run_sweep(const SweepSpec& spec, const SweepParts& parts, StopSignal stop) {
  if (auto sound = check(spec); !sound) return sound.error();
  if (!parts.target) return Error{"", "run_sweep needs a compute target (SweepParts::target)"};
  auto complete = scheduler::complete_parts(spec, parts);
  if (!complete) return complete.error();
  auto ledger = scheduler::Ledger::open(spec, *std::move(complete));
  if (!ledger) return ledger.error();
  return scheduler::SweepLoop(spec, *std::move(ledger), std::move(stop)).run();
}

Result<SweepSummary> tune(const SweepSpec& spec, Objective objective,
                          std::vector<std::shared_ptr<Listener>> listeners, StopSignal stop) {
  SweepParts parts;
  parts.clock = make_steady_clock();
  parts.target = make_in_process_target(std::move(objective), parts.clock);
  parts.listeners = std::move(listeners);
  return run_sweep(spec, parts, std::move(stop));
}

}  // namespace hdrive
