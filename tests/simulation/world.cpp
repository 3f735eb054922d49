// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include "hdrive/edit.h"
#include "hdrive/stop_signal.h"
#include "tests/simulation/auditor.h"

namespace hdrive::simulation {

using std::chrono::milliseconds;

std::size_t Process::logged(Time now) const {
  const Time until = std::min(now, ends);
  std::size_t count = 0;
  while (count < model.reports.size() && started + model.reports[count].first <= until) ++count;
  return count;
}

World::World(const Scenario& of, Fault with)
    : scenario(of), fault(with), dice(Dice::of(of.seed, 6)) {}

void World::note(const std::string& text) {
  if (!tracing) return;
  trace += fmt::format("{:8} ms  {}\n", (now_ - beginning_).count() / 1000, text);
}

// ---- time ---------------------------------------------------------------------------------------

std::optional<Time> World::next_incident() const {
  if (next_ == scenario.incidents.size()) return std::nullopt;
  return beginning_ + scenario.incidents[next_].at;
}

void World::advance(Time to) {
  while (next_ < scenario.incidents.size() && beginning_ + scenario.incidents[next_].at <= to) {
    const Incident& incident = scenario.incidents[next_++];
    now_ = std::max(now_, beginning_ + incident.at);
    happen(incident);
  }
  now_ = std::max(now_, to);
}

void World::ask(Request request) {
  if (!engine_alive) return;  // refused: nobody is there to ask
  request.id = ++requests_made_;
  requests.push_back(std::move(request));
}

void World::happen(const Incident& incident) {
  using Kind = Incident::Kind;
  note(fmt::format("incident {}", static_cast<int>(incident.kind)));
  switch (incident.kind) {
    case Kind::stop:
      return ask({0, Request::Kind::stop_sweep});
    case Kind::stop_run:
      return ask({0, Request::Kind::stop_run, incident.run});
    case Kind::pause:
      return ask({0, Request::Kind::pause_sweep});
    case Kind::resume:
      return ask({0, Request::Kind::resume_sweep});
    case Kind::update:
      if (engine_alive)
        return ask(
            {0, Request::Kind::update_sweep, std::nullopt, write_settings(incident.settings)});
      offline_updates.push_back(incident.settings);
      return;
    case Kind::interrupt:
      if (engine_alive) stop.request();
      return;
    case Kind::disk_full:
      disk_full_until_ = std::max(disk_full_until_, now_ + incident.length);
      return;
    case Kind::suspended:
      suspended += incident.length;
      return;
    case Kind::reboot:
      for (auto& [key, process] : processes) lose(process);
      if (engine_alive) throw Crash{};
      return;
    case Kind::lose_run:
      for (auto& [key, process] : processes)
        if (key.first == incident.run) lose(process);
      return;
  }
}

void World::lose(Process& process) {
  if (!process.alive(now_)) return;
  process.ends = now_;
  process.vanishes = true;
}

// ---- the engine's life --------------------------------------------------------------------------

void World::begin_session(StopSignal with, std::int64_t dies_after, Duration clock_offset) {
  stop = std::move(with);
  points_left_ = dies_after;
  offset_ = clock_offset;
  engine_alive = true;
  store_failing = stop_heard = false;
  requests.clear();  // what was asked of an engine before is not meant for this one
  unanswered.clear();
}

void World::point(const char* where) {
  if (points_left_ == 0 || --points_left_ > 0) return;
  note(fmt::format("the engine dies: {}", where));
  throw Crash{};
}

// ---- processes ----------------------------------------------------------------------------------

Process* World::find(RunId run, int attempt) {
  const auto found = processes.find({run, attempt});
  return found == processes.end() ? nullptr : &found->second;
}

std::int64_t World::alive() const {
  return std::count_if(processes.begin(), processes.end(),
                       [this](const auto& entry) { return entry.second.alive(now_); });
}

bool World::any_alive(RunId run) const {
  return std::any_of(processes.begin(), processes.end(), [&](const auto& entry) {
    return entry.first.first == run && entry.second.alive(now_);
  });
}

Result<void> World::start(const RunRequest& request) {
  auditor->on_start(request);
  auto model = scenario.behaviour(request);
  if (!model) return model.error();
  Process process;
  process.run = request.run;
  process.attempt = request.attempt;
  process.parameters = request.parameters;
  process.started = now_;
  process.ends = now_ + model->duration;
  process.exit_code = model->exit_code;
  process.signal = model->signal;
  process.vanishes = model->vanishes;
  process.grace = request.cancel_grace;
  process.suspended_before = suspended;
  // Its supervisor ends it by itself, a little after the engine should have.
  const Time limit = now_ + request.time_limit + milliseconds{50};
  if (limit < process.ends) {
    process.ends = limit;
    process.over_time = true;
    process.vanishes = false;
    process.exit_code.reset();
    process.signal = SIGKILL;
  }
  process.model = *std::move(model);
  processes[{request.run, request.attempt}] = std::move(process);
  return {};
}

// As with processes: what ignores SIGTERM for longer than the grace period gets SIGKILL then.
void World::cancel(RunId run, int attempt, CancelMode mode) {
  Process* process = find(run, attempt);
  if (process) process->asked = true;
  if (!process || !process->alive(now_)) return;
  const bool kill = mode == CancelMode::kill;
  if (process->killed || (process->cancelled && !kill)) return;
  process->cancelled = true;
  process->killed = kill;
  const bool stubborn = kill || process->model.cancel_delay > process->grace;
  const Duration delay = kill       ? Duration{}
                         : stubborn ? process->grace
                                    : process->model.cancel_delay;
  if (now_ + delay > process->ends) return;  // it is done before the signal ends it
  process->ends = now_ + delay;
  process->vanishes = process->over_time = false;
  process->exit_code.reset();
  process->signal = stubborn ? SIGKILL : SIGTERM;
}

// ---- what the engine sees -----------------------------------------------------------------------

namespace {

class WorldClock final : public Clock {
 public:
  explicit WorldClock(World& world) : world_(world) {}
  Time now() override { return world_.engine_time(); }

 private:
  World& world_;
};

class WorldTarget final : public ComputeTarget {
 public:
  explicit WorldTarget(World& world) : world_(world) {}

  Result<void> start(const RunRequest& request) override {
    world_.point("before a start");
    world_.note(fmt::format("start run {} attempt {}", request.run, request.attempt));
    if (world_.disk_full()) {
      world_.note("there is no room to start it");
      return Error{"run directory", "the disk is full", Error::Kind::no_room};
    }
    auto started = world_.start(request);
    if (world_.fault == Fault::starts_twice) (void)world_.start(request);
    if (world_.fault == Fault::starts_unknown_runs) {
      RunRequest unknown = request;
      unknown.run += 1000;
      (void)world_.start(unknown);
    }
    if (started) follow(request, false);
    world_.point("after a start");
    return started;
  }

  Result<AttachOutcome> attach(const RunRequest& request) override {
    world_.point("before an attach");
    if (world_.dice.chance(world_.scenario.unattachable))
      return Error{"run", "no descriptors left"};
    const Process* process = world_.find(request.run, request.attempt);
    const bool gone =
        !process || process->gone(world_.now()) || world_.fault == Fault::forgets_processes;
    world_.note(fmt::format("attach run {} attempt {}: {}", request.run, request.attempt,
                            gone ? "gone" : "attached"));
    if (gone) return AttachOutcome::gone;
    follow(request, true);
    return AttachOutcome::attached;
  }

  void cancel(RunId run, CancelMode mode) override {
    world_.point("before a cancellation");
    world_.auditor->on_cancel(run, mode);
    const auto found = followed_.find(run);
    if (found == followed_.end() || world_.fault == Fault::forgets_to_cancel) return;
    world_.note(fmt::format("cancel run {}", run));
    world_.cancel(run, found->second.attempt, mode);
    world_.point("after a cancellation");
  }

  void wait(Time deadline, std::stop_token token, std::vector<TargetEvent>& events) override {
    world_.point("before a wait");
    if (++world_.waits > 100'000)
      throw Violation{"progress", "the engine turns without getting anywhere"};
    if (token.stop_requested()) return;
    world_.auditor->on_wait();
    std::optional<Time> next = world_.next_incident();
    for (const auto& [run, of] : followed_) {
      const Time due = due_of(of);
      if (!next || due < *next) next = due;
    }
    const Time until = world_.true_time(deadline);
    constexpr Duration kForEver = std::chrono::hours{24 * 365};
    if (!next && until > world_.now() + kForEver)
      throw Violation{"progress", "the engine waits for ever for nothing"};
    world_.advance(std::max(world_.now(), next ? std::min(*next, until) : until));
    if (world_.fault != Fault::deaf) deliver(events);
    if (world_.fault == Fault::throws && world_.dice.chance(0.1)) throw std::runtime_error("oh");
    const bool not_now = world_.fault == Fault::starts_on_full_disk && world_.store_failing;
    if (const auto queued = world_.auditor->some_queued_run(); not_now && queued)
      (void)world_.start(*queued);
    if (world_.fault == Fault::cancels_unasked && !followed_.empty() && world_.dice.chance(0.05))
      cancel(followed_.begin()->first, CancelMode::graceful);
    world_.point("after a wait");
  }

  std::string describe() const override { return "a simulated world"; }

 private:
  /// What was told of a process, event by event: 0 it began, then each report, then its end.
  struct Followed {
    RunId run = 0;
    int attempt = 1;
    bool attached = false;
    std::size_t told = 0;  // reports
    bool began = false;
    Time after{};  // nothing is told before what was told last
  };

  void follow(const RunRequest& request, bool attached) {
    followed_[request.run] = Followed{
        request.run, request.attempt, attached, static_cast<std::size_t>(request.position.metrics),
        false,       world_.now()};
  }

  // When the next event of a process reaches the engine.
  Time due_of(const Followed& of) const {
    const Process& process = *world_.find(of.run, of.attempt);
    Time happens = process.ends;
    if (!of.began)
      happens = process.started;
    else if (of.told < process.logged(process.ends))
      happens = process.started + process.model.reports[of.told].first;
    Dice dice =
        Dice::of(world_.scenario.seed, 7, static_cast<std::uint64_t>(of.run * 1000 + of.attempt),
                 of.told + (of.began ? 1 : 0));
    const Duration late =
        dice.chance(world_.scenario.late) ? milliseconds{dice.between(1, 800)} : milliseconds{0};
    return std::max(of.after, happens + late);
  }

  void deliver(std::vector<TargetEvent>& events) {
    std::vector<RunId> due;
    for (const auto& [run, of] : followed_)
      if (due_of(of) <= world_.now()) due.push_back(run);
    for (std::size_t i = due.size(); i > 1; --i)  // in any order
      std::swap(due[i - 1],
                due[static_cast<std::size_t>(world_.dice.below(static_cast<std::int64_t>(i)))]);
    for (const RunId run : due) {
      stale(run, events);
      // Sometimes only the first of several events, sometimes all.
      for (int left = world_.dice.chance(0.3) ? 1 : 1000; left > 0; --left) {
        const auto found = followed_.find(run);
        if (found == followed_.end() || due_of(found->second) > world_.now()) break;
        tell(found->second, events);
      }
    }
  }

  // The last word of an earlier attempt, which is nobody's any more.
  void stale(RunId run, std::vector<TargetEvent>& events) {
    const int attempt = followed_.at(run).attempt;
    if (attempt == 1 || !world_.dice.chance(world_.scenario.stale)) return;
    switch (world_.dice.below(4)) {
      case 0:
        return events.push_back(RunBegan{run, attempt - 1, 7, {}});
      case 1:
        return events.push_back(
            RunReported{run, attempt - 1, {Metric{"loss", 1e9, {}, {}}}, IntakePosition{99, 0}});
      case 2:
        return events.push_back(RunVanished{run, attempt - 1, "stale"});
      default: {
        RunExited exited{run, attempt - 1};
        exited.exit_code = 0;
        return events.push_back(std::move(exited));
      }
    }
  }

  void tell(Followed& of, std::vector<TargetEvent>& events) {
    const Process& process = *world_.find(of.run, of.attempt);
    of.after = world_.now();
    if (!of.began) {
      of.began = true;
      RunBegan began{of.run, of.attempt, 1000 + of.run, {}};
      if (of.attached) began.ran = world_.now() - process.started;
      return events.push_back(std::move(began));
    }
    const std::size_t logged = process.logged(world_.now());
    if (of.told < logged) {
      RunReported reported{of.run, of.attempt, {}, {}};
      const std::size_t to = world_.dice.chance(0.5)
                                 ? logged
                                 : of.told + 1 +
                                       static_cast<std::size_t>(world_.dice.below(
                                           static_cast<std::int64_t>(logged - of.told)));
      for (; of.told < to; ++of.told)
        reported.metrics.push_back(process.model.reports[of.told].second);
      reported.position.metrics = of.told;
      return events.push_back(std::move(reported));
    }
    if (process.vanishes)
      events.push_back(RunVanished{of.run, of.attempt, "it is gone"});
    else
      events.push_back(exit_of(process));
    followed_.erase(of.run);
  }

  RunExited exit_of(const Process& process) const {
    RunExited exited{process.run, process.attempt};
    exited.exit_code = process.exit_code;
    exited.signal = process.signal;
    exited.over_time = process.over_time;
    if (world_.fault == Fault::misreads_exits) {
      exited.exit_code = 0;
      exited.signal.reset();
    }
    return exited;
  }

  World& world_;
  std::map<RunId, Followed> followed_;
};

class WorldStore final : public Store {
 public:
  WorldStore(World& world, std::shared_ptr<Store> inner)
      : world_(world), inner_(std::move(inner)) {}

  const SweepHeader& header() const override { return inner_->header(); }

  Result<void> append(std::span<const Change> given) override {
    world_.point("before an append");
    const bool refused = world_.dice.chance(world_.scenario.refused);
    if (world_.dice.chance(world_.scenario.stalled))
      world_.advance(world_.now() + milliseconds{world_.dice.between(1, 3000)});
    if (world_.store_full() || refused) {
      world_.store_failing = true;
      world_.note("the store cannot be written");
      if (world_.fault == Fault::lies_about_storing) return {};
      return Error{"store", "the disk is full"};
    }
    const std::vector<Change> changes = distorted(given);
    if (auto done = inner_->append(changes); !done)
      throw Violation{"store order", done.error().message()};
    world_.store_failing = false;
    world_.auditor->on_append(changes);
    world_.point("after an append");
    return {};
  }

  Result<void> replay(const std::string& only_metric,
                      const std::function<void(const Change&)>& tell) override {
    return inner_->replay(only_metric, tell);
  }

  Result<std::vector<Request>> take_requests() override {
    world_.point("before it hears requests");
    if (world_.dice.chance(world_.scenario.refused)) return Error{"store", "cannot be read"};
    std::vector<Request> taken = std::exchange(world_.requests, {});
    for (const Request& request : taken) {
      world_.note(fmt::format("the engine hears request {}", request.id));
      if (request.kind == Request::Kind::stop_sweep) world_.stop_heard = true;
      world_.unanswered[request.id] = request;
    }
    if (world_.fault == Fault::never_answers) return std::vector<Request>{};
    if (world_.fault == Fault::ignores_pause)
      if (std::erase_if(
              taken, [](const Request& it) { return it.kind == Request::Kind::pause_sweep; }) > 0)
        world_.auditor->assume_paused();
    return taken;
  }
  bool takes_requests() const override { return true; }

 private:
  // What a broken engine would have stored.
  std::vector<Change> distorted(std::span<const Change> given) const {
    std::vector<Change> changes(given.begin(), given.end());
    const auto drop = [&](auto matches) { std::erase_if(changes, matches); };
    switch (world_.fault) {
      case Fault::drops_endings:
        drop([](const Change& it) { return std::holds_alternative<RunEnded>(it); });
        break;
      case Fault::drops_verdicts:
        drop([](const Change& it) {
          const auto* judged = std::get_if<RunJudged>(&it);
          return judged && judged->verdict.action == Verdict::Action::stop;
        });
        break;
      case Fault::drops_proposals:
        for (Change& it : changes)
          if (auto* proposed = std::get_if<RunProposed>(&it)) ++proposed->run;
        break;
      case Fault::ends_twice:
        for (const Change& it : given)
          if (std::holds_alternative<RunEnded>(it)) changes.push_back(it);
        break;
      case Fault::miscounts_time:
        for (Change& it : changes)
          if (auto* changed = std::get_if<SweepChanged>(&it))
            changed->active += std::chrono::hours{5};
        break;
      case Fault::edits_at_will:
        for (Change& it : changes)
          if (auto* edited = std::get_if<SweepEdited>(&it))
            edited->config += "max_trials: 9999999\n";
        break;
      case Fault::drops_metrics:
        for (Change& it : changes)
          if (auto* metrics = std::get_if<RunMetrics>(&it); metrics && !metrics->metrics.empty())
            metrics->metrics.pop_back();
        break;
      case Fault::doubles_metrics:
        for (Change& it : changes)
          if (auto* metrics = std::get_if<RunMetrics>(&it); metrics && !metrics->metrics.empty())
            metrics->metrics.push_back(metrics->metrics.back());
        break;
      default:
        break;
    }
    return changes;
  }

  World& world_;
  std::shared_ptr<Store> inner_;
};

}  // namespace

std::shared_ptr<ComputeTarget> make_target(World& world) {
  return std::make_shared<WorldTarget>(world);
}
std::shared_ptr<Clock> make_clock(World& world) { return std::make_shared<WorldClock>(world); }
std::shared_ptr<Store> make_store(World& world, std::shared_ptr<Store> inner) {
  return std::make_shared<WorldStore>(world, std::move(inner));
}

}  // namespace hdrive::simulation
