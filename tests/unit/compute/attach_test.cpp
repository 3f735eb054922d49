// SPDX-License-Identifier: Apache-2.0
//
// Runs outlive the engine that started them; the next one finds them again.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <thread>

#include "compute/launcher.h"
#include "compute/process_identity.h"
#include "compute/supervisor/protocol.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;

ProcessSpace here() {
  const auto space = look_around();
  REQUIRE(space);
  return *space;
}

std::string forged(const SupervisorRecord& record) {
  return "{\"version\": 1, \"attempt\": " + std::to_string(record.attempt) +
         ", \"pid\": " + std::to_string(record.pid) +
         ", \"start_time\": " + std::to_string(record.start_time) + ", \"boot_id\": \"" +
         record.boot_id + "\", \"program_pid\": " + std::to_string(record.program_pid) + "}\n";
}

// A process that shows as the supervisor of the run in this directory, and does nothing.
class Supervisor {
 public:
  explicit Supervisor(const std::filesystem::path& directory) {
    std::string name = protocol::kSupervisorName, time = "1000";
    std::string place = "HDRIVE_RUN_DIR=" + directory.native();
    char* arguments[] = {name.data(), time.data(), nullptr};
    char* environment[] = {place.data(), nullptr};
    REQUIRE(::posix_spawn(&pid_, "/bin/sleep", nullptr, nullptr, arguments, environment) == 0);
    // The kernel lets this process go on a moment before it shows the other's environment.
    const std::string shown = "/proc/" + std::to_string(pid_) + "/environ";
    while (read(shown).find(place) == std::string::npos) std::this_thread::yield();
  }
  ~Supervisor() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

 private:
  pid_t pid_ = 0;
};

TEST_CASE("a run that is alive is attached and goes on where it was read") {
  LocalRuns runs;
  auto request =
      runs.script(0, "log first 1; while [ ! -e go ]; do sleep 0.01; done; log second 2");
  runs.start(request);
  runs.until_logged(0, "first");
  const auto pid = runs.began.at(0).pid;
  request.cursor = runs.reports.back().cursor;
  runs.remake();
  CHECK(alive(static_cast<pid_t>(pid)));
  runs.reports.clear();
  runs.began.clear();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  write(runs.directory() / "go", "");
  CHECK(runs.end_of(0).exit_code == 0);
  CHECK(runs.began.at(0).pid == pid);
  CHECK(runs.values(0) == std::map<std::string, double>{{"second", 2}});
}

TEST_CASE(
    "a run that is attached tells how long it has been running, by no clock that can be set") {
  LocalRuns runs;
  const auto uptime = [] { return std::chrono::duration<double>(std::stod(read("/proc/uptime"))); };
  const auto request = runs.script(0, "log ready 1; exec sleep 1000");
  const auto before = uptime();
  runs.start(request);
  runs.until_logged(0, "ready");
  const auto after = uptime();
  REQUIRE(runs.began.at(0).ran);
  CHECK(*runs.began.at(0).ran <= after - before + std::chrono::milliseconds{20});
  runs.set_clock_ahead(std::chrono::hours{24 * 365});
  runs.remake();
  runs.began.clear();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  const auto attached = uptime();
  REQUIRE(runs.wait_until([&] { return runs.began.count(0) > 0; }));
  REQUIRE(runs.began.at(0).ran);
  constexpr std::chrono::milliseconds kTicks{20};  // both counts go in hundredths of a second
  CHECK(*runs.began.at(0).ran >= attached - after - kTicks);
  CHECK(*runs.began.at(0).ran <= uptime() - before + kTicks);
}

TEST_CASE("a run that ended meanwhile tells the rest and how it ended") {
  LocalRuns runs;
  auto request =
      runs.script(0, "log first 1; while [ ! -e go ]; do sleep 0.01; done; log second 2; exit 4");
  runs.start(request);
  runs.until_logged(0, "first");
  request.cursor = runs.reports.back().cursor;
  runs.remake();
  write(runs.directory() / "go", "");
  REQUIRE(runs.wait_until([&] { return exit_of(runs.run_directory(0)).has_value(); }));
  runs.reports.clear();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  CHECK(runs.end_of(0).exit_code == 4);
  CHECK(runs.values(0) == std::map<std::string, double>{{"second", 2}});
}

TEST_CASE("an attached run can be cancelled") {
  LocalRuns runs;
  const auto request = runs.script(0, "log ready 1; exec sleep 1000");
  runs.start(request);
  runs.until_logged(0, "ready");
  runs.remake();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal == SIGTERM);
}

TEST_CASE("a run without a trace is gone, and so is another attempt of it") {
  LocalRuns runs;
  auto request = runs.script(0, "exit 0");
  CHECK(runs.attach(request) == LocalTarget::Found::nothing);
  runs.run(request);
  request.attempt = 2;
  CHECK(runs.attach(request) == LocalTarget::Found::nothing);
}

TEST_CASE("a supervisor that could not begin before its engine died is no attempt") {
  LocalRuns runs;
  const auto request = runs.script(0, "exit 0");
  const auto directory = runs.run_directory(0);
  std::filesystem::create_directories(directory);
  write(directory / ".start-1-1", "");
  Supervisor supervisor(directory);
  SECTION("it starts nothing any more, so the attempt is there to be started") {
    CHECK(runs.attach(request) == LocalTarget::Found::nothing);
    CHECK_FALSE(std::filesystem::exists(directory / ".start-1-1"));
  }
  SECTION("where it has begun to, the attempt may have run, and is lost") {
    write(directory / "stderr.log", "");
    REQUIRE(runs.attach(request) == LocalTarget::Found::something);
    runs.loss_of(0);
  }
}

TEST_CASE("a pid that was given to another process since is never touched") {
  LocalRuns runs;
  const auto request = runs.script(0, "exit 0");
  runs.run(request);
  std::filesystem::remove(runs.run_directory(0) / "exit.json");
  SupervisorRecord record;
  record.attempt = 1;
  record.boot_id = here().boot_id;
  record.pid_namespace = here().pid_namespace;
  // This test's own process, which a wrong signal would end.
  record.pid = ::getpid();
  record.start_time = 1;
  write(runs.run_directory(0) / "supervisor.json", forged(record));
  runs.exits.clear();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  runs.target().cancel(0, CancelMode::kill);
  CHECK_THAT(runs.loss_of(0).note, Contains("supervisor is gone"));
}

TEST_CASE("a supervisor of an earlier boot is not alive") {
  LocalRuns runs;
  const auto request = runs.script(0, "log ready 1; exec sleep 1000");
  runs.start(request);
  runs.until_logged(0, "ready");
  auto record = supervisor_of(runs.run_directory(0));
  const auto is_found = [&](const ProcessSpace& space) {
    const auto found = find_supervisor(record, runs.run_directory(0), space);
    REQUIRE(found);
    return static_cast<bool>(*found);
  };
  CHECK(is_found(here()));
  CHECK_FALSE(is_found({"another boot", here().pid_namespace}));
  record.boot_id = "another boot";
  CHECK_FALSE(is_found(here()));
}

TEST_CASE(
    "a run that an engine was about to start when it died is not started by its late supervisor") {
  LocalRuns runs;
  const auto request = runs.script(0, "echo ran > ran");
  const std::filesystem::path directory = runs.run_directory(0);
  // What `start` does, up to the moment at which the engine dies.
  SpareDirectories spares;
  REQUIRE(prepare_run_directory(request, false, ".start-1-1", spares));
  REQUIRE(std::filesystem::exists(directory / ".start-1-1"));
  CHECK(runs.attach(request) == LocalTarget::Found::nothing);
  CHECK_FALSE(std::filesystem::exists(directory / ".start-1-1"));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  Launcher launcher;
  const auto late =
      launcher.start({"hdrive-run", "0", directory.string(), "1", here().boot_id, "", "0", "0", "0",
                      "0", "0", "0", "", "", ".start-1-1", "", "/bin/sh", "-c", "echo ran > ran"},
                     {}, ends[1], runs.directory());
  REQUIRE(late);
  int status = 0;
  REQUIRE(::waitpid(*late, &status, 0) == *late);
  CHECK(WEXITSTATUS(status) == 67);
  CHECK_FALSE(std::filesystem::exists(directory / "ran"));
  CHECK_FALSE(std::filesystem::exists(directory / "supervisor.json"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a run is found from before its program runs, and tells its pid when there is one") {
  LocalRuns runs;
  const auto request = runs.script(0, "log ready 1; exec sleep 1000");
  runs.start(request);
  runs.until_logged(0, "ready");
  auto record = supervisor_of(runs.run_directory(0));
  const auto program = record.program_pid;
  record.program_pid = 0;
  write(runs.run_directory(0) / "supervisor.json", forged(record));
  runs.remake();
  runs.reports.clear();
  runs.began.clear();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  record.program_pid = program;
  write(runs.run_directory(0) / "supervisor.json", forged(record));
  runs.until_logged(0, "ready");
  CHECK(runs.began.at(0).pid == program);
}

TEST_CASE("a supervisor that somebody stopped is woken") {
  LocalRuns runs;
  runs.start(runs.script(0, "log ready 1; while [ ! -e go ]; do sleep 0.01; done"));
  runs.until_logged(0, "ready");
  const auto supervisor = static_cast<pid_t>(supervisor_of(runs.run_directory(0)).pid);
  ::kill(supervisor, SIGSTOP);
  REQUIRE(runs.wait_until([&] { return is_stopped(supervisor); }));
  write(runs.directory() / "go", "");
  CHECK(runs.end_of(0).exit_code == 0);
}

TEST_CASE("a supervisor that somebody stopped hears a cancel at once") {
  LocalRuns runs;
  runs.start(runs.script(0, "log ready 1; exec sleep 1000"));
  runs.until_logged(0, "ready");
  ::kill(static_cast<pid_t>(supervisor_of(runs.run_directory(0)).pid), SIGSTOP);
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal == SIGTERM);
}

TEST_CASE("a line half written when the engine died counts when it is whole, once") {
  LocalRuns runs;
  auto request =
      runs.script(0,
                  "log first 1; echo 'no metric' >> $HDRIVE_METRICS_FILE; \n"
                  "printf '{\"name\": \"half\",' >> $HDRIVE_METRICS_FILE; echo > half; \n"
                  "while [ ! -e go ]; do sleep 0.01; done; \n"
                  "printf '\"value\": 2}\\n' >> $HDRIVE_METRICS_FILE");
  runs.start(request);
  REQUIRE(runs.wait_until([&] {
    return std::filesystem::exists(runs.directory() / "half") && runs.notes.size() == 1;
  }));
  CHECK(runs.values(0) == std::map<std::string, double>{{"first", 1}});
  request.cursor = runs.reports.back().cursor;
  runs.remake();
  runs.reports.clear();
  runs.notes.clear();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  write(runs.directory() / "go", "");
  runs.end_of(0);
  CHECK(runs.values(0) == std::map<std::string, double>{{"half", 2}});
  CHECK(runs.notes.empty());  // the useless line was told once
}

TEST_CASE("what a killed supervisor left alive is ended before its run is called gone") {
  LocalRuns runs;
  const auto request = runs.script(0, "setsid sleep 1000 & echo $! > child; log ready 1; wait");
  runs.start(request);
  runs.until_logged(0, "ready");
  const auto record = supervisor_of(runs.run_directory(0));
  runs.remake();
  ::kill(static_cast<pid_t>(record.pid), SIGKILL);
  REQUIRE(runs.wait_until([&] { return !alive(static_cast<pid_t>(record.pid)); }));
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  runs.loss_of(0);
  CHECK_FALSE(alive(std::stoi(read(runs.directory() / "child"))));
}

}  // namespace
}  // namespace hdrive::compute
