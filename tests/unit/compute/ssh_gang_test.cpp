// SPDX-License-Identifier: Apache-2.0
//
// Runs over several hosts, each of which is this machine behind an `ssh` of ours. tests/clusters has real servers.
#include <fcntl.h>

#include <algorithm>
#include <map>

#include "compute/remote/gang_record.h"
#include "compute/remote/host_address.h"
#include "tests/unit/compute/ssh_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;
using std::chrono::milliseconds;

RunRequest over(RunRequest request, std::int64_t nodes, std::int64_t processes,
                DistributionType type = DistributionType::pytorch) {
  request.resources.nodes = nodes;
  request.resources.processes_per_node = processes;
  request.distribution.type = type;
  return request;
}

std::string said_by(const SshRuns& runs, RunId run, int rank) {
  return read(rank == 0 ? runs.directory(run) / "stdout.log"
                        : runs.directory(run) / "processes" / std::to_string(rank) / "stdout.log");
}

std::string value_of(const std::string& text, const std::string& name) {
  const std::string marked = "\n" + text;
  const auto at = marked.find("\n" + name + "=");
  if (at == std::string::npos) return "(no " + name + ")";
  const auto begin = at + name.size() + 2;
  return marked.substr(begin, marked.find('\n', begin) - begin);
}

std::vector<pid_t> pids_in(const fs::path& folder) {
  std::vector<pid_t> pids;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::istringstream numbers(read(entry.path()));
    for (pid_t pid = 0; numbers >> pid;) pids.push_back(pid);
  }
  return pids;
}
bool any_of_them_lives(const fs::path& folder) {
  const auto pids = pids_in(folder);
  return std::any_of(pids.begin(), pids.end(), [](pid_t pid) { return alive(pid); });
}

// Each process notes itself and a child in a session of its own, and heeds no SIGTERM; rank 0 reports when all have.
std::string stubborn(const fs::path& pids, int processes) {
  return "trap '' TERM; setsid sleep 1000 & echo $$ $! > " + (pids / "pid-").string() +
         "$RANK; [ $RANK = 0 ] && { for r in $(seq 0 " + std::to_string(processes - 1) +
         "); do while ! [ -s " + (pids / "pid-").string() +
         "$r ]; do sleep 0.02; done; done; log 1; }; while :; do sleep 1; done";
}

fs::path folder_in(const SshRuns& runs, const char* name) {
  const fs::path folder = runs.path() / name;
  fs::create_directory(folder);
  return folder;
}

TEST_CASE("the processes on two hosts are told who they are and where the first one is") {
  SshRuns runs(2, 1, 2);
  runs.start(
      over(runs.request(0, "env; log $RANK; echo $RANK > $HDRIVE_OUTPUTS_DIR/rank-$RANK"), 2, 2));
  REQUIRE(runs.ended());
  INFO(runs.last<RunExited>().stderr_tail);
  CHECK(runs.last<RunExited>().exit_code == 0);
  CHECK(runs.last<RunAccepted>().handle == "node1+node2");
  CHECK(runs.count<RunBegan>() == 1);
  CHECK(runs.values() == std::vector<double>{0});
  const std::string port = value_of(said_by(runs, 0, 0), "MASTER_PORT");
  CHECK(std::stoi(port) > 1023);
  for (int rank = 0; rank < 4; ++rank) {
    const std::string said = said_by(runs, 0, rank);
    CHECK(value_of(said, "RANK") == std::to_string(rank));
    CHECK(value_of(said, "LOCAL_RANK") == std::to_string(rank % 2));
    CHECK(value_of(said, "NODE_RANK") == std::to_string(rank / 2));
    CHECK(value_of(said, "WORLD_SIZE") == "4");
    CHECK(value_of(said, "LOCAL_WORLD_SIZE") == "2");
    CHECK(value_of(said, "MASTER_ADDR") == remote::address_by(""));
    CHECK(value_of(said, "MASTER_PORT") == port);
  }
  // What the first host's processes made is the run's, what the others' did is beside it.
  CHECK(read(runs.directory(0) / "outputs/rank-1") == "1\n");
  CHECK(read(runs.directory(0) / "nodes/1/outputs/rank-3") == "3\n");
  CHECK_FALSE(fs::exists(runs.directory(0) / "outputs/rank-3"));
  CHECK(exit_of(runs.directory(0))->exit_code == 0);
  CHECK(runs.wait_until(
      [&] { return !fs::exists(runs.there(0)) && !fs::exists(runs.there(0, "node2")); }));
}

TEST_CASE(
    "a process that fails on one host ends those of the other, and the run says which it was") {
  SshRuns runs(2, 1, 2);
  const fs::path pids = folder_in(runs, "pids");
  RunRequest request =
      over(runs.request(0, "[ $RANK = 1 ] && { while ! [ -s " + (pids / "pid-0").string() +
                               " ]; do sleep 0.02; done; echo lost my device >&2; exit 9; }; " +
                               stubborn(pids, 1)),
           2, 1);
  request.cancel_grace = milliseconds{200};
  runs.start(request);
  REQUIRE(runs.ended());
  CHECK(runs.last<RunExited>().exit_code == 9);
  CHECK_THAT(runs.last<RunExited>().stderr_tail,
             Contains("lost my device") && Contains("process 1 of 2 ended with exit code 9"));
  CHECK_FALSE(any_of_them_lives(pids));
  // What is read of it later is what was told.
  CHECK(exit_of(runs.directory(0))->exit_code == 9);
  CHECK_THAT(read(runs.directory(0) / "stderr.log"),
             Contains("hdrive: on node2:\n") && Contains("lost my device"));
}

TEST_CASE("a cancel ends the processes of all hosts, and what they left behind") {
  SshRuns runs(2, 1, 2);
  const fs::path pids = folder_in(runs, "pids");
  RunRequest request = over(runs.request(0, stubborn(pids, 4)), 2, 2);
  request.cancel_grace = milliseconds{200};
  runs.start(request);
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  CHECK(pids_in(pids).size() == 8);
  runs.target().cancel(0, CancelMode::graceful);
  REQUIRE(runs.ended());
  CHECK(runs.count<RunExited>() == 1);
  CHECK(exit_of(runs.directory(0))->canceled);
  CHECK_FALSE(any_of_them_lives(pids));
}

TEST_CASE("a run takes a slot of each of its hosts at once, and the next one waits for as many") {
  SshRuns runs(3, 1, 2);
  const fs::path go = runs.path() / "go";
  runs.start(over(runs.request(0, until(go)), 2, 1));
  REQUIRE(runs.wait_until([&] { return runs.count<RunBegan>() == 1; }));
  CHECK(runs.target().capacity()->runs == 1);
  // The third host may still be about to say that it is there.
  const auto second = runs.target().start(over(runs.request(1, "exit 0"), 2, 1));
  REQUIRE(runs.wait_until([&] { return !second || runs.count<RunDeferred>() == 1; }));
  const Error why = second ? runs.last<RunDeferred>().why : second.error();
  CHECK(why.kind == Error::Kind::busy);
  CHECK_THAT(why.message(), Contains("each of 2 hosts") && Contains(" has 1"));
  write(go, "");
  REQUIRE(runs.ended());
  runs.start(over(runs.request(1, "exit 0"), 2, 1));
  REQUIRE(runs.ended(2));
}

TEST_CASE("where a host refuses its part nothing of the run has run on the others") {
  SshRuns runs(2, 1, 2);
  const fs::path marks = folder_in(runs, "marks");
  const RunRequest request =
      over(runs.request(0, ": > " + (marks / "rank-").string() + "$RANK"), 2, 1);
  fs::create_directories(runs.there(0, "node2").parent_path());
  write(runs.there(0, "node2"), "in the way");
  runs.start(request);
  REQUIRE(
      runs.wait_until([&] { return runs.count<RunDeferred>() + runs.count<RunExited>() == 1; }));
  CHECK(runs.count<RunBegan>() == 0);
  CHECK(fs::is_empty(marks));
  CHECK(runs.wait_until([&] { return !fs::exists(runs.there(0)); }));
  CHECK(read(runs.there(0, "node2")) == "in the way");
  fs::remove(runs.there(0, "node2"));
  runs.start(request);
  REQUIRE(runs.wait_until([&] { return runs.count<RunBegan>() == 1; }));
  REQUIRE(runs.wait_until([&] {
    return pids_in(marks).empty() && std::distance(fs::directory_iterator(marks), {}) == 2;
  }));
}

TEST_CASE("a link to one host that is cut and mended loses nothing of the run") {
  SshRuns runs(2, 1, 2);
  const fs::path go = runs.path() / "go";
  runs.start(over(runs.request(0, "log 1; " + until(go) + "log 2; log 3"), 2, 1));
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  runs.ssh.refuse("ssh: connect to host node2 port 22: No route to host", "node2");
  runs.ssh.cut("node2");
  REQUIRE(runs.wait_until([&] { return runs.count<RunUnreachable>() == 1; }));
  CHECK_THAT(runs.last<RunUnreachable>().why, Contains("node2"));
  write(go, "");
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 3; }));
  // The first host's part has ended by then, and the run has not.
  REQUIRE(runs.wait_until([&] { return exit_of(runs.directory(0)).has_value(); }));
  CHECK(runs.count<RunExited>() == 0);
  runs.ssh.refuse("", "node2");
  REQUIRE(runs.ended());
  CHECK(runs.last<RunExited>().exit_code == 0);
  CHECK(runs.values() == std::vector<double>{1, 2, 3});
  CHECK(runs.count<RunBegan>() == 1);
  CHECK(runs.count<RunReachable>() == 1);
}

TEST_CASE(
    "a run whose one host is lost ends on the other, and nothing of it is alive when that is "
    "told") {
  SshRuns runs(2, 1, 2);
  // As long as a host may be busy with other things: the next attempt is not to be lost.
  runs.lose_after(seconds{5}, seconds{3});
  const fs::path pids = folder_in(runs, "pids");
  RunRequest request = over(runs.request(0, stubborn(pids, 2)), 2, 1);
  request.cancel_grace = seconds{1};
  runs.start(request);
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  runs.ssh.refuse("ssh: connect to host node2 port 22: No route to host", "node2");
  runs.ssh.cut("node2");
  REQUIRE(runs.ended());
  CHECK(runs.count<RunVanished>() == 1);
  CHECK_THAT(runs.last<RunVanished>().note, Contains("node2") && Contains("lost_after"));
  CHECK_FALSE(any_of_them_lives(pids));
  // The next attempt waits for the host that is missing.
  RunRequest again = over(runs.request(0, "log 2"), 2, 1);
  again.attempt = 2;
  CHECK_FALSE(runs.target().start(again));
  runs.ssh.refuse("", "node2");
  bool taken = false;
  REQUIRE(runs.wait_until([&] {
    if (!taken) taken = static_cast<bool>(runs.target().start(again));
    return runs.count<RunExited>() == 1;
  }));
  CHECK(runs.last<RunExited>().exit_code == 0);
  CHECK(runs.values() == std::vector<double>{1, 2});
}

// The engine dies after so many looks, wherever the run is by then; the next one knows what was told.
TEST_CASE("an engine that dies at any step of a run over two hosts starts no process of it twice") {
  constexpr int kSteps = 16;
  int found = 0, again = 0;
  for (int step = 0; step < kSteps; ++step) {
    SshRuns runs(2, 1, 2);
    const fs::path marks = folder_in(runs, "marks"), go = runs.path() / "go";
    const RunRequest request = over(runs.request(0, "log 1; echo >> " + (marks / "rank-").string() +
                                                        "$RANK; " + until(go) + "log 2"),
                                    2, 1);
    runs.start(request);
    for (int look = 0; look < step; ++look) {
      runs.target().wait(runs.now() + milliseconds{50}, {}, runs.events);
    }
    const std::string handle = runs.count<RunAccepted>() > 0 ? runs.last<RunAccepted>().handle : "";
    const std::string cursor = runs.count<RunReported>() > 0 ? runs.last<RunReported>().cursor : "";
    const auto before = runs.values();
    runs.remake();
    runs.adopt(request, handle, cursor);
    write(go, "");
    REQUIRE(
        runs.wait_until([&] { return runs.count<RunNotFound>() + runs.count<RunExited>() > 0; }));
    INFO("step " << step << ", handle " << handle);
    if (runs.count<RunExited>() == 1) {
      ++found;
      CHECK(runs.last<RunExited>().exit_code == 0);
      auto values = before;
      for (const double value : runs.values()) values.push_back(value);
      CHECK(values == std::vector<double>{1, 2});
      CHECK(read(marks / "rank-0") == "\n");
      CHECK(read(marks / "rank-1") == "\n");
    } else {
      ++again;
      CHECK(handle.empty());
      CHECK(fs::is_empty(marks));
      // Nothing is left, and if something is, what.
      std::string left;
      if (fs::exists(runs.directory(0)))
        for (const auto& each : fs::recursive_directory_iterator(runs.directory(0)))
          left += each.path().string() + "\n";
      CHECK(left == "");
      CHECK_FALSE(fs::exists(runs.directory(0)));
    }
  }
  CHECK(found > 0);
  CHECK(again > 0);
}

TEST_CASE("a run over several hosts whose hosts are no more the target's is not given up") {
  SshRuns runs(2, 1, 2);
  RunRequest request = over(runs.request(0, "exit 0"), 2, 1);
  request.handle = "node1+node7";
  const auto adopted = runs.target().adopt(std::span(&request, 1));
  REQUIRE_FALSE(adopted);
  CHECK_THAT(adopted.error().message(), Contains("node7") && Contains("name it again"));
}

TEST_CASE("parameter servers on one host serve until the workers on another have ended") {
  SshRuns runs(2, 1, 2);
  RunRequest request = over(runs.request(0,
                                         "case $TF_CONFIG in *'\"type\": \"ps\"'*) exec sleep "
                                         "1000;; esac; echo config=$TF_CONFIG"),
                            2, 1, DistributionType::tensorflow);
  request.distribution.workers = 1;
  request.distribution.parameter_servers = 1;
  runs.start(request);
  REQUIRE(runs.ended());
  INFO(runs.last<RunExited>().stderr_tail);
  CHECK(runs.last<RunExited>().exit_code == 0);
  const std::string config = value_of(said_by(runs, 0, 0), "config"), here = remote::address_by("");
  CHECK_THAT(config,
             Contains("\"worker\": [\"" + here + ":") && Contains("\"ps\": [\"" + here + ":"));
}

TEST_CASE("metrics of all are those of all hosts, each once, also for the next engine") {
  SshRuns runs(2, 1, 2);
  const fs::path go = runs.path() / "go";
  RunRequest request = over(runs.request(0, "log $RANK; " + until(go) + "log 1$RANK"), 2, 1);
  request.distribution.metrics_of_all = true;
  runs.start(request);
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 2; }));
  auto values = runs.values();
  const std::string cursor = runs.last<RunReported>().cursor,
                    handle = runs.last<RunAccepted>().handle;
  runs.remake();
  runs.adopt(request, handle, cursor);
  write(go, "");
  REQUIRE(runs.ended());
  for (const double value : runs.values()) values.push_back(value);
  std::sort(values.begin(), values.end());
  CHECK(values == std::vector<double>{0, 1, 10, 11});
}

TEST_CASE("the next attempt finds the checkpoints of rank 0 on all hosts") {
  SshRuns runs(2, 1, 2);
  const std::string mark = (runs.path() / "mark-").string();
  runs.start(over(runs.request(0, "echo $RANK > $HDRIVE_CHECKPOINT_DIR/of-$RANK; : > " + mark +
                                      "$RANK; " + until(mark + "0") + until(mark + "1") + "exit 3"),
                  2, 1));
  REQUIRE(runs.ended());
  CHECK(runs.last<RunExited>().exit_code == 3);
  RunRequest again = over(
      runs.request(0, "cat $HDRIVE_CHECKPOINT_DIR/of-0 $HDRIVE_CHECKPOINT_DIR/of-$RANK"), 2, 1);
  again.attempt = 2;
  runs.start(again);
  REQUIRE(runs.ended(2));
  CHECK(said_by(runs, 0, 0) == "0\n0\n");
  CHECK(said_by(runs, 0, 1) == "0\n1\n");
}

TEST_CASE("as many runs fit as find a slot on different hosts") {
  CHECK(runs_over_hosts({2, 2}, 2) == 2);
  CHECK(runs_over_hosts({1, 5}, 2) == 1);
  CHECK(runs_over_hosts({2, 2, 2}, 2) == 3);
  CHECK(runs_over_hosts({4, 1, 1}, 2) == 2);
  CHECK(runs_over_hosts({4, 4, 4}, 1) == 12);
  CHECK(runs_over_hosts({3}, 2) == 0);
}

TEST_CASE("what keeps runs from several hosts is told with what is allowed") {
  SshOptions options;
  options.hosts = {{.host = "a"}, {.host = "b"}};
  CHECK_FALSE(fault_of_nodes(options, 2, DistributionType::pytorch));
  CHECK_THAT(*fault_of_nodes(options, 3, DistributionType::pytorch),
             Contains("3 nodes, and there are 2 hosts") && Contains("allowed"));
  CHECK_THAT(*fault_of_nodes(options, 2, DistributionType::none), Contains("write distribution"));
  CHECK_THAT(*fault_of_nodes(options, 2, DistributionType::mpi),
             Contains("mpirun") && Contains("pytorch") && Contains("slurm"));
  CHECK_FALSE(make_ssh_target(options, {}, std::make_shared<RealClock>(), 3));
}

TEST_CASE("a host's address is that by which ssh reached it, or its name") {
  CHECK(remote::address_by("10.0.0.1 51000 10.0.0.7 22") == "10.0.0.7");
  CHECK(remote::address_by("fd00::1 51000 fd00::7 22") == "fd00::7");
  CHECK(remote::address_by("::ffff:10.0.0.1 51000 ::ffff:10.0.0.7 22") == "10.0.0.7");
  const std::string name = remote::address_by("");
  CHECK_FALSE(name.empty());
  CHECK(remote::address_by("127.0.0.1 51000 127.0.0.1 2201") == name);
}

TEST_CASE("where the parts of a run are is written down and read again") {
  TemporaryDirectory folder;
  const fs::path run = folder.path() / "7";
  CHECK_FALSE(*remote::read_gang_record(run));
  REQUIRE(remote::write_gang_record(run, {3, {"h1", "h2:2201"}}));
  const auto record = remote::read_gang_record(run);
  REQUIRE(record);
  REQUIRE(*record);
  CHECK((*record)->attempt == 3);
  CHECK((*record)->hosts == std::vector<std::string>{"h1", "h2:2201"});
  CHECK(remote::hosts_in("h1+h2:2201") == (*record)->hosts);
  CHECK(remote::gang_cursor({"1 2", "", "3 4"}) == "1 2||3 4");
  CHECK(remote::cursor_of_node("1 2||3 4", 2) == "3 4");
  CHECK(remote::cursor_of_node("1 2", 1).empty());
}

}  // namespace
}  // namespace hdrive::compute
