// SPDX-License-Identifier: Apache-2.0
#include "store/ownership.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

extern char** environ;

using namespace hdrive;
using store::owner_of;
using store::Ownership;

TEST_CASE("A sweep nobody runs has no owner") {
  test::TemporaryDirectory directory;
  CHECK_FALSE(owner_of(directory.path()));
  CHECK_FALSE(owner_of(directory.path() / "missing"));
  { REQUIRE(Ownership::take(directory.path())); }
  CHECK(std::filesystem::exists(directory.path() / "engine.lock"));
  CHECK_FALSE(owner_of(directory.path()));
}

TEST_CASE("A second engine is refused with the first one's process and host") {
  test::TemporaryDirectory directory;
  auto first = Ownership::take(directory.path());
  REQUIRE(first);
  REQUIRE(owner_of(directory.path()));
  CHECK(owner_of(directory.path())->pid == ::getpid());
  CHECK_FALSE(owner_of(directory.path())->host.empty());

  auto second = Ownership::take(directory.path());
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message(),
             Catch::Contains("is run by process " + std::to_string(::getpid())) &&
                 Catch::Contains("hdrive stop"));
  CHECK(owner_of(directory.path()));  // looking took nothing away
}

TEST_CASE("The lock of an engine that was killed blocks nobody") {
  test::TemporaryDirectory directory;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto mine = Ownership::take(directory.path());
    const char answer = mine ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  REQUIRE(owner_of(directory.path()));
  CHECK(owner_of(directory.path())->pid == child);
  CHECK_FALSE(Ownership::take(directory.path()));

  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(owner_of(directory.path()));
  auto mine = Ownership::take(directory.path());
  REQUIRE(mine);
  CHECK(owner_of(directory.path())->pid == ::getpid());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE(
    "What an engine was starting when it was killed delays the next one, and does not stop it") {
  test::TemporaryDirectory directory;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  // The engine forks, and dies before its child is another program: the child has the lock, too.
  const pid_t engine = ::fork();
  if (engine == 0) {
    auto mine = Ownership::take(directory.path());
    const pid_t child = ::fork();
    if (child != 0 && ::write(ready[1], &child, sizeof child) != sizeof child) ::_exit(1);
    while (true) ::pause();
  }
  pid_t child = 0;
  REQUIRE(::read(ready[0], &child, sizeof child) == sizeof child);
  ::kill(engine, SIGKILL);
  ::waitpid(engine, nullptr, 0);
  REQUIRE(owner_of(directory.path()));
  std::thread later([&] {
    ::poll(nullptr, 0, 500);  // longer than a living engine is waited for
    ::kill(child, SIGKILL);
  });
  CHECK(Ownership::take(directory.path()));
  later.join();
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("A program that an engine started does not inherit its lock") {
  test::TemporaryDirectory directory;
  pid_t child = 0;
  {
    auto mine = Ownership::take(directory.path());
    REQUIRE(mine);
    char* arguments[] = {const_cast<char*>("sleep"), const_cast<char*>("600"), nullptr};
    REQUIRE(::posix_spawnp(&child, "sleep", nullptr, nullptr, arguments, environ) == 0);
  }
  CHECK_FALSE(owner_of(directory.path()));
  CHECK(Ownership::take(directory.path()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("A directory that cannot be locked is named") {
  auto taken = Ownership::take("/no/such/directory");
  REQUIRE_FALSE(taken);
  CHECK(taken.error().where == "/no/such/directory/engine.lock");
}

TEST_CASE("A lock file that is deleted under its engine is made anew, and still keeps others out") {
  test::TemporaryDirectory directory;
  const auto file = directory.path() / "engine.lock";
  auto mine = Ownership::take(directory.path());
  REQUIRE(mine);
  mine->note_steps(7);
  CHECK(mine->keep());
  std::filesystem::remove(file);
  CHECK_FALSE(owner_of(directory.path()));
  REQUIRE(mine->keep());
  REQUIRE(owner_of(directory.path()));
  CHECK(owner_of(directory.path())->pid == ::getpid());
  CHECK(store::noted_steps(directory.path()) == 7);
  CHECK_FALSE(Ownership::take(directory.path()));
}

TEST_CASE("An engine whose lock file was replaced owns nothing, whoever has the new one") {
  test::TemporaryDirectory directory;
  const auto file = directory.path() / "engine.lock";
  auto first = Ownership::take(directory.path());
  REQUIRE(first);
  std::filesystem::remove(file);
  {
    auto second = Ownership::take(directory.path());
    REQUIRE(second);
    const auto lost = first->keep();
    REQUIRE_FALSE(lost);
    CHECK_THAT(lost.error().message(),
               Catch::Contains("engine.lock: was replaced while it was in use"));
    CHECK_FALSE(lies_outside(lost.error().kind));  // neither waited for, nor are the runs ended
    CHECK(second->keep());
  }
  CHECK_FALSE(first->keep());  // the second may have written meanwhile
}

TEST_CASE("What is no file in the place of the lock is told, and neither waited for nor followed") {
  test::TemporaryDirectory directory;
  const auto file = directory.path() / "engine.lock";
  const auto refused = [&](const std::string& what) {
    INFO(what);
    CHECK_FALSE(owner_of(directory.path()));
    CHECK(store::noted_steps(directory.path()) == 0);
    const auto taken = Ownership::take(directory.path());
    REQUIRE_FALSE(taken);
    CHECK_THAT(taken.error().message(), Catch::Contains(what) && Catch::Contains("remove it"));
    CHECK(std::filesystem::remove(file));
  };
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  refused("a FIFO");
  std::filesystem::create_directory(file);
  refused("a directory");
  std::filesystem::create_symlink(directory.path() / "elsewhere", file);
  refused("a symbolic link");
  CHECK_FALSE(std::filesystem::exists(directory.path() / "elsewhere"));

  auto mine = Ownership::take(directory.path());
  REQUIRE(mine);
  std::filesystem::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK_FALSE(mine->keep());
}
