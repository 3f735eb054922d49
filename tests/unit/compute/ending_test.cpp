// SPDX-License-Identifier: Apache-2.0
//
// How a run's end is told.
#include <signal.h>

#include "base/file.h"
#include "compute/run_end.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/compute/local_runs.h"

namespace hdrive::compute {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("the exit code is told") {
  LocalRuns runs;
  const auto end = runs.run(runs.script(0, "exit 7"));
  CHECK(end.exit_code == 7);
  CHECK_FALSE(end.signal);
  CHECK_FALSE(end.not_started);
  CHECK(end.note.empty());
}

TEST_CASE("the signal that killed a program is told") {
  LocalRuns runs;
  const auto end = runs.run(runs.script(0, "kill -SEGV $$"));
  CHECK(end.signal == SIGSEGV);
  CHECK_FALSE(end.exit_code);
}

TEST_CASE("a failed run shows the last lines of its stderr, a good one none") {
  LocalTargetOptions options;
  options.stderr_tail_lines = 2;
  LocalRuns runs(options);
  CHECK(
      runs.run(runs.script(0, "echo one >&2; echo two >&2; echo three >&2; exit 1")).stderr_tail ==
      "two\nthree");
  CHECK(runs.run(runs.script(1, "echo one >&2; exit 0")).stderr_tail.empty());
}

TEST_CASE("bytes that are no text do not disturb the tail of stderr") {
  LocalRuns runs;
  const auto end = runs.run(runs.script(0, "printf 'a\\377\\376b\\n' >&2; exit 1"));
  CHECK(end.stderr_tail ==
        "a\xEF\xBF\xBD\xEF\xBF\xBD"
        "b");
}

TEST_CASE("a program may close its streams") {
  LocalRuns runs;
  CHECK(runs.run(runs.script(0, "exec <&- >&- 2>&-; log accuracy 1; exit 0")).exit_code == 0);
  CHECK(runs.values(0).at("accuracy") == 1);
}

TEST_CASE("a program that is not there is told with where it was looked for") {
  LocalRuns runs;
  const Error why = runs.refusal_of(runs.request(0, {"./train.py"}));
  CHECK_THAT(why.what,
             Contains("there is no file \"./train.py\"") && Contains(runs.directory().string()));
  CHECK(runs.began.empty());
}

TEST_CASE("a program in the working directory but not in PATH gets the hint to write ./") {
  LocalRuns runs;
  write(runs.directory() / "train_me", "#!/bin/sh\n");
  const Error why = runs.refusal_of(runs.request(0, {"train_me"}));
  CHECK_THAT(why.what, Contains("write ./train_me"));
}

TEST_CASE("a script that is not executable is told with what to do") {
  LocalRuns runs;
  write(runs.directory() / "train.py", "#!/usr/bin/env python3\n");
  const Error why = runs.refusal_of(runs.request(0, {"./train.py"}));
  CHECK_THAT(why.what, Contains("is not executable") && Contains("python3 ./train.py"));
}

TEST_CASE("a script whose interpreter is missing is told so") {
  LocalRuns runs;
  const auto file = runs.directory() / "train";
  write(file, "#!/no/such/python3 -u\n");
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  const Error why = runs.refusal_of(runs.request(0, {"./train"}));
  CHECK_THAT(why.what, Contains("interpreter \"/no/such/python3\""));
}

TEST_CASE("a script with Windows line ends is told so") {
  LocalRuns runs;
  const auto file = runs.directory() / "train";
  write(file, "#!/bin/sh\r\nexit 0\r\n");
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  const Error why = runs.refusal_of(runs.request(0, {"./train"}));
  CHECK_THAT(why.what, Contains("Windows line ends"));
}

TEST_CASE("a directory is no program") {
  LocalRuns runs;
  const Error why = runs.refusal_of(runs.request(0, {"./runs"}));
  CHECK_THAT(why.what, Contains("\"./runs\" is a directory"));
}

TEST_CASE("a working directory that does not exist is told") {
  LocalRuns runs;
  auto request = runs.request(0, {"/bin/true"});
  request.working_directory = "/no/such/place";
  const Error why = runs.refusal_of(request);
  CHECK_THAT(why.what, Contains("working directory \"/no/such/place\""));
}

TEST_CASE("a run without a command is refused") {
  LocalRuns runs;
  const auto started = runs.target().start(runs.request(0, {}));
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error().message(), Contains("run 0") && Contains("command"));
}

TEST_CASE("a file that does not say how the run ended, or says it twice, is no exit.json") {
  test::TemporaryDirectory directory;
  const auto read = [&](const std::string& keys) {
    REQUIRE(base::write_file_atomically(directory.path() / "exit.json",
                                        "{\"version\": 1, \"attempt\": 1" + keys + "}"));
    return exit_of(directory.path()).has_value();
  };
  CHECK_FALSE(read(""));
  CHECK_FALSE(read(", \"pid\": 4711, \"start_time\": 446273"));
  CHECK_FALSE(read(", \"exit_code\": 0, \"signal\": 9"));
  CHECK_FALSE(read(", \"exit_code\": 4294967296"));  // which is no 0
  CHECK_FALSE(read(", \"signal\": 18446744073709551615"));
  CHECK(read(", \"exit_code\": 0"));
  CHECK(read(", \"signal\": 9"));
  CHECK(read(", \"not_started\": \"exec\", \"errno\": 2"));
}

TEST_CASE("what kept a supervisor from starting the program has a kind") {
  const auto kind = [](const char* what, int error) {
    ExitRecord record;
    record.not_started = what;
    record.error_number = error;
    const RunExited exited = describe_exit(record, RunRequest{}, 20);
    CHECK(exited.not_started);
    CHECK_FALSE(exited.note.empty());
    return base::error_kind(record.error_number);
  };
  CHECK(kind("stdout.log", ENOSPC) == Error::Kind::no_room);
  CHECK(kind("stderr.log", EDQUOT) == Error::Kind::no_room);
  CHECK(kind("vfork", EAGAIN) == Error::Kind::no_resources);
  CHECK(kind("chdir", EACCES) == Error::Kind::not_allowed);
  CHECK(kind("exec", ENOENT) == Error::Kind::not_found);
  CHECK(kind("exec", ENOEXEC) == Error::Kind::other);
}

TEST_CASE("exit.json says how it ended, for people too") {
  LocalRuns runs;
  runs.run(runs.script(0, "exit 3"));
  const auto record = exit_of(runs.run_directory(0));
  REQUIRE(record);
  CHECK(record->exit_code == 3);
  CHECK(record->attempt == 1);
  CHECK(record->pid == runs.began.at(0).pid);
  CHECK_THAT(read(runs.run_directory(0) / "exit.json"), Contains("\"version\": 1") &&
                                                            Contains("\"user_seconds\": 0.") &&
                                                            Contains("\"max_rss_kb\": "));
}

}  // namespace
}  // namespace hdrive::compute
