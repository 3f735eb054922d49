// SPDX-License-Identifier: Apache-2.0
//
// Only proof counts as gone: what cannot be looked at, or belongs to another directory, is neither started again
// nor ended.
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "compute/process_identity.h"
#include "tests/support/few_descriptors.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

ProcessSpace here() {
  const auto space = look_around();
  REQUIRE(space);
  return *space;
}

// Started by an engine that is not there any more.
RunRequest left_alone(LocalRuns& runs) {
  auto request = runs.script(0, "echo $$ > pid; log ready 1; exec sleep 1000");
  runs.start(request);
  runs.until_logged(0, "ready");
  runs.remake();
  return request;
}
pid_t program_of(const LocalRuns& runs) { return std::stoi(read(runs.directory() / "pid")); }

TEST_CASE("a run that cannot be looked at for want of descriptors is neither gone nor touched") {
  LocalRuns runs;
  const auto request = left_alone(runs);
  // With each descriptor more it gets further.
  bool attached = false;
  for (std::size_t left = 0; left < 12 && !attached; ++left) {
    const test::FewDescriptors none(left);
    const auto outcome = runs.local().attach(request);
    attached = static_cast<bool>(outcome);
    if (attached) {
      CHECK(left > 2);
      CHECK(*outcome == LocalTarget::Found::something);
    } else {
      CHECK(outcome.error().kind == Error::Kind::no_resources);
      CHECK_THAT(outcome.error().message(), Contains("Too many open files"));
    }
  }
  REQUIRE(attached);
  CHECK(alive(program_of(runs)));
  CHECK(fs::exists(runs.run_directory(0) / "supervisor.json"));
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal == SIGTERM);
}

TEST_CASE("a run of another PID namespace is not known, and what to do is said") {
  LocalRuns runs;
  const auto request = left_alone(runs);
  const auto record = supervisor_of(runs.run_directory(0));
  CHECK(record.pid_namespace == here().pid_namespace);
  CHECK(here().pid_namespace != 0);
  const auto found =
      find_supervisor(record, runs.run_directory(0), {here().boot_id, record.pid_namespace + 1});
  REQUIRE_FALSE(found);
  CHECK_THAT(found.error().message(),
             Contains("another PID namespace") && Contains("supervisor.json"));
  // Where a boot is over its namespaces are, too.
  CHECK(find_supervisor(record, runs.run_directory(0), {"another", record.pid_namespace + 1}));
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
}

TEST_CASE("a supervisor whose number is a thread's by now is gone") {
  LocalRuns runs;
  const auto request = left_alone(runs);
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  auto record = supervisor_of(runs.run_directory(0));
  std::atomic<pid_t> id{0};
  std::jthread thread([&](const std::stop_token& stop) {
    id = static_cast<pid_t>(::syscall(SYS_gettid));
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  while (id == 0) std::this_thread::yield();
  record.pid = id;
  const auto found = find_supervisor(record, runs.run_directory(0), here());
  REQUIRE(found);
  CHECK_FALSE(*found);
}

TEST_CASE("a run that has ended in a namespace that is gone is recorded as it ended") {
  LocalRuns runs;
  const auto request =
      runs.script(0, "log ready 1; while [ ! -e go ]; do sleep 0.01; done; exit 5");
  runs.start(request);
  runs.until_logged(0, "ready");
  runs.remake();  // its end is nobody's to take
  const fs::path directory = runs.run_directory(0);
  std::string text = read(directory / "supervisor.json");
  const std::string mine = std::to_string(here().pid_namespace);
  text.replace(text.find(mine), mine.size(), std::to_string(here().pid_namespace + 1));
  write(directory / "supervisor.json", text);
  CHECK_FALSE(runs.local().attach(request));
  write(runs.directory() / "go", "");
  REQUIRE(runs.wait_until([&] { return exit_of(directory).has_value(); }));
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  CHECK(runs.end_of(0).exit_code == 5);
}

TEST_CASE("the supervisor of a directory is not that of its copy") {
  LocalRuns runs;
  auto request = left_alone(runs);
  const fs::path original = runs.run_directory(0), copy = runs.directory() / "copy" / "runs" / "0";
  fs::create_directories(copy.parent_path());
  fs::copy(original, copy, fs::copy_options::recursive);
  request.directory = copy;
  const auto outcome = runs.local().attach(request);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().kind == Error::Kind::busy);
  CHECK_THAT(outcome.error().message(), Contains("copy") && Contains(original.string()));
  runs.target().cancel(0, CancelMode::kill);
  CHECK(alive(program_of(runs)));
  // The original goes on.
  request.directory = original;
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  runs.target().cancel(0, CancelMode::kill);
  CHECK(runs.end_of(0).signal == SIGKILL);
  // After that the copy is a sweep of its own, whose run was lost.
  request.directory = copy;
  runs.exits.clear();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  runs.loss_of(0);
}

TEST_CASE("a run whose directory was renamed is found in its new place") {
  LocalRuns runs;
  auto request = left_alone(runs);
  fs::rename(runs.directory() / "runs", runs.directory() / "moved");
  request.directory = runs.directory() / "moved" / "0";
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal == SIGTERM);
}

TEST_CASE("an attempt that began and was lost before anybody wrote that down has left a trace") {
  LocalRuns runs;
  const auto request = left_alone(runs);
  const auto record = supervisor_of(runs.run_directory(0));
  ::kill(static_cast<pid_t>(record.pid), SIGKILL);
  REQUIRE(runs.wait_until([&] { return !alive(static_cast<pid_t>(record.pid)); }));
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  CHECK(runs.loss_of(0).attempt == 1);
}

TEST_CASE("an end that cannot be read for want of descriptors is read when there are some") {
  LocalRuns runs;
  runs.start(runs.script(0, "log ready 1; while [ ! -e go ]; do sleep 0.01; done; exit 7"));
  runs.until_logged(0, "ready");
  write(runs.directory() / "go", "");
  REQUIRE(runs.wait_until(
      [&] { return exit_of(runs.run_directory(0)).has_value() || !runs.exits.empty(); }));
  if (runs.exits.empty()) {
    const test::FewDescriptors none;
    REQUIRE(runs.wait_until([&] { return !runs.notes.empty(); }));
    CHECK_THAT(runs.notes[0], Contains("it has ended") && Contains("Too many open files"));
    CHECK(runs.exits.empty());
    CHECK(runs.vanished.empty());
  }
  CHECK(runs.end_of(0).exit_code == 7);
}

TEST_CASE("an end that the program has written itself does not count, however soon it comes") {
  LocalRuns runs;
  const std::string forge =
      "echo '{\"version\": 1, \"attempt\": 1, \"exit_code\": 0}' > $HDRIVE_RUN_DIR/exit.json\n"
      "kill -9 $PPID; sleep 1000";
  runs.start(runs.script(0, "log ready 1; while [ ! -e go ]; do sleep 0.01; done\n" + forge));
  runs.until_logged(0, "ready");
  write(runs.directory() / "go", "");
  CHECK_THAT(runs.loss_of(0).note, Contains("killed by signal 9"));
  for (RunId run = 1; run < 10; ++run) {
    runs.start(runs.script(run, forge));
    CHECK_THAT(runs.loss_of(run).note, Contains("killed by signal 9"));
  }
}

TEST_CASE("many lost runs are looked for at once") {
  LocalRuns runs;
  constexpr RunId kRuns = 10;
  for (RunId run = 0; run < kRuns; ++run)
    runs.start(runs.script(run, "setsid sleep 1000 & log ready 1; wait"));
  for (RunId run = 0; run < kRuns; ++run) {
    runs.until_logged(run, "ready");
    ::kill(static_cast<pid_t>(supervisor_of(runs.run_directory(run)).pid), SIGKILL);
  }
  for (RunId run = 0; run < kRuns; ++run)
    CHECK_THAT(runs.loss_of(run).note, Contains("killed by signal 9"));
}

}  // namespace
}  // namespace hdrive::compute
