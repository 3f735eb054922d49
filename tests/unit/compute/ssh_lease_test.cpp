// SPDX-License-Identifier: Apache-2.0
//
// Runs on hosts that stay out of reach: they count as lost only when they are dead there.
#include <signal.h>

#include "tests/unit/compute/ssh_runs.h"

namespace hdrive::compute {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLostAfter{1500};
constexpr Duration kSoon = seconds{3}, kLate = seconds{50};  // margins of the engine

// A run that notes its processes, one of which is in a session of its own, and heeds no SIGTERM.
RunRequest stubborn(const SshRuns& runs, RunId run, const fs::path& pids) {
  RunRequest request = runs.request(run, "trap '' TERM; setsid sleep 1000 & echo $$ $! > " +
                                             pids.string() + "; log 1; wait; wait");
  request.cancel_grace = seconds{1};
  return request;
}

bool any_alive(const fs::path& pids) {
  std::istringstream numbers(read(pids));
  bool any = false;
  for (pid_t pid = 0; numbers >> pid;) any = any || alive(pid);
  return any;
}

// Tries until the target takes it.
void start_when_possible(SshRuns& runs, const RunRequest& request) {
  bool taken = false;
  REQUIRE(runs.wait_until([&] {
    taken = taken || runs.target().start(request);
    return taken;
  }));
}

TEST_CASE("a run out of reach counts as lost when all of it is dead there, and starts again") {
  SshRuns runs(2, 1);
  runs.lose_after(kLostAfter, kSoon);
  const fs::path pids = runs.path() / "pids";
  runs.start(stubborn(runs, 0, pids));
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  const std::string host = runs.last<RunAccepted>().handle;
  runs.ssh.refuse("ssh: connect to host port 22: No route to host");
  runs.ssh.cut();
  REQUIRE(runs.wait_until([&] { return runs.count<RunUnreachable>() == 1; }));
  CHECK(any_alive(pids));
  REQUIRE(runs.ended());
  CHECK_FALSE(any_alive(pids));
  CHECK(runs.count<RunVanished>() == 1);
  CHECK_THAT(runs.last<RunVanished>().note,
             Catch::Contains(host) && Catch::Contains("lost_after (1.5 s)"));
  const auto end = exit_of(runs.there(0, host));
  REQUIRE(end);
  CHECK(end->lease_over);
  CHECK_FALSE(end->canceled);

  runs.ssh.refuse("");
  RunRequest again = runs.request(0, "log 2; echo again");
  again.attempt = 2;
  start_when_possible(runs, again);
  REQUIRE(runs.ended(2));
  CHECK(runs.last<RunExited>().exit_code == 0);
  CHECK(runs.values() == std::vector<double>{1, 2});
  CHECK(read(runs.directory(0) / "stdout.log") == "again\n");
  CHECK(runs.count<RunVanished>() == 1);
}

TEST_CASE("what a lost run left on its host is removed before it is started there again") {
  SshRuns runs;
  runs.lose_after(kLostAfter, kSoon);
  const fs::path pids = runs.path() / "pids";
  RunRequest first = stubborn(runs, 0, pids);
  runs.start(first);
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  // The connection stands, and nobody answers.
  const pid_t agent = runs.ssh.agents().back();
  REQUIRE(::kill(agent, SIGSTOP) == 0);
  runs.ssh.refuse("ssh: connect to host node1 port 22: Connection timed out");
  REQUIRE(runs.ended());
  CHECK_FALSE(any_alive(pids));
  CHECK(runs.count<RunUnreachable>() == 1);
  CHECK(runs.count<RunVanished>() == 1);
  const fs::path old = runs.there(0) / "old";
  write(old, "");
  runs.ssh.refuse("");
  RunRequest again = runs.request(0, "if [ -e " + old.string() + " ]; then exit 9; fi");
  again.attempt = 2;
  // It is put off until the host has said that nothing is left.
  REQUIRE(runs.wait_until([&] {
    if (runs.count<RunExited>() == 0) (void)runs.target().start(again);
    return runs.count<RunExited>() == 1;
  }));
  CHECK(runs.last<RunExited>().exit_code == 0);
  CHECK(runs.wait_until([&] { return !fs::exists(runs.there(0)); }));
}

TEST_CASE("a host that comes back tells itself which runs it has ended") {
  SshRuns runs;
  runs.lose_after(kLostAfter, kLate);
  const fs::path pids = runs.path() / "pids";
  runs.start(stubborn(runs, 0, pids));
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  runs.ssh.refuse("ssh: connect to host node1 port 22: No route to host");
  runs.ssh.cut();
  REQUIRE(runs.wait_until([&] { return exit_of(runs.there(0)).has_value(); }));
  CHECK_FALSE(any_alive(pids));
  CHECK(runs.count<RunVanished>() == 0);
  runs.ssh.refuse("");
  REQUIRE(runs.ended());
  CHECK(runs.count<RunVanished>() == 1);
  CHECK_THAT(runs.last<RunVanished>().note, Catch::Contains("lost_after"));
  CHECK(runs.wait_until([&] { return !fs::exists(runs.there(0)); }));
}

TEST_CASE("agents that are killed cost no run its lease while the next one comes in time") {
  SshRuns runs;
  runs.lose_after(milliseconds{4000}, kSoon);
  runs.start(runs.request(0, "for i in 1 2 3 4 5 6 7 8 9; do log $i; sleep 1; done"));
  // The run takes more than twice the time of one lease.
  for (std::size_t reports = 2; reports <= 6; reports += 4) {
    REQUIRE(runs.wait_until([&] { return runs.values().size() >= reports; }));
    runs.ssh.cut();
  }
  REQUIRE(runs.ended());
  CHECK(runs.count<RunExited>() == 1);
  CHECK(runs.last<RunExited>().exit_code == 0);
  CHECK(runs.count<RunReachable>() == 2);
  CHECK(runs.values() == std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("a run that holds to no lease is waited for, whatever lost_after says") {
  SshRuns runs;
  const fs::path go = runs.path() / "go", pids = runs.path() / "pids";
  const RunRequest unbound = runs.request(1, "log 5; " + until(go) + "log 6");
  runs.start(unbound);
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  const std::string cursor = runs.last<RunReported>().cursor;
  runs.lose_after(kLostAfter, kSoon);
  runs.adopt(unbound, "node1", cursor);
  runs.start(stubborn(runs, 0, pids));
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  runs.ssh.refuse("ssh: connect to host node1 port 22: No route to host");
  runs.ssh.cut();
  REQUIRE(runs.ended());
  CHECK(runs.last<RunVanished>().run == 0);
  CHECK(runs.count<RunUnreachable>() == 2);
  write(go, "");
  runs.ssh.refuse("");
  REQUIRE(runs.ended(2));
  CHECK(runs.last<RunExited>().run == 1);
  CHECK(runs.last<RunExited>().exit_code == 0);
  CHECK(runs.values() == std::vector<double>{1, 6});
}

TEST_CASE("the next engine counts runs as lost that hold to a lease, as soon as it has met them") {
  SshRuns runs;
  runs.lose_after(kLostAfter, kSoon);
  const fs::path pids = runs.path() / "pids";
  const RunRequest request = stubborn(runs, 0, pids);
  runs.start(request);
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  runs.remake();
  runs.adopt(request, "node1", "");
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  runs.ssh.refuse("ssh: connect to host node1 port 22: No route to host");
  runs.ssh.cut();
  REQUIRE(runs.ended());
  CHECK(runs.count<RunVanished>() == 1);
  CHECK_FALSE(any_alive(pids));
}

TEST_CASE("leases that were held end none where lost_after was taken away") {
  SshRuns runs;
  runs.lose_after(kLostAfter, kSoon);
  const RunRequest request = runs.request(0, "for i in 1 2 3 4 5; do log $i; sleep 1; done");
  runs.start(request);
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  const std::string cursor = runs.last<RunReported>().cursor;
  runs.lose_after(milliseconds{0}, kSoon);
  runs.adopt(request, "node1", cursor);
  REQUIRE(runs.ended());
  CHECK(runs.count<RunExited>() == 1);
  CHECK(runs.last<RunExited>().exit_code == 0);
}

TEST_CASE("nothing begins under a lease that is over") {
  TemporaryDirectory folder;
  auto clock = std::make_shared<RealClock>();
  auto target = LocalTarget::make({}, clock);
  REQUIRE(target);
  const fs::path lease = folder.path() / "lease";
  write(lease, "1\n");
  (*target)->hold_to(lease);
  RunRequest request;
  request.arguments = {"/bin/sh", "-c", ": > " + (folder.path() / "ran").string()};
  request.run_id = "HD_test_0";
  request.working_directory = folder.path();
  request.directory = folder.path() / "runs/0";
  REQUIRE((*target)->start(request));
  std::vector<TargetEvent> events;
  while (events.empty()) (*target)->wait(clock->now() + seconds{60}, {}, events);
  REQUIRE(std::holds_alternative<RunDeferred>(events.front()));
  CHECK_THAT(std::get<RunDeferred>(events.front()).why.message(), Catch::Contains("out of reach"));
  CHECK_FALSE(fs::exists(folder.path() / "ran"));
}

TEST_CASE("a lease too short for a busy host is refused") {
  SshOptions options;
  options.hosts = {{.host = "node1"}};
  options.lost_after = milliseconds{200};
  const auto made = make_ssh_target(options, {}, std::make_shared<RealClock>());
  REQUIRE_FALSE(made);
  CHECK_THAT(made.error().message(),
             Catch::Contains("lost_after") && Catch::Contains("30 seconds"));
}

}  // namespace
}  // namespace hdrive::compute
