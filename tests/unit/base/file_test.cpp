// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using hdrive::Error;
using hdrive::base::error_kind;

TEST_CASE("what the system refuses has a kind that says whether it may pass") {
  for (const int number : {ENOSPC, EDQUOT}) CHECK(error_kind(number) == Error::Kind::no_room);
  for (const int number : {EMFILE, ENFILE, ENOMEM, EAGAIN})
    CHECK(error_kind(number) == Error::Kind::no_resources);
  for (const int number : {EACCES, EPERM, EROFS})
    CHECK(error_kind(number) == Error::Kind::not_allowed);
  CHECK(error_kind(ENOENT) == Error::Kind::not_found);
  CHECK(error_kind(EIO) == Error::Kind::other);
}

TEST_CASE("room, resources and locks come back by themselves, files and permissions do not") {
  CHECK(passes_by_itself(Error::Kind::no_room));
  CHECK(passes_by_itself(Error::Kind::no_resources));
  CHECK(passes_by_itself(Error::Kind::busy));
  CHECK_FALSE(passes_by_itself(Error::Kind::not_found));
  CHECK(lies_outside(Error::Kind::not_found));
  CHECK(lies_outside(Error::Kind::not_allowed));
  CHECK_FALSE(lies_outside(Error::Kind::invalid));
  CHECK_FALSE(lies_outside(Error::Kind::damaged));
}

TEST_CASE(
    "what a user wants written goes where the name leads, and leaves what is there what it is") {
  using namespace hdrive::base;
  namespace fs = std::filesystem;
  const hdrive::test::TemporaryDirectory home;
  const fs::path file = home.path() / "runs.csv";
  REQUIRE(write_output(file, "one"));
  CHECK(*read_file(file) == "one");

  SECTION("a file keeps its permissions") {
    REQUIRE(::chmod(file.c_str(), 0640) == 0);
    REQUIRE(write_output(file, "two"));
    CHECK(*read_file(file) == "two");
    CHECK((fs::status(file).permissions() & fs::perms::all) == fs::perms(0640));
  }
  SECTION("a link stays a link") {
    const fs::path link = home.path() / "link", dangling = home.path() / "dangling";
    fs::create_symlink("runs.csv", link);
    REQUIRE(write_output(link, "two"));
    CHECK(fs::is_symlink(link));
    CHECK(*read_file(file) == "two");
    fs::create_symlink("later.csv", dangling);
    REQUIRE(write_output(dangling, "three"));
    CHECK(fs::is_symlink(dangling));
    CHECK(*read_file(home.path() / "later.csv") == "three");
  }
  SECTION("the reader of a FIFO gets it") {
    const fs::path fifo = home.path() / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    std::string got(3, ' ');
    std::thread reader([&] {
      const UniqueFd fd(::open(fifo.c_str(), O_RDONLY));
      if (::read(fd.get(), got.data(), got.size()) < 0) got = "error";
    });
    CHECK(write_output(fifo, "two"));
    reader.join();
    CHECK(got == "two");
    CHECK(fs::is_fifo(fifo));
  }
  SECTION("a device is not replaced") {
    REQUIRE(write_output("/dev/null", "two"));
    CHECK(fs::is_character_file("/dev/null"));
  }
  SECTION("a descriptor's name does not take its file away") {
    const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_APPEND));
    REQUIRE(write_output("/proc/self/fd/" + std::to_string(fd.get()), " two"));
    CHECK(*read_file(file) == "one two");
  }
  SECTION("a file in memory is a file, though its name begins as a device's") {
    std::string folder = "/dev/shm/hdrive-test-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) return;  // there is none here
    const fs::path inside = fs::path(folder) / "runs.csv";
    REQUIRE(write_output(inside, "one"));
    REQUIRE(write_output(inside, "two"));
    CHECK(*read_file(inside) == "two");
    fs::remove_all(folder);
  }
  SECTION("a directory is refused") {
    const auto refused = write_output(home.path(), "two");
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message(), Catch::Contains("is a directory; name a file"));
  }
}
