// SPDX-License-Identifier: Apache-2.0
//
// Shell scripts as runs of a local target, in a directory of their own, for tests.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "compute/local.h"
#include "hdrive/target.h"
#include "tests/catch.h"

namespace hdrive::compute {

class RealClock final : public Clock {
 public:
  Time now() override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()) + ahead;
  }
  Duration ahead{};
};

/// A directory that goes when the test ends.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "hdrive_test_XXXXXX").string();
    path_ = std::filesystem::canonical(::mkdtemp(name.data()));
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// False for a zombie too: where orphans are reaped late, that is all one can ask for.
inline bool alive(pid_t pid) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return false;
  const char state = (*text)[text->rfind(')') + 2];
  return state != 'Z' && state != 'X';
}

inline void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read(const std::filesystem::path& path) {
  const auto text = base::read_file(path);
  return text ? *text : "";
}

/// exit.json, if there is one.
inline std::optional<ExitRecord> exit_of(const std::filesystem::path& directory) {
  const auto record = read_exit_record(directory);
  REQUIRE(record);
  return *record;
}
/// supervisor.json, which has to be there.
inline SupervisorRecord supervisor_of(const std::filesystem::path& directory) {
  const auto record = read_supervisor_record(directory);
  REQUIRE(record);
  REQUIRE(*record);
  return **record;
}

class LocalRuns {
 public:
  explicit LocalRuns(LocalTargetOptions options = {}, bool use_inotify = true,
                     bool from_memory = true)
      : options_(std::move(options)), use_inotify_(use_inotify), from_memory_(from_memory) {
    remake();
  }
  // Whatever a test started ends with it.
  ~LocalRuns() {
    for (const RunId run : started_) target_->cancel(run, CancelMode::kill);
    wait_until([&] { return started_.empty(); });
  }

  /// As if the engine had ended and another one begun.
  void remake() {
    target_.reset();
    auto made = LocalTarget::make(options_, clock_, use_inotify_, from_memory_);
    REQUIRE(made);
    target_ = *made;
    started_.clear();
  }

  /// As if somebody had set the machine's clock.
  void set_clock_ahead(Duration ahead) { clock_->ahead = ahead; }

  RunRequest request(RunId run, std::vector<std::string> arguments) const {
    RunRequest request;
    request.run = run;
    request.run_id = "HD_test_" + std::to_string(run);
    request.arguments = std::move(arguments);
    request.working_directory = directory_.path();
    request.directory = run_directory(run);
    request.time_limit = std::chrono::hours{1};
    request.cancel_grace = std::chrono::seconds{60};
    return request;
  }
  /// A shell script that can say `log NAME VALUE`.
  RunRequest script(RunId run, const std::string& text) const {
    static const std::string kLog =
        "log() { echo '{\"name\": \"'$1'\", \"value\": '$2'}' >> \"$HDRIVE_METRICS_FILE\"; }\n";
    return request(run, {"/bin/sh", "-c", kLog + text});
  }
  std::filesystem::path run_directory(RunId run) const {
    return directory_.path() / "runs" / std::to_string(run);
  }

  void start(const RunRequest& request) {
    const auto started = target_->start(request);
    INFO((started ? std::string() : started.error().message()));
    REQUIRE(started);
    started_.insert(request.run);
  }
  LocalTarget::Found attach(const RunRequest& request) {
    const auto attached = target_->attach(request);
    REQUIRE(attached);
    if (*attached == LocalTarget::Found::something) started_.insert(request.run);
    return *attached;
  }

  /// Takes events until `done`; a generous minute at most, as a machine may be busy.
  bool wait_until(const std::function<bool()>& done) {
    const Time deadline = clock_->now() + std::chrono::minutes{2};
    while (!done()) {
      if (clock_->now() >= deadline) return false;
      std::vector<TargetEvent> fresh;
      target_->wait(std::min(deadline, clock_->now() + std::chrono::milliseconds{20}), {}, fresh);
      for (TargetEvent& event : fresh) take(std::move(event));
    }
    return true;
  }
  /// Starts the run and waits for its end.
  RunExited run(const RunRequest& request) {
    start(request);
    return end_of(request.run);
  }
  /// Starts the run, which a supervisor finds cannot be; nothing is left of it.
  Error refusal_of(const RunRequest& request) {
    start(request);
    REQUIRE(wait_until([&] { return deferred.count(request.run) > 0; }));
    return deferred.at(request.run).why;
  }
  /// Waits until the run is told to be gone.
  RunVanished loss_of(RunId run) {
    REQUIRE(wait_until([&] { return exits.count(run) + vanished.count(run) > 0; }));
    REQUIRE(vanished.count(run) == 1);
    return vanished.at(run);
  }
  RunExited end_of(RunId run) {
    REQUIRE(wait_until([&] { return exits.count(run) + vanished.count(run) > 0; }));
    REQUIRE(exits.count(run) == 1);
    return exits.at(run);
  }
  void until_logged(RunId run, const std::string& name) {
    REQUIRE(wait_until([&] { return values(run).count(name) > 0; }));
  }
  /// The latest value of each metric of the run.
  std::map<std::string, double> values(RunId run) const {
    std::map<std::string, double> result;
    for (const RunReported& report : reports)
      if (report.run == run)
        for (const Metric& metric : report.metrics) result[metric.name] = metric.value;
    return result;
  }

  ComputeTarget& target() { return *target_; }
  LocalTarget& local() { return *target_; }
  const std::filesystem::path& directory() const { return directory_.path(); }

  std::map<RunId, RunBegan> began;
  std::vector<RunReported> reports;
  std::map<RunId, RunExited> exits;
  std::map<RunId, RunVanished> vanished;
  std::map<RunId, RunDeferred> deferred;
  std::vector<std::string> notes;

 private:
  void take(TargetEvent event) {
    if (auto* e = std::get_if<RunBegan>(&event)) began[e->run] = *e;
    if (auto* e = std::get_if<RunReported>(&event)) reports.push_back(*e);
    if (auto* e = std::get_if<TargetNote>(&event)) notes.push_back(e->note);
    if (auto* e = std::get_if<RunExited>(&event)) {
      exits[e->run] = *e;
      started_.erase(e->run);
    }
    if (auto* e = std::get_if<RunDeferred>(&event)) {
      deferred[e->run] = *e;
      started_.erase(e->run);
    }
    if (auto* e = std::get_if<RunVanished>(&event)) {
      vanished[e->run] = *e;
      started_.erase(e->run);
    }
  }

  TemporaryDirectory directory_;
  LocalTargetOptions options_;
  bool use_inotify_, from_memory_;
  std::shared_ptr<RealClock> clock_ = std::make_shared<RealClock>();
  std::shared_ptr<LocalTarget> target_;
  std::set<RunId> started_;
};

}  // namespace hdrive::compute
