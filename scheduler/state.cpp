// SPDX-License-Identifier: Apache-2.0
//
// SweepState: what is known of a sweep, as the sum of its changes.
#include "hdrive/state.h"

#include <algorithm>
#include <deque>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "hdrive/repeats.h"
#include "scheduler/run_notes.h"

namespace hdrive {
namespace {

const std::string kNothing;

/// What is kept of a run beside its record in the history. Rare parts are held apart: a sweep may
/// have 100,000 runs.
struct Detail {
  struct Rare {
    EndCause canceling = EndCause::none;
    std::string canceling_reason;
    std::string stderr_tail;
    std::string handle;
    std::optional<LostContact> lost_contact;
  };
  scheduler::SmallSet metrics;  // indices of names
  scheduler::KeptVerdict judged;
  std::unique_ptr<Rare> rare;
  std::string cursor;
  std::int64_t pid = 0;
  int lost_attempts = 0, failed_attempts = 0;
  int slot = -1;  // of its latest attempt; -1: it was never started, or by an engine that had none

  Rare& make_rare() {
    if (!rare) rare = std::make_unique<Rare>();
    return *rare;
  }
};

}  // namespace

struct SweepState::Impl {
  Impl(std::string metric, Goal goal, Verdicts verdicts)
      : primary_metric(std::move(metric)), history(goal), kept(verdicts) {}

  std::string primary_metric;
  History history;
  Verdicts kept;
  std::deque<Detail> details;  // by run; a deque grows without copying
  SweepStatus status = SweepStatus::running;
  SweepEnd end = SweepEnd::none;
  std::string reason;
  Duration active{};
  Time began{}, changed{}, latest{};
  std::int64_t start_points_used = 0, repeats = 0;
  std::int64_t stopped_by_policy = 0;
  std::set<std::string> metric_names;
  std::vector<std::string> names;  // of metrics, by index
  std::unordered_map<std::string, std::uint32_t> index_of_name;
  std::uint32_t latest_name = 0;  // of the metric noted last
  std::vector<Noted> notes;
  std::vector<SweepEdited> edits;

  Detail& detail(RunId run) { return details.at(static_cast<std::size_t>(run)); }

  void note_metric(Detail& of, const std::string& name) {
    // Nearly always the name that was noted last, by whichever run.
    if (latest_name >= names.size() || names[latest_name] != name) {
      const auto [entry, added] =
          index_of_name.try_emplace(name, static_cast<std::uint32_t>(names.size()));
      if (added) {
        names.push_back(name);
        metric_names.insert(name);
      }
      latest_name = entry->second;
    }
    of.metrics.insert(latest_name);
  }

  void on(const RunProposed& change) {
    Run run;
    run.id = change.run;
    run.parameters = change.parameters;
    run.proposal = change.reason;
    run.created = change.at;
    history.add(std::move(run));
    details.emplace_back();
    start_points_used += change.start_point ? 1 : 0;
    repeats += repeat_from(change.reason) ? 1 : 0;
  }

  void on(const RunSubmitted& change) { detail(change.run).make_rare().handle = change.handle; }

  void on(const RunContact& change) {
    if (change.lost)
      detail(change.run).make_rare().lost_contact = {change.at, change.why};
    else if (auto& rare = detail(change.run).rare)
      rare->lost_contact.reset();
  }

  void on(const RunStarted& change) {
    history.set_status(change.run, RunStatus::running);
    history.edit(change.run).started = change.at;
    detail(change.run).pid = change.pid;
    if (change.slot) detail(change.run).slot = *change.slot;
  }

  void on(const RunMetrics& change, const std::function<void(RunId)>& after_report) {
    Detail& of = detail(change.run);
    for (const Metric& metric : change.metrics) {
      note_metric(of, metric.name);
      if (metric.name != primary_metric) continue;
      history.report(change.run, metric.value);
      if (after_report) after_report(change.run);
    }
    of.cursor = change.cursor;
  }
  void on(const RunMetrics& change) { on(change, nullptr); }

  void on(const RunJudged& change) {
    detail(change.run).judged = scheduler::KeptVerdict(change.verdict, change.reason);
  }

  void on(const RunCanceling& change) {
    Detail::Rare& rare = detail(change.run).make_rare();
    rare.canceling = change.cause;
    rare.canceling_reason = change.reason;
  }

  void on(const RunEnded& change) {
    history.set_status(change.run, change.status, change.cause);
    Run& run = history.edit(change.run);
    run.exit_code = change.exit_code;
    run.signal = change.signal;
    run.reason = change.reason;
    run.ended = change.at;
    Detail& of = detail(change.run);
    of.pid = 0;
    if (of.rare) of.rare->lost_contact.reset();
    if (kept == Verdicts::of_live_runs) of.judged = {};
    if (!change.stderr_tail.empty()) of.make_rare().stderr_tail = change.stderr_tail;
    if (change.cause == EndCause::policy) ++stopped_by_policy;
  }

  void on(const RunRequeued& change) {
    if (history.run(change.run).ended_by == EndCause::policy) --stopped_by_policy;
    history.restart(change.run);
    history.edit(change.run).attempt = change.attempt;
    Detail fresh;
    fresh.lost_attempts = detail(change.run).lost_attempts;
    fresh.slot = detail(change.run).slot;
    fresh.failed_attempts = detail(change.run).failed_attempts;
    // Asked for by somebody (`user`), or cut short, an attempt uses up no retry.
    if (change.cause == EndCause::lost) ++fresh.lost_attempts;
    if (change.cause == EndCause::exited || change.cause == EndCause::signaled)
      ++fresh.failed_attempts;
    detail(change.run) = std::move(fresh);
  }

  void on(const SweepChanged& change) {
    status = change.status;
    end = change.end;
    reason = change.reason;
    active = change.active;
    changed = change.at;
    if (began == Time{}) began = change.at;
  }

  void on(const Noted& change) { notes.push_back(change); }
  // Of the whole specifications only the latest is kept: a sweep may be given thousands of points
  // one by one.
  void on(const SweepEdited& change) {
    if (!edits.empty()) edits.back().config.clear();
    edits.push_back(change);
  }
  void on(const RequestAnswered&) {}
  void on(const EarlierRunTaken& change) { history.add_earlier(change.earlier); }
};

SweepState::SweepState(std::string primary_metric, Goal goal, Verdicts kept)
    : impl_(std::make_unique<Impl>(std::move(primary_metric), goal, kept)) {}
SweepState::~SweepState() = default;
SweepState::SweepState(SweepState&&) noexcept = default;
SweepState& SweepState::operator=(SweepState&&) noexcept = default;

void SweepState::apply(const Change& change) {
  std::visit(
      [this](const auto& one) {
        // An answer is not told by a replay, so it is no sign of life either.
        if constexpr (!std::is_same_v<std::decay_t<decltype(one)>, RequestAnswered>)
          impl_->latest = std::max(impl_->latest, one.at);
        impl_->on(one);
      },
      change);
}

void SweepState::apply(const RunMetrics& metrics, const std::function<void(RunId)>& after_report) {
  impl_->latest = std::max(impl_->latest, metrics.at);
  impl_->on(metrics, after_report);
}

const std::string& SweepState::primary_metric() const { return impl_->primary_metric; }
const History& SweepState::history() const { return impl_->history; }
SweepStatus SweepState::status() const { return impl_->status; }
SweepEnd SweepState::end() const { return impl_->end; }
const std::string& SweepState::reason() const { return impl_->reason; }
Time SweepState::began() const { return impl_->began; }
Time SweepState::changed() const { return impl_->changed; }
Time SweepState::latest() const { return impl_->latest; }
std::int64_t SweepState::repeats() const { return impl_->repeats; }
std::int64_t SweepState::start_points_used() const { return impl_->start_points_used; }
std::int64_t SweepState::stopped_by_policy() const { return impl_->stopped_by_policy; }
const std::set<std::string>& SweepState::metric_names() const { return impl_->metric_names; }
const std::vector<Noted>& SweepState::notes() const { return impl_->notes; }
const std::vector<SweepEdited>& SweepState::edits() const { return impl_->edits; }

Duration SweepState::active(Time now) const {
  // A session that is going on, or that died without a word, counts up to its last sign of life.
  // So does a paused one as long as something runs; what follows later is of its last runs.
  const bool counting =
      impl_->status == SweepStatus::running ||
      (impl_->status == SweepStatus::paused && impl_->history.count(RunStatus::running) > 0);
  if (!counting || impl_->changed == Time{}) return impl_->active;
  return impl_->active + (std::max(impl_->latest, now) - impl_->changed);
}

EndCause SweepState::canceling(RunId run) const {
  const auto& rare = impl_->detail(run).rare;
  return rare ? rare->canceling : EndCause::none;
}

const std::string& SweepState::canceling_reason(RunId run) const {
  const auto& rare = impl_->detail(run).rare;
  return rare ? rare->canceling_reason : kNothing;
}

std::optional<SweepState::Judged> SweepState::judged(RunId run) const {
  const auto& judged = impl_->detail(run).judged;
  if (!judged) return std::nullopt;
  return judged.get();
}

std::vector<std::string> SweepState::metric_names(RunId run) const {
  std::vector<std::string> result;
  for (const std::uint32_t index : impl_->detail(run).metrics.numbers())
    result.push_back(impl_->names[index]);
  std::sort(result.begin(), result.end());
  return result;
}

std::optional<int> SweepState::slot(RunId run) const {
  const int slot = impl_->detail(run).slot;
  return slot < 0 ? std::nullopt : std::optional(slot);
}
int SweepState::lost_attempts(RunId run) const { return impl_->detail(run).lost_attempts; }
int SweepState::failed_attempts(RunId run) const { return impl_->detail(run).failed_attempts; }
const std::string& SweepState::cursor(RunId run) const { return impl_->detail(run).cursor; }
const std::string& SweepState::handle(RunId run) const {
  const auto& rare = impl_->detail(run).rare;
  return rare ? rare->handle : kNothing;
}
std::optional<LostContact> SweepState::lost_contact(RunId run) const {
  const auto& rare = impl_->detail(run).rare;
  return rare ? rare->lost_contact : std::nullopt;
}
std::int64_t SweepState::pid(RunId run) const { return impl_->detail(run).pid; }

const std::string& SweepState::stderr_tail(RunId run) const {
  const auto& rare = impl_->detail(run).rare;
  return rare ? rare->stderr_tail : kNothing;
}

}  // namespace hdrive
