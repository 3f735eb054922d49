// SPDX-License-Identifier: Apache-2.0
//
// What other processes ask of an engine and do to its database: each request is answered once, whatever becomes of the
// engine, and what somebody else does with the file is told as what it is.
#include "hdrive/requests.h"

#include <chrono>

#include "hdrive/store.h"
#include "store/database.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using store::Database;

namespace {

namespace fs = std::filesystem;

Time at(int seconds) { return Time(std::chrono::seconds(1'769'860'800 + seconds)); }

std::shared_ptr<Store> create(const fs::path& directory) {
  auto store = create_sqlite_store(
      directory, {"HD_1", "", "", "config", "acc", Goal::maximize, "0.1.0", at(0)});
  INFO((store ? "" : store.error().message()));
  REQUIRE(store);
  return *store;
}

std::shared_ptr<Store> open(const fs::path& directory,
                            const std::function<void(const Change&)>& tell = nullptr) {
  auto store = open_sqlite_store(directory, tell);
  INFO((store ? "" : store.error().message()));
  REQUIRE(store);
  return *store;
}

std::int64_t ask(const fs::path& directory, Request::Kind kind) {
  const auto asked = leave_request(directory, {0, kind, std::nullopt, ""});
  INFO((asked ? "" : asked.error().message()));
  REQUIRE(asked);
  return *asked;
}

std::vector<Request> requests(Store& store) {
  auto taken = store.take_requests();
  REQUIRE(taken);
  return *std::move(taken);
}

std::optional<Answer> answer(const fs::path& directory, std::int64_t request) {
  auto read = read_answer(directory, request);
  REQUIRE(read);
  return *std::move(read);
}

std::vector<Change> proposed(RunId run) { return {RunProposed{run, {}, "drawn", at(1)}}; }

}  // namespace

TEST_CASE("What is asked while an engine opens its sweep is told to it") {
  test::TemporaryDirectory home;
  REQUIRE(create(home.path())->append(proposed(0)));
  std::int64_t asked = 0;
  const auto engine = open(home.path(), [&](const Change&) {
    if (asked == 0) asked = ask(home.path(), Request::Kind::stop_sweep);
  });
  REQUIRE(asked > 0);
  CHECK_FALSE(answer(home.path(), asked));
  const auto heard = requests(*engine);
  REQUIRE(heard.size() == 1);
  CHECK(heard.front().id == asked);
}

TEST_CASE("What an engine that died was asked is answered by the next one, and not carried out") {
  test::TemporaryDirectory home;
  std::int64_t taken = 0, unheard = 0;
  {
    const auto engine = create(home.path());
    taken = ask(home.path(), Request::Kind::pause_sweep);
    CHECK(requests(*engine).size() == 1);
    unheard = ask(home.path(), Request::Kind::stop_sweep);
  }
  const auto engine = open(home.path());
  CHECK(requests(*engine).empty());
  for (const std::int64_t request : {taken, unheard}) {
    const auto told = answer(home.path(), request);
    REQUIRE(told);
    CHECK_FALSE(told->accepted);
    CHECK_THAT(told->text, Catch::Contains("died before it carried this out"));
  }
}

TEST_CASE("What was answered keeps its answer") {
  test::TemporaryDirectory home;
  std::int64_t asked = 0;
  {
    const auto engine = create(home.path());
    asked = ask(home.path(), Request::Kind::pause_sweep);
    CHECK(requests(*engine).size() == 1);
    REQUIRE(engine->append(std::vector<Change>{RequestAnswered{asked, true, "paused", at(2)}}));
  }
  const auto engine = open(home.path());
  const auto told = answer(home.path(), asked);
  REQUIRE(told);
  CHECK(told->accepted);
  CHECK(told->text == "paused");
}

TEST_CASE("A request of a kind that this engine does not know is refused, and delays no other") {
  test::TemporaryDirectory home;
  const auto engine = create(home.path());
  auto other = Database::open(home.path() / "sweep.db", Database::Mode::write);
  REQUIRE(other);
  REQUIRE((*other)->execute("INSERT INTO requests(kind) VALUES('dance')"));
  const std::int64_t known = ask(home.path(), Request::Kind::pause_sweep);
  const auto heard = requests(*engine);
  REQUIRE(heard.size() == 1);
  CHECK(heard.front().id == known);
  const auto told = answer(home.path(), known - 1);
  REQUIRE(told);
  CHECK_FALSE(told->accepted);
  CHECK_THAT(told->text, Catch::Contains("not known to this engine") && Catch::Contains("dance"));
}

TEST_CASE("Another's lock holds up a step for a moment, and is told as busy") {
  test::TemporaryDirectory home;
  const auto engine = create(home.path());
  auto other = Database::open(home.path() / "sweep.db", Database::Mode::write);
  REQUIRE(other);
  REQUIRE((*other)->execute("BEGIN IMMEDIATE"));
  const auto began = std::chrono::steady_clock::now();
  const auto refused = engine->append(proposed(0));
  const auto waited = std::chrono::steady_clock::now() - began;
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == Error::Kind::busy);
  CHECK_THAT(refused.error().message(), Catch::Contains("another process keeps it locked"));
  CHECK(waited < std::chrono::seconds(2));  // it tries for 50 ms; opening a sweep waits longer
  REQUIRE((*other)->execute("ROLLBACK"));
  CHECK(engine->append(proposed(0)));
}

TEST_CASE(
    "A database that was deleted or moved is written no more, and goes on where it is put back") {
  test::TemporaryDirectory home;
  const fs::path directory = home.path() / "HD_1", elsewhere = home.path() / "moved";
  const auto engine = create(directory);
  REQUIRE(engine->append(proposed(0)));
  fs::rename(directory, elsewhere);
  const auto refused = engine->append(proposed(1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == Error::Kind::not_found);
  CHECK_THAT(refused.error().message(), Catch::Contains("deleted or moved while it was in use"));
  CHECK_FALSE(fs::exists(directory));
  fs::rename(elsewhere, directory);
  CHECK(engine->append(proposed(1)));
  fs::remove(directory / "sweep.db");
  CHECK_FALSE(engine->append(proposed(2)));
  CHECK_FALSE(fs::exists(directory / "sweep.db"));
}

TEST_CASE(
    "Of two engines that both take a sweep for theirs, the second's steps are not written over") {
  test::TemporaryDirectory home;
  const auto first = create(home.path());
  REQUIRE(first->append(proposed(0)));
  // As on a network file system whose locks do nothing.
  auto other = Database::open(home.path() / "sweep.db", Database::Mode::write);
  REQUIRE(other);
  REQUIRE((*other)->execute("UPDATE seal SET steps = steps + 1"));
  const auto refused = first->append(proposed(1));
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message(),
             Catch::Contains("sweep.db: another process has gone on with this sweep"));
  CHECK_FALSE(lies_outside(refused.error().kind));  // its runs are the other's
  REQUIRE((*other)->execute("UPDATE seal SET steps = steps - 1"));
  CHECK(first->append(proposed(1)));
}

TEST_CASE("A sweep.json that was lost is made anew by the next engine") {
  test::TemporaryDirectory home;
  create(home.path());
  REQUIRE(fs::remove(home.path() / "sweep.json"));
  open(home.path());
  CHECK(fs::file_size(home.path() / "sweep.json") > 100);
}
