// SPDX-License-Identifier: Apache-2.0
//
// How runs get into an allocation of a toy Slurm, and what is refused.
#include "tests/unit/compute/pilot_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Contains;

TEST_CASE("runs start within one allocation, as many at once as it has processors") {
  PilotRuns runs;
  for (RunId run = 0; run < 6; ++run)
    runs.start(runs.request(run, "log 1; " + runs.until_go() + "exit 3"));
  REQUIRE(runs.wait_for_values(4));
  CHECK(runs.target().capacity()->runs == 4);
  CHECK(runs.count<RunBegan>() == 4);
  CHECK(runs.count<RunAccepted>() == 6);
  CHECK(runs.last<RunAccepted>().handle == "101");
  runs.go();
  REQUIRE(runs.wait_for<RunExited>(6));
  CHECK(runs.last<RunExited>().exit_code == 3);
  CHECK(runs.slurm.submitted() == 1);
}

TEST_CASE("a run's processors decide how many fit, and one that never fits is told") {
  PilotRuns runs;
  RunRequest pair = runs.request(0, "log 1; " + runs.until_go());
  pair.resources.cpus = 2;
  for (RunId run = 0; run < 3; ++run) {
    pair.run = run;
    pair.directory = runs.request(run, "").directory;
    runs.start(pair);
  }
  REQUIRE(runs.wait_for_values(2));
  CHECK(runs.target().capacity()->runs == 2);
  runs.go();
  REQUIRE(runs.wait_for<RunExited>(3));
}

TEST_CASE("what an allocation cannot give is refused with what it has") {
  struct Row {
    RunResources resources;
    const char* words;
  };
  for (const Row& row : {Row{{.cpus = 8}, "8 processors, and it has 4"},
                         Row{{.gpus = 1}, "1 GPUs, and it has 0: give the target `gres: gpu:N`"}}) {
    PilotRuns runs;
    RunRequest request = runs.request(0, "exit 0");
    request.resources = row.resources;
    runs.start(request);
    REQUIRE(runs.wait_for<RunExited>());
    CHECK(runs.last<RunExited>().not_started);
    CHECK_THAT(runs.last<RunExited>().note, Contains(row.words));
  }
  PilotRuns runs;
  RunRequest wide = runs.request(0, "exit 0");
  wide.resources.nodes = 2;
  const auto started = runs.target().start(wide);
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error().message(), Contains("run 0: it asks for 2 nodes") &&
                                            Contains("a target of type slurm without pilot"));
}

TEST_CASE(
    "runs wait with the allocation in Slurm's queue, and one that is cancelled never begins") {
  PilotRuns runs;
  runs.slurm.set("hold");
  runs.start(runs.request(0, runs.note_start()));
  runs.start(runs.request(1, runs.note_start()));
  REQUIRE(runs.wait_for<RunAccepted>(2));
  runs.target().cancel(0, CancelMode::graceful);
  REQUIRE(runs.wait_for<RunNotFound>());
  CHECK(runs.count<RunBegan>() == 0);
  runs.slurm.begin("101");
  REQUIRE(runs.wait_for<RunExited>());
  CHECK(runs.starts().size() == 1);
}

TEST_CASE(
    "while the controller is away waiting runs are out of reach, and are there again afterwards") {
  PilotRuns runs;
  runs.slurm.set("hold");
  runs.start(runs.request(0, "exit 0"));
  REQUIRE(runs.wait_for<RunAccepted>());
  runs.slurm.set("down");
  REQUIRE(runs.wait_for<RunUnreachable>());
  CHECK_THAT(runs.last<RunUnreachable>().why, Contains("Unable to contact slurm controller"));
  runs.slurm.set("down", false);
  REQUIRE(runs.wait_for<RunReachable>());
  runs.slurm.begin("101");
  REQUIRE(runs.wait_for<RunExited>());
}

TEST_CASE("an allocation that cannot be asked for is asked for later") {
  PilotRuns runs;
  runs.slurm.set("down");
  runs.start(runs.request(0, "exit 0"));
  REQUIRE(runs.wait_for<RunDeferred>());
  CHECK(runs.last<RunDeferred>().why.kind == Error::Kind::busy);
  CHECK_THAT(runs.last<RunDeferred>().why.what, Contains("Unable to contact slurm controller"));
  runs.slurm.set("down", false);
  runs.start(runs.request(0, "exit 0"));
  REQUIRE(runs.wait_for<RunExited>());
}

TEST_CASE("an allocation that ends before it takes runs is told with what its job said") {
  PilotRuns runs;
  runs.slurm.set("nostep");
  runs.start(runs.request(0, "exit 0"));
  REQUIRE(runs.wait_for<RunDeferred>());
  CHECK(runs.last<RunDeferred>().why.kind == Error::Kind::not_found);
  CHECK_THAT(runs.last<RunDeferred>().why.what,
             Contains("(job 101) ended (FAILED)") && Contains("Unable to create step"));
  CHECK(runs.slurm.submitted() == 1);
}

TEST_CASE(
    "an engine that died between a submission and its answer leaves one allocation to the next") {
  PilotRuns runs;
  runs.slurm.set("hold");
  const RunRequest request = runs.request(0, runs.note_start());
  runs.start(request);
  REQUIRE(runs.wait_until([&] { return runs.slurm.submitted() == 1; }));
  runs.remake();
  runs.adopt(request);
  REQUIRE(runs.wait_for<RunNotFound>());
  runs.start(request);
  REQUIRE(runs.wait_for<RunAccepted>());
  CHECK(runs.last<RunAccepted>().handle == "101");
  runs.slurm.begin("101");
  REQUIRE(runs.wait_for<RunExited>());
  CHECK(runs.slurm.submitted() == 1);
  CHECK(runs.starts().size() == 1);
}

TEST_CASE("a submission whose answer is lost, or that makes two jobs, starts each run once") {
  for (const char* fault : {"lose", "twice"}) {
    PilotRuns runs;
    runs.slurm.set(fault);
    runs.start(runs.request(0, runs.note_start() + "log 1"));
    // Where the job had not begun its claim was taken away, and the run is to be started again.
    REQUIRE(
        runs.wait_until([&] { return runs.count<RunExited>() + runs.count<RunDeferred>() == 1; }));
    if (runs.count<RunDeferred>() == 1) runs.start(runs.request(0, runs.note_start() + "log 1"));
    REQUIRE(runs.wait_for<RunExited>());
    CHECK(runs.starts().size() == 1);
    CHECK(runs.values() == std::vector<double>{1});
  }
}

TEST_CASE("an allocation is asked for and reached in Slurm's words") {
  SlurmOptions options = pilot_options();
  options.cluster = "big";
  const pilot::PilotPlace place{"/opt/slurm", "/shared/agent", "/shared/a b"};
  const auto way = pilot::way_to_node(options, place, "7", "n1");
  const std::vector<std::string> command = way.command(7);
  CHECK(command.back() == "7");
  CHECK(command.front() == "/opt/slurm/srun");
  for (const char* word : {"--clusters=big", "--jobid=7", "--nodelist=n1", "--overlap", "bridge"})
    CHECK(std::count(command.begin(), command.end(), word) == 1);
  CHECK(way.explain("greeting\nsrun: error: no\n\n", 1) == "srun: error: no");
  CHECK_THAT(way.explain("", 9), Contains("srun ended with status 9"));
  CHECK(pilot::options_of_allocation(options).directives.empty());
  options.cpus = 0;
  options.directives = {"--reservation=x"};
  CHECK(pilot::options_of_allocation(options).directives ==
        std::vector<std::string>{"--exclusive", "--mem=0", "--reservation=x"});
  options.setup = {"module load cuda"};
  const std::string script = pilot::pilot_script(options, place, seconds{5});
  CHECK_THAT(script, Contains("folder='/shared/a b'\n") && Contains("module load cuda\n") &&
                         Contains("'/opt/slurm/srun' --clusters='big' --nodes=1 "));
}

TEST_CASE("options of a pilot that contradict each other are told by their key") {
  const auto faults = [](SlurmOptions options) {
    std::string text;
    for (const CommandFault& fault : slurm_faults(options))
      text += fault.key + ": " + fault.what + "\n";
    return text;
  };
  CHECK(faults({}).empty());
  CHECK(faults(pilot_options()).empty());
  SlurmOptions without;
  without.nodes = 2;
  without.time = std::chrono::hours{1};
  CHECK_THAT(faults(without),
             Contains("nodes: ") && Contains("time: ") && Contains("add pilot: true"));
  SlurmOptions wrong = pilot_options();
  wrong.time = seconds{5};
  wrong.idle = {};
  wrong.directives = {"--ntasks=3", "--nice=3"};
  CHECK_THAT(faults(wrong), Contains("at least 1m") && Contains("at least 1s") &&
                                Contains("--ntasks=3 cannot be given") && !Contains("--nice"));
}

}  // namespace
}  // namespace hdrive::compute
