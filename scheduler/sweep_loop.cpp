// SPDX-License-Identifier: Apache-2.0
#include "scheduler/sweep_loop.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "scheduler/ending.h"

namespace hdrive::scheduler {
namespace {

using std::chrono::milliseconds;

// How often the loop looks for requests of other processes and lets displays
// redraw.
constexpr milliseconds kTick{100};
// How long the start of a process may wait for the next transaction.
constexpr milliseconds kLazyCommit{100};
// How often the target is asked how many runs fit.
constexpr milliseconds kCapacityInterval{1000};
// What one turn proposes and starts at most, so that the next look at all else
// is not far.
constexpr milliseconds kSlice{50};
constexpr int kMostInASlice = 32;
// While nothing can be stored, as many metrics are kept in memory; the rest
// stays where the runs wrote it.
constexpr std::size_t kMostBacklog = 200'000;

// So much of one kind of work a turn.
class Slice {
 public:
  explicit Slice(const Journal& journal) : journal_(journal), until_(journal.now() + kSlice) {}
  bool is_over() { return ++count_ > kMostInASlice || journal_.now() >= until_; }

 private:
  const Journal& journal_;
  const Time until_;
  int count_ = 0;
};

}  // namespace

SweepLoop::SweepLoop(const SweepSpec& spec, Journal journal, StopSignal stop)
    : spec_(spec),
      journal_(std::move(journal)),
      runs_(spec_, journal_, *journal_.parts().target),
      proposer_(journal_.parts().clock),
      stop_(std::move(stop)),
      ticking_(journal_.parts().store->takes_requests() ||
               (!journal_.parts().listeners.empty() && journal_.parts().clock->real())) {}

Result<SweepSummary> SweepLoop::run() {
  if (auto begun = begin(); !begun) return begun.error();
  while (true) {
    fill();
    const bool stored = store();
    // An ending does not wait for a full disk: what is cancelled now is told
    // when it resumes.
    if ((stored || ending_) && !stop_is_news()) act();
    decide_to_end();
    if (stored && over()) break;
    const bool asks_again = !ending_ && exhausted_.empty() && !proposer_.is_at_work();
    if (asks_again) journal_.prepare(spec_);
    wait();
    runs_.handle(events_);
    look_at_starts();
    decide_to_end();
    take_requests();
    look_at_clock();
    stop_counting_when_idle();
    journal_.tell_turn();
    const bool is_last = ending_ && runs_.live() == 0;
    if (store_health_.is_hopeless(journal_.now(), is_last, stops_seen_ > 1)) return lost_store();
  }
  return finish();
}

Result<void> SweepLoop::begin() {
  const Duration before = journal_.state().active();
  if (auto adopted = runs_.adopt(); !adopted) return adopted;
  active_ = ActiveTime(before, journal_.now());
  change(SweepStatus::running);
  capacity_ = journal_.parts().target->capacity();
  next_capacity_ = journal_.now() + kCapacityInterval;
  const std::int64_t wanted = std::min(spec_.max_concurrent_runs, spec_.max_total_runs);
  if (capacity_ && capacity_->runs < wanted)
    journal_.note(
        Noted::Level::warning, std::nullopt,
        fmt::format("max_concurrent_runs is {}, and {} at once: {}", spec_.max_concurrent_runs,
                    slots() == 1 ? "1 run fits" : fmt::format("{} runs fit", slots()),
                    capacity_->limit));
  // What ends the sweep is heard before it starts anything: a request, and time
  // that is used up already.
  take_requests();
  look_at_clock();
  decide_to_end();
  return {};
}

// Records where the sweep stands.
void SweepLoop::change(SweepStatus status, SweepEnd end, const std::string& reason) {
  const Time now = journal_.now();
  journal_.record(SweepChanged{status, end, reason, active_.used(now), now});
}

// ---- one turn -----------------------------------------------------------------------------------

std::int64_t SweepLoop::slots() const {
  if (!capacity_) return spec_.max_concurrent_runs;
  return std::min(spec_.max_concurrent_runs, std::max<std::int64_t>(1, capacity_->runs));
}

// A host that was away may have come back with more slots, or fewer.
void SweepLoop::look_at_capacity(Time now) {
  if (now < next_capacity_ || !more_to_start()) return;
  next_capacity_ = now + kCapacityInterval;
  capacity_ = journal_.parts().target->capacity();
}

bool SweepLoop::may_fill() const {
  return !ending_ && !paused_ && !store_health_.is_failing() && !runs_.is_probing() &&
         gate_.may_try(journal_.now(), runs_.live()) && !runs_.failing();
}

// Decides which runs are to start. Nothing is started before it is stored.
void SweepLoop::fill() {
  if (!may_fill()) return;
  Slice slice(journal_);
  while (runs_.live() < slots() && !stop_is_news() && !slice.is_over()) {
    if (runs_.queued() > 0) {
      runs_.plan_queued();
    } else if (const auto run = new_run()) {
      runs_.plan(*run);
    } else {
      return;
    }
    if (gate_.is_closed()) return;  // one is enough to find out
  }
}

// Nothing when there is none left or none yet, or an ending was decided.
std::optional<RunId> SweepLoop::new_run() {
  if (!is_left_to_propose()) return new_repeat();
  if (const auto run = journal_.propose_start_point(spec_)) return run;
  auto answer = proposer_.next(journal_.parts().sampler, history());
  if (!answer) return std::nullopt;
  if (!*answer) {
    end(SweepEnd::error, EndCause::sweep_ended,
        fmt::format("the sampler could not propose run {}: {}", history().size(),
                    answer->error().message()));
    return std::nullopt;
  }
  Journal::Proposed proposed = journal_.propose(**std::move(answer));
  if (!proposed.run) exhausted_ = std::move(proposed.reason);
  return proposed.run;
}

// The best runs once more, when all others have ended.
std::optional<RunId> SweepLoop::new_repeat() {
  const auto& next = repeats_.next(spec_, journal_.state());
  return next ? std::optional(journal_.propose(RunProposed(*next))) : std::nullopt;
}

// Stores what waits, unless it may wait. False: it could not be stored, so
// nothing may be acted on.
bool SweepLoop::store() {
  const auto since = journal_.waiting_since();
  const Time now = journal_.now();
  const bool may_wait = since && !journal_.urgent() && !runs_.to_act() &&
                        now < *since + kLazyCommit && !nothing_left();
  if (!since || may_wait) return !store_health_.is_failing();
  if (store_health_.is_failing() && now < store_health_.try_again_at()) return false;
  if (auto stored = journal_.commit(); !stored) {
    // What is recorded now waits, so the displays are told at once and the
    // store later.
    if (const auto news = store_health_.failed(stored.error(), now, runs_.live()))
      tell_trouble(*news);
    return false;
  }
  if (!store_health_.is_failing()) return true;
  tell_trouble("");
  if (const auto lasted = store_health_.works(journal_.now()))
    journal_.note(Noted::Level::warning, std::nullopt, *lasted);
  return true;
}

void SweepLoop::act() {
  Slice slice(journal_);
  runs_.act([&] { return stop_is_news() || slice.is_over(); });
  look_at_starts();
}

Time SweepLoop::deadline() const {
  const Time now = journal_.now();
  Time deadline = ending_ ? ActiveTime::kNever : active_.over_at(spec_.max_duration);
  if (const auto limit = runs_.earliest_limit()) deadline = std::min(deadline, *limit);
  if (const auto since = journal_.waiting_since())
    deadline = std::min(
        deadline, store_health_.is_failing() ? store_health_.try_again_at() : *since + kLazyCommit);
  if (ticking_) deadline = std::min(deadline, now + kTick);
  if (store_health_.is_failing()) return deadline;
  if (runs_.to_start() || nothing_left()) return now;
  // There may be more room soon.
  if (capacity_ && more_to_start() && capacity_->runs < spec_.max_concurrent_runs)
    deadline = std::min(deadline, next_capacity_);
  if (!more_to_start() || paused_ || runs_.live() >= slots() || runs_.is_probing() ||
      runs_.failing())
    return deadline;
  if (const auto give_up = gate_.gives_up_at()) deadline = std::min(deadline, *give_up);
  if (!gate_.may_try(now, runs_.live())) return std::min(deadline, gate_.try_again_at());
  return proposer_.is_at_work() && runs_.queued() == 0 ? deadline : now;
}

void SweepLoop::wait() {
  events_.clear();
  const Time until = deadline();
  const bool is_full = store_health_.is_failing() && journal_.backlog() > kMostBacklog;
  if (is_full && !ending_ && journal_.parts().clock->real()) return wait_without_reading(until);
  ComputeTarget& target = *journal_.parts().target;
  if (!proposer_.is_at_work())
    return target.wait(journal_.on_clock(until), stop_.token(stops_seen_), events_);
  // What ends the waiting is a stop or the sampler's answer.
  std::stop_source woken;
  const std::stop_callback stopped(stop_.token(stops_seen_), [&] { woken.request_stop(); });
  proposer_.call_when_ready([woken]() mutable { woken.request_stop(); });
  target.wait(journal_.on_clock(until), woken.get_token(), events_);
}

// Leaves what the runs report where it is.
void SweepLoop::wait_without_reading(Time deadline) {
  std::unique_lock lock(mutex_);
  const Duration most = std::min<Duration>(deadline - journal_.now(), kTick);
  waiting_.wait_for(lock, stop_.token(stops_seen_), most, [] { return false; });
}

void SweepLoop::look_at_clock() {
  // What was decided before a stop was asked for is not begun after it.
  if (stop_is_news()) {
    stops_seen_ = stop_.level();
    end(SweepEnd::interrupt, EndCause::interrupt, "interrupted");
    if (stops_seen_ > 1) runs_.kill_all();
  }
  const Time now = journal_.now();
  look_at_capacity(now);
  if (!ending_ && now >= active_.over_at(spec_.max_duration))
    end(SweepEnd::duration, EndCause::budget,
        time_budget(spec_) + " were over after " + base::plural(history().size(), "run"));
  runs_.cancel_late();
  if (!runs_.is_probing()) gate_.look(now, runs_.live());
  const auto give_up = gate_.gives_up_at();
  if (give_up && now >= *give_up && !paused_)
    end(SweepEnd::blocked, EndCause::sweep_ended, gate_.end());
}

std::string SweepLoop::pause_reason() const {
  return paused_ ? "paused by `hdrive pause`" : gate_.pause();
}

// Time counts as long as something runs.
void SweepLoop::stop_counting_when_idle() {
  if (!paused_ && !gate_.needs_somebody()) return;
  if (ending_ || !active_.counting() || runs_.live() > 0) return;
  active_.halt(journal_.now());
  change(SweepStatus::paused, SweepEnd::none, pause_reason() + "; nothing runs");
}

// ---- starts that cannot be ----------------------------------------------------------------------

void SweepLoop::look_at_starts() {
  if (const auto refused = runs_.take_refusal())
    close_gate(*refused);
  else if (gate_.is_closed() && !runs_.blocked())
    open_gate();
}

void SweepLoop::close_gate(const Error& why) {
  const bool was_paused = gate_.needs_somebody();
  gate_.close(why, journal_.now(), runs_.live());
  if (ending_) return;
  // That the sweep is paused is told by itself; the note is for those who look at it later.
  const auto level = gate_.needs_somebody() ? Noted::Level::info : Noted::Level::warning;
  if (const auto news = gate_.news()) journal_.note(level, std::nullopt, *news);
  if (const auto trouble = gate_.trouble(runs_.live()); trouble && !trouble_told_)
    tell_trouble(*trouble);
  if (gate_.needs_somebody() == was_paused || paused_) return;
  if (was_paused) return count_time_again();
  if (runs_.live() == 0) active_.halt(journal_.now());
  change(SweepStatus::paused, SweepEnd::none, gate_.pause());
}

void SweepLoop::open_gate() {
  const bool was_paused = gate_.needs_somebody();
  gate_.open();
  if (trouble_told_) tell_trouble("");
  if (was_paused && !paused_ && !ending_) count_time_again();
}

void SweepLoop::count_time_again() {
  if (!active_.counting()) active_.go_on(journal_.now());
  change(SweepStatus::running);
}

void SweepLoop::tell_trouble(const std::string& trouble) {
  trouble_told_ = !trouble.empty();
  journal_.tell_trouble(trouble);
}

// ---- the end ------------------------------------------------------------------------------------

// Whether runs are left that could be started as soon as a slot is free.
bool SweepLoop::is_left_to_start() const {
  return runs_.queued() > 0 || runs_.to_start() || is_left_to_propose() ||
         repeats_.next(spec_, journal_.state());
}

bool SweepLoop::is_left_to_propose() const {
  return exhausted_.empty() && journal_.state().counted_runs() < spec_.max_total_runs;
}

// Decides that the sweep ends: no more runs, and those that live are cancelled.
void SweepLoop::end(SweepEnd how, EndCause cause, const std::string& reason) {
  if (ending_) return;
  ending_ = Ending{how, reason};
  runs_.unplan();
  const bool by_itself = how == SweepEnd::hopeless || how == SweepEnd::error;
  runs_.cancel_all(cause, by_itself ? "the sweep stopped itself" : reason);
}

void SweepLoop::decide_to_end() {
  if (ending_) return;
  if (const auto& failure = journal_.failure())
    end(SweepEnd::error, EndCause::sweep_ended, *failure);
  else if (const auto& hopeless = runs_.hopeless())
    end(SweepEnd::hopeless, EndCause::sweep_ended, *hopeless);
  else if (const auto reached = target_reached(spec_, journal_.state()))
    end(SweepEnd::target, EndCause::sweep_ended, *reached);
  else if (const auto stalled = runs_.stalled())
    end(SweepEnd::no_progress, EndCause::sweep_ended, *stalled);
  else if (is_left_to_start())
    look_at_failures();
}

// No more runs are started; one that lives may still show that they can
// succeed.
void SweepLoop::look_at_failures() {
  const auto failing = runs_.failing();
  if (!failing) {
    failing_told_ = false;
  } else if (runs_.live() == 0) {
    end(SweepEnd::failing, EndCause::sweep_ended,
        *failing +
            "\nthe runs that are left are kept: `hdrive resume` goes on "
            "once this is mended");
  } else if (!std::exchange(failing_told_, true)) {
    runs_.unplan();
    journal_.note(Noted::Level::warning, std::nullopt,
                  fmt::format("no new runs are started while {}, unless one of them succeeds: {}",
                              what_goes_on(), *failing));
  }
}

// "1 run goes on", "3 runs go on".
std::string SweepLoop::what_goes_on() const {
  return runs_.live() == 1 ? "1 run goes on" : fmt::format("{} runs go on", runs_.live());
}

// The store is lost for good. Runs that can live without an engine are left
// alone: a resumed sweep finds them, unless the sweep itself is gone.
Error SweepLoop::lost_store() {
  Error error = store_health_.error();
  if (runs_.live() == 0) return error;
  if (store_health_.is_gone()) {
    runs_.abandon();
    error.what +=
        fmt::format("; its {} ended, since nothing could find them again",
                    runs_.live() == 1 ? "run was" : fmt::format("{} runs were", runs_.live()));
  } else {
    error.what +=
        fmt::format("; {}, and `hdrive resume` finds what became of them", what_goes_on());
  }
  return error;
}

Result<SweepSummary> SweepLoop::finish() {
  if (!ending_)
    ending_ = exhausted_.empty() ? Ending{SweepEnd::all_runs, all_ended(history())}
                                 : Ending{SweepEnd::exhausted, exhausted_};
  runs_.note_at_the_end();
  change(status_after(ending_->end, history()), ending_->end, ending_->reason);
  // What the last words need may be locked for a moment.
  while (true) {
    auto stored = journal_.commit();
    if (stored) break;
    (void)store_health_.failed(stored.error(), journal_.now(), 0);
    if (store_health_.is_hopeless(journal_.now(), true, stop_.level() > 1)) return stored.error();
    events_.clear();
    journal_.parts().target->wait(journal_.on_clock(store_health_.try_again_at()),
                                  stop_.token(stops_seen_), events_);
  }
  if (ending_->end == SweepEnd::error) return Error{"", ending_->reason};
  if (journal_.failure()) return Error{"", *journal_.failure()};
  return summarize(journal_.state());
}

}  // namespace hdrive::scheduler
