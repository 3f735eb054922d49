// SPDX-License-Identifier: Apache-2.0
//
// Runs within an allocation of a toy Slurm, for tests.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "compute/pilot/pilot_target.h"
#include "hdrive/targets.h"
#include "tests/support/toy_slurm.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {

namespace fs = std::filesystem;
using std::chrono::seconds;

inline SlurmOptions pilot_options() {
  SlurmOptions options;
  options.pilot = true;
  options.cpus = 4;
  options.idle = seconds{30};
  return options;
}

class PilotRuns {
 public:
  explicit PilotRuns(SlurmOptions given = pilot_options()) : options(std::move(given)) { remake(); }
  ~PilotRuns() {
    for (const char* fault : {"down", "forget", "hold", "nostep"}) slurm.set(fault, false);
    for (const RunId run : std::set<RunId>(going_)) target_->cancel(run, CancelMode::kill);
    CHECK(wait_until([&] { return going_.empty(); }));
    target_.reset();
    CHECK(slurm.is_quiet());
  }

  /// As if the engine had ended and another one begun.
  void remake() {
    target_.reset();
    target_ = make("pilot");
    going_.clear();
    events.clear();
  }
  std::shared_ptr<ComputeTarget> make(const std::string& name) const {
    BatchTiming timing;
    timing.poll = std::chrono::milliseconds{100};
    timing.look = std::chrono::milliseconds{10};
    timing.beat = std::chrono::milliseconds{20};
    auto made = pilot::PilotTarget::make(options, name, {}, clock, timing, slurm.commands());
    REQUIRE(made);
    return *made;
  }

  RunRequest request(RunId run, const std::string& script) const {
    RunRequest request;
    request.run = run;
    request.run_id = "HD_test_" + std::to_string(run);
    request.arguments = {"/bin/sh", "-c",
                         "log() { echo '{\"name\": \"loss\", \"value\": '$1'}' "
                         ">> \"$HDRIVE_METRICS_FILE\"; }; " +
                             script};
    request.working_directory = folder_.path();
    request.directory = folder_.path() / "runs" / std::to_string(run);
    request.time_limit = std::chrono::hours{1};
    request.cancel_grace = seconds{60};
    return request;
  }
  /// Of a script: to go on when the test says so, and to say that it was started.
  std::string until_go() const {
    return "while ! [ -e " + file("go") + " ]; do sleep 0.02; done; ";
  }
  void go() const { std::ofstream(file("go")) << "\n"; }
  std::string note_start() const { return "echo $$ >> " + file("starts") + "; "; }
  /// The processes of all programs that were started so.
  std::vector<pid_t> starts() const {
    std::vector<pid_t> pids;
    std::ifstream text(file("starts"));
    for (pid_t pid = 0; text >> pid;) pids.push_back(pid);
    return pids;
  }
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }

  void start(const RunRequest& request) {
    const auto started = target_->start(request);
    INFO((started ? "" : started.error().message()));
    REQUIRE(started);
    going_.insert(request.run);
  }
  void adopt(const RunRequest& request) {
    REQUIRE(target_->adopt(std::span(&request, 1)));
    going_.insert(request.run);
  }
  ComputeTarget& target() { return *target_; }

  template <class Condition>
  bool wait_until(Condition condition) {
    const Time deadline = clock->now() + seconds{60};
    while (!condition() && clock->now() < deadline) {
      const std::size_t from = events.size();
      target_->wait(std::min(deadline, clock->now() + std::chrono::milliseconds{50}), {}, events);
      for (std::size_t i = from; i < events.size(); ++i) note_end(events[i]);
    }
    return condition();
  }
  template <class Event>
  int count() const {
    return static_cast<int>(std::count_if(events.begin(), events.end(), [](const auto& event) {
      return std::holds_alternative<Event>(event);
    }));
  }
  template <class Event>
  bool wait_for(int number = 1) {
    return wait_until([&] { return count<Event>() >= number; });
  }
  bool wait_for_values(std::size_t number) {
    return wait_until([&] { return values().size() >= number; });
  }
  template <class Event>
  const Event& last() const {
    for (auto at = events.rbegin(); at != events.rend(); ++at)
      if (const auto* event = std::get_if<Event>(&*at)) return *event;
    throw std::out_of_range("no such event was told");
  }
  std::vector<double> values() const {
    std::vector<double> result;
    for (const TargetEvent& event : events)
      if (const auto* reported = std::get_if<RunReported>(&event))
        for (const Metric& metric : reported->metrics) result.push_back(metric.value);
    return result;
  }

  SlurmOptions options;
  std::shared_ptr<RealClock> clock = std::make_shared<RealClock>();
  std::vector<TargetEvent> events;

 private:
  void note_end(const TargetEvent& event) {
    std::visit(
        [this](const auto& e) {
          using E = std::decay_t<decltype(e)>;
          if constexpr (std::is_same_v<E, RunExited> || std::is_same_v<E, RunVanished> ||
                        std::is_same_v<E, RunDeferred> || std::is_same_v<E, RunNotFound>)
            going_.erase(e.run);
        },
        event);
  }

  TemporaryDirectory folder_, toy_;

 public:
  test::ToySlurm slurm{toy_.path()};

 private:
  std::shared_ptr<ComputeTarget> target_;
  std::set<RunId> going_;
};

}  // namespace hdrive::compute
