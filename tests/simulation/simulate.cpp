// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/simulate.h"

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>

#include "hdrive/edit.h"
#include "hdrive/report.h"
#include "hdrive/state.h"
#include "hdrive/stop_signal.h"
#include "hdrive/sweep.h"
#include "tests/simulation/auditor.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::simulation {
namespace {

using std::chrono::milliseconds;

constexpr int kMostSessions = 100;

// What lies on the disk: it outlives engines.
class Disk {
 public:
  explicit Disk(const Scenario& scenario) {
    header_.id = "HD_s";
    header_.config = to_hdconfig(scenario.spec);
    header_.metric = scenario.spec.primary_metric;
    header_.goal = scenario.spec.goal;
    if (scenario.sqlite)
      directory_.emplace();
    else
      memory_ = make_memory_store(header_);
  }

  // The store of one session; in a database it is opened anew.
  std::shared_ptr<Store> open() {
    if (memory_) return memory_;
    auto store = made_ ? open_sqlite_store(directory_->path())
                       : create_sqlite_store(directory_->path(), header_);
    made_ = true;
    if (!store) throw Violation{"store", store.error().message()};
    return *store;
  }

 private:
  SweepHeader header_;
  std::shared_ptr<Store> memory_;
  std::optional<test::TemporaryDirectory> directory_;
  bool made_ = false;
};

// A sampler that repeats its first proposal.
class Parrot final : public Sampler {
 public:
  explicit Parrot(std::shared_ptr<Sampler> inner) : inner_(std::move(inner)) {}
  Result<Proposal> propose(const History& history, RunId run) override {
    if (run == 0) return inner_->propose(history, run);
    return Proposal{history.run(0).parameters, "again"};
  }
  std::string describe() const override { return "parrot"; }

 private:
  std::shared_ptr<Sampler> inner_;
};

// Parts of somebody else's, which throw an exception.
class BrokenSampler final : public Sampler {
 public:
  BrokenSampler(World& world, std::shared_ptr<Sampler> inner)
      : world_(world), inner_(std::move(inner)) {}
  Result<Proposal> propose(const History& history, RunId run) override {
    if (world_.throws_now(Scenario::Thrower::sampler)) throw std::runtime_error("a broken sampler");
    return inner_->propose(history, run);
  }
  std::string describe() const override { return "broken"; }

 private:
  World& world_;
  std::shared_ptr<Sampler> inner_;
};

class BrokenPolicy final : public Policy {
 public:
  BrokenPolicy(World& world, std::shared_ptr<const Policy> inner)
      : world_(world), inner_(std::move(inner)) {}
  Verdict judge(RunId run, const History& history) const override {
    if (world_.throws_now(Scenario::Thrower::policy)) throw std::runtime_error("a broken policy");
    return inner_->judge(run, history);
  }
  std::string explain(const Verdict& verdict) const override { return inner_->explain(verdict); }
  std::string describe() const override { return "broken"; }

 private:
  World& world_;
  std::shared_ptr<const Policy> inner_;
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, Fault fault, bool tracing)
      : scenario_(scenario), world_(scenario, fault), auditor_(std::make_shared<Auditor>(world_)) {
    world_.auditor = auditor_.get();
    world_.tracing = tracing;
  }

  void run() {
    while (true) {
      if (++sessions > kMostSessions) throw Violation{"progress", "no end after 100 sessions"};
      const bool natural = session();
      pass_time();
      update_offline();
      if (natural && nothing_more()) break;
    }
    auditor_->at_the_end();
  }

  std::int64_t sessions = 0, crashes = 0;
  const World& world() const { return world_; }
  const Auditor& auditor() const { return *auditor_; }

 private:
  // True: it came to an end by itself, not stopped, not killed.
  bool session() {
    const auto planned = static_cast<std::size_t>(crashes);
    const std::int64_t dies_after =
        planned < scenario_.crash_after.size() ? scenario_.crash_after[planned] : 0;
    const StopSignal stop;
    // Before each session somebody may have set the clock.
    Duration offset{};
    if (world_.dice.chance(0.3)) offset = std::chrono::seconds{world_.dice.between(-3600, 3600)};
    auto inner = disk_.open();
    auditor_->begin_session();
    world_.begin_session(stop, dies_after, offset);
    world_.note(fmt::format("session {} begins", sessions));
    world_.ask_early();
    std::optional<Result<SweepSummary>> result;
    try {
      SweepParts parts;
      parts.store = make_store(world_, inner);
      parts.target = make_target(world_);
      parts.clock = make_clock(world_);
      parts.listeners = {auditor_};
      const SweepSpec& spec = auditor_->spec();
      if (scenario_.thrower == Scenario::Thrower::sampler)
        parts.sampler = std::make_shared<BrokenSampler>(
            world_,
            *make_sampler(spec.sampling, spec.space,
                          {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs}));
      if (scenario_.thrower == Scenario::Thrower::policy && world_.fault != Fault::another_policy)
        parts.policy = std::make_shared<BrokenPolicy>(world_, *make_policy(spec.policy, spec.goal));
      if (world_.fault == Fault::repeats_itself) {
        parts.sampler = std::make_shared<Parrot>(
            *make_sampler(spec.sampling, spec.space,
                          {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs}));
      }
      result = run_sweep(believed(), parts,
                         world_.fault == Fault::starts_after_stop ? StopSignal() : stop);
    } catch (const Crash&) {
      ++crashes;
    }
    world_.end_session();
    if (result)
      world_.note(*result ? "it ended: " + (*result)->reason
                          : "it gave up: " + result->error().message());
    if (world_.fault == Fault::forgets_history) inner = make_memory_store(inner->header());
    if (world_.pending) throw *world_.pending;
    auditor_->after_session(*inner, !result || !*result);
    if (!result) return false;
    auditor_->on_result(*result);
    return *result && (*result)->end != SweepEnd::interrupt && (*result)->end != SweepEnd::user;
  }

  // The specification as a broken engine would have it.
  SweepSpec believed() const {
    SweepSpec spec = auditor_->spec();
    switch (world_.fault) {
      case Fault::one_run_more:
        ++spec.max_total_runs;
        break;
      case Fault::one_run_less:
        spec.max_total_runs = std::max<std::int64_t>(1, spec.max_total_runs - 1);
        break;
      case Fault::gives_up:
        spec.max_total_runs = 0;
        break;
      case Fault::one_slot_more:
        ++spec.max_concurrent_runs;
        break;
      case Fault::another_seed:
        ++spec.seed;
        break;
      case Fault::another_policy:
        spec.policy = {"bandit", {{"slack_amount", 0.05}}};
        break;
      case Fault::retries_too_often:
        ++spec.max_lost_retries;
        break;
      case Fault::never_tires:
        spec.stop_after_consecutive_failures = 0;
        break;
      case Fault::impatient:
        spec.max_run_duration = spec.max_run_duration / 2;
        break;
      default:
        break;
    }
    return spec;
  }

  // Nobody runs the sweep for a while; its processes go on.
  void pass_time() { world_.advance(world_.now() + milliseconds{world_.dice.between(0, 4000)}); }

  void update_offline() {
    for (const Settings& settings : std::exchange(world_.offline_updates, {})) {
      const auto inner = disk_.open();
      auto edit = edit_spec(auditor_->spec(), settings, auditor_->state().history().size());
      if (!edit || edit->what.empty()) continue;
      const std::vector<Change> changes{
          SweepEdited{edit->config, edit->what,
                      std::max(auditor_->state().latest() + Duration{1}, world_.engine_time())}};
      if (auto done = inner->append(changes); !done)
        throw Violation{"store order", done.error().message()};
      auditor_->on_append(changes);
    }
  }

  bool nothing_more() {
    if (world_.next_incident()) {  // somebody may still extend it
      world_.advance(*world_.next_incident());
      update_offline();
      if (world_.next_incident()) return false;
    }
    const SweepEnd end = auditor_->state().end();
    if (end == SweepEnd::hopeless) return true;
    return nothing_left(auditor_->spec(), auditor_->state()).has_value();
  }

  const Scenario& scenario_;
  World world_;
  std::shared_ptr<Auditor> auditor_;
  Disk disk_{scenario_};
};

}  // namespace

Outcome simulate(std::uint64_t seed, Fault fault, bool tracing) {
  const Scenario scenario = make_scenario(seed);
  Outcome outcome;
  Simulation simulation(scenario, fault, tracing);
  try {
    simulation.run();
  } catch (const Violation& violation) {
    outcome.violation = violation;
  } catch (const std::exception& error) {
    outcome.violation = Violation{"exceptions", error.what()};
  }
  const SweepState& state = simulation.auditor().state();
  outcome.sessions = simulation.sessions;
  outcome.crashes = simulation.crashes;
  outcome.runs = state.history().size();
  for (RunId run = 0; run < outcome.runs; ++run)
    outcome.attempts += state.history().run(run).attempt;
  outcome.edits = static_cast<std::int64_t>(state.edits().size());
  if (tracing) outcome.trace = describe(scenario) + simulation.world().trace;
  return outcome;
}

}  // namespace hdrive::simulation
