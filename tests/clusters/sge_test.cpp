// SPDX-License-Identifier: Apache-2.0
//
// The command target with a real Grid Engine: that of tests/clusters/sge-up, whose folder HDRIVE_SGE_FOLDER names. Inside
// its namespaces (sge-in), as root.
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/target_test.h"
#include "tests/clusters/batch_jobs.h"

namespace hdrive {
namespace {

using namespace clusters;
using Catch::Contains;

CommandOptions grid_engine() {
  CommandOptions options;
  options.system = "sge";
  options.poll = std::chrono::milliseconds{500};
  return options;
}

class Grid : public BatchJobs {
 public:
  explicit Grid(const CommandOptions& options = grid_engine()) { connect(options); }
  // None is left for the next test.
  ~Grid() { succeeds("qdel -f -u root > /dev/null"); }

  void connect(const CommandOptions& options = grid_engine()) {
    connect_to([&] { return make_command_target(options, {}, clock); });
  }
  bool is_gone(const std::string& job) {
    return wait_until([&] { return succeeds("! qstat -j " + job + " > /dev/null 2>&1"); });
  }
};

TEST_CASE("hdrive target test passes") {
  const NamedTarget named{"grid", "command", grid_engine(), 0, {}, 0, {}};
  test::TemporaryDirectory home;
  int steps = 0;
  REQUIRE(test_target(named, {}, home.path(), StopSignal(), [&](const TargetTestStep& step) {
    INFO(step.name << ": " << step.detail << " " << step.advice);
    CHECK(step.passed);
    ++steps;
  }));
  CHECK(steps == 7);
}

TEST_CASE("more jobs than there are slots report and end, each once") {
  Grid grid;
  for (RunId run = 0; run < 6; ++run) grid.start(grid.request(run, "log 1; log 2"));
  REQUIRE(grid.wait_for<RunExited>(6));
  CHECK(grid.count<RunAccepted>() == 6);
  CHECK(grid.count<RunBegan>() == 6);
  auto values = grid.values();
  std::sort(values.begin(), values.end());
  CHECK(values == std::vector<double>{1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2});
}

TEST_CASE("how a job's run ended is told, though qstat has forgotten the job") {
  struct Row {
    const char* script;
    std::optional<int> exit_code, signal;
  };
  for (const Row& row : {Row{"exit 0", 0, {}}, Row{"exit 7", 7, {}},
                         Row{"kill -TERM $$", {}, SIGTERM}, Row{"kill -KILL $$", {}, SIGKILL}}) {
    DYNAMIC_SECTION(row.script) {
      Grid grid;
      grid.start(grid.request(0, row.script));
      REQUIRE(grid.wait_for<RunExited>());
      CHECK(grid.last<RunExited>().exit_code == row.exit_code);
      CHECK(grid.last<RunExited>().signal == row.signal);
    }
  }
}

TEST_CASE("a run asks for processors, GPUs, memory and time") {
  Grid grid;
  RunRequest request =
      grid.request(0, "echo $NSLOTS $OMP_NUM_THREADS > got; log 1; " + grid.until("go"));
  request.resources.cpus = 2;
  request.resources.gpus = 2;
  request.resources.memory = std::uint64_t{100} << 20;
  grid.start(request);
  REQUIRE(grid.wait_for_values(1));
  CHECK(text(grid.path() / "got") == "2 2\n");
  shell("qstat -j " + grid.last<RunAccepted>().handle + " > " + (grid.path() / "job").string());
  // An hour, the grace period and half a minute.
  CHECK_THAT(text(grid.path() / "job"),
             Contains("gpu=2") && Contains("mem_free=100M") && Contains("h_rt=3660"));
  grid.touch("go");
  REQUIRE(grid.wait_for<RunExited>());
}

TEST_CASE("what Grid Engine refuses is told in its words") {
  CommandOptions options = grid_engine();
  options.options = {"-l", "nosuch=1"};
  Grid grid(options);
  grid.start(grid.request(0, "exit 0"));
  REQUIRE(grid.wait_for<RunExited>());
  CHECK(grid.last<RunExited>().not_started);
  CHECK_THAT(grid.last<RunExited>().note, Contains("unknown resource \"nosuch\""));
}

TEST_CASE("a job in Grid Engine's error state fails its run, and is taken out of the queue") {
  CommandOptions options = grid_engine();
  options.options = {"-wd", "/nonexistent"};
  Grid grid(options);
  grid.start(grid.request(0, "exit 0"));
  REQUIRE(grid.wait_for<RunExited>());
  CHECK(grid.last<RunExited>().not_started);
  CHECK_THAT(grid.last<RunExited>().note, Contains("ended before the run began (Eqw)"));
  CHECK(grid.is_gone(grid.last<RunAccepted>().handle));
}

TEST_CASE("a job that fails before its run tells why by its log") {
  CommandOptions options = grid_engine();
  options.setup = {"echo no such module >&2", "exit 9"};
  Grid grid(options);
  grid.start(grid.request(0, "exit 0"));
  REQUIRE(grid.wait_for<RunExited>());
  CHECK(grid.last<RunExited>().not_started);
  CHECK_THAT(grid.last<RunExited>().stderr_tail, Contains("no such module"));
}

TEST_CASE("a cancelled run has its own grace period, and nothing of it stays alive") {
  Grid grid;
  grid.start(grid.request(0,
                          "setsid sleep 12345 & trap 'sleep 4; log 2; exit 5' TERM; log 1; "
                          "while :; do sleep 0.1; done"));
  REQUIRE(grid.wait_for_values(1));
  grid.target->cancel(0, CancelMode::graceful);
  REQUIRE(grid.wait_for<RunExited>());
  CHECK(grid.last<RunExited>().exit_code == 5);
  CHECK(grid.values() == std::vector<double>{1, 2});
  CHECK_FALSE(succeeds("pgrep -f '^sleep 12345$' > /dev/null"));
  CHECK(grid.is_gone(grid.last<RunAccepted>().handle));
}

TEST_CASE("a run that is killed ends at once") {
  Grid grid;
  grid.start(grid.request(0, "trap '' TERM; log 1; while :; do sleep 0.1; done"));
  REQUIRE(grid.wait_for_values(1));
  grid.target->cancel(0, CancelMode::kill);
  REQUIRE(grid.wait_for<RunExited>());
  CHECK(grid.last<RunExited>().signal == SIGKILL);
}

TEST_CASE("qdel by somebody else ends the whole run, also what has left the job's session") {
  Grid grid;
  grid.start(grid.request(0, "setsid sleep 12346 & log 1; exec sleep 1000"));
  REQUIRE(grid.wait_for_values(1));
  shell("qdel " + grid.last<RunAccepted>().handle + " > /dev/null");
  REQUIRE(grid.wait_for<RunExited>());
  CHECK(grid.last<RunExited>().signal == SIGTERM);
  CHECK_THAT(grid.last<RunExited>().note,
             Contains("was ended by Grid Engine, or by somebody else"));
  CHECK_FALSE(succeeds("pgrep -f '^sleep 12346$' > /dev/null"));
}

TEST_CASE("with -notify a script hears of the end of its job as SIGUSR1") {
  CommandOptions options = grid_engine();
  options.options = {"-notify"};
  Grid grid(options);
  grid.start(grid.request(0, "trap 'log 2; exit 4' USR1; log 1; while :; do sleep 0.1; done"));
  REQUIRE(grid.wait_for_values(1));
  shell("qdel " + grid.last<RunAccepted>().handle + " > /dev/null");
  REQUIRE(grid.wait_for<RunExited>());
  CHECK(grid.last<RunExited>().exit_code == 4);
  CHECK(grid.values() == std::vector<double>{1, 2});
}

TEST_CASE("a waiting run that is cancelled never begins, and its job is gone") {
  CommandOptions options = grid_engine();
  options.options = {"-h"};
  Grid grid(options);
  grid.start(grid.request(0, "touch began"));
  REQUIRE(grid.wait_for<RunAccepted>());
  grid.target->cancel(0, CancelMode::graceful);
  REQUIRE(grid.wait_for<RunNotFound>());
  CHECK(grid.is_gone(grid.last<RunAccepted>().handle));
  CHECK_FALSE(fs::exists(grid.path() / "began"));
}

TEST_CASE("an engine that is replaced finds its jobs, those without a handle and those ended too") {
  Grid grid;
  std::vector<RunRequest> requests;
  for (RunId run = 0; run < 3; ++run) {
    const std::string name = std::to_string(run);
    requests.push_back(grid.request(
        run, "echo x >> starts" + name + "; log 1; " + grid.until("go" + name) + "log 2; exit 3"));
    grid.start(requests.back());
  }
  REQUIRE(grid.wait_for_values(3));
  std::string second;
  for (const TargetEvent& event : grid.events) {
    if (const auto* reported = std::get_if<RunReported>(&event))
      requests[static_cast<std::size_t>(reported->run)].cursor = reported->cursor;
    if (const auto* accepted = std::get_if<RunAccepted>(&event); accepted && accepted->run != 1)
      requests[static_cast<std::size_t>(accepted->run)].handle = accepted->handle;
  }
  // It ends, and Grid Engine forgets it, while there is no engine.
  grid.target.reset();
  grid.touch("go2");
  shell("while qstat -j " + requests[2].handle + " > /dev/null 2>&1; do sleep 0.1; done");
  grid.connect();
  REQUIRE(grid.target->adopt(requests));
  REQUIRE(grid.wait_for<RunAccepted>());
  CHECK(grid.last<RunAccepted>().run == 1);
  REQUIRE(grid.wait_for<RunExited>());
  CHECK(grid.last<RunExited>().run == 2);
  grid.touch("go0");
  grid.touch("go1");
  REQUIRE(grid.wait_for<RunExited>(3));
  CHECK(grid.last<RunExited>().exit_code == 3);
  CHECK(grid.values() == std::vector<double>{2, 2, 2});
  for (const char* run : {"0", "1", "2"})
    CHECK(text(grid.path() / (std::string("starts") + run)) == "x\n");
}

TEST_CASE("while the qmaster is dead runs go on, and waiting ones are there again afterwards") {
  const std::string folder = ::getenv("HDRIVE_SGE_FOLDER");
  Grid grid;
  for (RunId run = 0; run < 3; ++run)
    grid.start(grid.request(run, "log 1; " + grid.until("go") + "log 2; exit 3"));
  grid.start(grid.request(3, "log 1; exec sleep 1000"));
  REQUIRE(grid.wait_for_values(4));
  grid.start(grid.request(4, "log 5"));
  REQUIRE(grid.wait_for<RunAccepted>(5));
  shell("kill -KILL $(cat " + folder + "/spool/qmaster/qmaster.pid)");
  REQUIRE(grid.wait_for<RunUnreachable>());
  CHECK(grid.last<RunUnreachable>().run == 4);
  grid.target->cancel(3, CancelMode::graceful);
  REQUIRE(grid.wait_for<RunExited>());
  CHECK(grid.last<RunExited>().run == 3);
  CHECK(grid.last<RunExited>().signal == SIGTERM);
  // A submission is put off meanwhile.
  grid.start(grid.request(5, "exit 0"));
  REQUIRE(grid.wait_for<RunDeferred>());
  CHECK(grid.last<RunDeferred>().why.kind == Error::Kind::busy);
  grid.touch("go");
  REQUIRE(grid.wait_for<RunExited>(4));
  shell("/usr/sbin/sge_qmaster");
  REQUIRE(grid.wait_for<RunExited>(5));
  CHECK(grid.last<RunExited>().run == 4);
  CHECK(grid.last<RunExited>().exit_code == 0);
  CHECK(grid.count<RunBegan>() == 5);
}

}  // namespace
}  // namespace hdrive
