// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tests/catch.h"

namespace hdrive::base {
namespace {

constexpr std::size_t kAll = 1 << 20;

Program shell(const std::string& script) {
  Program program;
  program.words = {"sh", "-c", script, "hdrive"};
  return program;
}

// What it prints, and its exit code.
struct Ran {
  int code = 0;
  std::string out, err;
};
Ran run(Program program) {
  const UniqueFd out = file_in_memory(), err = file_in_memory();
  program.out = out.get();
  program.err = err.get();
  pid_t pid = 0;
  REQUIRE(start_program(program, pid) == 0);
  const int code = exit_code(wait_for(pid));
  return {code, text_of(out, kAll), text_of(err, kAll)};
}

TEST_CASE("a program reads, prints and ends as it likes") {
  const UniqueFd in = file_in_memory("a\nb\n");
  Program program = shell("cat; echo no >&2; exit 3");
  program.in = in.get();
  const Ran ran = run(program);
  CHECK(ran.code == 3);
  CHECK(ran.out == "a\nb\n");
  CHECK(ran.err == "no\n");
  CHECK(run(shell("cat")).out.empty());
  CHECK(run(shell("kill -TERM $$")).code == 128 + SIGTERM);
}

TEST_CASE("a program that is not there is told by errno") {
  Program program;
  program.words = {"no-such-program-of-hdrive"};
  pid_t pid = 0;
  CHECK(start_program(program, pid) == ENOENT);
}

TEST_CASE("a program starts where it is told to, under the name it is given") {
  Program program = shell("pwd; echo $0");
  program.directory = "/";
  CHECK(run(program).out == "/\nhdrive\n");
  program.words = {"another name", "-c", "cat /proc/$$/cmdline | tr '\\0' '\\n' | head -n 1"};
  program.file = "/bin/sh";
  CHECK(run(program).out == "another name\n");
}

TEST_CASE("variables are those of this process, with some in their place") {
  ::setenv("HDRIVE_TEST_KEPT", "kept", 1);
  ::setenv("HDRIVE_TEST_OTHER", "before", 1);
  Program program = shell("echo $HDRIVE_TEST_KEPT $HDRIVE_TEST_OTHER $HDRIVE_TEST_NEW");
  CHECK(run(program).out == "kept before\n");
  program.environment = environment_with({"HDRIVE_TEST_OTHER=after", "HDRIVE_TEST_NEW=a=b"});
  CHECK(run(program).out == "kept after a=b\n");
  CHECK(std::count_if(
            program.environment->begin(), program.environment->end(),
            [](const std::string& each) { return each.starts_with("HDRIVE_TEST_OTHER="); }) == 1);
  program.environment = {{"HDRIVE_TEST_NEW=alone"}};
  program.words[0] = "/bin/sh";
  CHECK(run(program).out == "alone\n");
  ::unsetenv("HDRIVE_TEST_KEPT");
  ::unsetenv("HDRIVE_TEST_OTHER");
}

TEST_CASE("no signal is blocked or ignored, and only those of one's group reach it") {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto ignored = ::signal(SIGHUP, SIG_IGN);
  CHECK(run(shell("kill -USR1 $$; exit 0")).code == 128 + SIGUSR1);
  CHECK(run(shell("kill -HUP $$; exit 0")).code == 128 + SIGHUP);
  ::signal(SIGHUP, ignored);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  const std::string groups =
      "set -- $(cut -d' ' -f 5,6 /proc/$$/stat); echo $(($1 == $$)) $(($2 == $$))";
  Program program = shell(groups);
  CHECK(run(program).out == "1 0\n");
  program.group = Program::Group::own_session;
  CHECK(run(program).out == "1 1\n");
  program.group = Program::Group::same;
  CHECK(run(program).out == "0 0\n");
}

TEST_CASE("a descriptor that is kept is there, and others are not") {
  const UniqueFd kept = file_in_memory("kept"), other = file_in_memory("other");
  Program program = shell("cat <&" + std::to_string(kept.get()) + "; [ -e /proc/self/fd/" +
                          std::to_string(other.get()) + " ] && echo too many");
  program.kept = kept.get();
  CHECK(run(program).out == "kept");
}

TEST_CASE("of what was printed no more is read than was asked for") {
  const UniqueFd file = file_in_memory("0123456789");
  CHECK(text_of(file, 4) == "0123");
  CHECK(text_of(file, 40) == "0123456789");
}

}  // namespace
}  // namespace hdrive::base
