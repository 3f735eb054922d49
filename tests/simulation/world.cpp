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
    case Kind::no_resources:
      no_resources_until_ = std::max(no_resources_until_, now_ + incident.length);
      return;
    case Kind::program_gone:
      program_gone_until_ = std::max(program_gone_until_, now_ + incident.length);
      return;
    case Kind::store_locked:
      locked_until_ = std::max(locked_until_, now_ + incident.length);
      return;
    case Kind::store_gone:
      store_gone_until_ = std::max(store_gone_until_, now_ + incident.length);
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

void World::ask_early() {
  if (!dice.chance(scenario.asked_early)) return;
  switch (dice.below(3)) {
    case 0:  // not so late that nobody resumes it
      if (now_ < beginning_ + std::chrono::seconds{50}) ask({0, Request::Kind::pause_sweep});
      return;
    case 1:
      return ask({0, Request::Kind::stop_run, dice.below(scenario.spec.max_total_runs)});
    default:
      return ask({0, Request::Kind::retry_run, dice.below(scenario.spec.max_total_runs)});
  }
}

bool World::throws_now(Scenario::Thrower part) {
  const bool now = scenario.thrower == part && ++calls_ == scenario.throws_at;
  has_thrown = has_thrown || now;
  return now;
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
  store_failing = stop_heard = has_thrown = false;
  requests.clear();  // what was asked of an engine before is not meant for this one
  unanswered.clear();
}

void World::point(const char* where) {
  if (pending) throw *std::exchange(pending, std::nullopt);
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

namespace {

class WorldClock final : public Clock {
 public:
  explicit WorldClock(World& world) : world_(world) {}
  Time now() override { return world_.engine_time(); }
  bool real() const override { return false; }

 private:
  World& world_;
};

}  // namespace

std::shared_ptr<Clock> make_clock(World& world) { return std::make_shared<WorldClock>(world); }

}  // namespace hdrive::simulation
