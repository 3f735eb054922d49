// SPDX-License-Identifier: Apache-2.0
//
// The world as a compute target: processes that live, log and end as their scenario has it.
#include <fmt/format.h>

#include <stdexcept>

#include "tests/simulation/auditor.h"
#include "tests/simulation/world.h"

namespace hdrive::simulation {
namespace {

using std::chrono::milliseconds;

class WorldTarget final : public ComputeTarget {
 public:
  explicit WorldTarget(World& world) : world_(world) {}

  Result<void> start(const RunRequest& request) override {
    world_.point("before a start");
    world_.note(fmt::format("start run {} attempt {}", request.run, request.attempt));
    if (world_.disk_full()) {
      world_.note("there is no room to start it");
      return refuse(request, Error{"run directory", "the disk is full", Error::Kind::no_room});
    }
    if (const auto refused = refusal(request)) return *refused;
    world_.refused_outside.erase({request.run, request.attempt});
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

  // Why nothing can be started now. Half of the programs that are gone are found to be so only by the supervisor.
  std::optional<Result<void>> refusal(const RunRequest& request) {
    if (world_.no_resources() && world_.alive() > 0) {
      world_.note("there are no resources to start it");
      return refuse(request, Error{"run", "no processes left", Error::Kind::no_resources});
    }
    if (!world_.program_gone()) return std::nullopt;
    world_.note("its program is gone");
    const Error gone{"train", "No such file or directory", Error::Kind::not_found};
    if (world_.dice.chance(0.5)) return refuse(request, gone);
    world_.refused_outside.insert({request.run, request.attempt});
    if (world_.fault == Fault::blames_runs) {
      RunExited exited{request.run, request.attempt};
      exited.not_started = true;
      exited.note = gone.message();
      pending_.emplace_back(std::move(exited));
    } else {
      pending_.emplace_back(RunDeferred{request.run, request.attempt, gone});
    }
    return Result<void>{};
  }

  Result<void> refuse(const RunRequest& request, Error why) {
    world_.refused_outside.insert({request.run, request.attempt});
    if (world_.fault == Fault::blames_runs) why.kind = Error::Kind::other;
    return why;
  }

  Result<void> adopt(std::span<const RunRequest> requests) override {
    for (const RunRequest& request : requests) {
      world_.point("before an attach");
      if (world_.dice.chance(world_.scenario.unattachable))
        return Error{"run", "no descriptors left"};
      attach(request);
    }
    return {};
  }

  void attach(const RunRequest& request) {
    const Process* process = world_.find(request.run, request.attempt);
    const bool gone =
        !process || process->gone(world_.now()) || world_.fault == Fault::forgets_processes;
    world_.note(fmt::format("attach run {} attempt {}: {}", request.run, request.attempt,
                            gone ? "gone" : "attached"));
    if (gone)
      pending_.emplace_back(RunNotFound{request.run, request.attempt});
    else
      follow(request, true);
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
    if (!pending_.empty()) {
      for (TargetEvent& event : pending_) events.push_back(std::move(event));
      pending_.clear();
      return;
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
    bool accepted = false, unreachable = false;
  };

  void follow(const RunRequest& request, bool attached) {
    followed_[request.run] =
        Followed{request.run, request.attempt,
                 attached,    static_cast<std::size_t>(position_from(request.cursor)->metrics),
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
            RunReported{run, attempt - 1, {Metric{"loss", 1e9, {}, {}}}, "99 0"});
      case 2:
        return events.push_back(RunVanished{run, attempt - 1, "stale"});
      default: {
        RunExited exited{run, attempt - 1};
        exited.exit_code = 0;
        return events.push_back(std::move(exited));
      }
    }
  }

  // Whether there is contact and no queue to speak of first.
  bool is_in_reach(Followed& of, std::vector<TargetEvent>& events) {
    if (std::exchange(of.unreachable, false)) {
      // Often the next event alone says so.
      if (world_.dice.chance(0.5)) events.push_back(RunReachable{of.run, of.attempt});
    } else if (world_.dice.chance(world_.scenario.outage)) {
      of.unreachable = true;
      of.after = world_.now() + milliseconds{world_.dice.between(1, 60'000)};
      events.push_back(RunUnreachable{of.run, of.attempt, "the cable is out"});
      return false;
    }
    if (!of.began && !std::exchange(of.accepted, true) &&
        world_.dice.chance(world_.scenario.queued))
      events.push_back(
          RunAccepted{of.run, of.attempt, fmt::format("job-{}-{}", of.run, of.attempt)});
    return true;
  }

  void tell(Followed& of, std::vector<TargetEvent>& events) {
    const Process& process = *world_.find(of.run, of.attempt);
    if (!is_in_reach(of, events)) return;
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
      reported.cursor = to_cursor({of.told, 0});
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
  std::vector<TargetEvent> pending_;  // refusals that are found out late, and what is not there
};

}  // namespace

std::shared_ptr<ComputeTarget> make_target(World& world) {
  return std::make_shared<WorldTarget>(world);
}

}  // namespace hdrive::simulation
