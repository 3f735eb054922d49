// SPDX-License-Identifier: Apache-2.0
//
// Whatever a training program does with processes, nothing of it is left when its run has ended.
#include <fcntl.h>
#include <signal.h>

#include "compute/supervisor/protocol.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;

// The pids a script wrote, one a line.
std::vector<pid_t> pids_in(const std::filesystem::path& file) {
  std::vector<pid_t> pids;
  std::ifstream stream(file);
  for (pid_t pid = 0; stream >> pid;) pids.push_back(pid);
  return pids;
}

// So that no supervisor can say anything on them.
void fill_pipes() {
  for (int fd = 3; fd < 256; ++fd) {
    char text[64] = "";
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), text, sizeof text - 1) <= 0) continue;
    const int flags = ::fcntl(fd, F_GETFL);  // another's pipe might block
    const bool ours = (flags & O_ACCMODE) == O_WRONLY && (flags & O_NONBLOCK) != 0;
    if (!std::string(text).starts_with("pipe:") || !ours) continue;
    const protocol::Began nobody{-1, 0, 0, 0, 0};
    while (::write(fd, &nobody, sizeof nobody) > 0) {
    }
  }
}

bool none_alive(const std::vector<pid_t>& pids) {
  return std::none_of(pids.begin(), pids.end(), alive);
}

TEST_CASE("a child that was forked twice and detached is ended by a cancel") {
  LocalRuns runs;
  runs.start(
      runs.script(0,
                  "(setsid sh -c 'echo $$ > detached; exec sleep 1000' &) \n"
                  "while [ ! -s detached ]; do sleep 0.01; done; log ready 1; exec sleep 1000"));
  runs.until_logged(0, "ready");
  const auto pids = pids_in(runs.directory() / "detached");
  REQUIRE(pids.size() == 1);
  REQUIRE(alive(pids[0]));
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal == SIGTERM);
  CHECK(none_alive(pids));
}

TEST_CASE("processes that ignore SIGTERM are killed after the grace period") {
  LocalRuns runs;
  auto request = runs.script(0,
                             "trap '' TERM; (trap '' TERM; echo 1 > /dev/null; sleep 1000) & \n"
                             "echo $! > child; log ready 1; while :; do sleep 1000; done");
  request.cancel_grace = std::chrono::milliseconds{100};
  runs.start(request);
  runs.until_logged(0, "ready");
  const auto pids = pids_in(runs.directory() / "child");
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal == SIGKILL);
  CHECK(none_alive(pids));
}

TEST_CASE("a program may end in its own way on SIGTERM, within the grace period") {
  LocalRuns runs;
  runs.start(
      runs.script(0, "trap 'log saved 1; exit 5' TERM; log ready 1; while :; do sleep 0.01; done"));
  runs.until_logged(0, "ready");
  runs.target().cancel(0, CancelMode::graceful);
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).exit_code == 5);
  CHECK(runs.values(0).count("saved") == 1);
}

TEST_CASE("a frozen program is woken to see its SIGTERM") {
  LocalRuns runs;
  runs.start(runs.script(0, "log ready 1; kill -STOP $$; sleep 1000"));
  runs.until_logged(0, "ready");
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal == SIGTERM);
}

TEST_CASE("kill ends at once what was given a long grace period") {
  LocalRuns runs;
  runs.start(runs.script(0, "trap '' TERM; log ready 1; while :; do sleep 1000; done"));
  runs.until_logged(0, "ready");
  runs.target().cancel(0, CancelMode::graceful);
  runs.target().cancel(0, CancelMode::kill);
  CHECK(runs.end_of(0).signal == SIGKILL);
}

TEST_CASE("what a program leaves behind is ended and told") {
  LocalRuns runs;
  const auto end = runs.run(runs.script(0, "sleep 1000 & echo $! > child; exit 0"));
  CHECK(end.exit_code == 0);
  CHECK_THAT(end.note, Contains("a process it left running behind it was ended"));
  CHECK(none_alive(pids_in(runs.directory() / "child")));
}

TEST_CASE("what is left behind and ignores SIGTERM is killed") {
  LocalRuns runs;
  auto request =
      runs.script(0,
                  "sh -c 'trap \"\" TERM; echo $$ > child; while :; do sleep 1000; done' &\n"
                  "while [ ! -s child ]; do sleep 0.01; done; exit 3");
  request.cancel_grace = std::chrono::milliseconds{50};
  CHECK(runs.run(request).exit_code == 3);
  CHECK(none_alive(pids_in(runs.directory() / "child")));
}

TEST_CASE("a thousand children end with their run") {
  LocalRuns runs;
  auto request =
      runs.script(0,
                  "i=0; while [ $i -lt 1000 ]; do sleep 1000 & echo $!; i=$((i+1)); done "
                  "> children; log ready 1; wait");
  request.cancel_grace = std::chrono::milliseconds{500};
  runs.start(request);
  runs.until_logged(0, "ready");
  const auto pids = pids_in(runs.directory() / "children");
  REQUIRE(pids.size() == 1000);
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal);
  CHECK(none_alive(pids));
}

TEST_CASE("a program that forks without end is ended") {
  LocalRuns runs;
  auto request = runs.script(
      // Each process lives just long enough to start its successor, in a session of its own.
      0,
      "cat > hop <<'END'\n#!/bin/sh\necho $$ > hopper\nsetsid ./hop &\nEND\n"
      "chmod +x hop; setsid ./hop & log ready 1; sleep 1000");
  request.cancel_grace = std::chrono::milliseconds{50};
  runs.start(request);
  runs.until_logged(0, "ready");
  runs.target().cancel(0, CancelMode::graceful);
  runs.end_of(0);
  CHECK(none_alive(pids_in(runs.directory() / "hopper")));
}

TEST_CASE("a run whose supervisor is killed is lost, and nothing of it lives on") {
  LocalRuns runs;
  runs.start(
      runs.script(0, "setsid sleep 1000 & echo $! > child; echo $$ >> child; log ready 1; wait"));
  runs.until_logged(0, "ready");
  const auto pids = pids_in(runs.directory() / "child");
  ::kill(static_cast<pid_t>(supervisor_of(runs.run_directory(0)).pid), SIGKILL);
  REQUIRE(runs.wait_until([&] { return runs.vanished.count(0) == 1; }));
  CHECK_THAT(runs.vanished[0].note, Contains("killed by signal 9"));
  CHECK(runs.exits.empty());
  // They are killed by then; nobody waits for orphans, so they may take a moment to be gone.
  CHECK(runs.wait_until([&] { return none_alive(pids); }));
}

TEST_CASE("what a run has used of the processor and of memory is told with its end") {
  LocalRuns runs;
  const auto end = runs.run(runs.script(0, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"));
  REQUIRE(end.cpu_time);
  CHECK(*end.cpu_time > Duration{});
  CHECK(*end.cpu_time < std::chrono::minutes{1});
  REQUIRE(end.peak_memory);
  CHECK(*end.peak_memory > 100'000);
}

TEST_CASE("a run whose supervisor's word got lost is heard while it lives") {
  LocalRuns runs;
  fill_pipes();
  runs.start(runs.script(0, "log ready 1; exec sleep 1000"));
  runs.until_logged(0, "ready");
  CHECK(runs.began.at(0).pid > 1);
}

TEST_CASE("its supervisor ends a run that is over time when no engine does") {
  LocalRuns runs;
  auto request = runs.script(0, "sleep 1000");
  request.time_limit = std::chrono::milliseconds{1};
  request.cancel_grace = std::chrono::milliseconds{20};
  const auto end = runs.run(request);
  CHECK(end.over_time);
  CHECK(end.signal == SIGTERM);
  CHECK_THAT(end.note, Contains("time limit"));
}

// A mask as /proc/<pid>/status shows it, "SigIgn:\t0000000000001000". Without 32 and 33, which are the C
// library's own and out of everybody's reach.
std::uint64_t signals_in(const std::filesystem::path& file) {
  const std::string text = read(file);
  REQUIRE(text.size() > 8);
  return std::stoull(text.substr(8), nullptr, 16) & ~0x180000000ULL;
}

TEST_CASE("the engine's descriptors, signals and terminal are not a run's") {
  LocalRuns runs;
  std::vector<std::string> arguments = {"readlink"};
  for (int fd = 0; fd < 100; ++fd) arguments.push_back("/proc/self/fd/" + std::to_string(fd));
  runs.run(runs.request(1, arguments));
  const auto directory = runs.run_directory(1);
  CHECK(read(directory / "stdout.log") == "/dev/null\n" + (directory / "stdout.log").string() +
                                              "\n" + (directory / "stderr.log").string() + "\n");

  const auto end = runs.run(runs.script(
      0,
      "grep SigBlk /proc/self/status > blocked; grep SigIgn /proc/self/status > ignored\n"
      "cut -d' ' -f6,7 /proc/self/stat > session; cat"));
  CHECK(end.exit_code == 0);  // cat saw the end of its input
  CHECK(signals_in(runs.directory() / "blocked") == 0);
  CHECK(signals_in(runs.directory() / "ignored") == 0);
  CHECK_THAT(read(runs.directory() / "session"), Contains(" 0\n"));  // no terminal
}

}  // namespace
}  // namespace hdrive::compute
