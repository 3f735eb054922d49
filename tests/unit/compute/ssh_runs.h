// SPDX-License-Identifier: Apache-2.0
//
// Runs of an ssh target over an `ssh` that runs the agent on this machine, for tests.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "compute/remote/gang_target.h"
#include "hdrive/targets.h"
#include "tests/support/fake_ssh.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {

namespace fs = std::filesystem;
using std::chrono::seconds;

class SshRuns {
 public:
  /// `nodes`: of each run.
  explicit SshRuns(int hosts = 1, std::int64_t slots = 4, std::int64_t nodes = 1) : nodes_(nodes) {
    options_.directory = ssh.directory();
    for (int i = 1; i <= hosts; ++i)
      options_.hosts.push_back({.host = "node" + std::to_string(i), .slots = slots});
    remake();
  }
  ~SshRuns() {
    ssh.refuse("");
    for (const SshHost& host : options_.hosts) ssh.refuse("", host.host);
    for (const RunId run : going_) target_->cancel(run, CancelMode::kill);
    wait_until([&] { return going_.empty(); });
  }

  /// As if the engine had ended and another one begun.
  void remake() {
    target_.reset();
    if (nodes_ > 1) {
      auto made = remote::GangTarget::make(options_, {}, clock_, nodes_, fence_margin_);
      REQUIRE(made);
      target_ = *made;
    } else {
      auto made = remote::SshTarget::make(options_, {}, clock_, fence_margin_);
      REQUIRE(made);
      target_ = *made;
    }
    going_.clear();
    events.clear();
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
    request.directory = directory(run);
    request.time_limit = std::chrono::hours{1};
    request.cancel_grace = seconds{60};
    return request;
  }
  fs::path directory(RunId run) const { return folder_.path() / "runs" / std::to_string(run); }
  fs::path path() const { return folder_.path(); }
  /// Where a run is on its host.
  fs::path there(RunId run, const std::string& host = "node1") const {
    return fs::path(ssh.directory()) / "HD_test" / host / "runs" / std::to_string(run);
  }

  void start(const RunRequest& request) {
    const auto started = target_->start(request);
    INFO((started ? "" : started.error().message()));
    REQUIRE(started);
    going_.insert(request.run);
  }
  void adopt(RunRequest request, const std::string& handle = "node1",
             const std::string& cursor = "") {
    request.handle = handle;
    request.cursor = cursor;
    REQUIRE(target_->adopt(std::span(&request, 1)));
    going_.insert(request.run);
  }
  /// The next engine counts runs as lost so soon.
  void lose_after(std::chrono::milliseconds lost_after, Duration fence_margin) {
    options_.lost_after = lost_after;
    fence_margin_ = fence_margin;
    remake();
  }
  ComputeTarget& target() { return *target_; }

  Time now() const { return clock_->now(); }
  /// Takes what there is to tell now.
  void look() {
    const std::size_t from = events.size();
    target_->wait(clock_->now(), {}, events);
    for (std::size_t i = from; i < events.size(); ++i) note_end(events[i]);
  }
  template <class Condition>
  bool wait_until(Condition condition) {
    const Time deadline = clock_->now() + seconds{60};
    while (!condition() && clock_->now() < deadline) {
      const std::size_t from = events.size();
      target_->wait(std::min(deadline, clock_->now() + std::chrono::milliseconds{50}), {}, events);
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
  const Event& last() const {
    for (auto at = events.rbegin(); at != events.rend(); ++at)
      if (const auto* event = std::get_if<Event>(&*at)) return *event;
    throw std::out_of_range("no such event was told");
  }
  bool ended(int runs = 1) {
    return wait_until([&] { return count<RunExited>() + count<RunVanished>() >= runs; });
  }
  std::vector<double> values() const {
    std::vector<double> result;
    for (const TargetEvent& event : events)
      if (const auto* reported = std::get_if<RunReported>(&event))
        for (const Metric& metric : reported->metrics) result.push_back(metric.value);
    return result;
  }

  test::FakeSsh ssh;
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

  TemporaryDirectory folder_;
  std::shared_ptr<RealClock> clock_ = std::make_shared<RealClock>();
  SshOptions options_;
  std::int64_t nodes_;
  Duration fence_margin_ = remote::SshTarget::kFenceMargin;
  std::shared_ptr<ComputeTarget> target_;
  std::set<RunId> going_;
};

/// A line that goes on when the test says so.
inline std::string until(const fs::path& file) {
  return "while ! [ -e " + file.string() + " ]; do sleep 0.02; done; ";
}

}  // namespace hdrive::compute
