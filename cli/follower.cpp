// SPDX-License-Identifier: Apache-2.0
#include "cli/follower.h"

#include "cli/command.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

// Whose change it is; the sweep's own are -1's. Reports and verdicts are left out: there may be millions,
// and they are in the state.
std::optional<RunId> whose(const Change& change) {
  struct Visitor {
    std::optional<RunId> operator()(const RunStarted& it) const { return it.run; }
    std::optional<RunId> operator()(const RunEnded& it) const { return it.run; }
    std::optional<RunId> operator()(const RunRequeued& it) const { return it.run; }
    std::optional<RunId> operator()(const SweepChanged&) const { return -1; }
    std::optional<RunId> operator()(const SweepEdited&) const { return -1; }
    std::optional<RunId> operator()(const Noted&) const { return -1; }
    std::optional<RunId> operator()(const RunProposed&) const { return std::nullopt; }
    std::optional<RunId> operator()(const RunMetrics&) const { return std::nullopt; }
    std::optional<RunId> operator()(const RunJudged&) const { return std::nullopt; }
    std::optional<RunId> operator()(const RunCanceling&) const { return std::nullopt; }
    std::optional<RunId> operator()(const RequestAnswered&) const { return std::nullopt; }
  };
  return std::visit(Visitor{}, change);
}

}  // namespace

Follower::Follower(SweepEntry sweep)
    : sweep_(std::move(sweep)), state_(sweep_.header.metric, sweep_.header.goal) {}

void Follower::look(Listener& listener) {
  sweep_ = value_or_fail(find_sweep(sweep_.directory.parent_path(), sweep_.directory.string()));
  SweepState state(sweep_.header.metric, sweep_.header.goal);
  std::map<std::pair<RunId, std::size_t>, std::size_t> seen;
  std::vector<Change> fresh;
  ok_or_fail(replay_sweep(sweep_.directory, sweep_.header.metric, [&](const Change& change) {
    state.apply(change);
    const auto run = whose(change);
    if (!run) return;
    const std::pair key{*run, change.index()};
    const auto before = known_.find(key);
    if (++seen[key] > (before == known_.end() ? 0 : before->second)) fresh.push_back(change);
  }));
  known_ = std::move(seen);
  state_ = std::move(state);
  const bool first = std::exchange(first_, false);
  for (const Change& change : fresh) {
    const auto* started = std::get_if<RunStarted>(&change);
    const bool alive = started && state_.history().run(started->run).status == RunStatus::running;
    if (!first || alive) listener.on_change(change, state_);
  }
}

}  // namespace hdrive::cli
