// SPDX-License-Identifier: Apache-2.0
#include "hdrive/ask_tell.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "hdrive/edit.h"
#include "scheduler/ending.h"
#include "scheduler/journal.h"
#include "scheduler/stop_rules.h"

namespace hdrive {

struct AskTell::Impl {
  Impl(const SweepSpec& s, scheduler::Journal l)
      : spec(s), journal(std::move(l)), active_before(state().active()), began(journal.now()) {
    time_is_over = began + std::max(Duration{}, Duration{spec.max_duration} - active_before);
    journal.record(SweepChanged{SweepStatus::running, SweepEnd::none, "", active_before, began});
  }

  SweepSpec spec;
  scheduler::Journal journal;
  Duration active_before;
  Time began, time_is_over;
  std::deque<RunId> again;  // to be handed out before new ones
  std::string exhausted;    // why the sampler had nothing left
  std::string stopped;      // by another process, and how
  // What was told and answered by an error, since it could not be stored: how
  // runs ended, and their last reports. Told again, the same counts once.
  struct Told {
    RunStatus status;
    std::optional<double> value;
    std::optional<std::int64_t> step;
    // NaN is told again as NaN.
    bool operator==(const Told& other) const {
      return status == other.status && step == other.step &&
             value.has_value() == other.value.has_value() &&
             (!value ||
              std::bit_cast<std::uint64_t>(*value) == std::bit_cast<std::uint64_t>(*other.value));
    }
  };
  std::map<RunId, Told> unanswered_ends, unanswered_reports;
  std::set<RunId> unanswered_asks;  // recorded as started, and nobody was told

  const SweepState& state() const { return journal.state(); }
  const History& history() const { return journal.history(); }

  // The run is one that was asked for and is still open.
  Result<void> open_run(RunId run) const {
    if (run < 0 || run >= history().size())
      return Error{"run " + std::to_string(run),
                   "was never asked for; there are " + base::plural(history().size(), "run")};
    if (is_terminal(history().run(run).status))
      return Error{"run " + std::to_string(run),
                   "has ended (" + std::string(to_string(history().run(run).status)) +
                       "); it takes no more reports"};
    return {};
  }

  bool was_cut_off(RunId run) const {
    const Run& record = history().run(run);
    return !is_terminal(record.status) || record.ended_by == EndCause::interrupt ||
           record.ended_by == EndCause::budget;
  }

  RunMetrics metrics(RunId run, double value, std::optional<std::int64_t> step) const {
    return {run,
            history().run(run).attempt,
            {Metric{spec.primary_metric, value, step, std::nullopt}},
            {},
            journal.now()};
  }

  void record_end(RunId run, RunStatus status, EndCause cause, std::string reason) {
    // A run that was told to stop is not judged by what it did then.
    if (const EndCause canceling = state().canceling(run); canceling != EndCause::none) {
      status = RunStatus::canceled;
      cause = canceling;
      reason = state().canceling_reason(run);
    }
    journal.record(RunEnded{run,
                            history().run(run).attempt,
                            status,
                            cause,
                            {},
                            {},
                            std::move(reason),
                            "",
                            journal.now()});
  }

  // `value`: a last report, where there is one.
  Result<void> end(RunId run, RunStatus status, EndCause cause, std::string reason,
                   std::optional<double> value = std::nullopt) {
    take_requests();
    const Told told{status, value, std::nullopt};
    const auto before = unanswered_ends.find(run);
    if (before == unanswered_ends.end() || !(before->second == told)) {
      if (auto open = open_run(run); !open) return open;
      if (value) journal.record(metrics(run, *value, std::nullopt));
      record_end(run, status, cause, std::move(reason));
      unanswered_ends.insert_or_assign(run, told);
    }
    auto stored = journal.commit();
    if (stored) unanswered_ends.erase(run);
    return stored;
  }

  void take_requests() {
    if (!journal.parts().store->takes_requests()) return;
    auto requests = journal.parts().store->take_requests();
    if (!requests) return;  // a store that cannot be read now is asked again at the next turn
    if (requests->empty()) return;
    for (const Request& request : *requests) {
      Answer answer = carry_out(request);
      journal.record(
          RequestAnswered{request.id, answer.accepted, std::move(answer.text), journal.now()});
    }
    (void)journal.commit();  // else with what follows
  }

  Answer carry_out(const Request& request) {
    switch (request.kind) {
      case Request::Kind::stop_sweep:
        stopped = "stopped by `hdrive stop`";
        return {true, "its program is told to stop"};
      case Request::Kind::stop_run:
        if (!request.run || !open_run(*request.run))
          return {false, scheduler::why_not_stopped(history(), request.run)};
        if (state().canceling(*request.run) == EndCause::none)
          journal.cancel(*request.run, EndCause::user, "stopped by `hdrive stop`");
        return {true, "its program is told to stop"};
      case Request::Kind::update_sweep:
        return update(request);
      case Request::Kind::pause_sweep:
      case Request::Kind::resume_sweep:
      case Request::Kind::retry_run:
        break;
    }
    return {false,
            "a program asks for the runs of this sweep; when they start "
            "is its affair"};
  }

  Answer update(const Request& request) {
    auto edit = edit_spec(spec, read_settings(request.payload), state().counted_runs());
    if (!edit) return {false, edit.error().message()};
    if (edit->what.empty()) return {true, "nothing changes: it is so already"};
    if (auto taken = journal.use(edit->spec); !taken) return {false, taken.error().message()};
    journal.record(SweepEdited{std::move(edit->config), edit->what, journal.now()});
    time_is_over += Duration{edit->spec.max_duration} - Duration{spec.max_duration};
    spec = std::move(edit->spec);
    exhausted.clear();
    return {true, std::move(edit->what)};
  }

  // Why nothing more is handed out.
  std::optional<std::string> over() const {
    if (!stopped.empty()) return "the sweep was " + stopped;
    if (journal.now() >= time_is_over) return scheduler::time_budget(spec) + " are over";
    if (auto reached = scheduler::target_reached(spec, state())) return reached;
    if (again.empty() && state().counted_runs() >= spec.max_total_runs)
      return fmt::format("all {} of max_total_runs were asked for",
                         base::plural(history().size(), "run"));
    return std::nullopt;
  }

  // The next of those cut off, as a new attempt where it had begun.
  std::optional<RunId> next_again() {
    while (!again.empty()) {
      const RunId run = again.front();
      again.pop_front();
      if (!was_cut_off(run)) continue;  // told after all
      const Run& record = history().run(run);
      if (record.status != RunStatus::queued && !unanswered_asks.contains(run)) {
        const EndCause cause = is_terminal(record.status) ? record.ended_by : EndCause::interrupt;
        journal.record(RunRequeued{run, record.attempt + 1, "asked for again by a later session",
                                   journal.now(), cause});
      }
      return run;
    }
    return std::nullopt;
  }
};

AskTell::AskTell(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AskTell::~AskTell() = default;
AskTell::AskTell(AskTell&&) noexcept = default;
AskTell& AskTell::operator=(AskTell&&) noexcept = default;

Result<AskTell> AskTell::open(const SweepSpec& spec, const SweepParts& parts) {
  if (auto sound = check(spec); !sound) return sound.error();
  auto journal = scheduler::Journal::open(spec, parts);
  if (!journal) return journal.error();
  return AskTell(std::make_unique<Impl>(spec, *std::move(journal)));
}

std::int64_t AskTell::retry_open() {
  impl_->again.clear();
  impl_->unanswered_ends.clear();
  impl_->unanswered_reports.clear();
  for (RunId run = 0; run < impl_->history().size(); ++run) {
    if (!impl_->was_cut_off(run)) continue;
    // What the policy had stopped is not tried again, though nobody said that
    // it has ended.
    if (impl_->state().canceling(run) == EndCause::policy && impl_->open_run(run))
      impl_->record_end(run, RunStatus::canceled, EndCause::policy, "");
    else
      impl_->again.push_back(run);
  }
  return static_cast<std::int64_t>(impl_->again.size());
}

Result<AskTell::Asked> AskTell::ask() {
  scheduler::Journal& journal = impl_->journal;
  impl_->take_requests();
  if (auto why = impl_->over()) return Asked{std::nullopt, {}, *std::move(why)};
  auto run = impl_->next_again();
  if (!run) {
    // The runs to be tried again may all have been told in the meantime.
    if (auto why = impl_->over()) return Asked{std::nullopt, {}, *std::move(why)};
    auto proposed = journal.propose(impl_->spec);
    if (!proposed) return proposed.error();
    if (!proposed->run) {
      impl_->exhausted = proposed->reason;
      return Asked{std::nullopt, {}, proposed->reason};
    }
    run = proposed->run;
  }
  const Run& record = journal.history().run(*run);
  if (impl_->unanswered_asks.insert(*run).second)
    journal.record(RunStarted{*run, record.attempt, 0, journal.now()});
  if (auto stored = journal.commit(); !stored) {
    impl_->again.push_front(*run);  // nobody knows of it yet
    return stored.error();
  }
  impl_->unanswered_asks.erase(*run);
  return Asked{run, record.parameters, record.proposal, record.attempt};
}

void AskTell::prepare() {
  if (impl_->again.empty() && !impl_->over() && impl_->exhausted.empty())
    impl_->journal.prepare(impl_->spec);
}

Result<AskTell::Reported> AskTell::report(RunId run, double value,
                                          std::optional<std::int64_t> step) {
  if (auto open = impl_->open_run(run); !open) return open.error();
  scheduler::Journal& journal = impl_->journal;
  impl_->take_requests();
  if (!impl_->stopped.empty() && journal.state().canceling(run) == EndCause::none)
    journal.cancel(run, EndCause::interrupt, impl_->stopped);
  // The same again, since it could not be stored: it counts once.
  const Impl::Told told{RunStatus::running, value, step};
  const auto before = impl_->unanswered_reports.find(run);
  if (before == impl_->unanswered_reports.end() || !(before->second == told)) {
    const auto stop = journal.report(impl_->metrics(run, value, step));
    if (stop && journal.state().canceling(run) == EndCause::none)
      journal.cancel(run, EndCause::policy, *stop);
    impl_->unanswered_reports.insert_or_assign(run, told);
  }
  if (auto stored = journal.commit(); !stored) return stored.error();
  impl_->unanswered_reports.erase(run);
  if (journal.failure()) return Error{"", *journal.failure()};
  Reported reported;
  if (const auto judged = journal.state().judged(run)) reported = {judged->verdict, judged->reason};
  const EndCause canceling = journal.state().canceling(run);
  if (canceling == EndCause::none) return reported;
  if (canceling != EndCause::policy) reported.verdict = Verdict{};
  reported.verdict.action = Verdict::Action::stop;
  reported.reason = journal.state().canceling_reason(run);
  return reported;
}

Result<void> AskTell::tell(RunId run, double value) {
  return impl_->end(run, RunStatus::completed, EndCause::exited, "completed", value);
}

Result<void> AskTell::complete(RunId run) {
  return impl_->end(run, RunStatus::completed, EndCause::exited, "completed");
}

Result<void> AskTell::stopped(RunId run) {
  if (impl_->unanswered_ends.contains(run))
    return impl_->end(run, RunStatus::canceled, EndCause::policy, "");
  if (auto open = impl_->open_run(run); !open) return open;
  if (impl_->state().canceling(run) == EndCause::none)
    return Error{"run " + std::to_string(run), "was not told to stop; use `fail` to give it up"};
  return impl_->end(run, RunStatus::canceled, EndCause::policy, "");
}

Result<void> AskTell::fail(RunId run, const std::string& why) {
  return impl_->end(run, RunStatus::failed, EndCause::exited, why.empty() ? "failed" : why);
}

void AskTell::attend() { impl_->take_requests(); }

Result<void> AskTell::close() {
  impl_->take_requests();  // a point enqueued now is tried when the sweep goes on
  const History& history = impl_->history();
  const auto open = history.count(RunStatus::queued) + history.count(RunStatus::running);
  SweepEnd end = SweepEnd::interrupt;
  std::string reason =
      open > 0 ? fmt::format("the session ended with {} open", base::plural(open, "run"))
               : "the session ended before all runs were asked for";
  if (!impl_->stopped.empty()) {
    end = SweepEnd::user;
    reason = impl_->stopped;
  } else if (const auto reached = scheduler::target_reached(impl_->spec, impl_->state())) {
    end = SweepEnd::target;
    reason = *reached;
  } else if (open == 0 && !impl_->exhausted.empty()) {
    end = SweepEnd::exhausted;
    reason = impl_->exhausted;
  } else if (open == 0 && impl_->state().counted_runs() >= impl_->spec.max_total_runs) {
    end = SweepEnd::all_runs;
    reason = scheduler::all_ended(history);
  } else if (impl_->journal.now() >= impl_->time_is_over) {
    end = SweepEnd::duration;
    reason = scheduler::time_budget(impl_->spec) + " were over";
  }
  const Time now = impl_->journal.now();
  impl_->journal.record(SweepChanged{scheduler::status_after(end, history), end, std::move(reason),
                                     impl_->active_before + (now - impl_->began), now});
  return impl_->journal.commit();
}

const SweepState& AskTell::state() const { return impl_->journal.state(); }

}  // namespace hdrive
