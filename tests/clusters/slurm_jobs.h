// SPDX-License-Identifier: Apache-2.0
//
// Jobs of a real Slurm: that of tests/clusters/slurm-up, whose folder HDRIVE_SLURM_FOLDER names and whose configuration
// SLURM_CONF does. In the network namespace hdt-slurm, as root.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
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

class Jobs {
 public:
  Jobs() { connect(); }
  // None is left for the next test.
  ~Jobs() { succeeds("scancel --me"); }

  // A new engine.
  void connect(std::vector<std::string> directives = {}) {
    SlurmOptions options;
    options.poll = std::chrono::milliseconds{500};
    options.directives = std::move(directives);
    target.reset();
    events.clear();
    auto made = make_slurm_target(options, {}, clock_);
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
  const fs::path& path() const { return folder_.path(); }
  static std::string until(const std::string& file) {
    return "while ! [ -e " + file + " ]; do sleep 0.05; done; ";
  }
  void touch(const std::string& file) const { shell("touch " + (path() / file).string()); }

  template <class Condition>
  bool wait_until(Condition condition) {
    const Time deadline = clock_->now() + std::chrono::minutes{1};
    bool met = condition();
    for (; !met && clock_->now() < deadline; met = condition())
      target->wait(std::min(deadline, clock_->now() + std::chrono::milliseconds{50}), {}, events);
    return met;
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

 private:
  test::TemporaryDirectory folder_;
  std::shared_ptr<Clock> clock_ = make_steady_clock();
};

}  // namespace hdrive::clusters
