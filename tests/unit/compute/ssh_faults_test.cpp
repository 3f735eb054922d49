// SPDX-License-Identifier: Apache-2.0
//
// What hosts say arrives twice, late or in another order: nothing counts twice, and nothing is lost.
#include <map>

#include "tests/unit/compute/ssh_runs.h"

namespace hdrive::compute {
namespace {

// Runs on two hosts, whose links are cut at each step; and the engine that comes then.
void check_with(const char* distortion) {
  SshRuns runs(2, 2);
  runs.ssh.distort(distortion);
  const fs::path marks = runs.path() / "marks";
  fs::create_directory(marks);
  constexpr int kRuns = 4, kSteps = 3;
  std::vector<fs::path> gos;
  for (int i = 0; i < kSteps; ++i) gos.push_back(runs.path() / ("go" + std::to_string(i)));
  std::vector<RunRequest> requests;
  for (RunId run = 0; run < kRuns; ++run) {
    requests.push_back(runs.request(
        run, ": > " + marks.string() + "/" + std::to_string(run) + "-$$; log 1; " + until(gos[0]) +
                 "log 2; " + until(gos[1]) + "log 3; " + until(gos[2]) +
                 "log 4; echo kept > $HDRIVE_OUTPUTS_DIR/f; head -c 600000 /dev/zero > "
                 "$HDRIVE_OUTPUTS_DIR/large"));
    runs.start(requests.back());
  }
  std::map<RunId, std::vector<double>> values;
  std::map<RunId, std::string> cursors, handles;
  std::size_t seen = 0;
  const auto note = [&] {
    for (; seen < runs.events.size(); ++seen) {
      if (const auto* reported = std::get_if<RunReported>(&runs.events[seen])) {
        for (const Metric& metric : reported->metrics)
          values[reported->run].push_back(metric.value);
        cursors[reported->run] = reported->cursor;
      } else if (const auto* accepted = std::get_if<RunAccepted>(&runs.events[seen])) {
        CHECK_FALSE(handles.contains(accepted->run));
        handles[accepted->run] = accepted->handle;
      }
    }
  };
  const auto all_reported = [&](std::size_t reports) {
    note();
    std::size_t count = 0;
    for (const auto& [run, reported] : values) count += reported.size() >= reports ? 1 : 0;
    return count == kRuns;
  };
  for (std::size_t step = 0; step < kSteps; ++step) {
    REQUIRE(runs.wait_until([&] { return all_reported(step + 1); }));
    if (step == 1) {
      runs.remake();
      seen = 0;
      for (RunId run = 0; run < kRuns; ++run) runs.adopt(requests[run], handles[run], cursors[run]);
    } else {
      runs.ssh.cut();
    }
    write(gos[step], "");
  }
  REQUIRE(runs.ended(kRuns));
  note();
  CHECK(runs.count<RunExited>() == kRuns);
  CHECK(std::distance(fs::directory_iterator(marks), fs::directory_iterator()) == kRuns);
  for (RunId run = 0; run < kRuns; ++run) {
    INFO(distortion << ", run " << run);
    CHECK(values[run] == std::vector<double>{1, 2, 3, 4});
    CHECK(read(runs.directory(run) / "outputs/f") == "kept\n");
    CHECK(read(runs.directory(run) / "outputs/large") == std::string(600000, '\0'));
  }
}

TEST_CASE("answers that each arrive twice count once") { check_with("twice"); }

TEST_CASE("answers of connections that are gone are passed over") { check_with("late"); }

TEST_CASE("answers in another order break the connection, and the next one is asked") {
  check_with("swap");
}

TEST_CASE("a lease is granted once, however often it was asked for") {
  SshRuns runs;
  runs.ssh.distort("twice");
  runs.lose_after(std::chrono::milliseconds{1500}, seconds{3});
  RunRequest request = runs.request(0, "log 1; sleep 1000");
  request.cancel_grace = seconds{1};
  runs.start(request);
  REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
  runs.ssh.refuse("ssh: connect to host node1 port 22: No route to host");
  runs.ssh.cut();
  REQUIRE(runs.ended());
  CHECK(runs.count<RunVanished>() == 1);
  CHECK(exit_of(runs.there(0))->lease_over);
}

TEST_CASE("a run over two hosts whose answers each arrive twice, or late, is one run") {
  for (const char* distortion : {"twice", "late"}) {
    SshRuns runs(2, 1, 2);
    runs.ssh.distort(distortion);
    const fs::path go = runs.path() / "go";
    RunRequest request = runs.request(0, "log 1; " + until(go) + "log 2");
    request.resources.nodes = 2;
    request.distribution.type = DistributionType::pytorch;
    runs.start(request);
    REQUIRE(runs.wait_until([&] { return runs.values().size() == 1; }));
    runs.ssh.cut("node2");
    REQUIRE(runs.wait_until([&] { return runs.count<RunReachable>() == 1; }));
    write(go, "");
    REQUIRE(runs.ended());
    CHECK(runs.last<RunExited>().exit_code == 0);
    CHECK(runs.values() == std::vector<double>{1, 2});
    CHECK(runs.count<RunBegan>() == 1);
    CHECK(runs.count<RunAccepted>() == 1);
  }
}

}  // namespace
}  // namespace hdrive::compute
