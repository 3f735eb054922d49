// SPDX-License-Identifier: Apache-2.0
//
// Runs of several processes on one machine.
#include "compute/distribution.h"

#include <signal.h>
#include <sys/stat.h>

#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;

RunRequest distributed(RunRequest request, DistributionType type, std::int64_t processes) {
  request.distribution.type = type;
  request.resources.processes_per_node = processes;
  return request;
}

std::string output_of(const LocalRuns& runs, RunId run, int rank) {
  const auto directory = runs.run_directory(run);
  return read(rank == 0 ? directory / "stdout.log"
                        : directory / "processes" / std::to_string(rank) / "stdout.log");
}

// The value of "name=value" in it.
std::string value_in(const std::string& text, const std::string& name) {
  const auto at = text.find(name + "=");
  REQUIRE(at != std::string::npos);
  const auto begin = at + name.size() + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST_CASE("the supervisor is told how a run is distributed") {
  RunRequest request;
  CHECK(plan_text(request).empty());
  request.distribution.type = DistributionType::pytorch;
  request.resources.nodes = 2;
  request.resources.processes_per_node = 4;
  CHECK(plan_text(request) == "pytorch 2 4 8 0 0 -1 mpirun");
  request.distribution = {DistributionType::mpi, 0, 0, true, {"srun", "--mpi=pmix"}};
  CHECK(plan_text(request) == "mpi 2 4 8 0 1 -1 srun --mpi=pmix");
}

TEST_CASE("as many processes as workers and parameter servers need are on each node") {
  RunResources resources;
  resources.nodes = 2;
  Distribution how{DistributionType::tensorflow, 4, 1, false, {}};
  CHECK(processes_on_a_node(resources, how) == 3);
  how.workers = how.parameter_servers = 0;
  resources.processes_per_node = 2;
  CHECK(processes_on_a_node(resources, how) == 2);
}

TEST_CASE("each process of a pytorch run is told who it is and where the first one listens") {
  LocalRuns runs;
  const auto end = runs.run(distributed(runs.script(0, "env"), DistributionType::pytorch, 3));
  CHECK(end.exit_code == 0);
  CHECK(end.note.empty());
  const std::string first = output_of(runs, 0, 0);
  CHECK(value_in(first, "MASTER_ADDR") == "127.0.0.1");
  const int port = std::stoi(value_in(first, "MASTER_PORT"));
  CHECK(port > 1023);
  for (int rank = 0; rank < 3; ++rank) {
    const std::string text = output_of(runs, 0, rank);
    CHECK(value_in(text, "RANK") == std::to_string(rank));
    CHECK(value_in(text, "LOCAL_RANK") == std::to_string(rank));
    CHECK(value_in(text, "WORLD_SIZE") == "3");
    CHECK(value_in(text, "LOCAL_WORLD_SIZE") == "3");
    CHECK(value_in(text, "NODE_RANK") == "0");
    CHECK(value_in(text, "MASTER_PORT") == std::to_string(port));
    CHECK(value_in(text, "AZ_BATCH_MASTER_NODE") == "127.0.0.1:" + std::to_string(port));
  }
}

TEST_CASE("each process of a tensorflow run finds all others in TF_CONFIG") {
  LocalRuns runs;
  // A server serves for ever.
  auto request = distributed(
      runs.script(0,
                  "echo config=$TF_CONFIG\n"
                  "case $TF_CONFIG in *'\"type\": \"ps\"'*) touch up; sleep 1000;; esac\n"
                  "while ! [ -e up ]; do :; done"),
      DistributionType::tensorflow, 1);
  request.distribution.workers = 2;
  request.distribution.parameter_servers = 1;
  const auto end = runs.run(request);
  CHECK(end.exit_code == 0);
  const std::string first = value_in(output_of(runs, 0, 0), "config");
  CHECK_THAT(
      first,
      Catch::Matchers::StartsWith("{\"cluster\": {\"worker\": [\"localhost:") &&
          Contains("], \"ps\": [\"localhost:") &&
          Catch::Matchers::EndsWith(
              "\"task\": {\"type\": \"worker\", \"index\": 0}, \"environment\": \"cloud\"}"));
  const std::string cluster = first.substr(0, first.find("\"task\""));
  CHECK(value_in(output_of(runs, 0, 1), "config") ==
        cluster + "\"task\": {\"type\": \"worker\", \"index\": 1}, \"environment\": \"cloud\"}");
  CHECK(value_in(output_of(runs, 0, 2), "config") ==
        cluster + "\"task\": {\"type\": \"ps\", \"index\": 0}, \"environment\": \"cloud\"}");
}

TEST_CASE("metrics come from rank 0, and of all processes where that is asked for") {
  LocalRuns runs;
  auto request = distributed(runs.script(0, "log rank_$RANK $RANK"), DistributionType::pytorch, 2);
  CHECK(runs.run(request).exit_code == 0);
  CHECK(runs.values(0).count("rank_0") == 1);
  CHECK(runs.values(0).count("rank_1") == 0);
  // They are not lost.
  CHECK_THAT(read(runs.run_directory(0) / "processes/1/metrics.jsonl"), Contains("rank_1"));
  request = distributed(runs.script(1, "log rank_$RANK $RANK"), DistributionType::pytorch, 2);
  request.distribution.metrics_of_all = true;
  CHECK(runs.run(request).exit_code == 0);
  CHECK(runs.values(1).count("rank_0") == 1);
  CHECK(runs.values(1).count("rank_1") == 1);
}

TEST_CASE("where one process fails the others are ended, and the run says which it was") {
  LocalRuns runs;
  const auto end =
      runs.run(distributed(runs.script(0,
                                       "echo $$ > pid-$RANK\n"
                                       "if [ $RANK = 2 ]; then\n"
                                       "  while ! [ -s pid-0 ] || ! [ -s pid-1 ]; do :; done\n"
                                       "  echo no memory on the device >&2; exit 9\n"
                                       "fi\nexec sleep 1000"),
                           DistributionType::pytorch, 3));
  CHECK(end.exit_code == 9);
  CHECK_THAT(end.stderr_tail,
             Contains("no memory on the device") &&
                 Contains("process 2 of 3 ended with exit code 9; the others are ended"));
  CHECK(end.note.empty());
  for (const char* file : {"pid-0", "pid-1"})
    CHECK_FALSE(alive(std::stoi(read(runs.directory() / file))));
}

TEST_CASE("a signal that ends one process is the end of the run") {
  LocalRuns runs;
  const auto end =
      runs.run(distributed(runs.script(0, "[ $RANK = 0 ] && exec sleep 1000; kill -SEGV $$"),
                           DistributionType::pytorch, 2));
  CHECK(end.signal == SIGSEGV);
  CHECK_THAT(end.stderr_tail, Contains("process 1 of 2 was ended by signal 11"));
}

TEST_CASE(
    "a process that ignores SIGTERM is killed after the grace period when another one failed") {
  LocalRuns runs;
  auto request = distributed(
      runs.script(0,
                  "trap '' TERM; echo $$ > pid-$RANK\n"
                  "if [ $RANK = 1 ]; then while ! [ -s pid-0 ]; do :; done; exit 1; fi\n"
                  "while :; do sleep 1; done"),
      DistributionType::pytorch, 2);
  request.cancel_grace = std::chrono::milliseconds{50};
  CHECK(runs.run(request).exit_code == 1);
  CHECK_FALSE(alive(std::stoi(read(runs.directory() / "pid-0"))));
}

TEST_CASE("all processes end on cancel, each told once") {
  LocalRuns runs;
  const auto request =
      distributed(runs.script(0,
                              "trap 'echo told >> told-$RANK; exit 0' TERM; log up_$RANK 1\n"
                              "while :; do sleep 0.05; done"),
                  DistributionType::pytorch, 2);
  auto asked = request;
  asked.distribution.metrics_of_all = true;
  runs.start(asked);
  runs.until_logged(0, "up_0");
  runs.until_logged(0, "up_1");
  runs.target().cancel(0, CancelMode::graceful);
  const auto end = runs.end_of(0);
  const auto record = exit_of(runs.run_directory(0));
  REQUIRE(record);
  CHECK(record->canceled);
  CHECK(read(runs.directory() / "told-0") == "told\n");
  CHECK(read(runs.directory() / "told-1") == "told\n");
}

TEST_CASE("nothing of a distributed run outlives its starter") {
  LocalRuns runs;
  auto request = distributed(
      runs.script(0,
                  "(setsid sleep 1000 & echo $! > child-$RANK); log up_$RANK 1; exec sleep 1000"),
      DistributionType::pytorch, 2);
  request.distribution.metrics_of_all = true;
  runs.start(request);
  runs.until_logged(0, "up_0");
  runs.until_logged(0, "up_1");
  const pid_t starter = static_cast<pid_t>(runs.began.at(0).pid);
  REQUIRE(::kill(starter, SIGKILL) == 0);
  CHECK(runs.end_of(0).signal == SIGKILL);
  for (const char* file : {"child-0", "child-1"})
    CHECK_FALSE(alive(std::stoi(read(runs.directory() / file))));
}

TEST_CASE("a program that is not there fails a distributed run with its name") {
  LocalRuns runs;
  const auto end =
      runs.run(distributed(runs.request(0, {"no-such-program"}), DistributionType::pytorch, 2));
  CHECK(end.exit_code == 127);
  CHECK_THAT(end.stderr_tail,
             Contains("cannot start no-such-program: there is no such program in PATH"));
}

TEST_CASE("mpi starts the processes with mpirun, and gives each its variables") {
  LocalRuns runs;
  // What mpirun does, as far as it matters here: -n NUMBER COMMAND...
  const auto mpirun = runs.directory() / "fake-mpirun";
  write(mpirun,
        "#!/bin/sh\n[ \"$1\" = --quiet ] && shift\n[ \"$1\" = -n ] || exit 64\ncount=$2; shift "
        "2\nrank=0\n"
        "while [ $rank -lt $count ]; do\n"
        "  PMI_RANK=$rank PMI_SIZE=$count MPI_LOCALRANKID=$rank \"$@\" & pids=\"$pids $!\"\n"
        "  rank=$((rank + 1))\ndone\n"
        "for pid in $pids; do wait $pid || code=$?; done\nexit ${code:-0}\n");
  REQUIRE(::chmod(mpirun.c_str(), 0700) == 0);
  auto request = distributed(runs.script(0, "env; log rank_$RANK 1"), DistributionType::mpi, 2);
  request.distribution.launcher = {mpirun.string(), "--quiet"};
  const auto end = runs.run(request);
  INFO(end.stderr_tail);
  CHECK(end.exit_code == 0);
  for (int rank = 0; rank < 2; ++rank) {
    const std::string text = output_of(runs, 0, rank);
    CHECK(value_in(text, "OMPI_COMM_WORLD_RANK") == std::to_string(rank));
    CHECK(value_in(text, "OMPI_COMM_WORLD_SIZE") == "2");
    CHECK(value_in(text, "OMPI_COMM_WORLD_LOCAL_RANK") == std::to_string(rank));
    CHECK(value_in(text, "OMPI_COMM_WORLD_LOCAL_SIZE") == "2");
  }
  CHECK(runs.values(0).count("rank_0") == 1);
  CHECK(runs.values(0).count("rank_1") == 0);
  request = distributed(runs.script(1, "exit 5"), DistributionType::mpi, 2);
  request.distribution.launcher = {mpirun.string()};
  CHECK(runs.run(request).exit_code == 5);
}

TEST_CASE("where there is no mpirun the run says what it comes with") {
  LocalRuns runs;
  auto request = distributed(runs.script(0, "exit 0"), DistributionType::mpi, 2);
  request.distribution.launcher = {"no-such-mpirun"};
  const auto end = runs.run(request);
  CHECK(end.exit_code == 127);
  CHECK_THAT(end.stderr_tail,
             Contains("cannot start no-such-mpirun") && Contains("Open MPI and MPICH"));
}

TEST_CASE("processors are shared among the processes of a node") {
  LocalTargetOptions options;
  options.devices.cpus_per_run = 2;
  LocalRuns runs(options);
  const auto end = runs.run(
      distributed(runs.script(0, "echo threads=$OMP_NUM_THREADS"), DistributionType::pytorch, 2));
  CHECK(end.exit_code == 0);
  CHECK(value_in(output_of(runs, 0, 0), "threads") == "1");
  CHECK(value_in(output_of(runs, 0, 1), "threads") == "1");
}

TEST_CASE("the next attempt finds the files of its processes new") {
  LocalRuns runs;
  auto request = distributed(
      runs.script(0,
                  "echo first $RANK; touch said-$RANK; while ! [ -e said-1 ]; do :; done; exit 1"),
      DistributionType::pytorch, 2);
  CHECK(runs.run(request).exit_code == 1);
  runs.exits.clear();
  request = distributed(runs.script(0, "echo second $RANK"), DistributionType::pytorch, 2);
  request.attempt = 2;
  CHECK(runs.run(request).exit_code == 0);
  CHECK(output_of(runs, 0, 1) == "second 1\n");
  CHECK(read(runs.run_directory(0) / "attempt-1/processes/1/stdout.log") == "first 1\n");
}

}  // namespace
}  // namespace hdrive::compute
