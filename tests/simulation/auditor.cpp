// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/auditor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "hdrive/report.h"
#include "hdrive/state.h"

namespace hdrive::simulation {

using std::chrono::milliseconds;

namespace {

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool near(double a, double b) {
  return same(a, b) || std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

}  // namespace

Auditor::Auditor(World& world)
    : world_(world),
      spec_(world.scenario.spec),
      config_(to_hdconfig(spec_)),
      state_(spec_.primary_metric, spec_.goal),
      history_(spec_.goal) {}

void Auditor::require(bool holds, const char* invariant, const std::string& what) const {
  if (!holds) throw Violation{invariant, what};
}

Auditor::Life& Auditor::life(RunId run) {
  require(run >= 0 && run < static_cast<RunId>(lives_.size()), "life cycle",
          fmt::format("run {} was never proposed", run));
  return lives_[static_cast<std::size_t>(run)];
}

Auditor::Life& Auditor::current(RunId run, int attempt, const char* what) {
  Life& it = life(run);
  require(it.attempt == attempt, "life cycle",
          fmt::format("run {} {} in attempt {}, but attempt {} is current", run, what, attempt,
                      it.attempt));
  require(it.phase != Phase::ended, "life cycle",
          fmt::format("run {} {} after its end", run, what));
  return it;
}

// ---- what is stored -----------------------------------------------------------------------------

void Auditor::on_append(const std::vector<Change>& changes) {
  edited_ = false;
  for (const Change& change : changes) {
    std::visit([this](const auto& it) { see(it); }, change);
    state_.apply(change);
    stored_.push_back(change.index());
    first_of_session_ = false;
  }
  check_debts();
}

// A verdict is stored with its consequence, or the run ended in the same breath.
void Auditor::check_debts() {
  for (const RunId run : owed_verdicts_)
    require(false, "verdicts", fmt::format("the stop verdict on run {} was not stored", run));
  for (const RunId run : owed_cancellations_)
    require(false, "verdicts", fmt::format("run {} goes on after its stop verdict", run));
}

void Auditor::see(const RunProposed& it) {
  require(it.run == static_cast<RunId>(lives_.size()), "accounting",
          fmt::format("run {} was proposed, {} is the next", it.run, lives_.size()));
  require(it.run < spec_.max_total_runs, "max_total_runs",
          fmt::format("run {} of at most {}", it.run, spec_.max_total_runs));
  require(!paused_, "pause", fmt::format("run {} was proposed while paused", it.run));
  if (spec_.sampling.name == "grid")
    require(points_.insert(to_json(it.parameters)).second, "grid",
            fmt::format("run {} repeats {}", it.run, to_json(it.parameters)));
  // A sampler without a past, asked with the same history.
  auto sampler =
      make_sampler(spec_.sampling, spec_.space,
                   {spec_.goal, spec_.seed, spec_.max_total_runs, spec_.max_concurrent_runs});
  auto fresh = (*sampler)->propose(state_.history(), it.run);
  require(fresh && fresh->parameters && *fresh->parameters == it.parameters &&
              fresh->reason == it.reason,
          "proposals", fmt::format("run {} is not what the sampler proposes", it.run));
  lives_.emplace_back();
  history_.runs.emplace_back();
}

void Auditor::see(const RunSubmitted& it) {
  const Life& of = current(it.run, it.attempt, "was submitted");
  require(of.phase == Phase::queued, "life cycle", fmt::format("run {} runs already", it.run));
}

void Auditor::see(const RunContact& it) {
  Life& of = current(it.run, it.attempt, it.lost ? "is out of reach" : "is in reach");
  require(of.unreachable != it.lost, "life cycle",
          fmt::format("run {} was {} twice", it.run, it.lost ? "lost sight of" : "found again"));
  of.unreachable = it.lost;
}

void Auditor::see(const RunStarted& it) {
  Life& of = current(it.run, it.attempt, "started");
  require(of.phase == Phase::queued, "life cycle", fmt::format("run {} started again", it.run));
  require(world_.find(it.run, it.attempt) != nullptr, "truth",
          fmt::format("run {} is said to have started and never did", it.run));
  of.phase = Phase::running;
  history_.runs[static_cast<std::size_t>(it.run)].status = RunStatus::running;
}

void Auditor::see(const RunMetrics& it) {
  Life& of = current(it.run, it.attempt, "reported");
  require(of.phase == Phase::running, "life cycle",
          fmt::format("run {} reported before it started", it.run));
  const Process* process = world_.find(it.run, it.attempt);
  require(process != nullptr, "truth", fmt::format("run {} reported and never ran", it.run));
  for (const Metric& metric : it.metrics) {
    require(of.metrics < process->logged(world_.now()), "metrics",
            fmt::format("run {} reported more than it logged", it.run));
    const Metric& logged = process->model.reports[of.metrics++].second;
    require(metric.name == logged.name && same(metric.value, logged.value), "metrics",
            fmt::format("run {}: report {} is another", it.run, of.metrics));
    if (metric.name == spec_.primary_metric) judge(of, it.run, metric.value);
  }
  require(it.cursor == to_cursor({of.metrics, 0}), "metrics",
          fmt::format("run {} is read up to {}, not {}", it.run, it.cursor, of.metrics));
}

void Auditor::judge(Life& of, RunId run, double value) {
  history_.runs[static_cast<std::size_t>(run)].reports.push_back(value);
  if (of.stop_due || of.canceling != EndCause::none) return;
  const NaiveVerdict verdict = NaivePolicy(spec_.policy, spec_.goal).judge(run, history_);
  const std::int64_t interval = history_.size_of(run);
  of.verdicts[interval] = verdict;
  if (!verdict.stop || verdict.close) return;
  of.stop_due = true;
  of.stop_due_at = interval;
  if (world_.has_thrown) return;  // what is broken is not asked again
  owed_verdicts_.insert(run);
  owed_cancellations_.insert(run);
}

void Auditor::see(const RunJudged& it) {
  Life& of = current(it.run, it.attempt, "was judged");
  const auto found = of.verdicts.find(it.verdict.interval);
  require(found != of.verdicts.end(), "verdicts",
          fmt::format("run {} was judged at its report {}, which nobody was to judge", it.run,
                      it.verdict.interval));
  const NaiveVerdict& naive = found->second;
  const bool stop = it.verdict.action == Verdict::Action::stop;
  require(stop == naive.stop || naive.close, "verdicts",
          fmt::format("run {}, report {}: {} ({}), and the definition says {}", it.run,
                      it.verdict.interval, stop ? "stop" : "keep", it.reason,
                      naive.stop ? "stop" : "keep"));
  if (naive.threshold)
    require(near(it.verdict.threshold, *naive.threshold), "verdicts",
            fmt::format("run {}, report {}: threshold {} for {}", it.run, it.verdict.interval,
                        it.verdict.threshold, *naive.threshold));
  if (!stop) return;
  if (naive.close) {  // rounding decided so: hold it to that
    of.stop_due = true;
    owed_cancellations_.insert(it.run);
  }
  owed_verdicts_.erase(it.run);
}

void Auditor::see(const RunCanceling& it) {
  Life& of = current(it.run, it.attempt, "was cancelled");
  require(of.canceling == EndCause::none, "life cycle",
          fmt::format("run {} was cancelled twice", it.run));
  if (it.cause == EndCause::policy)
    require(of.stop_due, "verdicts", fmt::format("run {} was stopped without a verdict", it.run));
  if (it.cause == EndCause::time_limit) {
    const Process* process = world_.find(it.run, it.attempt);
    require(process != nullptr, "truth", fmt::format("run {} never ran", it.run));
    const Duration ran =
        world_.now() - process->started + (world_.suspended - process->suspended_before);
    require(ran >= spec_.max_run_duration, "time limits",
            fmt::format("run {} was late after {} ms", it.run, ran.count() / 1000));
  }
  if (it.cause == EndCause::silent) {
    const Process* process = world_.find(it.run, it.attempt);
    require(process != nullptr && spec_.max_silent.count() > 0 && !of.unreachable, "time limits",
            fmt::format("run {} was called silent", it.run));
  }
  of.canceling = it.cause;
  owed_cancellations_.erase(it.run);
}

void Auditor::see(const RunEnded& it) {
  Life& of = current(it.run, it.attempt, "ended");
  check_end(it, of);
  of.phase = Phase::ended;
  of.unreachable = false;
  of.ended_by = it.cause;
  history_.runs[static_cast<std::size_t>(it.run)].status = it.status;
  if (it.status == RunStatus::failed || it.cause == EndCause::silent)
    ++failed_in_a_row_;
  else if (it.status == RunStatus::completed || it.cause == EndCause::policy)
    failed_in_a_row_ = 0;
  owed_verdicts_.erase(it.run);
  owed_cancellations_.erase(it.run);
}

// How it ended, as the world knows it.
void Auditor::check_end(const RunEnded& it, const Life& of) const {
  const Process* process = world_.find(it.run, it.attempt);
  const std::string who =
      fmt::format("run {} ({}, {})", it.run, to_string(it.status), to_string(it.cause));
  require(!world_.any_alive(it.run), "no process forgotten", who + " has ended and lives");
  const bool exited = process && !process->vanishes;
  // Everything it logged was read, unless it vanished unseen.
  if (exited && of.phase == Phase::running)
    require(
        of.metrics == process->model.reports.size() || of.metrics == process->logged(world_.now()),
        "metrics", who + ": metrics are missing");
  switch (it.cause) {
    case EndCause::exited:
      require(exited && !process->signal && it.exit_code == process->exit_code, "truth",
              who + ": it did not exit so");
      require((it.status == RunStatus::completed) == (process->exit_code == 0), "truth",
              who + ": it exited with another code");
      return;
    case EndCause::signaled:
      require(exited && process->signal && it.signal == process->signal, "truth",
              who + ": no such signal");
      return;
    case EndCause::not_started:
      require(!process, "truth", who + ": it was started");
      require(!world_.refused_outside.contains({it.run, it.attempt}), "not started is no result",
              who + ": what kept it from starting had nothing to do with it");
      return;
    case EndCause::lost:
      require(!exited, "truth", who + ": it exited");
      require(of.lost >= spec_.max_lost_retries, "retries", who + ": it was not tried again");
      return;
    default:
      break;
  }
  require(it.status == RunStatus::canceled, "truth", who);
  const bool by_supervisor = it.cause == EndCause::time_limit && exited && process->over_time;
  const bool never_began =
      of.phase == Phase::queued && (!process || process->vanishes) && it.cause == EndCause::user;
  require(of.canceling == it.cause || by_supervisor || never_began, "life cycle",
          who + ": nobody had cancelled it");
  if (exited && !by_supervisor) require(process->asked, "truth", who + ": it was never told");
}

void Auditor::see(const RunRequeued& it) {
  Life& of = life(it.run);
  require(it.attempt == of.attempt + 1, "life cycle",
          fmt::format("run {}: attempt {} follows {}", it.run, it.attempt, of.attempt));
  require(!world_.any_alive(it.run), "no process forgotten",
          fmt::format("run {} lives and is to be tried again", it.run));
  const Process* process = world_.find(it.run, of.attempt);
  if (it.cause == EndCause::lost) {
    require(of.phase == Phase::running, "life cycle",
            fmt::format("run {} was lost before it ran", it.run));
    require(of.canceling == EndCause::none, "life cycle",
            fmt::format("run {} was cancelled and is tried again", it.run));
    require(!process || process->vanishes, "no finished work repeated",
            fmt::format("run {} had ended and is to be repeated", it.run));
    require(of.lost < spec_.max_lost_retries, "retries",
            fmt::format("run {} is retried more than {} times", it.run, spec_.max_lost_retries));
  } else if (it.cause == EndCause::exited || it.cause == EndCause::signaled) {
    require(of.phase == Phase::ended && of.ended_by == it.cause &&
                history_.runs[static_cast<std::size_t>(it.run)].status == RunStatus::failed,
            "life cycle", fmt::format("run {} did not fail and is tried again", it.run));
    require(of.failed < spec_.max_failed_retries, "retries",
            fmt::format("run {} failed and is retried more than {} times", it.run,
                        spec_.max_failed_retries));
  } else if (it.cause == EndCause::user) {
    require(of.phase == Phase::ended, "life cycle",
            fmt::format("run {} has not ended and is tried again", it.run));
  } else {
    require(of.phase == Phase::ended && of.ended_by == it.cause &&
                (it.cause == EndCause::interrupt || it.cause == EndCause::budget),
            "life cycle",
            fmt::format("run {} is tried again after {}", it.run, to_string(of.ended_by)));
  }
  Life next;
  next.attempt = it.attempt;
  next.lost = of.lost + (it.cause == EndCause::lost ? 1 : 0);
  const bool failed = it.cause == EndCause::exited || it.cause == EndCause::signaled;
  next.failed = of.failed + (failed ? 1 : 0);
  of = std::move(next);
  history_.runs[static_cast<std::size_t>(it.run)] = {};
  owed_verdicts_.erase(it.run);
  owed_cancellations_.erase(it.run);
}

void Auditor::see(const SweepChanged& it) {
  const Duration most = status_at_ == Time{} ? it.active : it.at - status_at_;
  require(it.active >= active_ && it.active - active_ <= most, "active time",
          fmt::format("{} us after {} us", it.active.count(), active_.count()));
  require(it.at >= status_at_, "active time", "time went backwards");
  active_ = it.active;
  status_at_ = it.at;
  status_ = it.status;
  // One that pauses itself tries now and then whether runs can be started again.
  paused_ = it.status == SweepStatus::paused && it.reason.starts_with("paused by");
  if (!is_over(it.status)) return;
  require(world_.alive() == 0, "no process forgotten",
          fmt::format("the sweep has ended and {} processes live", world_.alive()));
  const std::int64_t failures = spec_.stop_after_consecutive_failures;
  if (it.end == SweepEnd::failing)
    require(failures > 0 && failed_in_a_row_ >= failures, "consecutive failures",
            fmt::format("{} of {} failed in a row", failed_in_a_row_, failures));
  if (it.end == SweepEnd::target) {
    const auto best = state_.history().incumbent();
    require(spec_.stop_at && best &&
                !state_.history().better(*spec_.stop_at, *state_.history().best(*best)),
            "stop_at", "the value was not reached");
  }
  if (it.end == SweepEnd::duration)
    require(it.active >= spec_.max_duration, "time limits", "the sweep's time was not over");
  if (it.end == SweepEnd::all_runs || it.end == SweepEnd::exhausted)
    for (std::size_t run = 0; run < lives_.size(); ++run)
      require(lives_[run].phase == Phase::ended, "accounting",
              fmt::format("run {} is left behind", run));
  if (it.end == SweepEnd::all_runs)
    require(static_cast<std::int64_t>(lives_.size()) >= spec_.max_total_runs, "accounting",
            fmt::format("{} of {} runs", lives_.size(), spec_.max_total_runs));
}

void Auditor::see(const SweepEdited& it) {
  ConfigOverrides overrides;
  overrides.needs_command = false;
  const LoadedConfig loaded = parse_config(it.config, "edit", "/", overrides);
  require(loaded.ok(), "edits", "the new configuration cannot be read");
  require(loaded.spec.space == spec_.space && loaded.spec.seed == spec_.seed &&
              loaded.spec.goal == spec_.goal &&
              loaded.spec.primary_metric == spec_.primary_metric &&
              loaded.spec.sampling.name == spec_.sampling.name,
          "edits", "what must stay was changed");
  require(
      loaded.spec.max_total_runs >=
          std::min<std::int64_t>(spec_.max_total_runs, static_cast<std::int64_t>(lives_.size())),
      "edits", "there are more runs already");
  spec_ = loaded.spec;
  config_ = it.config;
  edited_ = true;
}

void Auditor::see(const RequestAnswered& it) {
  const auto found = world_.unanswered.find(it.request);
  require(found != world_.unanswered.end(), "requests",
          fmt::format("request {} was answered, which nobody left", it.request));
  if (found->second.kind == Request::Kind::update_sweep) {
    require(edited_ == (it.accepted && !it.text.starts_with("nothing")), "edits",
            fmt::format("an update was {} ({})", it.accepted ? "accepted" : "refused", it.text));
    edited_ = false;
  }
  if (found->second.kind == Request::Kind::pause_sweep)
    require(paused_ || !it.accepted, "pause", "said to be paused, and is not");
  world_.unanswered.erase(found);
}

}  // namespace hdrive::simulation
