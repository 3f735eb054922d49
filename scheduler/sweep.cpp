// SPDX-License-Identifier: Apache-2.0
//
// The engine's loop: fill the free slots, store what was decided, act on it, wait, take over what
// happened, judge. One thread decides; the target and the clock are given, so the same loop trains
// networks for days and simulates thousands of sweeps in a test.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "hdrive/edit.h"
#include "scheduler/active_time.h"
#include "scheduler/ending.h"
#include "scheduler/journal.h"
#include "scheduler/run_controller.h"

namespace hdrive {
namespace scheduler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How often the loop looks for requests of other processes and lets displays redraw.
constexpr milliseconds kTick{100};
// How long the start of a process may wait for the next transaction.
constexpr milliseconds kLazyCommit{100};
// How often a store that cannot write, or a start without room, is tried again.
constexpr seconds kStoreRetry{1};

const std::string kPaused = "paused by `hdrive pause`";

class SweepLoop {
 public:
  SweepLoop(const SweepSpec& spec, Journal journal, StopSignal stop)
      : spec_(spec),
        journal_(std::move(journal)),
        runs_(spec_, journal_, *journal_.parts().target),
        stop_(std::move(stop)),
        ticking_(journal_.parts().store->takes_requests() ||
                 (!journal_.parts().listeners.empty() && journal_.parts().clock->real())) {}

  Result<SweepSummary> run() {
    if (auto begun = begin(); !begun) return begun.error();
    while (true) {
      fill();
      const bool stored = store();
      // An ending does not wait for a full disk: what is cancelled now is told when it resumes.
      if ((stored || ending_) && !stop_is_news()) act();
      stop_if_hopeless();
      if (stored && over()) break;
      if (!ending_ && exhausted_.empty()) journal_.prepare(spec_);
      wait();
      runs_.handle(events_);
      stop_if_hopeless();
      take_requests();
      look_at_clock();
      stop_counting_when_idle();
      for (const auto& listener : journal_.parts().listeners)
        listener->on_turn(journal_.state(), journal_.now());
      if (given_up_) return store_error_;
    }
    return finish();
  }

 private:
  struct Ending {
    SweepEnd end;
    std::string reason;
  };

  const History& history() const { return journal_.history(); }

  Result<void> begin() {
    const Duration before = journal_.state().active();
    if (auto taken = runs_.adopt(); !taken) return taken;
    active_ = ActiveTime(before, journal_.now());
    change(SweepStatus::running);
    // What ends the sweep is heard before it starts anything: a request, and time that is used up already.
    take_requests();
    look_at_clock();
    return {};
  }

  // Records where the sweep stands.
  void change(SweepStatus status, SweepEnd end = SweepEnd::none, const std::string& reason = "") {
    const Time now = journal_.now();
    journal_.record(SweepChanged{status, end, reason, active_.used(now), now});
  }

  // ---- one turn --------------------------------------------------------------------------------

  // Decides which runs are to start. Nothing is started before it is stored.
  void fill() {
    if (ending_ || paused_ || store_failing_ || waits_for_room()) return;
    while (runs_.live() < spec_.max_concurrent_runs) {
      if (runs_.queued() > 0) {
        runs_.plan_queued();
      } else if (const auto run = new_run()) {
        runs_.plan(*run);
      } else {
        return;
      }
    }
  }

  // Nothing when there is none left, or an ending was decided.
  std::optional<RunId> new_run() {
    if (!exhausted_.empty() || history().size() >= spec_.max_total_runs) return std::nullopt;
    auto proposed = journal_.propose(spec_);
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
    const auto since = journal_.waiting_since();
    const bool may_wait = since && !journal_.urgent() && !runs_.to_act() &&
                          journal_.now() < *since + kLazyCommit && !nothing_left();
    if (!since || may_wait) return !store_failing_;
    auto stored = journal_.commit();
    if (stored) {
      if (store_failing_) store_works_again();
      return true;
    }
    if (!store_failing_) store_fails(stored.error());
    given_up_ = ending_.has_value() && runs_.live() == 0;
    return false;
  }

  // What is recorded now waits, so the listeners are told at once and the store later.
  void store_fails(const Error& error) {
    store_failing_ = true;
    store_failed_at_ = journal_.now();
    store_error_ = error;
    report_trouble(fmt::format(
        "the store cannot be written, so no new runs are started ({} on); the sweep goes on by "
        "itself as soon as it can: {}",
        runs_.live() == 1 ? "1 run goes" : fmt::format("{} runs go", runs_.live()),
        error.message()));
  }

  void store_works_again() {
    store_failing_ = false;
    room_asked_for_ = false;
    report_trouble("");
    const auto lasted =
        std::chrono::ceil<seconds>(Duration{journal_.now() - store_failed_at_}).count();
    journal_.note(
        Noted::Level::warning, std::nullopt,
        fmt::format("the store could not be written for {}, and no new runs were started: {}",
                    base::plural(lasted, "second"), store_error_.message()));
  }

  // ---- no room for a run's files ---------------------------------------------------------------

  void act() {
    const bool starting = runs_.to_start();
    runs_.act();
    if (!starting) return;
    const auto& no_room = runs_.no_room();
    if (no_room) try_again_at_ = journal_.now() + kStoreRetry;
    if (no_room && !std::exchange(room_asked_for_, true)) {
      journal_.note(Noted::Level::warning, std::nullopt,
                    "no run could be started for want of room: " + no_room->message());
      report_trouble(
          "there is no room for the files of another run, so no new ones are started; the sweep "
          "goes on by itself as soon as there is: " +
          no_room->message());
    }
    if (!no_room && std::exchange(room_asked_for_, false)) report_trouble("");
  }

  bool waits_for_room() const { return runs_.no_room() && journal_.now() < try_again_at_; }

  void report_trouble(const std::string& trouble) {
    for (const auto& listener : journal_.parts().listeners) listener->on_trouble(trouble);
  }

  // Whether another run can be started as soon as a slot is free.
  bool more_to_start() const {
    if (ending_) return false;
    return runs_.queued() > 0 || (exhausted_.empty() && history().size() < spec_.max_total_runs);
  }

  bool nothing_left() const { return runs_.live() == 0 && !more_to_start(); }

  bool over() const { return nothing_left() && !journal_.waiting_since(); }

  void wait() {
    const Time now = journal_.now();
    Time deadline = ending_ ? ActiveTime::kNever : active_.over_at(spec_.max_duration);
    if (const auto limit = runs_.earliest_limit()) deadline = std::min(deadline, *limit);
    if (const auto since = journal_.waiting_since())
      deadline = std::min(deadline, store_failing_ ? now + kStoreRetry : *since + kLazyCommit);
    if (ticking_) deadline = std::min(deadline, now + kTick);
    // A run that could not be started has left a slot free, or there is nothing to wait for.
    const bool slot_free = more_to_start() && !paused_ && runs_.live() < spec_.max_concurrent_runs;
    if (slot_free && waits_for_room())
      deadline = std::min(deadline, try_again_at_);
    else if (!store_failing_ && (slot_free || nothing_left()))
      deadline = now;
    events_.clear();
    journal_.parts().target->wait(journal_.on_clock(deadline), stop_.token(stops_seen_), events_);
  }

  // What was decided before a stop was asked for is not begun after it.
  bool stop_is_news() const { return stop_.level() > stops_seen_; }

  void look_at_clock() {
    if (stop_is_news()) {
      stops_seen_ = stop_.level();
      end(SweepEnd::interrupt, EndCause::interrupt, "interrupted");
      if (stops_seen_ > 1) runs_.kill_all();
    }
    if (!ending_ && journal_.now() >= active_.over_at(spec_.max_duration))
      end(SweepEnd::duration, EndCause::budget,
          time_budget(spec_) + " were over after " + base::plural(history().size(), "run"));
    runs_.cancel_late();
  }

  // Time counts as long as something runs.
  void stop_counting_when_idle() {
    if (!paused_ || ending_ || !active_.counting() || runs_.live() > 0) return;
    active_.halt(journal_.now());
    change(SweepStatus::paused, SweepEnd::none, kPaused + "; nothing runs");
  }

  // ---- requests of other processes -------------------------------------------------------------

  void take_requests() {
    if (!journal_.parts().store->takes_requests()) return;
    auto requests = journal_.parts().store->take_requests();
    if (!requests) return;  // a store that cannot be read now is asked again at the next turn
    for (const Request& request : *requests) {
      Answer answer = carry_out(request);
      journal_.record(
          RequestAnswered{request.id, answer.accepted, std::move(answer.text), journal_.now()});
    }
  }

  Answer carry_out(const Request& request) {
    if (ending_ && request.kind != Request::Kind::stop_sweep &&
        request.kind != Request::Kind::stop_run)
      return {false, "the sweep is ending: " + ending_->reason};
    switch (request.kind) {
      case Request::Kind::stop_sweep:
        end(SweepEnd::user, EndCause::interrupt, "stopped by `hdrive stop`");
        return {true, "it is being stopped"};
      case Request::Kind::stop_run:
        if (request.run && runs_.stop(*request.run, "stopped by `hdrive stop`"))
          return {true, "it is being stopped"};
        return {false, "it is over already"};
      case Request::Kind::pause_sweep:
        return pause();
      case Request::Kind::resume_sweep:
        return go_on();
      case Request::Kind::update_sweep:
        return update(request);
      case Request::Kind::retry_run:
        return request.run ? runs_.retry(*request.run) : Answer{false, "no run was named"};
    }
    return {false, "it is of a kind that this engine does not know"};
  }

  Answer pause() {
    if (!paused_) {
      paused_ = true;
      runs_.unplan();
      change(SweepStatus::paused, SweepEnd::none, kPaused);
    }
    if (runs_.live() == 0) return {true, "paused; nothing runs"};
    return {true, fmt::format(
                      "paused; {} on, and no new ones are started",
                      runs_.live() == 1 ? "1 run goes" : fmt::format("{} runs go", runs_.live()))};
  }

  Answer go_on() {
    if (!paused_) return {false, "it is not paused"};
    paused_ = false;
    if (!active_.counting()) active_.go_on(journal_.now());
    change(SweepStatus::running);
    return {true, "goes on"};
  }

  Answer update(const Request& request) {
    auto edit = edit_spec(spec_, read_settings(request.payload), history().size());
    if (!edit) return {false, edit.error().message()};
    if (edit->what.empty()) return {true, "nothing changes: it is so already"};
    if (edit->spec.metric_patterns != spec_.metric_patterns)
      return {false,
              "metric_patterns: the engine reads the output of live runs with them; `hdrive stop` "
              "first, then update and resume"};
    if (auto taken = journal_.follow(edit->spec); !taken) return {false, taken.error().message()};
    journal_.record(SweepEdited{std::move(edit->config), edit->what, journal_.now()});
    spec_ = std::move(edit->spec);
    exhausted_.clear();
    runs_.unplan();  // there may be fewer slots now
    return {true, std::move(edit->what)};
  }

  // ---- the end ---------------------------------------------------------------------------------

  // Decides that the sweep ends: no more runs, and those that live are cancelled.
  void end(SweepEnd how, EndCause cause, const std::string& reason) {
    if (ending_) return;
    ending_ = Ending{how, reason};
    runs_.unplan();
    runs_.cancel_all(cause, how == SweepEnd::hopeless ? "the sweep stopped itself" : reason);
  }

  void stop_if_hopeless() {
    if (const auto& why = runs_.hopeless()) end(SweepEnd::hopeless, EndCause::sweep_ended, *why);
  }

  Result<SweepSummary> finish() {
    if (!ending_)
      ending_ = exhausted_.empty() ? Ending{SweepEnd::all_runs, all_ended(history())}
                                   : Ending{SweepEnd::exhausted, exhausted_};
    change(status_after(ending_->end, history()), ending_->end, ending_->reason);
    if (auto stored = journal_.commit(); !stored) return stored.error();
    if (ending_->end == SweepEnd::error) return Error{"", ending_->reason};
    return summarize(journal_.state());
  }

  SweepSpec spec_;
  Journal journal_;
  RunController runs_;
  StopSignal stop_;
  const bool ticking_;

  ActiveTime active_;
  std::vector<TargetEvent> events_;
  std::string exhausted_;  // why the sampler has nothing left; empty: it may have
  std::optional<Ending> ending_;
  bool paused_ = false;
  int stops_seen_ = 0;

  bool store_failing_ = false;
  bool given_up_ = false;
  Time store_failed_at_{};
  Error store_error_;
  bool room_asked_for_ = false;  // told, and not yet over
  Time try_again_at_{};          // a start that found no room
};

}  // namespace
}  // namespace scheduler

Result<SweepSummary> run_sweep(const SweepSpec& spec, const SweepParts& parts, StopSignal stop) {
  if (auto sound = check(spec); !sound) return sound.error();
  if (!parts.target) return Error{"", "run_sweep needs a compute target (SweepParts::target)"};
  auto journal = scheduler::Journal::open(spec, parts);
  if (!journal) return journal.error();
  return scheduler::SweepLoop(spec, *std::move(journal), std::move(stop)).run();
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
