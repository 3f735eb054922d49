// SPDX-License-Identifier: Apache-2.0
//
// Steering a live sweep from outside, and taking up what an earlier engine left: pauses, edits, survivors.
#include <map>
#include <set>

#include "tests/catch.h"
#include "tests/support/simulation.h"

using namespace hdrive;
using namespace hdrive::test;
using namespace std::chrono_literals;

namespace {

// Requests at moments of a simulation, counted from its beginning.
class Requests {
 public:
  explicit Requests(Simulation& simulation)
      : clock_(simulation.clock), began_(simulation.clock->now()) {
    simulation.store->requests = [this] { return due(); };
  }
  void at(Duration when, Request::Kind kind, const Settings& settings = {},
          std::optional<RunId> run = std::nullopt) {
    Request request{static_cast<std::int64_t>(waiting_.size()) + 1, kind, run,
                    write_settings(settings)};
    waiting_.emplace_back(began_ + when, request);
  }

 private:
  std::vector<Request> due() {
    std::vector<Request> result;
    for (; next_ < waiting_.size() && waiting_[next_].first <= clock_->now(); ++next_)
      result.push_back(waiting_[next_].second);
    return result;
  }

  std::shared_ptr<SimulatedClock> clock_;
  Time began_;
  std::vector<std::pair<Time, Request>> waiting_;
  std::size_t next_ = 0;
};

std::vector<RequestAnswered> answers(const Simulation& simulation) {
  return only<RequestAnswered>(simulation.store->stored);
}

// A target whose runs of earlier engines are as `found` says; those attached exit at once.
class Remains final : public ComputeTarget {
 public:
  Remains(std::shared_ptr<ComputeTarget> inner, std::function<Result<bool>(RunId)> found)
      : inner_(std::move(inner)), found_(std::move(found)) {}
  Result<void> start(const RunRequest& request) override {
    started.emplace_back(request.run, request.attempt);
    return inner_->start(request);
  }
  Result<void> adopt(std::span<const RunRequest> requests) override {
    for (const RunRequest& request : requests) {
      const auto found = found_(request.run);
      if (!found) return found.error();
      if (!*found) {
        events_.emplace_back(RunNotFound{request.run, request.attempt});
        continue;
      }
      RunExited exited{request.run, request.attempt};
      exited.exit_code = 0;
      exited.ran = lasted;
      events_.emplace_back(RunBegan{request.run, request.attempt, 7, ran});
      if (exits) events_.emplace_back(exited);
    }
    return {};
  }
  void cancel(RunId run, CancelMode mode) override {
    cancelled.insert(run);
    RunExited exited{run, 1};
    exited.signal = 15;
    events_.emplace_back(exited);
    inner_->cancel(run, mode);
  }
  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override {
    if (events_.empty()) return inner_->wait(deadline, std::move(stop), events);
    events = std::exchange(events_, {});
  }
  std::string describe() const override { return "remains"; }

  std::vector<std::pair<RunId, int>> started;
  std::set<RunId> cancelled;
  std::optional<Duration> ran, lasted;
  bool exits = true;

 private:
  std::shared_ptr<ComputeTarget> inner_;
  std::function<Result<bool>(RunId)> found_;
  std::vector<TargetEvent> events_;
};

// What an engine stored that died after its first minutes: two runs, begun at once.
void leave_behind(Simulation& simulation, std::vector<Change> more = {}) {
  const Time at = simulation.clock->now();
  std::vector<Change> changes{
      SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, at},
      RunProposed{0, {{"x", std::int64_t{0}}}, "the next number", at},
      RunProposed{1, {{"x", std::int64_t{1}}}, "the next number", at},
      RunStarted{0, 1, 7, at},
      RunStarted{1, 1, 8, at},
  };
  changes.insert(changes.end(), more.begin(), more.end());
  REQUIRE(simulation.store->append(changes));
}

Result<SweepSummary> go_on(Simulation& simulation, const std::shared_ptr<Remains>& target) {
  SweepParts parts;
  parts.store = simulation.store;
  parts.target = target;
  parts.clock = simulation.clock;
  parts.sampler = simulation.sampler;
  return run_sweep(simulation.spec, parts, simulation.stop);
}

std::shared_ptr<Remains> remains(Simulation& simulation, bool found) {
  return std::make_shared<Remains>(make_simulated_target(simulation.model, simulation.clock),
                                   [found](RunId) { return Result<bool>(found); });
}

}  // namespace

// ---- pause --------------------------------------------------------------------------------------

TEST_CASE("a paused sweep starts nothing, lets its runs end, and goes on when it is resumed") {
  Simulation simulation;
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1}); };
  Requests requests(simulation);
  requests.at(1min, Request::Kind::pause_sweep);
  requests.at(60min, Request::Kind::resume_sweep);
  const Time began = simulation.clock->now();
  std::vector<Time> starts;
  simulation.on_start = [&](const RunRequest&) { starts.push_back(simulation.clock->now()); };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 10);
  REQUIRE(starts.size() == 10);
  CHECK(starts[1] == began);
  for (std::size_t i = 2; i < starts.size(); ++i) CHECK(starts[i] >= began + 60min);
  const auto given = answers(simulation);
  REQUIRE(given.size() == 2);
  CHECK(given[0].accepted);
  CHECK(given[0].text == "paused; 2 runs go on, and no new ones are started");
  CHECK(given[1].text == "goes on");
}

TEST_CASE("time counts while runs of a paused sweep go on, and not while nothing runs") {
  Simulation simulation;
  simulation.spec.max_duration = 20min;
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1}); };
  Requests requests(simulation);
  requests.at(1min, Request::Kind::pause_sweep);
  requests.at(600min, Request::Kind::resume_sweep);
  std::map<SweepStatus, Duration> active;
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (const auto* changed = std::get_if<SweepChanged>(&change))
      active[changed->status] = changed->active;
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::all_runs);  // ten runs of 3 minutes, two at a time
  CHECK(active[SweepStatus::paused] == Duration{3min + 1s});
  CHECK(summary->elapsed >= Duration{15min});
  CHECK(summary->elapsed < Duration{16min});
  CHECK(simulation.state().active() == summary->elapsed);
}

TEST_CASE("a paused sweep can be stopped, and a pause is refused once it ends") {
  Simulation simulation;
  simulation.model = [](const RunRequest&) {
    SimulatedRun run = curve({1, 1, 1});
    run.cancel_delay = 5s;
    return run;
  };
  Requests requests(simulation);
  requests.at(1min, Request::Kind::pause_sweep);
  requests.at(1min, Request::Kind::pause_sweep);  // once more does no harm
  requests.at(2min, Request::Kind::stop_sweep);
  requests.at(2min, Request::Kind::pause_sweep);
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->end == SweepEnd::user);
  CHECK(summary->runs == 2);
  const auto given = answers(simulation);
  REQUIRE(given.size() == 4);
  CHECK(given[1].accepted);
  CHECK_FALSE(given[3].accepted);
  CHECK(given[3].text == "the sweep is ending: stopped by `hdrive stop`");
}

TEST_CASE("what is not paused cannot be resumed by a request") {
  Simulation simulation;
  Requests requests(simulation);
  requests.at(0min, Request::Kind::resume_sweep);
  REQUIRE(simulation.run());
  REQUIRE(answers(simulation).size() == 1);
  CHECK_FALSE(answers(simulation)[0].accepted);
}

// ---- edits --------------------------------------------------------------------------------------

TEST_CASE("a live sweep takes a new budget, more slots and another policy between two turns") {
  Simulation simulation;
  simulation.model = [](const RunRequest& request) {
    return request.run % 2 ? curve({9, 9, 9, 9}) : curve({1, 1, 1, 1});
  };
  Requests requests(simulation);
  requests.at(1min, Request::Kind::update_sweep,
              {{"max_total_runs", "20"},
               {"max_concurrent_runs", "4"},
               {"policy", "{type: bandit, slack_amount: 0.5}"}});
  std::set<RunId> alive;
  std::size_t most = 0;
  simulation.on_start = [&](const RunRequest& request) {
    alive.insert(request.run);
    most = std::max(most, alive.size());
  };
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (const auto* ended = std::get_if<RunEnded>(&change)) alive.erase(ended->run);
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 20);
  CHECK(summary->stopped > 5);
  CHECK(most == 4);
  const SweepState state = simulation.state();
  REQUIRE(state.edits().size() == 1);
  CHECK_THAT(state.edits()[0].what, Catch::Contains("max_total_runs: 10 -> 20") &&
                                        Catch::Contains("max_concurrent_runs: 2 -> 4") &&
                                        Catch::Contains("policy.slack_amount: none -> 0.5"));
  CHECK_THAT(simulation.store->header().config, Catch::Contains("max_total_runs: 20"));
  REQUIRE(answers(simulation).size() == 1);
  CHECK(answers(simulation)[0].accepted);
  CHECK(answers(simulation)[0].text == state.edits()[0].what);
}

TEST_CASE("a limit that is lowered while starts wait for the disk holds for them") {
  Simulation simulation;
  simulation.spec.max_total_runs = 8;
  simulation.spec.max_concurrent_runs = 4;
  const Time began = simulation.clock->now();
  simulation.store->refuse = [&] { return simulation.clock->now() < began + 1min; };
  Requests requests(simulation);
  requests.at(30s, Request::Kind::update_sweep, {{"max_concurrent_runs", "1"}});
  std::set<RunId> alive;
  std::size_t most = 0;
  simulation.on_start = [&](const RunRequest& request) {
    alive.insert(request.run);
    most = std::max(most, alive.size());
  };
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (const auto* ended = std::get_if<RunEnded>(&change)) alive.erase(ended->run);
  };
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->completed == 8);
  CHECK(most == 1);
}

TEST_CASE("an edit that cannot be is refused with the reason, and changes nothing") {
  Simulation simulation;
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1}); };
  Requests requests(simulation);
  const std::pair<Settings, const char*> cases[] = {
      {{{"max_concurrent_runs", "0"}}, "max_concurrent_runs"},
      {{{"max_total_runs", "1"}},
       "max_total_runs: cannot be 1: there are 4 runs already; 4 starts no more"},
      {{{"seed", "7"}},
       "seed: cannot be changed while the runs are kept: the runs so far were drawn with it"},
      {{{"primary_metric_name", "accuracy"}}, "the runs so far were judged by it"},
      {{{"policy", "{type: bandit}"}}, "slack"},
      {{{"max_total_rusn", "20"}}, "max_total_runs"},
      {{{"metric_patterns", "[\"loss=(\\\\d+)\"]"}}, "metric_patterns"},
  };
  for (const auto& each : cases) requests.at(4min, Request::Kind::update_sweep, each.first);
  const auto summary = simulation.run();
  REQUIRE(summary);
  CHECK(summary->runs == 10);
  CHECK(simulation.state().edits().empty());
  const auto given = answers(simulation);
  REQUIRE(given.size() == std::size(cases));
  for (std::size_t i = 0; i < given.size(); ++i) {
    CHECK_FALSE(given[i].accepted);
    CHECK_THAT(given[i].text, Catch::Contains(cases[i].second));
  }
}

TEST_CASE("a shorter time limit holds for the runs that train, too") {
  Simulation simulation;
  simulation.spec.max_total_runs = 2;
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1, 1, 1}); };
  Requests requests(simulation);
  requests.at(1min, Request::Kind::update_sweep, {{"max_run_duration_seconds", "150"}});
  REQUIRE(simulation.run());
  const SweepState state = simulation.state();
  for (const RunId run : {0, 1}) {
    CHECK(state.history().run(run).ended_by == EndCause::time_limit);
    CHECK(state.history().run(run).ended - state.history().run(run).started == Duration{150s});
  }
}

TEST_CASE("settings survive their way as text") {
  const Settings settings{
      {"policy.slack_factor", "0.1"}, {"command", "[\"a\nb\", \"c\\d\", 'e=f']"}, {"odd\\n", ""}};
  CHECK(read_settings(write_settings(settings)) == settings);
  CHECK(read_settings("").empty());
}

TEST_CASE("a resumed sweep is told what would give it something to do") {
  Simulation simulation;
  REQUIRE(simulation.run());
  const auto left = nothing_left(simulation.spec, simulation.state());
  REQUIRE(left);
  CHECK(left->why == "all of its 10 runs have ended");
  CHECK(left->setting == "max_total_runs=20");
  simulation.spec.max_total_runs = 20;
  CHECK_FALSE(nothing_left(simulation.spec, simulation.state()));
}

TEST_CASE(
    "a sweep whose space is exhausted has something to do only if it was changed after that") {
  Simulation simulation;
  simulation.sampler = std::make_shared<CountingSampler>(4);
  REQUIRE(simulation.run());
  SweepState state = simulation.state();
  CHECK(nothing_left(simulation.spec, state));
  state.apply(SweepEdited{"", "what made it go on the last time", state.changed()});
  CHECK(nothing_left(simulation.spec, state));
  state.apply(SweepEdited{"", "a change", state.changed() + Duration{1}});
  CHECK_FALSE(nothing_left(simulation.spec, state));
}

TEST_CASE("an answer, which a replay does not tell, is no sign of life of a session") {
  SweepState state("loss", Goal::minimize);
  const Time began{1000s};
  state.apply(SweepChanged{SweepStatus::running, SweepEnd::none, "", {}, began});
  state.apply(RequestAnswered{1, false, "no", began + 10s});
  CHECK(state.active() == Duration{0});
  CHECK(state.latest() == began);
}

// ---- what an earlier engine left ----------------------------------------------------------------

TEST_CASE("a run that was being stopped and is gone is not tried again") {
  Simulation simulation;
  const Time at = simulation.clock->now();
  leave_behind(simulation, {RunCanceling{0, 1, EndCause::policy, "it lagged", at},
                            RunCanceling{1, 1, EndCause::interrupt, "interrupted", at}});
  const auto target = remains(simulation, false);
  REQUIRE(go_on(simulation, target));
  const SweepState state = simulation.state();
  CHECK(state.history().run(0).status == RunStatus::canceled);
  CHECK(state.history().run(0).ended_by == EndCause::policy);
  CHECK(state.history().run(0).reason == "it lagged");
  CHECK(state.history().run(1).attempt == 2);  // cut short: tried again, and not as lost
  CHECK(state.lost_attempts(1) == 0);
  CHECK(target->started.front() == std::pair<RunId, int>{1, 2});
}

TEST_CASE("a run that cannot be looked for stops the resumption before anything is done") {
  Simulation simulation;
  leave_behind(simulation);
  const std::size_t before = simulation.store->stored.size();
  const auto target = std::make_shared<Remains>(
      make_simulated_target(simulation.model, simulation.clock), [](RunId run) {
        if (run == 1) return Result<bool>(Error{"run 1", "too many open files"});
        return Result<bool>(true);
      });
  const auto summary = go_on(simulation, target);
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message(), Catch::StartsWith("run 1: it may still be alive") &&
                                            Catch::Contains("too many open files"));
  CHECK(target->started.empty());
  CHECK(simulation.store->stored.size() == before);
}

TEST_CASE("a run that was found again has as much time left as its process has") {
  Simulation simulation;
  simulation.spec.max_run_duration = 10min;
  leave_behind(simulation);
  const auto target = remains(simulation, true);
  target->exits = false;
  SECTION("though the clock was set ahead by a year meanwhile") {
    simulation.clock->advance_to(simulation.clock->now() + std::chrono::hours{24 * 365});
    target->ran = 4min;
    const Time found = simulation.clock->now();
    REQUIRE(go_on(simulation, target));
    CHECK(simulation.state().history().run(0).ended == found + 6min);
  }
  SECTION("as recorded, where the target does not know") {
    simulation.clock->advance_to(simulation.clock->now() + 7min);
    const Time found = simulation.clock->now();
    REQUIRE(go_on(simulation, target));
    CHECK(simulation.state().history().run(0).ended == found + 3min);
  }
  CHECK(simulation.state().history().run(0).ended_by == EndCause::time_limit);
}

TEST_CASE("a target that has more room later gets more runs then") {
  // One slot, and from the tenth minute on three.
  class Rooms final : public ComputeTarget {
   public:
    Rooms(std::shared_ptr<ComputeTarget> inner, std::shared_ptr<SimulatedClock> clock)
        : inner_(std::move(inner)), clock_(std::move(clock)), grows_(clock_->now() + 10min) {}
    Result<void> start(const RunRequest& request) override {
      starts.push_back(clock_->now());
      return inner_->start(request);
    }
    Result<void> adopt(std::span<const RunRequest>) override { return {}; }
    std::optional<TargetCapacity> capacity() const override {
      return TargetCapacity{clock_->now() < grows_ ? 1 : 3, "slots"};
    }
    void cancel(RunId run, CancelMode mode) override { inner_->cancel(run, mode); }
    void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override {
      inner_->wait(deadline, std::move(stop), events);
    }
    std::string describe() const override { return "rooms"; }
    std::vector<Time> starts;

   private:
    std::shared_ptr<ComputeTarget> inner_;
    std::shared_ptr<SimulatedClock> clock_;
    Time grows_;
  };
  Simulation simulation;
  simulation.spec.max_total_runs = 4;
  simulation.spec.max_concurrent_runs = 4;
  simulation.model = [](const RunRequest&) { return curve(std::vector<double>(60, 1)); };
  const Time began = simulation.clock->now();
  const auto target = std::make_shared<Rooms>(
      make_simulated_target(simulation.model, simulation.clock), simulation.clock);
  SweepParts parts;
  parts.store = simulation.store;
  parts.target = target;
  parts.clock = simulation.clock;
  parts.sampler = simulation.sampler;
  REQUIRE(run_sweep(simulation.spec, parts, simulation.stop));
  REQUIRE(target->starts.size() == 4);
  CHECK(target->starts[0] == began);
  for (std::size_t run : {1, 2}) {
    CHECK(target->starts[run] >= began + 10min);
    CHECK(target->starts[run] <= began + 10min + 2s);
  }
  CHECK(target->starts[3] >= began + 60min);
}

TEST_CASE("a run that ended while nobody looked has ended when it did") {
  Simulation simulation;
  leave_behind(simulation);
  const Time began = simulation.clock->now();
  const auto target = remains(simulation, true);
  simulation.clock->advance_to(began + std::chrono::hours{10});
  SECTION("by how long it ran") {
    target->lasted = 5min;
    REQUIRE(go_on(simulation, target));
    CHECK(simulation.state().history().run(0).started == began);
    CHECK(simulation.state().history().run(0).ended == began + 5min);
    CHECK(simulation.state().history().run(1).ended == began + 5min);
  }
  SECTION("which is never later than now") {
    target->lasted = std::chrono::hours{24};
    REQUIRE(go_on(simulation, target));
    CHECK(simulation.state().history().run(0).ended == began + std::chrono::hours{10});
  }
}

TEST_CASE("a sweep's times never go back, whatever is done to the clock between two sessions") {
  Simulation simulation;
  simulation.model = [](const RunRequest&) { return curve({1, 1, 1}); };
  const auto target =
      std::make_shared<WatchedTarget>(make_simulated_target(simulation.model, simulation.clock));
  simulation.on_change = [&](const Change& change, const SweepState&) {
    if (const auto* ended = std::get_if<RunEnded>(&change); ended && ended->run == 4)
      simulation.stop.request();
  };
  REQUIRE(simulation.run());
  const Duration before = simulation.state().active();
  simulation.clock = std::make_shared<SimulatedClock>(simulation.clock->now() - 24h);
  simulation.stop = StopSignal();
  simulation.on_change = nullptr;
  const auto summary = simulation.run();
  REQUIRE(summary);
  Time latest{};
  for (const auto& changed : only<SweepChanged>(simulation.store->stored)) {
    CHECK(changed.at >= latest);
    latest = changed.at;
  }
  CHECK(summary->elapsed > before);
  CHECK(summary->elapsed < before + 1h);
  CHECK(simulation.state().active() == summary->elapsed);
}

// Hears what a sweep says is wrong.
class Ear final : public Listener {
 public:
  void on_change(const Change&, const SweepState&) override {}
  void on_trouble(const std::string& trouble) override { heard.push_back(trouble); }
  std::vector<std::string> heard;
};

TEST_CASE("listeners hear at once that nothing can be stored, and when it can again") {
  Simulation simulation;
  const Time began = simulation.clock->now();
  simulation.store->refuse = [&] {
    const Time now = simulation.clock->now();
    return now >= began + 61s && now < began + 200s;
  };
  const auto ear = std::make_shared<Ear>();
  SweepParts parts;
  parts.store = simulation.store;
  parts.target = make_simulated_target(simulation.model, simulation.clock);
  parts.clock = simulation.clock;
  parts.sampler = simulation.sampler;
  parts.listeners = {ear};
  REQUIRE(run_sweep(simulation.spec, parts));
  REQUIRE(ear->heard.size() == 2);
  CHECK_THAT(ear->heard[0], Catch::Contains("no new runs are started") &&
                                Catch::Contains("goes on by itself") &&
                                Catch::Contains("the disk is full"));
  CHECK(ear->heard[1].empty());
}

TEST_CASE("a target that takes runs and gives them back is told of once, and with its own reason") {
  Simulation simulation;
  simulation.spec.max_total_runs = 3;
  const Time began = simulation.clock->now();
  const auto target =
      std::make_shared<WatchedTarget>(make_simulated_target(simulation.model, simulation.clock));
  int given_back = 0;
  target->late_refusal = [&](const RunRequest& request) -> std::optional<RunDeferred> {
    if (simulation.clock->now() >= began + 30s) return std::nullopt;
    ++given_back;
    return RunDeferred{request.run, request.attempt,
                       Error{"", "qsub: the queue is full", Error::Kind::busy}};
  };
  const auto ear = std::make_shared<Ear>();
  SweepParts parts;
  parts.store = simulation.store;
  parts.target = target;
  parts.clock = simulation.clock;
  parts.sampler = simulation.sampler;
  parts.listeners = {ear};
  const auto summary = run_sweep(simulation.spec, parts);
  REQUIRE(summary);
  CHECK(summary->completed == 3);
  CHECK(given_back >= 30);  // tried every second
  REQUIRE(ear->heard.size() == 2);
  CHECK(ear->heard[0] ==
        "no run can be started at the moment; it is tried again, and the sweep goes on by itself "
        "once one can: qsub: the queue is full");
  CHECK(ear->heard[1].empty());
}
