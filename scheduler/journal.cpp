// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

#include "hdrive/ids.h"
#include "hdrive/repeats.h"
#include "scheduler/proposer.h"
#include "scheduler/start_points.h"

namespace hdrive::scheduler {

Result<SweepParts> complete_parts(const SweepSpec& spec, SweepParts parts) {
  if (!parts.clock) parts.clock = make_steady_clock();
  if (!parts.sampler) {
    auto sampler =
        make_sampler(spec.sampling, spec.space,
                     {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs});
    if (!sampler) return sampler.error();
    parts.sampler = *std::move(sampler);
  }
  if (!parts.policy) {
    auto policy = make_policy(spec.policy, spec.goal);
    if (!policy) return policy.error();
    parts.policy = *std::move(policy);
  }
  if (!parts.store) parts.store = make_memory_store(new_sweep_header(spec, parts.clock->now()));
  return parts;
}

Journal::Journal(SweepParts parts, SweepState state)
    : parts_(std::move(parts)),
      state_(std::move(state)),
      ahead_(std::max(Duration{}, state_.latest() - parts_.clock->now())) {}

Result<Journal> Journal::open(const SweepSpec& spec, const SweepParts& given) {
  auto complete = complete_parts(spec, given);
  if (!complete) return complete.error();
  const SweepParts& parts = *complete;
  const SweepHeader& header = parts.store->header();
  if (header.metric != spec.primary_metric || header.goal != spec.goal)
    return Error{header.id, "this sweep was begun to " + std::string(to_string(header.goal)) +
                                " \"" + header.metric +
                                "\"; its primary metric and goal cannot be changed"};
  SweepState state(spec.primary_metric, spec.goal, SweepState::Verdicts::of_live_runs);
  if (parts.state) {
    state = std::move(*parts.state);
    complete->state.reset();
  } else {
    // All metrics, not only the primary one: the names that were seen belong to
    // the state.
    auto replayed = parts.store->replay("", [&](const Change& change) { state.apply(change); });
    if (!replayed) return replayed.error();
  }
  const bool is_new = state.history().size() == 0 && state.history().earlier() == 0;
  Journal journal(*std::move(complete), std::move(state));
  if (is_new)
    for (const EarlierRun& run : given.earlier)
      journal.record(EarlierRunTaken{journal.history().earlier(), run, journal.now()});
  journal.own_sampler_ = given.sampler != nullptr;
  journal.own_policy_ = given.policy != nullptr;
  return journal;
}

Result<void> Journal::use(const SweepSpec& spec) {
  SweepParts parts = parts_;
  if (!own_sampler_) parts.sampler.reset();
  if (!own_policy_) parts.policy.reset();
  auto complete = complete_parts(spec, std::move(parts));
  if (!complete) return complete.error();
  parts_ = *std::move(complete);
  return {};
}

template <class Call>
bool Journal::guard(std::string_view part, Call call) const {
  std::string what = "an exception that tells nothing";
  try {
    call();
    return true;
  } catch (const std::exception& error) {
    what = fmt::format("an exception: {}", error.what());
  } catch (...) {
  }
  if (!failure_) failure_ = fmt::format("{} threw {}", part, what);
  return false;
}

template <class Call>
void Journal::tell_listeners(Call call) {
  std::erase_if(parts_.listeners, [&](const std::shared_ptr<Listener>& listener) {
    return !guard("a listener", [&] { call(*listener); });
  });
}

Time Journal::now() const {
  guard("the clock", [&] { latest_now_ = parts_.clock->now(); });
  return latest_now_ + ahead_;
}

void Journal::keep(Change change) {
  if (!waiting_since_) waiting_since_ = now();
  if (!std::holds_alternative<RunStarted>(change)) urgent_ = true;
  if (const auto* metrics = std::get_if<RunMetrics>(&change)) backlog_ += metrics->metrics.size();
  waiting_.push_back(std::move(change));
}

void Journal::record(Change change) {
  state_.apply(change);
  keep(std::move(change));
}

std::optional<RunId> Journal::propose_start_point(const SweepSpec& spec) {
  auto start = next_start_point(spec, state_);
  if (!start) return std::nullopt;
  return propose(*std::move(start));
}

RunId Journal::propose(RunProposed proposed) {
  const RunId run = proposed.run;
  proposed.at = now();
  record(std::move(proposed));
  return run;
}

Journal::Proposed Journal::propose(Proposal proposal) {
  if (!proposal.parameters) return {std::nullopt, std::move(proposal.reason)};
  const RunId run = history().size();
  record(RunProposed{run, *std::move(proposal.parameters), std::move(proposal.reason), now()});
  return {run, ""};
}

Result<Journal::Proposed> Journal::propose(const SweepSpec& spec) {
  if (const auto run = propose_start_point(spec)) return Proposed{run, ""};
  auto proposal = ask_sampler(*parts_.sampler, history(), history().size());
  if (!proposal) return proposal.error();
  return propose(*std::move(proposal));
}

void Journal::prepare(const SweepSpec& spec) {
  const bool is_asked_next =
      state_.counted_runs() < spec.max_total_runs && !has_start_point(spec, state_);
  if (is_asked_next) guard("the sampler", [&] { parts_.sampler->prepare(history()); });
}

// One verdict, or "not due" from a policy that throws. `stopped` is its
// sentence if it says stop.
Verdict Journal::judge(RunId run, std::optional<std::string>& stopped) {
  Verdict verdict;
  judging_ = guard("the policy", [&] {
    verdict = parts_.policy->judge(run, history());
    if (verdict.action == Verdict::Action::stop) stopped = parts_.policy->explain(verdict);
  });
  return judging_ ? verdict : Verdict{};
}

std::optional<std::string> Journal::report(RunMetrics metrics, bool to_stop) {
  std::optional<std::string> stopped;
  const RunId run = metrics.run;
  // A repeat tells what its parameters are worth only if it runs to its end.
  const bool judge_it = !to_stop && state_.canceling(run) == EndCause::none &&
                        !repeat_from(history().run(run).proposal);
  Verdict verdict;  // the latest that compared something, or else the latest
  bool judged = false;
  state_.apply(metrics, [&](RunId) {
    if (!judge_it || stopped || !judging_) return;
    Verdict latest = judge(run, stopped);
    if (latest.finding != Verdict::Finding::not_due || verdict.finding == Verdict::Finding::not_due)
      verdict = std::move(latest);
    judged = judging_;
  });
  const int attempt = metrics.attempt;
  keep(std::move(metrics));
  if (!judged) return stopped;

  // A verdict that says only "not due" must not hide an earlier one that
  // compared something.
  const auto before = state_.judged(run);
  if (verdict.finding == Verdict::Finding::not_due && before &&
      before->verdict.finding != Verdict::Finding::not_due)
    return stopped;
  std::string reason;
  if (stopped)
    reason = *stopped;
  else
    judging_ = guard("the policy", [&] { reason = parts_.policy->explain(verdict); });
  if (!before || before->reason != reason || before->verdict.action != verdict.action)
    record(RunJudged{run, attempt, std::move(verdict), std::move(reason), now()});
  return stopped;
}

void Journal::cancel(RunId run, EndCause cause, std::string reason) {
  record(RunCanceling{run, history().run(run).attempt, cause, std::move(reason), now()});
}

void Journal::note(Noted::Level level, std::optional<RunId> run, std::string text) {
  record(Noted{level, run, std::move(text), now()});
}

void Journal::tell_trouble(const std::string& trouble) {
  tell_listeners([&](Listener& listener) { listener.on_trouble(trouble); });
}

void Journal::tell_turn() {
  const Time time = now();
  tell_listeners([&](Listener& listener) { listener.on_turn(state_, time); });
}

Result<void> Journal::commit() {
  if (waiting_.empty()) return {};
  auto stored = parts_.store->append(waiting_);
  if (!stored) return stored;
  const std::vector<Change> told = std::exchange(waiting_, {});
  waiting_since_.reset();
  urgent_ = false;
  backlog_ = 0;
  tell_listeners([&](Listener& listener) {
    for (const Change& change : told) listener.on_change(change, state_);
  });
  return {};
}

}  // namespace hdrive::scheduler
