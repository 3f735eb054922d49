// SPDX-License-Identifier: Apache-2.0
//
// Runs as jobs of a real batch system: how one is written, and what its target tells.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "hdrive/targets.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::clusters {

namespace fs = std::filesystem;

inline bool succeeds(const std::string& command) { return ::system(command.c_str()) == 0; }
inline void shell(const std::string& command) {
  INFO(command);
  REQUIRE(succeeds(command));
}
inline std::string text(const fs::path& file) {
  const auto read = base::read_file(file);
  return read ? *read : "";
}

class BatchJobs {
 public:
  /// A new engine, with the target that `make` makes.
  template <class Make>
  void connect_to(Make make) {
    target.reset();
    events.clear();
    auto made = make();
    REQUIRE(made);
    target = *made;
  }

  RunRequest request(RunId run, const std::string& script) const {
    RunRequest request;
    request.run = run;
    request.run_id = "HD_jobs_" + std::to_string(run);
    request.arguments = {"/bin/sh", "-c",
                         "log() { echo '{\"name\": \"loss\", \"value\": '$1'}' "
                         ">> \"$HDRIVE_METRICS_FILE\"; }; " +
                             script};
    request.directory = path() / "runs" / std::to_string(run);
    request.working_directory = path();
    request.time_limit = std::chrono::hours{1};
    request.cancel_grace = std::chrono::seconds{30};
    return request;
  }
  void start(const RunRequest& request) const { REQUIRE(target->start(request)); }
  const fs::path& path() const { return folder_.path(); }

  /// Of a script: to wait for a file.
  static std::string until(const std::string& file) {
    return "while ! [ -e " + file + " ]; do sleep 0.05; done; ";
  }
  void touch(const std::string& file) const { shell("touch " + (path() / file).string()); }

  template <class Condition>
  bool wait_until(Condition condition, Duration patience = std::chrono::minutes{1}) {
    const Time deadline = clock->now() + patience;
    bool met = condition();
    for (; !met && clock->now() < deadline; met = condition())
      target->wait(std::min(deadline, clock->now() + std::chrono::milliseconds{50}), {}, events);
    return met;
  }
  template <class Event>
  int count() const {
    return static_cast<int>(std::count_if(events.begin(), events.end(), [](const auto& event) {
      return std::holds_alternative<Event>(event);
    }));
  }
  template <class Event>
  bool wait_for(int number = 1, Duration patience = std::chrono::minutes{1}) {
    return wait_until([&] { return count<Event>() >= number; }, patience);
  }
  bool wait_for_values(std::size_t number) {
    return wait_until([&] { return values().size() >= number; });
  }
  template <class Event>
  Event last() const {
    const auto found = std::find_if(events.rbegin(), events.rend(), [](const auto& event) {
      return std::holds_alternative<Event>(event);
    });
    if (found == events.rend()) FAIL("no such event was told");
    return std::get<Event>(*found);
  }
  std::vector<double> values() const {
    std::vector<double> result;
    for (const TargetEvent& event : events)
      if (const auto* reported = std::get_if<RunReported>(&event))
        for (const Metric& metric : reported->metrics) result.push_back(metric.value);
    return result;
  }

  std::shared_ptr<ComputeTarget> target;
  std::vector<TargetEvent> events;
  std::shared_ptr<Clock> clock = make_steady_clock();

 private:
  test::TemporaryDirectory folder_;
};

}  // namespace hdrive::clusters
