// SPDX-License-Identifier: Apache-2.0
//
// How Slurm ends jobs, and nodes that it starts when it needs them: the slurm target with the real Slurm of
// tests/clusters/slurm-up. The rest is in slurm_test.cpp.
#include <signal.h>

#include <set>
#include <string>
#include <vector>

#include "tests/clusters/slurm_jobs.h"

namespace hdrive {
namespace {

using namespace clusters;
using Catch::Contains;

// Ends, as if the node lost its power, slurmd of a node and all of a job that runs there. Only processes of the namespace
// are looked at.
void lose_node(const std::string& node, const std::string& job) {
  shell(
      "for pid in $(ip netns pids $(ip netns identify $$)); do "
      "case $(tr '\\0' ' ' < /proc/$pid/cmdline) in "
      "'/usr/sbin/slurmd -N " +
      node + " '*|'slurmstepd: [" + job +
      ".'*) kill -KILL $pid;; "
      "esac; "
      "! grep -qz ^SLURM_JOB_ID=" +
      job + "$ /proc/$pid/environ || kill -KILL $pid; done 2> /dev/null");
}

TEST_CASE("runs that start at once are an array of Slurm's, and each its own job") {
  Jobs jobs;
  for (RunId run = 3; run < 7; ++run)
    jobs.start(jobs.request(run, "echo $SLURM_ARRAY_JOB_ID > array" + std::to_string(run) +
                                     "; log 1; " + jobs.until("go")));
  REQUIRE(jobs.wait_for_values(4));
  std::set<std::string> arrays;
  for (RunId run = 3; run < 7; ++run)
    arrays.insert(text(jobs.path() / ("array" + std::to_string(run))));
  CHECK(arrays.size() == 1);
  CHECK(*arrays.begin() != "\n");
  // One of them is cancelled, the others are not.
  jobs.target->cancel(4, CancelMode::graceful);
  REQUIRE(jobs.wait_for<RunExited>());
  CHECK(jobs.last<RunExited>().run == 4);
  jobs.touch("go");
  REQUIRE(jobs.wait_for<RunExited>(4));
  CHECK(jobs.count<RunBegan>() == 4);
}

TEST_CASE("an array that is larger than Slurm allows is submitted run by run") {
  Jobs jobs;
  // slurm-up allows indices up to 99.
  jobs.start(jobs.request(1, "exit 0"));
  jobs.start(jobs.request(201, "exit 0"));
  REQUIRE(jobs.wait_for<RunExited>(2));
  for (const TargetEvent& event : jobs.events)
    if (const auto* accepted = std::get_if<RunAccepted>(&event))
      CHECK_THAT(accepted->handle, !Contains("_"));
}

TEST_CASE("a job that Slurm takes away for a better one loses its run") {
  Jobs jobs({"--exclusive"});
  for (RunId run = 0; run < 2; ++run) jobs.start(jobs.request(run, "log 1; exec sleep 1000"));
  REQUIRE(jobs.wait_for_values(2));
  shell(
      "sbatch --parsable --partition=high --nodes=2 --exclusive --output=/dev/null --wrap='sleep "
      "1' > "
      "/dev/null");
  REQUIRE(jobs.wait_for<RunVanished>(2));
  CHECK_THAT(jobs.last<RunVanished>().note, Contains("was taken from its nodes (PREEMPTED)"));
}

TEST_CASE("a job that is put back into the queue loses its run, and starts nothing again") {
  Jobs jobs({"--requeue"});
  jobs.start(jobs.request(0, "echo x >> starts; log 1; exec sleep 1000"));
  REQUIRE(jobs.wait_for_values(1));
  shell("scontrol requeue " + jobs.last<RunAccepted>().handle);
  REQUIRE(jobs.wait_for<RunVanished>());
  CHECK_THAT(jobs.last<RunVanished>().note, Contains("put back into the queue"));
  CHECK(jobs.wait_until([&] {
    return succeeds("squeue --noheader --states=all --format=%T --jobs=" +
                    jobs.last<RunAccepted>().handle + " | grep -q CANCELLED");
  }));
  CHECK(text(jobs.path() / "starts") == "x\n");
}

TEST_CASE("a job whose node is lost loses its run", "[slow]") {
  Jobs jobs({"--nodelist=n2"});
  jobs.start(jobs.request(0, "log 1; exec sleep 1000"));
  REQUIRE(jobs.wait_for_values(1));
  lose_node("n2", jobs.last<RunAccepted>().handle);
  REQUIRE(jobs.wait_for<RunVanished>());
  CHECK_THAT(jobs.last<RunVanished>().note, Contains("(NODE_FAIL)"));
  shell("/usr/sbin/slurmd -N n2");
  CHECK(jobs.wait_until(
      [] { return succeeds("sinfo --noheader --nodes=n2 --format=%T | grep -qx idle"); }));
}

TEST_CASE("a job that has used up the time Slurm gives it says so", "[slow]") {
  Jobs jobs({"--time=1"});
  jobs.start(jobs.request(0, "log 1; exec sleep 1000"));
  REQUIRE(jobs.wait_for_values(1));
  // Slurm looks at times each half a minute.
  REQUIRE(jobs.wait_for<RunExited>(1, std::chrono::minutes{3}));
  CHECK(jobs.last<RunExited>().over_time);
  CHECK_THAT(jobs.last<RunExited>().note, Contains("had used up its time (TIMEOUT)"));
}

TEST_CASE("nodes that Slurm starts when they are needed run the jobs, and are stopped afterwards",
          "[slow]") {
  Jobs jobs({"--exclusive"}, "cloud");
  for (RunId run = 0; run < 2; ++run)
    jobs.start(jobs.request(run, "echo $SLURMD_NODENAME > node" + std::to_string(run) +
                                     "; echo x >> starts; log 1; exit 3"));
  REQUIRE(jobs.wait_for<RunAccepted>(2));
  REQUIRE(jobs.wait_for<RunExited>(2, std::chrono::minutes{3}));
  INFO(jobs.last<RunExited>().note << jobs.last<RunExited>().stderr_tail);
  CHECK(jobs.count<RunBegan>() == 2);
  CHECK(jobs.count<RunUnreachable>() == 0);
  CHECK(jobs.last<RunExited>().exit_code == 3);
  CHECK(text(jobs.path() / "starts") == "x\nx\n");
  CHECK(std::set{text(jobs.path() / "node0"), text(jobs.path() / "node1")} ==
        std::set<std::string>{"c1\n", "c2\n"});
  // Slurm shows only those that are there.
  CHECK(jobs.wait_until(
      [] {
        return succeeds(
            "! scontrol show node c1 > /dev/null && ! scontrol show node c2 > /dev/null");
      },
      std::chrono::minutes{2}));
}

}  // namespace
}  // namespace hdrive
