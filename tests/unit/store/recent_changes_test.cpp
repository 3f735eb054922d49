// SPDX-License-Identifier: Apache-2.0
#include "store/recent_changes.h"

#include <catch2/catch.hpp>

#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::store {
namespace {

using Runs = std::vector<RunId>;

RecentChanges kept_and_read(const RecentChanges& changes) {
  const auto read = RecentChanges::from(changes.bytes());
  REQUIRE(read);
  return *read;
}

TEST_CASE("RecentChanges tells each run that was changed after a step once, by number") {
  RecentChanges changes(7);
  changes.add(30, 8);
  changes.add(2, 9);
  changes.add(30, 9);
  changes.add(30, 9);
  for (const RecentChanges& each : {changes, kept_and_read(changes)}) {
    CHECK(each.since(7) == Runs{2, 30});
    CHECK(each.since(8) == Runs{2, 30});
    CHECK(each.since(9) == Runs{});
    CHECK_FALSE(each.since(6));
  }
}

TEST_CASE("RecentChanges forgets the oldest, a step as a whole") {
  constexpr auto kMost = static_cast<std::int64_t>(RecentChanges::kMost);
  RecentChanges changes;
  changes.add(1, 1);
  changes.add(2, 1);
  for (std::int64_t step = 2; step <= kMost; ++step) changes.add(3, step);
  changes.forget_old();
  CHECK_FALSE(changes.since(0));
  CHECK(kept_and_read(changes).since(1) == Runs{3});
  CHECK(changes.bytes().size() < 4000);  // a page of the database holds it
}

TEST_CASE("An append that changes more than RecentChanges holds leaves nothing to be told of it") {
  RecentChanges changes;
  for (RunId run = 0; run <= static_cast<RunId>(RecentChanges::kMost); ++run) changes.add(run, 1);
  changes.forget_old();
  CHECK_FALSE(changes.since(0));
  CHECK(changes.since(1) == Runs{});
}

TEST_CASE("A reader that has not looked for long hears of all that changed since") {
  test::TemporaryDirectory home;
  SweepHeader header;
  header.id = "HD_1";
  header.metric = "loss";
  const auto store = create_sqlite_store(home.path(), header);
  REQUIRE(store);
  const auto append = [&](Change change) { REQUIRE((*store)->append(std::span(&change, 1))); };
  const auto reader = SweepReader::open(home.path());
  REQUIRE(reader);
  REQUIRE((*reader)->skip());
  Runs all;
  for (RunId run = 0; run <= static_cast<RunId>(RecentChanges::kMost); ++run) {
    append(RunProposed{run, {{"x", 1.0}}, "drawn", Time{}});
    all.push_back(run);
  }
  const auto first = (*reader)->refresh();
  REQUIRE(first);
  CHECK(first->runs == all);
  append(RunStarted{5, 1, 4711, Time{}});
  const auto second = (*reader)->refresh();
  REQUIRE(second);
  CHECK(second->runs == Runs{5});
}

TEST_CASE("Bytes that RecentChanges did not write say nothing") {
  CHECK_FALSE(RecentChanges::from(""));
  CHECK_FALSE(RecentChanges::from("1234567"));
  CHECK_FALSE(RecentChanges::from("123456789"));
  // What does not fit into four bytes is left out, and that is told.
  RecentChanges changes;
  changes.add(1, std::int64_t{1} << 40);
  CHECK_FALSE(kept_and_read(changes).since(0));
}

}  // namespace
}  // namespace hdrive::store
