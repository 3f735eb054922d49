// SPDX-License-Identifier: Apache-2.0
//
// The ssh target over an `ssh` that runs the agent on this machine: links that are cut, agents that
// are killed, engines that come later, files that travel. tests/clusters has real servers.
#include <poll.h>

#include <algorithm>

#include "compute/remote/ssh_client.h"
#include "tests/unit/compute/ssh_runs.h"

namespace hdrive::compute {
namespace {

TEST_CASE("what a run leaves on its host comes back, and nothing stays there") {
  SshRuns runs;
  runs.start(runs.request(
      3,
      "log 1; echo said; mkdir $HDRIVE_OUTPUTS_DIR/deep; head -c 900000 /dev/zero > "
      "$HDRIVE_OUTPUTS_DIR/deep/model; echo '#!/bin/sh' > $HDRIVE_OUTPUTS_DIR/tool; chmod 700 "
      "$HDRIVE_OUTPUTS_DIR/tool; ln -s deep/model $HDRIVE_OUTPUTS_DIR/best; : > "
      "$HDRIVE_OUTPUTS_DIR/empty; echo x > $HDRIVE_LOGS_DIR/a.log"));
  REQUIRE(runs.ended());
  CHECK(runs.last<RunAccepted>().handle == "node1");
  CHECK(runs.last<RunExited>().exit_code == 0);
  const fs::path here = runs.directory(3);
  CHECK(read(here / "stdout.log") == "said\n");
  CHECK(read(here / "outputs/deep/model") == std::string(900000, '\0'));
  CHECK(::access((here / "outputs/tool").c_str(), X_OK) == 0);
  CHECK(fs::read_symlink(here / "outputs/best") == "deep/model");
  CHECK(fs::file_size(here / "outputs/empty") == 0);
  CHECK(read(here / "logs/a.log") == "x\n");
  CHECK(exit_of(here));
  CHECK(fs::exists(here / "run.json"));
  CHECK_FALSE(fs::exists(here / ".fetching"));
  CHECK(runs.wait_until([&] { return !fs::exists(runs.there(3)); }));
}

TEST_CASE("what a run prints is here while it runs") {
  SshRuns runs;
  const fs::path go = runs.path() / "go";
  runs.start(runs.request(0, "echo first; echo a > $HDRIVE_LOGS_DIR/a.log; " + until(go) +
                                 "echo second; echo b >> $HDRIVE_LOGS_DIR/a.log"));
  const fs::path here = runs.directory(0);
  CHECK(runs.wait_until([&] { return read(here / "stdout.log") == "first\n"; }));
  CHECK(runs.wait_until([&] { return read(here / "logs/a.log") == "a\n"; }));
  write(go, "");
  REQUIRE(runs.ended());
  CHECK(read(here / "stdout.log") == "first\nsecond\n");
  CHECK(read(here / "logs/a.log") == "a\nb\n");
}

TEST_CASE("a link that is cut puts runs out of reach, and what they logged meanwhile comes once") {
  SshRuns runs;
  const fs::path go = runs.path() / "go", gone = runs.path() / "gone";
  runs.start(runs.request(0, "log 1; " + until(go) + "log 2; log 3; : > " + gone.string()));
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  runs.ssh.refuse("ssh: connect to host node1 port 22: No route to host");
  runs.ssh.cut();
  REQUIRE(runs.wait_until([&] { return runs.count<RunUnreachable>() == 1; }));
  write(go, "");
  REQUIRE(runs.wait_until([&] { return fs::exists(gone); }));
  CHECK(runs.values() == std::vector<double>{1});
  runs.ssh.refuse("");
  REQUIRE(runs.ended());
  CHECK(runs.values() == std::vector<double>{1, 2, 3});
  CHECK(runs.count<RunAccepted>() == 1);
  CHECK(runs.count<RunBegan>() == 1);
  CHECK(runs.count<RunReachable>() == 1);
  CHECK(runs.last<RunExited>().exit_code == 0);
}

TEST_CASE("links that are cut again and again start no run twice and lose no metric") {
  SshRuns runs(2);
  const fs::path marks = runs.path() / "marks";
  fs::create_directory(marks);
  constexpr int kRuns = 4;
  std::vector<fs::path> gos;
  for (int i = 0; i < 3; ++i) gos.push_back(runs.path() / ("go" + std::to_string(i)));
  for (RunId run = 0; run < kRuns; ++run)
    runs.start(runs.request(run, ": > " + marks.string() + "/" + std::to_string(run) +
                                     "-$$; log 1; " + until(gos[0]) + "log 2; " + until(gos[1]) +
                                     "log 3; " + until(gos[2]) + "log 4"));
  for (std::size_t i = 0; i < gos.size(); ++i) {
    REQUIRE(runs.wait_until([&] { return runs.values().size() == kRuns * (i + 1); }));
    runs.ssh.cut();
    write(gos[i], "");
  }
  REQUIRE(runs.ended(kRuns));
  CHECK(std::distance(fs::directory_iterator(marks), fs::directory_iterator()) == kRuns);
  CHECK(runs.count<RunExited>() == kRuns);
  for (RunId run = 0; run < kRuns; ++run) {
    std::vector<double> values;
    for (const TargetEvent& event : runs.events)
      if (const auto* reported = std::get_if<RunReported>(&event); reported && reported->run == run)
        for (const Metric& metric : reported->metrics) values.push_back(metric.value);
    CHECK(values == std::vector<double>{1, 2, 3, 4});
  }
}

TEST_CASE("the next engine finds runs on whichever host has them, and ends that came meanwhile") {
  SshRuns runs(2);
  const fs::path go = runs.path() / "go", gone = runs.path() / "gone";
  const RunRequest request = runs.request(
      0, "log 1; " + until(go) + "log 2; echo kept > $HDRIVE_OUTPUTS_DIR/f; : > " + gone.string());
  runs.start(request);
  REQUIRE(runs.wait_until([&] { return runs.count<RunReported>() == 1; }));
  const std::string cursor = runs.last<RunReported>().cursor;
  runs.remake();
  write(go, "");
  REQUIRE(runs.wait_until([&] { return fs::exists(gone); }));
  runs.adopt(request, "", cursor);  // the first engine had not stored where it is
  runs.adopt(runs.request(1, "exit 0"), "");
  REQUIRE(runs.ended());
  CHECK(runs.values() == std::vector<double>{2});
  CHECK(runs.last<RunExited>().exit_code == 0);
  CHECK(read(runs.directory(0) / "outputs/f") == "kept\n");
  CHECK(runs.wait_until([&] { return runs.count<RunNotFound>() == 1; }));
  CHECK(runs.last<RunNotFound>().run == 1);
}

TEST_CASE("an end that was fetched is told again to an engine that had not stored it") {
  SshRuns runs;
  const RunRequest request = runs.request(0, "log 1; log 2; exit 3");
  runs.start(request);
  REQUIRE(runs.ended());
  REQUIRE(runs.wait_until([&] { return !fs::exists(runs.there(0)); }));
  runs.remake();
  runs.adopt(request);
  REQUIRE(runs.ended());
  CHECK(runs.values() == std::vector<double>{1, 2});
  CHECK(runs.last<RunExited>().exit_code == 3);
}

TEST_CASE("a run is cancelled as soon as there is contact, with all it has started") {
  SshRuns runs;
  const fs::path file = runs.path() / "pid";
  runs.start(runs.request(0, "setsid sleep 1000 & echo $! > " + file.string() + "; log 1; wait"));
  REQUIRE(runs.wait_until([&] { return runs.count<RunReported>() == 1; }));
  runs.ssh.refuse("ssh: connect to host node1 port 22: Connection timed out");
  runs.ssh.cut();
  REQUIRE(runs.wait_until([&] { return runs.count<RunUnreachable>() == 1; }));
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(alive(std::stoi(read(file))));
  runs.ssh.refuse("");
  REQUIRE(runs.ended());
  CHECK_FALSE(alive(std::stoi(read(file))));
  CHECK(exit_of(runs.directory(0))->canceled);
}

TEST_CASE("runs go where there is room, and no more than there are slots") {
  SshRuns runs(2, 1);
  const fs::path go = runs.path() / "go";
  runs.start(runs.request(0, until(go)));
  REQUIRE(runs.wait_until([&] { return runs.count<RunBegan>() == 1; }));
  runs.start(runs.request(1, until(go)));
  REQUIRE(runs.wait_until([&] { return runs.count<RunBegan>() == 2; }));
  std::set<std::string> handles;
  for (const TargetEvent& event : runs.events)
    if (const auto* accepted = std::get_if<RunAccepted>(&event)) handles.insert(accepted->handle);
  CHECK(handles == std::set<std::string>{"node1", "node2"});
  const auto third = runs.target().start(runs.request(2, until(go)));
  REQUIRE_FALSE(third);
  CHECK(third.error().kind == Error::Kind::busy);
  CHECK(runs.target().capacity()->runs == 2);
  write(go, "");
  REQUIRE(runs.ended(2));
}

TEST_CASE("a host that cannot be reached is told with its reason and what to do, and tried again") {
  SshRuns runs;
  runs.ssh.refuse("ada@node1: Permission denied (publickey).");
  runs.start(runs.request(0, "exit 0"));
  REQUIRE(runs.wait_until([&] { return runs.count<RunDeferred>() == 1; }));
  const Error why = runs.last<RunDeferred>().why;
  CHECK(lies_outside(why.kind));
  CHECK_THAT(why.message(), Catch::Contains("node1: ada@node1: Permission denied"));
  CHECK_THAT(why.message(), Catch::Contains("ssh-add"));
  CHECK_FALSE(fs::exists(runs.directory(0)));
  runs.ssh.refuse("");
  bool taken = false;
  REQUIRE(runs.wait_until([&] {
    taken = taken || runs.target().start(runs.request(0, "exit 0"));
    return taken;
  }));
  REQUIRE(runs.ended());
}

TEST_CASE("a run starts in its snapshot, of which only what is missing travels") {
  SshRuns runs;
  const fs::path source = runs.path() / "source", store = runs.path() / "snapshots";
  fs::create_directories(source / "lib");
  write(source / "main.sh", "cat lib/text; pwd");
  write(source / "lib/text", "from the snapshot\n");
  fs::path before;
  for (RunId run = 0; run < 2; ++run) {
    CaptureOptions capture;
    capture.source = source;
    capture.store = store;
    const auto captured = capture_source(capture);
    REQUIRE(captured);
    RunRequest request = runs.request(run, ". ./main.sh");
    request.workspace = {source, captured->id, store};
    runs.start(request);
    REQUIRE(runs.ended(static_cast<int>(run) + 1));
    const std::string said = read(runs.directory(run) / "stdout.log");
    CHECK_THAT(said, Catch::StartsWith(run == 0 ? "from the snapshot\n" : "changed\n"));
    CHECK_THAT(said, Catch::Contains(runs.there(run).string() + "/work"));
    CHECK(check_snapshot(fs::path(runs.ssh.directory()) / "snapshots", captured->id));
    write(source / "lib/text", "changed\n");
  }
}

TEST_CASE("the next attempt finds the checkpoints of the one before, on another host, too") {
  SshRuns runs;
  runs.start(runs.request(0, "echo half > $HDRIVE_CHECKPOINT_DIR/last; kill -9 $$"));
  REQUIRE(runs.ended());
  CHECK(read(runs.directory(0) / "checkpoints/last") == "half\n");
  RunRequest again = runs.request(0,
                                  "cat $HDRIVE_CHECKPOINT_DIR/last; echo whole > "
                                  "$HDRIVE_CHECKPOINT_DIR/last");
  again.attempt = 2;
  runs.start(again);
  REQUIRE(runs.ended(2));
  CHECK(read(runs.directory(0) / "stdout.log") == "half\n");
  CHECK(read(runs.directory(0) / "checkpoints/last") == "whole\n");
  CHECK(exit_of(runs.directory(0) / "attempt-1"));
}

TEST_CASE(
    "a run that goes on from an earlier one finds its outputs on the host, and leaves them there") {
  SshRuns runs;
  const fs::path earlier = runs.path() / "continued/HD_earlier_3";
  fs::create_directories(earlier / "deep");
  write(earlier / "model", "weights\n");
  write(earlier / "deep/more", std::string(600000, 'x'));
  RunRequest request = runs.request(
      0, "echo $2; echo $AZUREML_DATAREFERENCE_MODEL_LOCATION; cat $2/model; wc -c < $2/deep/more");
  request.arguments.insert(request.arguments.end(), {"sh", "--resume-from", earlier.string()});
  request.environment.emplace_back("AZUREML_DATAREFERENCE_MODEL_LOCATION", earlier.string());
  request.resume_from = earlier;
  runs.start(request);
  REQUIRE(runs.ended());
  const std::string there = (runs.there(0) / ".resume-from").string();
  CHECK(read(runs.directory(0) / "stdout.log") == there + "\n" + there + "\nweights\n600000\n");
  CHECK_FALSE(fs::exists(runs.directory(0) / ".resume-from"));
  CHECK(runs.wait_until([&] { return !fs::exists(runs.there(0)); }));
  // Of one that left nothing there is an empty folder.
  request = runs.request(1, "ls -d $2");
  fs::create_directory(runs.path() / "nothing");
  request.arguments.insert(request.arguments.end(),
                           {"sh", "--resume-from", (runs.path() / "nothing").string()});
  request.resume_from = runs.path() / "nothing";
  runs.start(request);
  REQUIRE(runs.ended(2));
  CHECK(runs.last<RunExited>().exit_code == 0);
}

TEST_CASE("whoever waits for several targets is told when this one has something to tell") {
  SshRuns runs;
  const fs::path go = runs.path() / "go";
  runs.start(runs.request(0, "log 1; " + until(go) + "log 2"));
  // It is looked at only when it asked for that.
  const auto until_then = std::chrono::steady_clock::now() + seconds{60};
  int looks = 0;
  while (runs.count<RunExited>() == 0 && std::chrono::steady_clock::now() < until_then) {
    const Readiness ready = runs.target().readiness();
    REQUIRE(ready.descriptor >= 0);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(ready.latest - runs.now());
    pollfd descriptor{ready.descriptor, POLLIN, 0};
    ::poll(&descriptor, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
    runs.look();
    ++looks;
    if (runs.values().size() == 1) write(go, "");
  }
  CHECK(runs.count<RunExited>() == 1);
  CHECK(runs.values() == std::vector<double>{1, 2});
  CHECK(looks < 1000);
}

TEST_CASE("hosts that make no sense are refused by name") {
  const auto fault = [](std::vector<SshHost> hosts) {
    SshOptions options;
    options.hosts = std::move(hosts);
    const auto made = make_ssh_target(options, {}, std::make_shared<RealClock>());
    return made ? "" : made.error().message();
  };
  CHECK_THAT(fault({}), Catch::Contains("at least one"));
  CHECK_THAT(fault({{.host = "-oProxyCommand=x"}}), Catch::Contains("no name of a machine"));
  CHECK_THAT(fault({{.host = "a"}, {.host = "a"}}), Catch::Contains("twice"));
  CHECK(fault({{.host = "a", .port = 1}, {.host = "a", .port = 2}}).empty());
}

TEST_CASE("what the host's shell says is found behind greetings, and told in words") {
  using remote::meaning_of;
  using Kind = remote::ShellLine::Kind;
  CHECK(meaning_of("Last login: yesterday").kind == Kind::noise);
  CHECK(meaning_of("hello @hdrive begin").kind == Kind::begins);
  CHECK(meaning_of("@hdrive send").kind == Kind::wanted);
  CHECK_THAT(meaning_of("@hdrive no machine Linux aarch64").why,
             Catch::Contains("\"Linux aarch64\"") && Catch::Contains("x86_64"));
  CHECK_THAT(meaning_of("@hdrive no exec /scratch").why,
             Catch::Contains("/scratch") && Catch::Contains("noexec"));
}

}  // namespace
}  // namespace hdrive::compute
