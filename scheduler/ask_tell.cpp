// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/text.h"
#include "scheduler/ledger.h"

namespace hdrive {

struct AskTell::Impl {
  Impl(const SweepSpec& s, scheduler::Ledger l) : spec(s), ledger(std::move(l)) {}

  SweepSpec spec;
  scheduler::Ledger ledger;

  // The run is one that was asked for and is still open.
  Result<void> open_run(RunId run) const {
    const History& history = ledger.history();
    if (run < 0 || run >= history.size())
      return Error{"run " + std::to_string(run),
                   "was never asked for; there are " + base::plural(history.size(), "run")};
    if (is_terminal(history.run(run).status))
      return Error{"run " + std::to_string(run),
                   "has ended (" + std::string(to_string(history.run(run).status)) +
                       "); it takes no more reports"};
    return {};
  }

  RunMetrics metrics(RunId run, double value, std::optional<std::int64_t> step) const {
    return {run,
            ledger.history().run(run).attempt,
            {Metric{spec.primary_metric, value, step, std::nullopt}},
            {},
            ledger.now()};
  }

  Result<void> end(RunId run, RunStatus status, EndCause cause, std::string reason) {
    if (auto open = open_run(run); !open) return open;
    ledger.record(RunEnded{run,
                           ledger.history().run(run).attempt,
                           status,
                           cause,
                           {},
                           {},
                           std::move(reason),
                           "",
                           ledger.now()});
    return ledger.commit();
  }
};

AskTell::AskTell(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AskTell::~AskTell() = default;
AskTell::AskTell(AskTell&&) noexcept = default;
AskTell& AskTell::operator=(AskTell&&) noexcept = default;

Result<AskTell> AskTell::open(const SweepSpec& spec, const SweepParts& parts) {
  if (auto sound = check(spec); !sound) return sound.error();
  auto complete = scheduler::complete_parts(spec, parts);
  if (!complete) return complete.error();
  auto ledger = scheduler::Ledger::open(spec, *std::move(complete));
  if (!ledger) return ledger.error();
  return AskTell(std::make_unique<Impl>(spec, *std::move(ledger)));
}

Result<AskTell::Asked> AskTell::ask() {
  scheduler::Ledger& ledger = impl_->ledger;
  if (ledger.history().size() >= impl_->spec.max_total_runs)
    return Asked{std::nullopt,
                 {},
                 "all " + base::plural(ledger.history().size(), "run") +
                     " of max_total_runs were asked for"};
  auto proposed = ledger.propose();
  if (!proposed) return proposed.error();
  if (!proposed->run) return Asked{std::nullopt, {}, proposed->reason};
  const RunId run = *proposed->run;
  ledger.record(RunStarted{run, 1, 0, ledger.now()});
  if (auto stored = ledger.commit(); !stored) return stored.error();
  const Run& record = ledger.history().run(run);
  return Asked{run, record.parameters, record.proposal};
}

Result<AskTell::Reported> AskTell::report(RunId run, double value,
                                          std::optional<std::int64_t> step) {
  if (auto open = impl_->open_run(run); !open) return open.error();
  scheduler::Ledger& ledger = impl_->ledger;
  const auto stop = ledger.report(impl_->metrics(run, value, step));
  if (stop && ledger.state().canceling(run) == EndCause::none)
    ledger.cancel(run, EndCause::policy, *stop);
  if (auto stored = ledger.commit(); !stored) return stored.error();
  const auto judged = ledger.state().judged(run);
  return judged ? Reported{judged->verdict, judged->reason} : Reported{};
}

Result<void> AskTell::tell(RunId run, double value) {
  if (auto open = impl_->open_run(run); !open) return open;
  impl_->ledger.record(impl_->metrics(run, value, std::nullopt));
  return complete(run);
}

Result<void> AskTell::complete(RunId run) {
  return impl_->end(run, RunStatus::completed, EndCause::exited, "completed");
}

Result<void> AskTell::stopped(RunId run) {
  if (auto open = impl_->open_run(run); !open) return open;
  const std::string reason = impl_->ledger.state().canceling_reason(run);
  const EndCause cause = impl_->ledger.state().canceling(run);
  if (cause != EndCause::policy)
    return Error{"run " + std::to_string(run),
                 "was not stopped by the policy; use `fail` to give it up"};
  return impl_->end(run, RunStatus::canceled, cause, reason);
}

Result<void> AskTell::fail(RunId run, const std::string& why) {
  return impl_->end(run, RunStatus::failed, EndCause::exited, why.empty() ? "failed" : why);
}

const SweepState& AskTell::state() const { return impl_->ledger.state(); }

}  // namespace hdrive
