// SPDX-License-Identifier: Apache-2.0
//
// What becomes of the runs of an allocation when engines, connections, nodes or the allocation itself end.
#include <signal.h>

#include "tests/unit/compute/pilot_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Contains;

TEST_CASE("an engine that is replaced finds its runs, hears what it has not heard and ends them") {
  PilotRuns runs;
  RunRequest ends =
      runs.request(0, runs.note_start() + "log 1; " + runs.until_go() + "log 2; exit 3");
  RunRequest lingers = runs.request(1, runs.note_start() + "log 1; exec sleep 1000");
  runs.start(ends);
  runs.start(lingers);
  REQUIRE(runs.wait_for_values(2));
  for (const TargetEvent& event : runs.events)
    if (const auto* reported = std::get_if<RunReported>(&event))
      (reported->run == 0 ? ends : lingers).cursor = reported->cursor;
  runs.remake();
  runs.go();
  runs.adopt(ends);
  runs.adopt(lingers);
  runs.target().cancel(1, CancelMode::graceful);
  REQUIRE(runs.wait_for<RunExited>(2));
  CHECK(runs.values() == std::vector<double>{2});
  for (const pid_t pid : runs.starts()) CHECK_FALSE(alive(pid));
  CHECK(runs.starts().size() == 2);
  CHECK(runs.slurm.submitted() == 1);
}

TEST_CASE(
    "runs that ended with their allocation while no engine was there are read from their "
    "directories") {
  PilotRuns runs;
  RunRequest done = runs.request(0, "log 1; exit 3"),
             cut = runs.request(1, "log 1; exec sleep 1000");
  cut.cancel_grace = seconds{1};
  runs.start(done);
  runs.start(cut);
  REQUIRE(runs.wait_for<RunExited>());
  REQUIRE(runs.wait_for_values(2));
  runs.remake();
  runs.slurm.end("101", "TIMEOUT");
  CHECK(runs.slurm.is_quiet());
  runs.adopt(done);
  runs.adopt(cut);
  REQUIRE(
      runs.wait_until([&] { return runs.count<RunExited>() + runs.count<RunVanished>() == 2; }));
  CHECK(runs.last<RunExited>().exit_code == 3);
  CHECK(runs.last<RunVanished>().run == 1);
  CHECK_THAT(runs.last<RunVanished>().note, Contains("had used up its time (TIMEOUT)"));
  CHECK(runs.values() == std::vector<double>{1, 1});
}

TEST_CASE("a connection that breaks is made again, and runs go on meanwhile") {
  PilotRuns runs;
  runs.start(runs.request(0, runs.note_start() + "log 1; " + runs.until_go() + "log 2; exit 3"));
  REQUIRE(runs.wait_for_values(1));
  REQUIRE(runs.slurm.bridges().size() == 1);
  ::kill(runs.slurm.bridges().back(), SIGKILL);
  REQUIRE(runs.wait_for<RunUnreachable>());
  runs.go();
  REQUIRE(runs.wait_for<RunExited>());
  CHECK(runs.count<RunReachable>() == 1);
  CHECK(runs.values() == std::vector<double>{1, 2});
  CHECK(runs.starts().size() == 1);
}

TEST_CASE(
    "whatever ends an allocation, its runs are lost, dead, and the next attempt has another") {
  for (const char* state : {"NODE_FAIL", "PREEMPTED", "TIMEOUT", "CANCELLED"}) {
    PilotRuns runs;
    RunRequest request =
        runs.request(0, runs.note_start() + "setsid sleep 1000 & log 1; " + runs.until_go());
    request.cancel_grace = seconds{1};
    runs.start(request);
    REQUIRE(runs.wait_for_values(1));
    runs.slurm.end("101", state);
    REQUIRE(runs.wait_for<RunVanished>());
    INFO(runs.last<RunVanished>().note);
    CHECK_THAT(runs.last<RunVanished>().note, Contains("job 101"));
    for (const pid_t pid : runs.starts()) CHECK_FALSE(alive(pid));
    request.attempt = 2;
    runs.start(request);
    REQUIRE(runs.wait_for_values(2));
    runs.go();
    REQUIRE(runs.wait_for<RunExited>());
    CHECK(runs.starts().size() == 2);
    CHECK(runs.slurm.submitted() == 2);
  }
}

TEST_CASE("a holder that is killed takes the allocation with it, and no run lives on") {
  PilotRuns runs;
  RunRequest request = runs.request(0, runs.note_start() + "log 1; exec sleep 1000");
  request.cancel_grace = seconds{1};
  runs.start(request);
  REQUIRE(runs.wait_for_values(1));
  for (const pid_t pid : runs.slurm.steps_of("101")) ::kill(pid, SIGKILL);
  REQUIRE(runs.wait_for<RunVanished>());
  for (const pid_t pid : runs.starts()) CHECK_FALSE(alive(pid));
}

TEST_CASE("a job that Slurm has forgotten goes on as long as its nodes speak") {
  PilotRuns runs;
  runs.start(runs.request(0, "log 1; " + runs.until_go() + "exit 3"));
  REQUIRE(runs.wait_for_values(1));
  runs.slurm.set("forget");
  const auto before = runs.slurm.answers();
  REQUIRE(runs.wait_until([&] { return runs.slurm.answers() >= before + 5; }));
  runs.go();
  REQUIRE(runs.wait_for<RunExited>());
  CHECK(runs.last<RunExited>().exit_code == 3);
  CHECK(runs.slurm.submitted() == 1);
}

TEST_CASE("an allocation without runs is given back, and the next run asks for another") {
  PilotRuns runs;
  runs.start(runs.request(0, "exit 0"));
  REQUIRE(runs.wait_for<RunExited>());
  CHECK(runs.slurm.cancelled().empty());
  runs.clock->ahead += seconds{31};
  REQUIRE(runs.wait_until([&] { return runs.slurm.cancelled().starts_with("101 \n"); }));
  CHECK(runs.slurm.is_quiet());
  runs.start(runs.request(1, "exit 0"));
  REQUIRE(runs.wait_for<RunExited>(2));
  CHECK(runs.slurm.submitted() == 2);
}

TEST_CASE("at the end of a sweep the allocation is given back, and nothing of it is left") {
  PilotRuns runs;
  runs.start(runs.request(0, "exit 0"));
  REQUIRE(runs.wait_for<RunExited>());
  runs.remake();
  CHECK(runs.slurm.is_quiet());
  CHECK_THAT(runs.slurm.cancelled(), Catch::StartsWith("101 \n"));
  CHECK_FALSE(fs::exists(runs.file("runs/.pilot")));
}

TEST_CASE("nodes end by themselves when no engine has come back for long enough") {
  SlurmOptions options = pilot_options();
  options.idle = seconds{1};
  PilotRuns runs(options);
  runs.start(runs.request(0, "log 1; " + runs.until_go()));
  REQUIRE(runs.wait_for_values(1));
  runs.remake();
  runs.go();
  CHECK(runs.slurm.is_quiet());
  CHECK(runs.slurm.of_job("101", "state") == "COMPLETED");
  CHECK(runs.slurm.cancelled().empty());
}

TEST_CASE(
    "a run that would outlast the allocation goes to the next one, its time limit permitting") {
  PilotRuns runs;
  runs.slurm.set("hold");
  const auto start = [&](RunId run, seconds limit) {
    RunRequest request = runs.request(run, "log 1; " + runs.until_go());
    request.time_limit = limit;
    request.cancel_grace = seconds{1};
    runs.start(request);
  };
  start(0, seconds{30});
  REQUIRE(runs.wait_for<RunAccepted>());
  runs.slurm.set("hold", false);
  runs.slurm.set_left("101", "1-00:02:00");
  runs.slurm.begin("101");
  REQUIRE(runs.wait_for_values(1));
  const auto answered = [&] {
    const auto before = runs.slurm.answers();
    return runs.wait_until([&] { return runs.slurm.answers() >= before + 3; });
  };
  REQUIRE(answered());
  runs.slurm.set_left("101", "0:55");
  REQUIRE(answered());
  start(1, seconds{30});
  REQUIRE(runs.wait_for_values(2));
  CHECK(runs.slurm.submitted() == 2);
  start(2, seconds{10});
  REQUIRE(runs.wait_for_values(3));
  // One that is longer than an allocation may begin in any.
  start(3, std::chrono::hours{48});
  REQUIRE(runs.wait_for_values(4));
  CHECK(runs.slurm.submitted() == 2);
  runs.go();
  REQUIRE(runs.wait_for<RunExited>(4));
}

TEST_CASE("two pilots of one sweep leave each other's allocations alone") {
  PilotRuns runs;
  runs.start(runs.request(0, "log 1; " + runs.until_go()));
  REQUIRE(runs.wait_for_values(1));
  {
    const auto other = runs.make("other");
    REQUIRE(other->start(runs.request(1, "exit 0")));
    std::vector<TargetEvent> events;
    const Time deadline = runs.clock->now() + seconds{60};
    const auto ended = [&] {
      return std::any_of(events.begin(), events.end(), [](const TargetEvent& event) {
        return std::holds_alternative<RunExited>(event);
      });
    };
    while (!ended() && runs.clock->now() < deadline) other->wait(deadline, {}, events);
    CHECK(ended());
  }
  runs.go();
  REQUIRE(runs.wait_for<RunExited>());
  CHECK_THAT(runs.slurm.cancelled(), Contains("102") && !Contains("101"));
}

TEST_CASE("the warning of an allocation's end reaches each run as its supervisor passes it on") {
  PilotRuns runs;
  runs.start(runs.request(
      0, "trap 'echo USR1 >> " + runs.file("heard") + "' USR1; log 1; " + runs.until_go()));
  REQUIRE(runs.wait_for_values(1));
  ::kill(std::stoi(runs.slurm.of_job("101", "pid")), SIGUSR2);
  REQUIRE(runs.wait_until([&] { return fs::exists(runs.file("heard")); }));
  runs.go();
  REQUIRE(runs.wait_for<RunExited>());
  CHECK(runs.last<RunExited>().exit_code == 0);
}

}  // namespace
}  // namespace hdrive::compute
