// SPDX-License-Identifier: Apache-2.0
//
// Runs outlive the engine that started them; the next one finds them again.
#include <signal.h>

#include "compute/process_identity.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

std::string forged(const SupervisorRecord& record) {
  return "{\"version\": 1, \"attempt\": " + std::to_string(record.attempt) +
         ", \"pid\": " + std::to_string(record.pid) +
         ", \"start_time\": " + std::to_string(record.start_time) + ", \"boot_id\": \"" +
         record.boot_id + "\", \"program_pid\": " + std::to_string(record.program_pid) + "}\n";
}

TEST_CASE("a run that is alive is attached and goes on where it was read") {
  LocalRuns runs;
  auto request =
      runs.script(0, "log first 1; while [ ! -e go ]; do sleep 0.01; done; log second 2");
  runs.start(request);
  runs.until_logged(0, "first");
  const auto pid = runs.began.at(0).pid;
  request.position = runs.reports.back().position;
  runs.remake();
  CHECK(alive(static_cast<pid_t>(pid)));
  runs.reports.clear();
  runs.began.clear();
  REQUIRE(runs.attach(request) == AttachOutcome::attached);
  write(runs.directory() / "go", "");
  CHECK(runs.end_of(0).exit_code == 0);
  CHECK(runs.began.at(0).pid == pid);
  CHECK(runs.values(0) == std::map<std::string, double>{{"second", 2}});
}

TEST_CASE("a run that ended meanwhile tells the rest and how it ended") {
  LocalRuns runs;
  auto request =
      runs.script(0, "log first 1; while [ ! -e go ]; do sleep 0.01; done; log second 2; exit 4");
  runs.start(request);
  runs.until_logged(0, "first");
  request.position = runs.reports.back().position;
  runs.remake();
  write(runs.directory() / "go", "");
  REQUIRE(runs.wait_until([&] { return read_exit_record(runs.run_directory(0)).has_value(); }));
  runs.reports.clear();
  REQUIRE(runs.attach(request) == AttachOutcome::attached);
  CHECK(runs.end_of(0).exit_code == 4);
  CHECK(runs.values(0) == std::map<std::string, double>{{"second", 2}});
}

TEST_CASE("an attached run can be cancelled") {
  LocalRuns runs;
  const auto request = runs.script(0, "log ready 1; exec sleep 1000");
  runs.start(request);
  runs.until_logged(0, "ready");
  runs.remake();
  REQUIRE(runs.attach(request) == AttachOutcome::attached);
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal == SIGTERM);
}

TEST_CASE("a run without a trace is gone, and so is another attempt of it") {
  LocalRuns runs;
  auto request = runs.script(0, "exit 0");
  CHECK(runs.attach(request) == AttachOutcome::gone);
  runs.run(request);
  request.attempt = 2;
  CHECK(runs.attach(request) == AttachOutcome::gone);
}

TEST_CASE("a pid that was given to another process since is never touched") {
  LocalRuns runs;
  const auto request = runs.script(0, "exit 0");
  runs.run(request);
  std::filesystem::remove(runs.run_directory(0) / "exit.json");
  auto record = *read_supervisor_record(runs.run_directory(0));
  // This test's own process, which a wrong signal would end.
  record.pid = ::getpid();
  record.start_time = 1;
  write(runs.run_directory(0) / "supervisor.json", forged(record));
  CHECK(runs.attach(request) == AttachOutcome::gone);
  runs.target().cancel(0, CancelMode::kill);
}

TEST_CASE("a supervisor of an earlier boot is not alive") {
  LocalRuns runs;
  const auto request = runs.script(0, "log ready 1; exec sleep 1000");
  runs.start(request);
  runs.until_logged(0, "ready");
  auto record = *read_supervisor_record(runs.run_directory(0));
  CHECK(find_supervisor(record, boot_id()));
  CHECK_FALSE(find_supervisor(record, "another boot"));
  record.boot_id = "another boot";
  CHECK_FALSE(find_supervisor(record, boot_id()));
}

TEST_CASE("what a killed supervisor left alive is ended before its run is called gone") {
  LocalRuns runs;
  const auto request = runs.script(0, "setsid sleep 1000 & echo $! > child; log ready 1; wait");
  runs.start(request);
  runs.until_logged(0, "ready");
  const auto record = *read_supervisor_record(runs.run_directory(0));
  runs.remake();
  ::kill(static_cast<pid_t>(record.pid), SIGKILL);
  REQUIRE(runs.wait_until([&] { return !alive(static_cast<pid_t>(record.pid)); }));
  CHECK(runs.attach(request) == AttachOutcome::gone);
  CHECK_FALSE(alive(std::stoi(read(runs.directory() / "child"))));
}

}  // namespace
}  // namespace hdrive::compute
