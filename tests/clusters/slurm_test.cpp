// SPDX-License-Identifier: Apache-2.0
//
// The slurm target with a real Slurm.
#include <signal.h>

#include <optional>
#include <set>

#include "tests/clusters/slurm_jobs.h"

namespace hdrive {
namespace {

using namespace clusters;
using Catch::Contains;

TEST_CASE("jobs on two nodes report and end, each once") {
  Jobs jobs;
  for (RunId run = 0; run < 4; ++run)
    REQUIRE(
        jobs.target->start(jobs.request(run, "echo $SLURMD_NODENAME > node" + std::to_string(run) +
                                                 "; log 1; " + Jobs::until("go") + "log 2")));
  REQUIRE(jobs.wait_until([&] { return jobs.values().size() == 4; }));
  jobs.touch("go");
  REQUIRE(jobs.wait_for<RunExited>(4));
  CHECK(jobs.count<RunAccepted>() == 4);
  CHECK(jobs.count<RunBegan>() == 4);
  auto values = jobs.values();
  std::sort(values.begin(), values.end());
  CHECK(values == std::vector<double>{1, 1, 1, 1, 2, 2, 2, 2});
  std::set<std::string> nodes;
  for (RunId run = 0; run < 4; ++run)
    nodes.insert(text(jobs.path() / ("node" + std::to_string(run))));
  CHECK(nodes == std::set<std::string>{"n1\n", "n2\n"});
}

TEST_CASE("how a job's run ended is told") {
  struct Row {
    const char* script;
    std::optional<int> exit_code, signal;
  };
  for (const Row& row : {Row{"exit 0", 0, {}}, Row{"exit 7", 7, {}},
                         Row{"kill -TERM $$", {}, SIGTERM}, Row{"kill -KILL $$", {}, SIGKILL}}) {
    DYNAMIC_SECTION(row.script) {
      Jobs jobs;
      REQUIRE(jobs.target->start(jobs.request(0, row.script)));
      REQUIRE(jobs.wait_for<RunExited>());
      CHECK(jobs.last<RunExited>().exit_code == row.exit_code);
      CHECK(jobs.last<RunExited>().signal == row.signal);
    }
  }
}

TEST_CASE("a run gets the processors, memory and GPUs that it asks for") {
  Jobs jobs;
  RunRequest request = jobs.request(
      0,
      "echo $SLURM_CPUS_PER_TASK $SLURM_MEM_PER_NODE $CUDA_VISIBLE_DEVICES $OMP_NUM_THREADS > got");
  request.resources.cpus = 2;
  request.resources.gpus = 2;
  request.resources.memory = std::uint64_t{300} << 20;
  REQUIRE(jobs.target->start(request));
  REQUIRE(jobs.wait_for<RunExited>());
  CHECK(text(jobs.path() / "got") == "2 300 0,1 2\n");
}

TEST_CASE("what Slurm refuses is told in its words") {
  Jobs jobs;
  RunRequest request = jobs.request(0, "exit 0");
  request.resources.memory = std::uint64_t{1} << 40;
  REQUIRE(jobs.target->start(request));
  REQUIRE(jobs.wait_for<RunExited>());
  CHECK(jobs.last<RunExited>().not_started);
  CHECK_THAT(jobs.last<RunExited>().note, Contains("sbatch: "));
}

// Longer than Slurm's KillWait of 2 s, which is not asked; and with a process that has left its session, which Slurm
// by itself would not find.
TEST_CASE("a cancelled run has its own grace period, and nothing of it stays alive") {
  Jobs jobs;
  REQUIRE(jobs.target->start(jobs.request(0,
                                          "setsid sleep 12345 & trap 'sleep 4; log 2; exit 5' "
                                          "TERM; log 1; while :; do sleep 0.1; done")));
  REQUIRE(jobs.wait_until([&] { return jobs.values().size() == 1; }));
  jobs.target->cancel(0, CancelMode::graceful);
  REQUIRE(jobs.wait_for<RunExited>());
  CHECK(jobs.last<RunExited>().exit_code == 5);
  CHECK(jobs.values() == std::vector<double>{1, 2});
  CHECK_FALSE(succeeds("pgrep -f '^sleep 12345$' > /dev/null"));
}

TEST_CASE("a run that is killed ends at once") {
  Jobs jobs;
  REQUIRE(jobs.target->start(jobs.request(0, "trap '' TERM; log 1; while :; do sleep 0.1; done")));
  REQUIRE(jobs.wait_until([&] { return jobs.values().size() == 1; }));
  jobs.target->cancel(0, CancelMode::kill);
  REQUIRE(jobs.wait_for<RunExited>());
  CHECK(jobs.last<RunExited>().signal == SIGKILL);
}

TEST_CASE("a waiting run that is cancelled never begins, and its job is gone") {
  Jobs jobs;
  jobs.connect({"--hold"});
  REQUIRE(jobs.target->start(jobs.request(0, "touch began")));
  REQUIRE(jobs.wait_for<RunAccepted>());
  const std::string job = jobs.last<RunAccepted>().handle;
  jobs.target->cancel(0, CancelMode::graceful);
  REQUIRE(jobs.wait_for<RunNotFound>());
  CHECK(jobs.wait_until([&] {
    return succeeds("squeue --noheader --states=all --format=%T --jobs=" + job +
                    " | grep -q CANCELLED");
  }));
  CHECK_FALSE(fs::exists(jobs.path() / "began"));
}

TEST_CASE(
    "scancel --batch reaches the supervisor, and the program hears of it by the supervisor alone") {
  Jobs jobs;
  // The supervisor passes Slurm's warning on in another word: what hears USR2 has it from Slurm.
  REQUIRE(jobs.target->start(
      jobs.request(0, "trap 'echo USR1 >> heard' USR1; trap 'echo USR2 >> heard' USR2; log 1; " +
                          Jobs::until("go"))));
  REQUIRE(jobs.wait_until([&] { return jobs.values().size() == 1; }));
  shell("scancel --batch --signal=USR2 " + jobs.last<RunAccepted>().handle);
  REQUIRE(jobs.wait_until([&] { return !text(jobs.path() / "heard").empty(); }));
  jobs.touch("go");
  REQUIRE(jobs.wait_for<RunExited>());
  CHECK(jobs.last<RunExited>().exit_code == 0);
  CHECK(text(jobs.path() / "heard") == "USR1\n");
}

TEST_CASE("a run whose job somebody else cancels says so") {
  Jobs jobs;
  REQUIRE(jobs.target->start(jobs.request(0, "log 1; exec sleep 1000")));
  REQUIRE(jobs.wait_until([&] { return jobs.values().size() == 1; }));
  shell("scancel " + jobs.last<RunAccepted>().handle);
  REQUIRE(jobs.wait_for<RunExited>());
  CHECK_THAT(jobs.last<RunExited>().note, Contains("was cancelled by somebody else (CANCELLED)"));
}

TEST_CASE("an engine that is replaced finds its jobs, those without a handle too") {
  Jobs jobs;
  std::vector<RunRequest> requests;
  for (RunId run = 0; run < 2; ++run) {
    requests.push_back(
        jobs.request(run, "echo x >> starts; log 1; " + Jobs::until("go") + "log 2; exit 3"));
    REQUIRE(jobs.target->start(requests.back()));
  }
  REQUIRE(jobs.wait_until([&] { return jobs.values().size() == 2; }));
  for (const TargetEvent& event : jobs.events) {
    if (const auto* reported = std::get_if<RunReported>(&event))
      requests[static_cast<std::size_t>(reported->run)].cursor = reported->cursor;
    if (const auto* accepted = std::get_if<RunAccepted>(&event); accepted && accepted->run == 0)
      requests[0].handle = accepted->handle;
  }
  jobs.connect();
  REQUIRE(jobs.target->adopt(requests));
  REQUIRE(jobs.wait_for<RunAccepted>());
  CHECK(jobs.last<RunAccepted>().run == 1);
  jobs.touch("go");
  REQUIRE(jobs.wait_for<RunExited>(2));
  CHECK(jobs.last<RunExited>().exit_code == 3);
  CHECK(jobs.values() == std::vector<double>{2, 2});
  CHECK(text(jobs.path() / "starts") == "x\nx\n");
}

TEST_CASE("while the controller is dead runs go on, and waiting ones are there again afterwards") {
  const std::string folder = ::getenv("HDRIVE_SLURM_FOLDER");
  Jobs jobs;
  // On each node one run has the most of its 2000 MB, so that the last one waits for all of a node's.
  for (const RunId run : {3, 4}) {
    RunRequest filler = jobs.request(run, "log 1; " + Jobs::until("go"));
    filler.resources.memory = std::uint64_t{1500} << 20;
    REQUIRE(jobs.target->start(filler));
  }
  REQUIRE(jobs.wait_until([&] { return jobs.values().size() == 2; }));
  REQUIRE(jobs.target->start(jobs.request(0, "log 1; " + Jobs::until("go") + "log 2; exit 3")));
  REQUIRE(jobs.target->start(jobs.request(1, "log 1; exec sleep 1000")));
  RunRequest large = jobs.request(2, "log 5");
  large.resources.memory = std::uint64_t{2000} << 20;
  REQUIRE(jobs.wait_until([&] { return jobs.values().size() == 4; }));
  REQUIRE(jobs.target->start(large));
  REQUIRE(jobs.wait_for<RunAccepted>(5));
  // A controller that dies before it has written down a job knows it no more.
  REQUIRE(jobs.wait_until([&] {
    return succeeds("grep -aq " + large.directory.string() + " " + folder + "/state/job_state");
  }));
  shell("kill -KILL $(cat " + folder + "/slurmctld.pid)");
  REQUIRE(jobs.wait_for<RunUnreachable>());
  CHECK(jobs.last<RunUnreachable>().run == 2);
  CHECK_THAT(jobs.last<RunUnreachable>().why, Contains("slurm"));
  jobs.target->cancel(1, CancelMode::graceful);
  REQUIRE(jobs.wait_for<RunExited>());
  CHECK(jobs.last<RunExited>().run == 1);
  CHECK(jobs.last<RunExited>().signal == SIGTERM);
  jobs.touch("go");
  REQUIRE(jobs.wait_for<RunExited>(4));
  CHECK(jobs.count<RunUnreachable>() == 1);
  shell("/usr/sbin/slurmctld");
  REQUIRE(jobs.wait_for<RunExited>(5));
  CHECK(jobs.last<RunExited>().run == 2);
  CHECK(jobs.last<RunExited>().exit_code == 0);
  CHECK(jobs.count<RunBegan>() == 5);
}

}  // namespace
}  // namespace hdrive
