// SPDX-License-Identifier: Apache-2.0
//
// A sweep without processes and without time, for tests of the scheduler: a sampler that counts, a store
// that fails on command, a target that is watched, and a listener that writes down what happened.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/hdrive.h"

namespace hdrive::test {

/// Proposes x = 0, 1, 2, ... and is exhausted after `points`.
class CountingSampler final : public Sampler {
 public:
  explicit CountingSampler(std::int64_t points = 1'000'000) : points_(points) {}
  Result<Proposal> propose(const History&, RunId id) override {
    if (id == fails_at) return Error{"counting sampler", "it lost count"};
    if (id >= points_)
      return Proposal{std::nullopt, "the space has only " + std::to_string(points_) + " points"};
    return Proposal{Assignment{{"x", id}}, "the next number"};
  }
  std::string describe() const override { return "counting"; }

  RunId fails_at = -1;

 private:
  std::int64_t points_;
};

/// A memory store that refuses to write while `refuse(now)` says so, hands out requests, and remembers what
/// it was given.
class ScriptedStore final : public Store {
 public:
  explicit ScriptedStore(SweepHeader header) : inner_(make_memory_store(std::move(header))) {}
  const SweepHeader& header() const override { return inner_->header(); }
  Result<void> append(std::span<const Change> changes) override {
    if (refuse && refuse()) return Error{"store", "the disk is full", refuse_kind};
    ++transactions;
    auto done = inner_->append(changes);
    if (done) stored.insert(stored.end(), changes.begin(), changes.end());
    return done;
  }
  Result<void> replay(const std::string& only_metric,
                      const std::function<void(const Change&)>& tell) override {
    ++replays;
    return inner_->replay(only_metric, tell);
  }
  Result<std::vector<Request>> take_requests() override {
    return requests ? requests() : std::vector<Request>{};
  }
  bool takes_requests() const override { return static_cast<bool>(requests); }

  std::function<bool()> refuse;
  Error::Kind refuse_kind = Error::Kind::no_room;
  std::function<std::vector<Request>()> requests;
  std::vector<Change> stored;
  int transactions = 0;
  int replays = 0;

 private:
  std::shared_ptr<Store> inner_;
};

/// Passes everything on, and tells `on_start` and `on_cancel` first.
class WatchedTarget final : public ComputeTarget {
 public:
  explicit WatchedTarget(std::shared_ptr<ComputeTarget> inner) : inner_(std::move(inner)) {}
  Result<void> start(const RunRequest& request) override {
    if (refuse_start)
      if (auto refused = refuse_start(request)) return *std::move(refused);
    if (on_start) on_start(request);
    if (note_of)
      if (auto note = note_of(request))
        late_.emplace_back(TargetNote{request.run, *std::move(note)});
    if (late_refusal)
      if (auto refused = late_refusal(request)) {
        late_.emplace_back(*std::move(refused));
        return {};
      }
    return inner_->start(request);
  }
  Result<void> adopt(std::span<const RunRequest> requests) override {
    return inner_->adopt(requests);
  }
  void cancel(RunId run, CancelMode mode) override {
    if (on_cancel) on_cancel(run, mode);
    canceled_ = true;
    inner_->cancel(run, mode);
  }
  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override {
    if (on_wait) on_wait();
    if (canceled_ || !late_until_canceled) {
      for (TargetEvent& event : late_) events.push_back(std::move(event));
      late_.clear();
    }
    if (events.empty()) inner_->wait(deadline, std::move(stop), events);
  }
  std::string describe() const override { return inner_->describe(); }

  std::function<std::optional<Error>(const RunRequest&)> refuse_start;
  /// That a program cannot be executed, as a supervisor finds out.
  std::function<std::optional<RunDeferred>(const RunRequest&)> late_refusal;
  /// It finds out only when something is cancelled.
  bool late_until_canceled = false;
  /// What the target finds odd about a run that it starts.
  std::function<std::optional<std::string>(const RunRequest&)> note_of;
  std::function<void()> on_wait;
  std::function<void(const RunRequest&)> on_start;
  std::function<void(RunId, CancelMode)> on_cancel;

 private:
  std::shared_ptr<ComputeTarget> inner_;
  std::vector<TargetEvent> late_;
  bool canceled_ = false;
};

/// Calls `see` for each change.
class Spy final : public Listener {
 public:
  explicit Spy(std::function<void(const Change&, const SweepState&)> see) : see_(std::move(see)) {}
  void on_change(const Change& change, const SweepState& state) override { see_(change, state); }

 private:
  std::function<void(const Change&, const SweepState&)> see_;
};

/// Stops above a fixed value, from the second report on.
class Ceiling final : public Policy {
 public:
  Verdict judge(RunId id, const History& history) const override {
    Verdict verdict;
    verdict.interval = static_cast<std::int64_t>(history.reports(id).size());
    if (verdict.interval < 2) return verdict;
    verdict.value = history.best(id).value_or(1e9);
    verdict.threshold = 1;
    const bool stop = verdict.value > verdict.threshold;
    verdict.action = stop ? Verdict::Action::stop : Verdict::Action::keep;
    verdict.finding = stop ? Verdict::Finding::beyond : Verdict::Finding::within;
    return verdict;
  }
  std::string explain(const Verdict& verdict) const override {
    if (verdict.finding == Verdict::Finding::not_due) return "too early";
    return verdict.action == Verdict::Action::stop ? "above the ceiling" : "below the ceiling";
  }
  std::string describe() const override { return "ceiling 1"; }
};

inline Metric metric(const std::string& name, double value) { return {name, value, {}, {}}; }

/// A run that reports `values` of "loss", one a minute, and ends right after.
inline SimulatedRun curve(const std::vector<double>& values) {
  SimulatedRun run;
  for (std::size_t i = 0; i < values.size(); ++i)
    run.reports.emplace_back(std::chrono::minutes{i + 1}, metric("loss", values[i]));
  run.duration = std::chrono::minutes{values.size()} + std::chrono::seconds{1};
  return run;
}

/// A run that exits with `code` after a second, having logged nothing.
inline SimulatedRun exits(int code, const std::string& stderr_tail = "") {
  SimulatedRun run;
  run.duration = std::chrono::seconds{1};
  run.exit_code = code;
  run.stderr_tail = stderr_tail;
  return run;
}

/// A sweep of counted runs that minimises "loss", with everything to turn in reach.
struct Simulation {
  SweepSpec spec;
  std::shared_ptr<SimulatedClock> clock = std::make_shared<SimulatedClock>();
  std::shared_ptr<ScriptedStore> store;
  std::shared_ptr<CountingSampler> sampler = std::make_shared<CountingSampler>();
  RunModel model = [](const RunRequest&) { return curve({0.5}); };
  std::shared_ptr<Sampler> other_sampler;  // null: the one that counts
  std::function<std::optional<Error>(const RunRequest&)> refuse_start;
  std::function<std::optional<RunDeferred>(const RunRequest&)> late_refusal;
  bool late_until_canceled = false;
  std::function<std::optional<std::string>(const RunRequest&)> note_of;
  std::function<void()> on_wait;
  std::function<void(const RunRequest&)> on_start;
  std::function<void(RunId, CancelMode)> on_cancel;
  std::function<void(const Change&, const SweepState&)> on_change;
  std::shared_ptr<const Policy> policy;
  std::shared_ptr<SweepState> known;  // null: replayed from the store
  StopSignal stop;

  Simulation() {
    spec.primary_metric = "loss";
    spec.goal = Goal::minimize;
    spec.max_total_runs = 10;
    spec.max_concurrent_runs = 2;
    spec.space.parameters = {{"x", RandInt{1'000'000}}};
    SweepHeader header;
    header.id = "HD_test";
    header.metric = spec.primary_metric;
    header.goal = spec.goal;
    store = std::make_shared<ScriptedStore>(header);
  }

  Result<SweepSummary> run() {
    auto target = std::make_shared<WatchedTarget>(make_simulated_target(model, clock));
    target->refuse_start = refuse_start;
    target->late_refusal = late_refusal;
    target->late_until_canceled = late_until_canceled;
    target->note_of = note_of;
    target->on_wait = on_wait;
    target->on_start = on_start;
    target->on_cancel = on_cancel;
    SweepParts parts;
    parts.store = store;
    parts.target = target;
    parts.clock = clock;
    parts.sampler = other_sampler ? other_sampler : sampler;
    parts.policy = policy;
    parts.state = known;
    if (on_change) parts.listeners = {std::make_shared<Spy>(on_change)};
    return run_sweep(spec, parts, stop);
  }

  /// What the store holds, replayed.
  SweepState state() const {
    SweepState state(spec.primary_metric, spec.goal);
    (void)store->replay("", [&](const Change& change) { state.apply(change); });
    return state;
  }
};

/// The changes of one kind among all.
template <class Kind>
std::vector<Kind> only(const std::vector<Change>& changes) {
  std::vector<Kind> result;
  for (const Change& change : changes)
    if (const auto* one = std::get_if<Kind>(&change)) result.push_back(*one);
  return result;
}

}  // namespace hdrive::test
