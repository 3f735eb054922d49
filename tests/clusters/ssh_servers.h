// SPDX-License-Identifier: Apache-2.0
//
// Runs on the real servers of tests/clusters/ssh-up, whose folder HDRIVE_SSH_FOLDER names. In the network namespace
// hdt-engine, as root.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"
#include "hdrive/targets.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::clusters {

namespace fs = std::filesystem;

inline void shell(const std::string& command) { REQUIRE(::system(command.c_str()) == 0); }

class Servers {
 public:
  /// `nodes`: of each run.
  explicit Servers(std::int64_t nodes = 1, std::chrono::milliseconds lost_after = {})
      : nodes_(nodes) {
    const char* folder = ::getenv("HDRIVE_SSH_FOLDER");
    REQUIRE(folder);
    options_.config_file = fs::path(folder) / "ssh_config";
    options_.directory = (folder_.path() / "there").string();
    options_.hosts = {{.host = "h1", .slots = 2}, {.host = "h2", .slots = 2}};
    // So that a link that is cut is noticed soon.
    options_.ssh_options = {"ServerAliveInterval=1", "ServerAliveCountMax=2"};
    options_.lost_after = lost_after;
    replace_engine();
  }

  /// As if the engine had ended and another one begun.
  void replace_engine() {
    target.reset();
    auto made = make_ssh_target(options_, {}, clock_, nodes_);
    REQUIRE(made);
    target = *made;
    events.clear();
  }

  RunRequest request(RunId run, const std::string& script) const {
    RunRequest request;
    request.run = run;
    request.run_id = "HD_servers_" + std::to_string(run);
    request.arguments = {"/bin/sh", "-c",
                         "log() { echo '{\"name\": \"loss\", \"value\": '$1'}' "
                         ">> \"$HDRIVE_METRICS_FILE\"; }; " +
                             script};
    request.working_directory = "/";
    request.directory = folder_.path() / "runs" / std::to_string(run);
    request.time_limit = std::chrono::hours{1};
    request.cancel_grace = std::chrono::seconds{5};
    return request;
  }
  const fs::path& path() const { return folder_.path(); }

  template <class Condition>
  bool wait_until(Condition condition, Duration patience = std::chrono::minutes{1}) {
    const Time deadline = clock_->now() + patience;
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

  std::shared_ptr<ComputeTarget> target;
  std::vector<TargetEvent> events;

 private:
  test::TemporaryDirectory folder_;
  std::shared_ptr<Clock> clock_ = make_steady_clock();
  SshOptions options_;
  std::int64_t nodes_;
};

/// A word among the arguments of a test's own processes.
inline std::string mark_of(const fs::path& folder) { return "of-" + folder.filename().string(); }
/// Whether any is there, on whichever host: all of them are processes of this machine.
inline bool any_alive(const std::string& mark) {
  // So that the search does not find itself.
  const std::string pattern = "[" + mark.substr(0, 1) + "]" + mark.substr(1);
  return ::system(("grep -qa '" + pattern + "' /proc/[0-9]*/cmdline 2> /dev/null").c_str()) == 0;
}

}  // namespace hdrive::clusters
