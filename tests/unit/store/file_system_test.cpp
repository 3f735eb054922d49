// SPDX-License-Identifier: Apache-2.0
#include "store/file_system.h"

#include "base/file.h"
#include "hdrive/reader.h"
#include "hdrive/requests.h"
#include "store/database.h"
#include "store/sqlite.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using store::Database;

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNfs = 0x6969, kExt4 = 0xef53;

SweepHeader header() { return {"HD_1", "", "", "config", "acc", Goal::maximize, "0.1.0", Time{}}; }

std::vector<Change> note() { return {Noted{Noted::Level::info, {}, "here", Time{}}}; }

// As the file itself has it: 1 for a journal of old pages, 2 for a log.
int journal_of(const fs::path& directory) { return (*base::read_file(directory / "sweep.db"))[18]; }

int notes(const fs::path& directory) {
  int count = 0;
  auto read = replay_sweep(directory, "",
                           [&](const Change& it) { count += std::holds_alternative<Noted>(it); });
  INFO((read ? "" : read.error().message()));
  CHECK(read);
  return count;
}

}  // namespace

TEST_CASE("File systems that several machines may share are known by their numbers") {
  for (const std::int64_t magic : {0x6969L, 0xff534d42L, 0xfe534d42L, 0x65735546L, 0x01021997L})
    CHECK(store::is_network_file_system(magic));
  for (const std::int64_t magic : {0xef53L, 0x01021994L, 0x58465342L, 0x9123683eL, 0x794c7630L, 0L})
    CHECK_FALSE(store::is_network_file_system(magic));  // ext4, tmpfs, XFS, btrfs, overlay, unknown
  test::TemporaryDirectory directory;
  CHECK(store::file_system_of(directory.path()) != 0);
  CHECK(store::file_system_of("/proc") == 0x9fa0);
  CHECK(store::file_system_of("/no/such/place") == 0);
}

TEST_CASE("On a network file system a sweep is kept without a log, and read while it runs") {
  test::TemporaryDirectory directory;
  const fs::path sweep = directory.path() / "HD_1";
  auto engine = store::create_store_on(sweep, header(), kNfs);
  REQUIRE(engine);
  for (int i = 1; i <= 3; ++i) {
    REQUIRE((*engine)->append(note()));
    CHECK(notes(sweep) == i);
  }
  REQUIRE(leave_request(sweep, Request{}));
  CHECK((*engine)->take_requests()->size() == 1);
  CHECK(journal_of(sweep) == 1);
  CHECK_FALSE(fs::exists(sweep / "sweep.db-wal"));
  CHECK_FALSE(fs::exists(sweep / "sweep.db-shm"));
}

TEST_CASE("A sweep that moved to another kind of file system is kept as is safe there") {
  test::TemporaryDirectory directory;
  const fs::path sweep = directory.path() / "HD_1";
  REQUIRE((*store::create_store_on(sweep, header(), kExt4))->append(note()));
  CHECK(journal_of(sweep) == 2);
  REQUIRE((*store::open_store_on(sweep, kNfs))->append(note()));
  CHECK(journal_of(sweep) == 1);
  REQUIRE((*store::open_store_on(sweep, kExt4))->append(note()));
  CHECK(journal_of(sweep) == 2);
  CHECK(notes(sweep) == 3);
}

TEST_CASE("A log that is in use is not taken for safe on a network file system") {
  test::TemporaryDirectory directory;
  const fs::path sweep = directory.path() / "HD_1";
  REQUIRE(store::create_store_on(sweep, header(), kExt4));
  auto other = Database::open(sweep / "sweep.db", Database::Mode::read);
  REQUIRE(other);
  auto reading = store::Transaction::begin(**other, store::Transaction::Kind::read);
  REQUIRE((*other)->execute("SELECT * FROM sweep"));
  auto engine = store::open_store_on(sweep, kNfs);
  REQUIRE_FALSE(engine);
  CHECK_THAT(engine.error().message(), Catch::Contains("sweep.db: "));
}
