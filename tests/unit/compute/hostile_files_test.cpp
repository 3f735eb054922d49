// SPDX-License-Identifier: Apache-2.0
//
// Whatever a run puts into its directory, nobody who reads or writes there waits, crashes or goes elsewhere.
#include <signal.h>
#include <sys/stat.h>

#include "compute/run_directory.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

constexpr const char* kPlants[] = {
    "rm -rf F; mkfifo F",        "rm -rf F; ln -s /dev/zero F", "rm -rf F; mkdir F; echo > F/x",
    "rm -rf F; ln -s nowhere F", "rm -rf F; truncate -s 15T F", "yes '[' | head -c 400000 > F"};

// One of the ways to spoil `file`, as a shell command.
std::string spoil(const char* way, const std::string& file) {
  std::string command = way;
  for (std::size_t at = command.find('F'); at != std::string::npos; at = command.find('F', at + 1))
    command.replace(at, 1, "\"$HDRIVE_RUN_DIR\"/" + file), at += file.size() + 18;
  return command + "\n";
}

TEST_CASE("a failed run's stderr may be anything") {
  const char* way = GENERATE(from_range(std::begin(kPlants), std::end(kPlants)));
  CAPTURE(way);
  LocalRuns runs;
  const auto end = runs.run(runs.script(0, spoil(way, "stderr.log") + "exit 3"));
  CHECK(end.exit_code == 3);
  CHECK(end.stderr_tail.size() < 20000);
}

TEST_CASE("the supervisor writes how the run ended over whatever is in its way") {
  const char* way = GENERATE(from_range(std::begin(kPlants), std::end(kPlants)));
  const std::string file = GENERATE(".exit.json", "exit.json");
  CAPTURE(way, file);
  LocalRuns runs;
  CHECK(runs.run(runs.script(0, spoil(way, file) + "exit 3")).exit_code == 3);
}

TEST_CASE("an exit.json that is none, of a run without a supervisor, is no end") {
  const char* way = GENERATE(from_range(std::begin(kPlants), std::end(kPlants)));
  CAPTURE(way);
  LocalRuns runs;
  runs.start(runs.script(0, spoil(way, "exit.json") + "kill -9 $PPID; sleep 1000"));
  CHECK_THAT(runs.loss_of(0).note, Contains("killed by signal 9"));
}

TEST_CASE("a run whose files are none is found again, and what is not read is told") {
  const char* way =
      GENERATE("rm -rf F; mkfifo F", "rm -rf F; ln -s /dev/zero F", "rm -rf F; mkdir F");
  CAPTURE(way);
  LocalTargetOptions options;
  options.metric_patterns = {"a=(\\S+)"};
  options.primary_metric = "a";
  LocalRuns runs(options);
  const auto request = runs.script(0, "log ready 1; while [ ! -e go ]; do sleep 0.01; done\n" +
                                          spoil(way, "metrics.jsonl") + spoil(way, "stdout.log") +
                                          "touch done; exec sleep 1000");
  runs.start(request);
  runs.until_logged(0, "ready");
  write(runs.directory() / "go", "");
  REQUIRE(runs.wait_until([&] { return fs::exists(runs.directory() / "done"); }));
  runs.remake();
  runs.notes.clear();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  REQUIRE(runs.wait_until([&] { return runs.notes.size() >= 2; }));
  CHECK_THAT(runs.notes[0], Contains("metrics.jsonl") && Contains("not a regular file"));
  CHECK_THAT(runs.notes[1], Contains("stdout.log") && Contains("not a regular file"));
  runs.target().cancel(0, CancelMode::graceful);
  CHECK(runs.end_of(0).signal == SIGTERM);
}

TEST_CASE("a run whose supervisor.json is none is ended before it is started again") {
  const char* way = GENERATE(from_range(std::begin(kPlants), std::end(kPlants)));
  CAPTURE(way);
  LocalRuns runs;
  const auto request =
      runs.script(0, spoil(way, "supervisor.json") + "echo $$ > pid; log ready 1; exec sleep 1000");
  runs.start(request);
  runs.until_logged(0, "ready");
  runs.remake();
  REQUIRE(runs.attach(request) == LocalTarget::Found::something);
  runs.loss_of(0);
  CHECK_FALSE(alive(std::stoi(read(runs.directory() / "pid"))));
}

TEST_CASE("another attempt starts whatever the earlier one has put in the place of its files") {
  const char* way = GENERATE(from_range(std::begin(kPlants), std::end(kPlants)));
  CAPTURE(way);
  LocalRuns runs;
  std::string spoiled;
  for (const char* file : {"stdout.log", "stderr.log", "metrics.jsonl", "run.json",
                           "supervisor.json", "attempt-1", ".start-1-1"})
    spoiled += spoil(way, file);
  auto request = runs.script(0, spoiled + "exit 1");
  CHECK(runs.run(request).exit_code == 1);
  request = runs.script(0, "log second 2; echo told");
  request.attempt = 2;
  runs.exits.clear();
  CHECK(runs.run(request).exit_code == 0);
  CHECK(runs.values(0).at("second") == 2);
  CHECK(read(runs.run_directory(0) / "stdout.log") == "told\n");
}

TEST_CASE("a repair reads what it can of a directory that holds anything") {
  const char* way = GENERATE(from_range(std::begin(kPlants), std::end(kPlants)));
  const std::string file = GENERATE("run.json", "metrics.jsonl", "exit.json", "stderr.log",
                                    "supervisor.json", "stdout.log", "attempt-1", "attempt-2");
  CAPTURE(way, file);
  LocalTargetOptions options;
  options.metric_patterns = {"a=(\\S+)"};
  options.primary_metric = "a";
  LocalRuns runs(options);
  runs.run(runs.script(0, "log good 1; exit 3"));
  const std::string command =
      "HDRIVE_RUN_DIR=" + runs.run_directory(0).string() + "\n" + spoil(way, file);
  REQUIRE(std::system(command.c_str()) == 0);
  const auto recorded = read_run_directory(runs.run_directory(0), 0, options);
  REQUIRE(recorded);
  REQUIRE_FALSE(recorded->attempts.empty());
  if (file != "metrics.jsonl") CHECK(recorded->attempts.back().metrics.size() == 1);
  if (file != "exit.json") CHECK(recorded->attempts.back().exited->exit_code == 3);
}

TEST_CASE("attempts that no engine had recorded are told, and do not take another's number") {
  LocalRuns runs;
  runs.run(runs.script(0, "log good 1; exit 3"));
  const auto directory = runs.run_directory(0);
  for (const char* name : {"attempt-0", "attempt-1.2", "attempt-x", "attempt-99999999999"})
    fs::create_directory(directory / name);
  const auto recorded = read_run_directory(directory, 0, {});
  REQUIRE(recorded);
  REQUIRE(recorded->attempts.size() == 1);
  CHECK(recorded->attempts[0].attempt == 1);
  REQUIRE(recorded->faults.size() == 2);
  CHECK_THAT(recorded->faults[0], Contains("attempt-0"));
  CHECK_THAT(recorded->faults[1], Contains("attempt-1.2"));
}

TEST_CASE("what belongs to a run is its owner's alone, whatever the umask") {
  const mode_t before = ::umask(0);
  {
    LocalRuns runs;
    runs.run(runs.script(0, "exit 1"));
    ::umask(before);
    for (const auto& entry : fs::recursive_directory_iterator(runs.directory() / "runs")) {
      CAPTURE(entry.path());
      CHECK((entry.status().permissions() & fs::perms(0077)) == fs::perms::none);
    }
  }
}

}  // namespace
}  // namespace hdrive::compute
