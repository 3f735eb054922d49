// SPDX-License-Identifier: Apache-2.0
//
// The simulated target: no processes, no real time. `wait` moves the clock to the next thing that
// happens. One heap entry for each live run, for the next moment at which that run does something.
#include <algorithm>
#include <csignal>
#include <iterator>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>

#include "hdrive/target.h"

namespace hdrive::compute {
namespace {

// Enough to make a call's overhead vanish, few enough that one call stays short.
constexpr std::size_t kEventsPerWait = 4096;

class SimulatedTarget final : public ComputeTarget {
 public:
  SimulatedTarget(RunModel model, std::shared_ptr<SimulatedClock> clock)
      : model_(std::move(model)), clock_(std::move(clock)) {}

  Result<void> start(const RunRequest& request) override {
    const std::string where = "run " + std::to_string(request.run);
    if (live_.contains(request.run)) return Error{where, "it is running already"};
    Result<SimulatedRun> model = model_(request);
    if (!model) return model.error();
    const Time now = clock_->now();
    Live& live = live_[request.run];
    live.attempt = request.attempt;
    live.grace = request.cancel_grace;
    live.started = now;
    live.ends = now + std::max(model->duration, Duration{0});
    live.model = *std::move(model);
    schedule(request.run, live, now);
    return {};
  }

  Result<void> adopt(std::span<const RunRequest> requests) override {
    for (const RunRequest& request : requests)
      if (!live_.contains(request.run))
        missing_.push_back(RunNotFound{request.run, request.attempt});
    return {};
  }

  // As with processes: what ignores SIGTERM for longer than the grace period gets SIGKILL then.
  void cancel(RunId run, CancelMode mode) override {
    const auto found = live_.find(run);
    if (found == live_.end()) return;
    Live& live = found->second;
    const bool kill = mode == CancelMode::kill;
    if (live.killed || (live.cancelled && !kill)) return;
    live.cancelled = true;
    const bool stubborn = kill || live.model.cancel_delay > live.grace;
    const Duration delay = kill ? Duration{0} : stubborn ? live.grace : live.model.cancel_delay;
    const Time end = clock_->now() + std::max(delay, Duration{0});
    live.killed = kill;
    if (end > live.ends) return;  // it is done before the signal ends it
    live.ends = end;
    live.model.vanishes = false;
    live.model.exit_code.reset();
    live.model.signal = stubborn ? SIGKILL : SIGTERM;
    schedule(run, live, next_moment(live));
  }

  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override {
    if (stop.stop_requested()) return;
    if (!missing_.empty()) {
      std::move(missing_.begin(), missing_.end(), std::back_inserter(events));
      return missing_.clear();
    }
    const std::size_t limit = events.size() + kEventsPerWait;
    const Time until = std::max(deadline, clock_->now());  // what is due now is told in any case
    std::optional<Time> moment;
    while (!heap_.empty() && events.size() < limit) {
      const Entry entry = heap_.top();
      const auto found = live_.find(entry.run);
      if (found == live_.end() || found->second.ticket != entry.ticket) {
        heap_.pop();  // rescheduled or gone since
        continue;
      }
      if (entry.at > (moment ? *moment : until)) break;
      moment = std::max(entry.at, clock_->now());
      clock_->advance_to(*moment);
      heap_.pop();
      if (!tell(entry.run, found->second, *moment, events)) live_.erase(found);
    }
    if (!moment) clock_->advance_to(deadline);
  }

  Readiness readiness() override {
    return {-1, !missing_.empty() ? clock_->now() : heap_.empty() ? Time::max() : heap_.top().at};
  }

  std::string describe() const override { return "simulated runs"; }

 private:
  struct Live {
    int attempt = 1;
    SimulatedRun model;
    Duration grace{};
    Time started{}, ends{};
    std::size_t reported = 0;  // of model.reports
    std::uint64_t ticket = 0;  // of the run's one valid heap entry
    bool began = false, cancelled = false, killed = false;
  };
  struct Entry {
    Time at;
    RunId run;
    std::uint64_t ticket;
    bool operator>(const Entry& other) const {
      return at != other.at ? at > other.at : run > other.run;
    }
  };

  void schedule(RunId run, Live& live, Time at) {
    live.ticket = ++tickets_;
    heap_.push({at, run, live.ticket});
  }

  static Time next_moment(const Live& live) {
    if (!live.began) return live.started;
    if (live.reported == live.model.reports.size()) return live.ends;
    return std::min(live.ends, live.started + live.model.reports[live.reported].first);
  }

  // All that the run does at this moment. False if it ended.
  bool tell(RunId run, Live& live, Time moment, std::vector<TargetEvent>& events) {
    if (!std::exchange(live.began, true)) events.push_back(RunBegan{run, live.attempt, 0});
    auto& reports = live.model.reports;
    const std::size_t from = live.reported;
    while (live.reported < reports.size() && live.started + reports[live.reported].first <= moment)
      ++live.reported;
    if (live.reported > from) {
      RunReported told{run, live.attempt, {}, {}};
      told.metrics.reserve(live.reported - from);
      for (std::size_t i = from; i < live.reported; ++i)
        told.metrics.push_back(std::move(reports[i].second));
      told.cursor = to_cursor({live.reported, 0});
      events.push_back(std::move(told));
    }
    if (live.ends > moment) {
      schedule(run, live, next_moment(live));
      return true;
    }
    if (live.model.vanishes)
      events.push_back(RunVanished{run, live.attempt, "the simulated run was lost"});
    else
      events.push_back(exited(run, live));
    return false;
  }

  static RunExited exited(RunId run, Live& live) {
    RunExited end;
    end.run = run;
    end.attempt = live.attempt;
    end.signal = live.model.signal;
    if (!end.signal) end.exit_code = live.model.exit_code.value_or(0);
    end.stderr_tail = std::move(live.model.stderr_tail);
    return end;
  }

  RunModel model_;
  std::shared_ptr<SimulatedClock> clock_;
  std::unordered_map<RunId, Live> live_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
  std::uint64_t tickets_ = 0;
  std::vector<RunNotFound> missing_;  // of those to be adopted
};

}  // namespace
}  // namespace hdrive::compute

namespace hdrive {

std::shared_ptr<ComputeTarget> make_simulated_target(RunModel model,
                                                     std::shared_ptr<SimulatedClock> clock) {
  return std::make_shared<compute::SimulatedTarget>(std::move(model), std::move(clock));
}

}  // namespace hdrive
