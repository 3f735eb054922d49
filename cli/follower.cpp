// SPDX-License-Identifier: Apache-2.0
#include "cli/follower.h"

#include <utility>

#include "cli/command.h"

namespace hdrive::cli {

Follower::Follower(SweepEntry sweep)
    : sweep_(std::move(sweep)), state_(sweep_.header.metric, sweep_.header.goal) {}

// What of it the listener did not hear before follows from the state before.
void Follower::take(const Change& change) {
  state_.apply(change);
  if (!listener_ || std::holds_alternative<RunProposed>(change) ||
      std::holds_alternative<RunMetrics>(change) || std::holds_alternative<RunCanceling>(change))
    return;
  listener_->on_change(change, state_);
}

void Follower::take(const StoredRun& stored) {
  const Run& now = stored.run;
  const History& history = state_.history();
  if (now.id >= history.size())
    take(RunProposed{now.id, now.parameters, now.proposal, now.created, stored.start_point});
  while (history.run(now.id).attempt < now.attempt) {
    RunRequeued again = stored.requeued.value_or(RunRequeued{});
    again.run = now.id;
    again.attempt = history.run(now.id).attempt + 1;
    take(again);
  }
  const Run& before = history.run(now.id);
  if (now.started != Time{} && before.started != now.started)
    take(RunStarted{now.id, now.attempt, stored.pid, now.started, stored.slot});
  if (const MetricFigures* primary = stored.metric(sweep_.header.metric)) {
    const auto best = primary->best(sweep_.header.goal);
    if (best && history.best(now.id) != best)
      take(RunMetrics{now.id,
                      now.attempt,
                      {{primary->name, *best, {}, {}}},
                      {},
                      stored.reported.value_or(Time{})});
  }
  if (stored.canceling != EndCause::none && state_.canceling(now.id) == EndCause::none)
    take(RunCanceling{now.id, now.attempt, stored.canceling, stored.canceling_reason,
                      stored.reported.value_or(now.started)});
  if (is_terminal(now.status) && !is_terminal(before.status))
    take(RunEnded{now.id, now.attempt, now.status, now.ended_by, now.exit_code, now.signal,
                  now.reason, stored.stderr_tail, now.ended, stored.cpu_time, stored.peak_memory});
}

// A run that is past: of it only what is counted.
void Follower::take(const RunOutline& it) {
  take(RunProposed{it.run, {}, "", it.started.value_or(Time{})});
  for (int attempt = 2; attempt <= it.attempt; ++attempt)
    take(RunRequeued{it.run, attempt, "", Time{}, EndCause::interrupt});
  if (it.started) take(RunStarted{it.run, it.attempt, 0, *it.started});
  if (it.best)
    take(RunMetrics{it.run, it.attempt, {{sweep_.header.metric, *it.best, {}, {}}}, {}, Time{}});
  take(RunEnded{
      it.run, it.attempt, it.status, it.ended_by, {}, {}, "", "", it.ended.value_or(Time{})});
}

// All there is, without telling it: what goes on and the best run as they are, the others in short.
void Follower::take_all() {
  listener_ = nullptr;
  state_ = SweepState(sweep_.header.metric, sweep_.header.goal);
  const auto best = value_or_fail(reader_->totals()).best;
  for (const RunOutline& run : value_or_fail(reader_->outlines())) {
    if (is_terminal(run.status) && run.run != best)
      take(run);
    else
      take(value_or_fail(reader_->run(run.run)));
  }
}

Glimpse Follower::glimpse(RunId run) {
  constexpr std::int64_t kPoints = 200;  // more than there are columns
  if (!reader_) return {};
  const auto [found, is_new] = glimpses_.try_emplace(run);
  Glimpse& glimpse = found->second;
  if (!is_new) return glimpse;
  // What cannot be read at the moment is not shown; the next change asks again.
  if (const auto series = reader_->series({{run}, sweep_.header.metric, kPoints});
      series && !series->empty()) {
    glimpse.reports = series->front().count;
    for (const Series::Point& point : series->front().points) {
      glimpse.values.push_back(point.value);
      glimpse.step = point.step;
    }
  }
  if (const auto judged = reader_->judged(run); judged && *judged)
    glimpse.verdict = (*judged)->verdict;
  return glimpse;
}

void Follower::look(Listener& listener) {
  const bool first = !reader_;
  if (first) reader_ = value_or_fail(SweepReader::open(sweep_.directory));
  const auto engine = reader_->engine();  // before the database, which knows more
  Increment news = value_or_fail(reader_->refresh());
  const bool all = first || news.replaced;
  if (all) take_all();
  // Of runs that have ended only the best is looked at again.
  constexpr std::size_t kMostGlimpses = 500;
  if (all || glimpses_.size() > kMostGlimpses) glimpses_.clear();
  for (const RunId run : news.runs) glimpses_.erase(run);
  listener_ = all ? nullptr : &listener;
  for (SweepChanged& change : news.status) {
    sweep_.status = change.status;
    sweep_.end = change.end;
    sweep_.reason = change.reason;
    take(std::move(change));
  }
  for (SweepEdited& edit : news.edits) {
    edit.config = sweep_.header.config = news.edits.back().config;
    take(std::move(edit));
  }
  if (!all)
    for (const RunId run : news.runs) take(value_or_fail(reader_->run(run)));
  for (Noted& note : news.notes) take(std::move(note));
  sweep_.engine = engine;
  if (!first) return;
  const History& history = state_.history();
  for (RunId run = 0; run < history.size(); ++run) {
    const Run& one = history.run(run);
    if (one.status == RunStatus::running)
      listener.on_change(RunStarted{run, one.attempt, state_.pid(run), one.started}, state_);
  }
}

}  // namespace hdrive::cli
