// SPDX-License-Identifier: Apache-2.0
//
// The auditor beside what an engine does: it starts, cancels, tells, and comes to an end.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "hdrive/report.h"
#include "hdrive/state.h"
#include "tests/simulation/auditor.h"

namespace hdrive::simulation {

// ---- what is done -------------------------------------------------------------------------------

void Auditor::on_start(const RunRequest& request) {
  const RunId run = request.run;
  require(run < static_cast<RunId>(lives_.size()), "durable first",
          fmt::format("run {} starts and is not stored", run));
  const Life& of = life(run);
  require(of.attempt == request.attempt && of.phase == Phase::queued, "durable first",
          fmt::format("run {} starts its attempt {}, and the store does not know", run,
                      request.attempt));
  require(!world_.store_failing, "full disk",
          fmt::format("run {} starts while nothing can be stored", run));
  require(of.canceling == EndCause::none, "life cycle",
          fmt::format("run {} starts after its cancellation", run));
  require(state_.history().run(run).parameters == request.parameters, "proposals",
          fmt::format("run {} starts with other parameters", run));
  const std::int64_t most = spec_.stop_after_consecutive_failures;
  require(most == 0 || failed_in_a_row_ < most, "consecutive failures",
          fmt::format("run {} starts after {} failures in a row", run, failed_in_a_row_));
  require(!world_.any_alive(run), "started once", fmt::format("run {} lives already", run));
  const Process* process = world_.find(run, request.attempt);
  require(!process || process->vanishes, "no finished work repeated",
          fmt::format("run {} had ended and starts again", run));
  require(world_.alive() < spec_.max_concurrent_runs, "max_concurrent_runs",
          fmt::format("run {} starts beside {} others", run, world_.alive()));
  require(!paused_, "pause", fmt::format("run {} starts while paused", run));
  require(world_.stop.level() == 0 && !world_.stop_heard, "stop",
          fmt::format("run {} starts after the sweep was stopped", run));
}

void Auditor::on_cancel(RunId run, CancelMode mode) {
  const Life& of = life(run);
  require(of.canceling != EndCause::none || world_.store_failing, "durable first",
          fmt::format("run {} is cancelled and the store does not know why", run));
  require(mode == CancelMode::graceful || world_.stop.level() > 1 || world_.store_failing, "stop",
          fmt::format("run {} is killed and nobody asked for that", run));
}

void Auditor::on_wait() const {
  if (world_.store_failing) return;  // nothing is done before all is stored
  for (std::size_t run = 0; run < lives_.size(); ++run) {
    const Process* process = world_.find(static_cast<RunId>(run), lives_[run].attempt);
    if (!process || !process->alive(world_.now())) continue;
    require(lives_[run].canceling == EndCause::none || process->asked, "cancellations",
            fmt::format("run {} is to end, and was not told", run));
  }
}

void Auditor::on_change(const Change& change, const SweepState&) {
  if (world_.throws_now(Scenario::Thrower::listener)) throw std::runtime_error("a broken listener");
  // An engine takes what a listener throws for the listener's fault.
  try {
    tell_of(change);
  } catch (const Violation& violation) {
    world_.pending = violation;
  }
}

void Auditor::tell_of(const Change& change) {
  told_.push_back(change.index());
  require(told_.size() <= stored_.size() && told_.back() == stored_[told_.size() - 1], "listeners",
          "a listener was told what was not stored");
}

std::optional<RunRequest> Auditor::some_queued_run() const {
  for (std::size_t run = 0; run < lives_.size(); ++run) {
    if (lives_[run].phase != Phase::queued) continue;
    RunRequest request;
    request.run = static_cast<RunId>(run);
    request.attempt = lives_[run].attempt;
    request.parameters = state_.history().run(request.run).parameters;
    return request;
  }
  return std::nullopt;
}

// ---- sessions -----------------------------------------------------------------------------------

void Auditor::begin_session() {
  told_.clear();
  stored_.clear();
  first_of_session_ = true;
  failed_in_a_row_ = 0;
}

std::string text_of(const SweepState& state) {
  std::string text = fmt::format("{} {} {} {} edits {} notes {}\n", to_string(state.status()),
                                 to_string(state.end()), state.reason(), state.active().count(),
                                 state.edits().size(), state.notes().size());
  for (const RunReport& report : report_runs(state, "HD_s"))
    text += to_json(report) +
            fmt::format(" {} {} {} {}\n", to_string(state.canceling(report.number)),
                        state.lost_attempts(report.number), state.cursor(report.number),
                        state.judged(report.number) ? state.judged(report.number)->reason : "");
  return text;
}

void Auditor::after_session(Store& store, bool died) {
  SweepState replayed(spec_.primary_metric, spec_.goal);
  auto done = store.replay("", [&](const Change& change) { replayed.apply(change); });
  require(static_cast<bool>(done), "replay", done ? "" : done.error().message());
  const std::string stored = text_of(replayed), known = text_of(state_);
  require(stored == known, "replay",
          "what is replayed is not what was stored:\n" + stored + "and not\n" + known);
  require(store.header().config == config_, "edits", "the store has another configuration");
  if (died) return;
  require(told_ == stored_, "listeners", "what was stored was not told");
}

void Auditor::on_result(const Result<SweepSummary>& result) {
  if (!result) {
    const std::string message = result.error().message();
    static constexpr const char* kKnown[] = {"it cannot be followed", "the disk is full",
                                             "was deleted", "is locked", "threw an exception"};
    const bool known = std::any_of(std::begin(kKnown), std::end(kKnown), [&](const char* text) {
      return message.find(text) != message.npos;
    });
    require(known, "errors", message);
    return;
  }
  require(is_over(status_), "accounting", "the engine came to an end and did not say so");
  require(result->runs == static_cast<std::int64_t>(lives_.size()), "accounting",
          "runs in the summary");
  require(world_.unanswered.empty(), "requests",
          fmt::format("{} requests were not answered", world_.unanswered.size()));
  require(world_.alive() == 0, "no process forgotten", "the engine has ended and processes live");
}

void Auditor::at_the_end() {
  require(world_.alive() == 0, "no process forgotten", "processes live after the end");
  for (std::size_t run = 0; run < lives_.size(); ++run) {
    if (lives_[run].phase == Phase::ended) continue;
    const SweepEnd end = state_.end();
    require(end != SweepEnd::all_runs && end != SweepEnd::exhausted, "accounting",
            fmt::format("run {} never ended", run));
  }
}

}  // namespace hdrive::simulation
