// SPDX-License-Identifier: Apache-2.0
//
// Runs over two real servers at once: those of tests/clusters/ssh-up, each with a network address, a host name and
// processes of its own.
#include <algorithm>

#include "tests/clusters/ssh_servers.h"

namespace hdrive {
namespace {

using namespace clusters;
using Catch::Matchers::Contains;

RunRequest on_two_hosts(RunRequest request, std::int64_t processes = 2) {
  request.distribution.type = DistributionType::pytorch;
  request.resources.nodes = 2;
  request.resources.processes_per_node = processes;
  return request;
}

std::string said_by(const RunRequest& request, int rank) {
  const auto text = base::read_file(rank == 0 ? request.directory / "stdout.log"
                                              : request.directory / "processes" /
                                                    std::to_string(rank) / "stdout.log");
  return text ? *text : "";
}

std::string value_in(const std::string& said, const std::string& name) {
  const std::string marked = "\n" + said;
  const auto at = marked.find("\n" + name + "=");
  if (at == std::string::npos) return "(no " + name + ")";
  const auto begin = at + name.size() + 2;
  return marked.substr(begin, marked.find('\n', begin) - begin);
}

// Notes that it is there, has a child in a session of its own, and neither heeds SIGTERM; rank 0 reports when all are
// there.
std::string stubborn(const fs::path& folder) {
  const std::string file = (folder / "mark-").string();
  return "trap '' TERM; setsid sh -c 'while :; do sleep 1; done' " + mark_of(folder) + " & : > " +
         file + "$RANK; [ $RANK = 0 ] && { for r in 0 1 2 3; do while ! [ -e " + file +
         "$r ]; do sleep 0.05; done; done; log 1; }; while :; do sleep 1; done";
}

TEST_CASE("four processes on two hosts meet at the first one's address") {
  Servers servers(2);
  // Rank 0 listens where all were told to find it, and the others come there.
  const RunRequest request = on_two_hosts(servers.request(
      0,
      "env; echo host=$(hostname); exec python3 - <<'PY'\n"
      "import os, socket, time\n"
      "where = (os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT']))\n"
      "if os.environ['RANK'] == '0':\n"
      "    server = socket.create_server(where)\n"
      "    for _ in range(3):\n"
      "        print('came=' + server.accept()[0].recv(10).decode(), flush=True)\n"
      "    open(os.environ['HDRIVE_METRICS_FILE'], 'a').write('{\"name\": \"loss\", \"value\": "
      "7}\\n')\n"
      "else:\n"
      "    until = time.monotonic() + 60\n"
      "    while True:\n"
      "        try:\n"
      "            socket.create_connection(where, 1).sendall(os.environ['RANK'].encode())\n"
      "            break\n"
      "        except OSError:\n"
      "            assert time.monotonic() < until\n"
      "            time.sleep(0.05)  # tried too often it may happen upon its own port\n"
      "PY\n"));
  REQUIRE(servers.target->start(request));
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 1; }));
  INFO(servers.last<RunExited>().stderr_tail);
  CHECK(servers.last<RunExited>().exit_code == 0);
  CHECK(servers.values() == std::vector<double>{7});
  CHECK(servers.last<RunAccepted>().handle == "h1+h2");
  for (int rank = 0; rank < 4; ++rank) {
    const std::string said = said_by(request, rank);
    CHECK(value_in(said, "RANK") == std::to_string(rank));
    CHECK(value_in(said, "NODE_RANK") == std::to_string(rank / 2));
    CHECK(value_in(said, "WORLD_SIZE") == "4");
    CHECK(value_in(said, "host") == (rank < 2 ? "h1" : "h2"));
    CHECK(value_in(said, "MASTER_ADDR") == "10.77.0.11");
  }
  for (const char* rank : {"1", "2", "3"})
    CHECK_THAT(said_by(request, 0), Contains("came=" + std::string(rank)));
}

TEST_CASE("a process that fails on the second host ends those of the first") {
  Servers servers(2);
  const std::string pair = stubborn(servers.path());
  RunRequest request = on_two_hosts(servers.request(
      0, "[ $RANK = 3 ] && { : > " + (servers.path() / "mark-3").string() + "; while ! [ -e " +
             (servers.path() / "mark-0").string() +
             " ]; do sleep 0.05; done; echo lost my device >&2; exit 9; }; " + pair));
  request.cancel_grace = std::chrono::milliseconds{500};
  REQUIRE(servers.target->start(request));
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 1; }));
  CHECK(servers.last<RunExited>().exit_code == 9);
  CHECK_THAT(servers.last<RunExited>().stderr_tail,
             Contains("lost my device") && Contains("process 3 of 4 ended with exit code 9"));
  CHECK_FALSE(any_alive(mark_of(servers.path())));
}

TEST_CASE("a cancel ends what is in sessions of its own on both hosts") {
  Servers servers(2);
  RunRequest request = on_two_hosts(servers.request(0, stubborn(servers.path())));
  request.cancel_grace = std::chrono::milliseconds{500};
  REQUIRE(servers.target->start(request));
  REQUIRE(servers.wait_until([&] { return servers.values().size() == 1; }));
  CHECK(any_alive(mark_of(servers.path())));
  servers.target->cancel(0, CancelMode::graceful);
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 1; }));
  CHECK_FALSE(any_alive(mark_of(servers.path())));
}

TEST_CASE(
    "the link to the second host is cut and mended, the engine replaced, and the run is one run") {
  Servers servers(2);
  const fs::path go = servers.path() / "go";
  const RunRequest request = on_two_hosts(servers.request(
      0, "echo >> " + (servers.path() / "began-").string() + "$RANK; log 1; while ! [ -e " +
             go.string() + " ]; do sleep 0.05; done; log 2"));
  REQUIRE(servers.target->start(request));
  REQUIRE(servers.wait_until([&] { return servers.values().size() == 1; }));
  shell("ip -n hdt-switch link set h2 down");
  const bool noticed = servers.wait_until([&] { return servers.count<RunUnreachable>() == 1; });
  CHECK_THAT(servers.last<RunUnreachable>().why, Contains("h2"));
  const std::string cursor = servers.last<RunReported>().cursor,
                    handle = servers.last<RunAccepted>().handle;
  servers.replace_engine();
  RunRequest again = request;
  again.handle = handle;
  again.cursor = cursor;
  REQUIRE(servers.target->adopt(std::span(&again, 1)));
  shell("touch " + go.string());
  const bool went_on = servers.wait_until([&] { return servers.values().size() == 1; });
  CHECK(servers.count<RunExited>() == 0);
  shell("ip -n hdt-switch link set h2 up");
  CHECK(noticed);
  CHECK(went_on);
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 1; }));
  CHECK(servers.last<RunExited>().exit_code == 0);
  CHECK(servers.values() == std::vector<double>{2});
  for (int rank = 0; rank < 4; ++rank)
    CHECK(*base::read_file(servers.path() / ("began-" + std::to_string(rank))) == "\n");
}

TEST_CASE("a host that is lost ends the run on the other, and never lives beside its next attempt",
          "[slow]") {
  Servers servers(2, std::chrono::seconds{30});
  RunRequest request = on_two_hosts(servers.request(0, stubborn(servers.path())), 2);
  request.cancel_grace = std::chrono::milliseconds{500};
  REQUIRE(servers.target->start(request));
  REQUIRE(servers.wait_until([&] { return servers.values().size() == 1; }));
  shell("ip -n hdt-switch link set h2 down");
  const bool lost = servers.wait_until([&] { return servers.count<RunVanished>() == 1; },
                                       std::chrono::minutes{3});
  const bool alive = any_alive(mark_of(servers.path()));
  shell("ip -n hdt-switch link set h2 up");
  REQUIRE(lost);
  CHECK_FALSE(alive);
  CHECK_THAT(servers.last<RunVanished>().note, Contains("h2") && Contains("lost_after"));
}

}  // namespace
}  // namespace hdrive
