// SPDX-License-Identifier: Apache-2.0
//
// Runs as jobs that share no files with the engine: they fetch what they need and report by HTTP
// (docs/http-reports.md), over something that loses answers, says things twice and late, or is away.
#include <stdlib.h>

#include <fstream>

#include "compute/batch/batch_target.h"
#include "compute/batch/command_system.h"
#include "hdrive/server.h"
#include "hdrive/targets.h"
#include "hdrive/workspace.h"
#include "tests/catch.h"
#include "tests/conformance/local_kinds.h"
#include "tests/support/faulty_proxy.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/toy_queue.h"

namespace hdrive::conformance {
namespace {

namespace fs = std::filesystem;

class UnsharedFixture : public Fixture {
 public:
  explicit UnsharedFixture(test::HttpFault fault) : proxy_(fault) {
    // Of a job whose last answer was lost, and whose engine is gone then.
    ::setenv("HDRIVE_REPORT_PATIENCE", "20", 1);
    const fs::path source = folder_.path() / "source";
    fs::create_directories(source);
    std::ofstream(source / "train.py") << "print()\n";
    CaptureOptions options;
    options.source = source;
    options.store = snapshot_store(folder_.path());
    options.now = clock_->now();
    workspace_ = {source, capture_source(options)->id, options.store};
    fs::create_directories(sweep());
    connect();
  }
  // Jobs end, and they are here as long as the server.
  ~UnsharedFixture() override {
    const Time deadline = clock_->now() + std::chrono::minutes{1};
    std::vector<TargetEvent> events;
    while (queue_.is_busy() && clock_->now() < deadline)
      target_->wait(clock_->now() + std::chrono::milliseconds{20}, {}, events);
    CHECK_FALSE(queue_.is_busy());
    if (proxy_.requests() >= 20) CHECK(proxy_.faults() > 0);
    ::unsetenv("HDRIVE_REPORT_PATIENCE");
  }
  ComputeTarget& target() override { return *target_; }
  Time now() override { return clock_->now(); }
  bool restart() override {
    connect();
    return true;
  }
  RunRequest request(RunId run, Behaviour behaviour) override {
    RunRequest request = plain_request(run, behaviour);
    request.directory = sweep() / "runs" / std::to_string(run);
    request.working_directory = request.directory / "work";
    request.workspace = workspace_;
    request.arguments = program(behaviour);
    return request;
  }

 private:
  fs::path sweep() const { return folder_.path() / "sweep"; }
  // Both the server and the target are the engine's.
  void connect() {
    target_.reset();
    server_.reset();
    ServerOptions options;
    options.directory = sweep();
    options.sweep_id = "HD_test";
    options.advertise = "127.0.0.1";
    options.mlflow = false;
    server_ = start_server(options)->server;
    const std::string url = server_->url();
    const std::string port = url.substr(url.rfind(':') + 1);
    proxy_.lead_to(std::stoi(port));
    LocalTargetOptions runs;
    runs.elsewhere = [this, port](const RunRequest& request) {
      auto access = server_->elsewhere(request);
      access->url.replace(access->url.find(":" + port), port.size() + 1,
                          ":" + std::to_string(proxy_.port()));
      return access;
    };
    CommandOptions commands = queue_.options();
    commands.shared_files = false;
    compute::BatchTiming timing;
    timing.poll = std::chrono::milliseconds{100};
    timing.look = std::chrono::milliseconds{10};
    target_ =
        *compute::BatchTarget::make(*compute::make_command_system(commands), runs, clock_, timing);
  }

  test::TemporaryDirectory folder_, queued_;
  test::ToyQueue queue_{queued_.path()};
  test::FaultyProxy proxy_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
  Workspace workspace_;
  std::shared_ptr<SweepServer> server_;
  std::shared_ptr<ComputeTarget> target_;
};

class LostFixture final : public UnsharedFixture {
 public:
  LostFixture() : UnsharedFixture(test::HttpFault::lost_answers) {}
};

class RepeatedPostsFixture final : public UnsharedFixture {
 public:
  RepeatedPostsFixture() : UnsharedFixture(test::HttpFault::repeated_posts) {}
};

class AwayFixture final : public UnsharedFixture {
 public:
  AwayFixture() : UnsharedFixture(test::HttpFault::absences) {}
};

}  // namespace

std::vector<Kind> unshared_kinds() {
  return {kind<LostFixture>("by HTTP, answers lost"),
          kind<RepeatedPostsFixture>("by HTTP, posts twice and late"),
          kind<AwayFixture>("by HTTP, server away and back")};
}

}  // namespace hdrive::conformance
