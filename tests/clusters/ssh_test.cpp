// SPDX-License-Identifier: Apache-2.0
//
// The ssh target with real servers.
#include <set>

#include "tests/clusters/ssh_servers.h"

namespace hdrive {
namespace {

using namespace clusters;

TEST_CASE("runs on two servers report, end and bring their files back") {
  Servers servers;
  // None ends before both hosts have theirs.
  const fs::path go = servers.path() / "go";
  for (RunId run = 0; run < 4; ++run)
    REQUIRE(servers.target->start(
        servers.request(run, "log 1; hostname > $HDRIVE_OUTPUTS_DIR/host; while ! [ -e " +
                                 go.string() + " ]; do sleep 0.05; done")));
  REQUIRE(servers.wait_until([&] { return servers.values().size() == 4; }));
  shell("touch " + go.string());
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 4; }));
  CHECK(servers.values() == std::vector<double>(4, 1));
  std::set<std::string> hosts;
  for (RunId run = 0; run < 4; ++run) {
    const auto text = base::read_file(servers.request(run, "").directory / "outputs/host");
    REQUIRE(text);
    hosts.insert(*text);
  }
  CHECK(hosts == std::set<std::string>{"h1\n", "h2\n"});
}

TEST_CASE("a network that is cut and mended loses nothing") {
  Servers servers;
  const fs::path go = servers.path() / "go", gone = servers.path() / "gone";
  REQUIRE(servers.target->start(
      servers.request(0, "log 1; while ! [ -e " + go.string() +
                             " ]; do sleep 0.05; done; log 2; log 3; : > " + gone.string())));
  REQUIRE(servers.wait_until([&] { return servers.values().size() == 1; }));
  shell("ip -n hdt-switch link set engine down");
  const bool noticed = servers.wait_until([&] { return servers.count<RunUnreachable>() == 1; });
  shell("touch " + go.string());
  const bool went_on = servers.wait_until([&] { return fs::exists(gone); });
  const auto before = servers.values();
  shell("ip -n hdt-switch link set engine up");
  CHECK(noticed);
  CHECK(went_on);
  CHECK(before == std::vector<double>{1});
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 1; }));
  CHECK(servers.values() == std::vector<double>{1, 2, 3});
  CHECK(servers.count<RunBegan>() == 1);
}

// The last one: h2 stays dead.
TEST_CASE("the runs of a host that died are waited for and started nowhere else") {
  Servers servers;
  const fs::path go = servers.path() / "go", marks = servers.path() / "marks";
  fs::create_directory(marks);
  constexpr int kRuns = 4;
  for (RunId run = 0; run < kRuns; ++run)
    REQUIRE(servers.target->start(servers.request(
        run, ": > " + marks.string() + "/" + std::to_string(run) +
                 "-$(hostname); log 1; while ! [ -e " + go.string() + " ]; do sleep 0.05; done")));
  REQUIRE(servers.wait_until([&] { return servers.values().size() == kRuns; }));
  shell("kill -KILL $(sed -n 2p $HDRIVE_SSH_FOLDER/pids)");
  REQUIRE(servers.wait_until([&] { return servers.count<RunUnreachable>() == 2; }));
  shell("touch " + go.string());
  REQUIRE(servers.wait_until([&] { return servers.count<RunExited>() == 2; }));
  CHECK(servers.count<RunVanished>() == 0);
  CHECK(servers.count<RunNotFound>() == 0);
  CHECK(std::distance(fs::directory_iterator(marks), fs::directory_iterator()) == kRuns);
}

}  // namespace
}  // namespace hdrive
