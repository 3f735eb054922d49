// SPDX-License-Identifier: Apache-2.0
//
// Runs of several processes on several nodes of a real Slurm.
#include <signal.h>

#include <set>

#include "tests/clusters/slurm_jobs.h"

namespace hdrive {
namespace {

using namespace clusters;
using Catch::Contains;

RunRequest on_two_nodes(RunRequest request, DistributionType type) {
  request.distribution.type = type;
  request.resources.nodes = 2;
  request.resources.processes_per_node = 2;
  return request;
}

std::string output_of(const RunRequest& request, int rank) {
  return text(rank == 0 ? request.directory / "stdout.log"
                        : request.directory / "processes" / std::to_string(rank) / "stdout.log");
}

std::string value_in(const std::string& said, const std::string& name) {
  const std::string marked = "\n" + said;
  const auto at = marked.find("\n" + name + "=");
  if (at == std::string::npos) return "(no " + name + ")";
  const auto begin = at + name.size() + 2;
  return marked.substr(begin, marked.find('\n', begin) - begin);
}

bool is_alive(const std::string& pid) {
  return !pid.empty() && succeeds("grep -q '^State:[[:space:]]*[^ZX]' /proc/" +
                                  pid.substr(0, pid.find('\n')) + "/status 2>/dev/null");
}

TEST_CASE("four processes on two nodes find each other, and rank 0 reports") {
  Jobs jobs;
  const RunRequest request =
      on_two_nodes(jobs.request(0, "env; log $RANK"), DistributionType::pytorch);
  REQUIRE(jobs.target->start(request));
  REQUIRE(jobs.wait_for<RunExited>());
  INFO(jobs.last<RunExited>().stderr_tail << text(request.directory / "job.log"));
  CHECK(jobs.last<RunExited>().exit_code == 0);
  CHECK(jobs.values() == std::vector<double>{0});
  std::set<std::string> nodes;
  const std::string port = value_in(output_of(request, 0), "MASTER_PORT");
  for (int rank = 0; rank < 4; ++rank) {
    const std::string said = output_of(request, rank);
    CHECK(value_in(said, "RANK") == std::to_string(rank));
    CHECK(value_in(said, "LOCAL_RANK") == std::to_string(rank % 2));
    CHECK(value_in(said, "NODE_RANK") == std::to_string(rank / 2));
    CHECK(value_in(said, "WORLD_SIZE") == "4");
    CHECK(value_in(said, "LOCAL_WORLD_SIZE") == "2");
    CHECK(value_in(said, "MASTER_PORT") == port);
    nodes.insert(value_in(said, "SLURMD_NODENAME"));
  }
  CHECK(nodes == std::set<std::string>{"n1", "n2"});
}

TEST_CASE("the tasks of a tensorflow run are on the nodes that Slurm gave it") {
  Jobs jobs;
  RunRequest request =
      on_two_nodes(jobs.request(0, "echo config=$TF_CONFIG"), DistributionType::tensorflow);
  request.distribution.workers = 3;
  REQUIRE(jobs.target->start(request));
  REQUIRE(jobs.wait_for<RunExited>());
  INFO(jobs.last<RunExited>().stderr_tail << text(request.directory / "job.log"));
  CHECK(jobs.last<RunExited>().exit_code == 0);
  const std::string config = value_in(output_of(request, 2), "config");
  CHECK_THAT(config, Contains("\"n1:") && Contains("\"n2:") && Contains("\"index\": 2}"));
}

TEST_CASE("parameter servers on another node serve until the workers have ended") {
  Jobs jobs;
  RunRequest request = on_two_nodes(
      jobs.request(0,
                   "case $TF_CONFIG in *'\"type\": \"ps\"'*) touch up; exec sleep 1000;; esac; " +
                       Jobs::until("up") + "log 1"),
      DistributionType::tensorflow);
  request.distribution.workers = 2;
  request.distribution.parameter_servers = 2;
  REQUIRE(jobs.target->start(request));
  REQUIRE(jobs.wait_for<RunExited>());
  INFO(jobs.last<RunExited>().stderr_tail << text(request.directory / "job.log"));
  CHECK(jobs.last<RunExited>().exit_code == 0);
  CHECK(jobs.values() == std::vector<double>{1});
}

TEST_CASE("a process that fails on the second node ends those of the first") {
  Jobs jobs;
  const RunRequest request = on_two_nodes(
      jobs.request(0, "echo $$ > pid-$RANK; if [ $RANK = 3 ]; then " + Jobs::until("pid-0") +
                          "echo lost my device >&2; exit 9; fi; exec sleep 1000"),
      DistributionType::pytorch);
  REQUIRE(jobs.target->start(request));
  REQUIRE(jobs.wait_for<RunExited>());
  CHECK(jobs.last<RunExited>().exit_code == 9);
  CHECK_THAT(jobs.last<RunExited>().stderr_tail,
             Contains("lost my device") && Contains("process 3 of 4 ended with exit code 9"));
  for (int rank = 0; rank < 4; ++rank)
    CHECK_FALSE(is_alive(text(jobs.path() / ("pid-" + std::to_string(rank)))));
}

TEST_CASE("a cancel ends the processes of all nodes, and what they left behind") {
  Jobs jobs;
  const RunRequest request =
      on_two_nodes(jobs.request(0,
                                "(setsid sleep 1000 & echo $! > child-$RANK); echo $$ > pid-$RANK; "
                                "[ $RANK = 0 ] && { for r in 0 1 2 3; do " +
                                    Jobs::until("pid-$r") + "done; log 1; }; exec sleep 1000"),
                   DistributionType::pytorch);
  REQUIRE(jobs.target->start(request));
  REQUIRE(jobs.wait_until([&] { return jobs.values().size() == 1; }));
  jobs.target->cancel(0, CancelMode::graceful);
  REQUIRE(jobs.wait_for<RunExited>());
  for (int rank = 0; rank < 4; ++rank) {
    INFO(rank);
    CHECK_FALSE(is_alive(text(jobs.path() / ("pid-" + std::to_string(rank)))));
    CHECK_FALSE(is_alive(text(jobs.path() / ("child-" + std::to_string(rank)))));
  }
}

TEST_CASE("mpirun starts the processes on the nodes of the job") {
  if (!succeeds("command -v mpirun > /dev/null")) return;
  Jobs jobs;
  RunRequest request = on_two_nodes(
      jobs.request(
          0, "echo rank=$OMPI_COMM_WORLD_RANK; echo node=$(hostname)-$SLURM_NODEID; log $RANK"),
      DistributionType::mpi);
  REQUIRE(jobs.target->start(request));
  REQUIRE(jobs.wait_for<RunExited>());
  INFO(jobs.last<RunExited>().stderr_tail << text(request.directory / "job.log"));
  CHECK(jobs.last<RunExited>().exit_code == 0);
  CHECK(jobs.values() == std::vector<double>{0});
  for (int rank = 0; rank < 4; ++rank)
    CHECK(value_in(output_of(request, rank), "rank") == std::to_string(rank));
}

}  // namespace
}  // namespace hdrive
