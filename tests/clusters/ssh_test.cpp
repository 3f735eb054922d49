// SPDX-License-Identifier: Apache-2.0
//
// The ssh target with real servers: those of tests/clusters/ssh-up, whose folder HDRIVE_SSH_FOLDER
// names. In the network namespace hdt-engine, as root.
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "hdrive/targets.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;

void shell(const std::string& command) { REQUIRE(::system(command.c_str()) == 0); }

class Servers {
 public:
  Servers() {
    const char* folder = ::getenv("HDRIVE_SSH_FOLDER");
    REQUIRE(folder);
    options_.config_file = fs::path(folder) / "ssh_config";
    options_.directory = (folder_.path() / "there").string();
    options_.hosts = {{.host = "h1", .slots = 2}, {.host = "h2", .slots = 2}};
    // So that a link that is cut is noticed soon.
    options_.ssh_options = {"ServerAliveInterval=1", "ServerAliveCountMax=2"};
    auto made = make_ssh_target(options_, {}, clock_);
    REQUIRE(made);
    target = *made;
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
};

TEST_CASE("runs on two servers report, end and bring their files back") {
  Servers servers;
  // None ends before both hosts have theirs.
  const fs::path go = servers.path() / "go";
  for (RunId run = 0; run < 4; ++run)
    REQUIRE(servers.target->start(
        servers.request(run, "log 1; hostname > $HDRIVE_OUTPUTS_DIR/host; while ! [ -e " +
                                 go.string() + " ]; do sleep 0.05; done")));
  REQUIRE(servers.wait_until([&] { return servers.values().size() == 4; }));
  shell("touch " + go.string());
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 4; }));
  CHECK(servers.values() == std::vector<double>(4, 1));
  std::set<std::string> hosts;
  for (RunId run = 0; run < 4; ++run) {
    const auto text = base::read_file(servers.request(run, "").directory / "outputs/host");
    REQUIRE(text);
    hosts.insert(*text);
  }
  CHECK(hosts == std::set<std::string>{"h1\n", "h2\n"});
}

TEST_CASE("a network that is cut and mended loses nothing") {
  Servers servers;
  const fs::path go = servers.path() / "go", gone = servers.path() / "gone";
  REQUIRE(servers.target->start(
      servers.request(0, "log 1; while ! [ -e " + go.string() +
                             " ]; do sleep 0.05; done; log 2; log 3; : > " + gone.string())));
  REQUIRE(servers.wait_until([&] { return servers.values().size() == 1; }));
  shell("ip -n hdt-switch link set engine down");
  const bool noticed = servers.wait_until([&] { return servers.count<RunUnreachable>() == 1; });
  shell("touch " + go.string());
  const bool went_on = servers.wait_until([&] { return fs::exists(gone); });
  const auto before = servers.values();
  shell("ip -n hdt-switch link set engine up");
  CHECK(noticed);
  CHECK(went_on);
  CHECK(before == std::vector<double>{1});
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 1; }));
  CHECK(servers.values() == std::vector<double>{1, 2, 3});
  CHECK(servers.count<RunBegan>() == 1);
}

// The last one: h2 stays dead.
TEST_CASE("the runs of a host that died are waited for and started nowhere else") {
  Servers servers;
  const fs::path go = servers.path() / "go", marks = servers.path() / "marks";
  fs::create_directory(marks);
  constexpr int kRuns = 4;
  for (RunId run = 0; run < kRuns; ++run)
    REQUIRE(servers.target->start(servers.request(
        run, ": > " + marks.string() + "/" + std::to_string(run) +
                 "-$(hostname); log 1; while ! [ -e " + go.string() + " ]; do sleep 0.05; done")));
  REQUIRE(servers.wait_until([&] { return servers.values().size() == kRuns; }));
  shell("kill -KILL $(sed -n 2p $HDRIVE_SSH_FOLDER/pids)");
  REQUIRE(servers.wait_until([&] { return servers.count<RunUnreachable>() == 2; }));
  shell("touch " + go.string());
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 2; }));
  CHECK(servers.count<RunVanished>() == 0);
  CHECK(servers.count<RunNotFound>() == 0);
  CHECK(std::distance(fs::directory_iterator(marks), fs::directory_iterator()) == kRuns);
}

}  // namespace
}  // namespace hdrive
