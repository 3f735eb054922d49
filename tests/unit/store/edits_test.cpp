// SPDX-License-Identifier: Apache-2.0
//
// How changes of the configuration are kept: as what each of them replaced.
#include <fmt/format.h>

#include "base/file.h"
#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "store/database.h"
#include "store/edit_rows.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/store/small_sweep.h"

using namespace hdrive;

namespace {

std::vector<std::string> told_configs(const std::filesystem::path& directory) {
  std::vector<std::string> configs;
  auto read = replay_sweep(directory, "", [&](const Change& change) {
    if (const auto* edit = std::get_if<SweepEdited>(&change)) configs.push_back(edit->config);
  });
  INFO((read ? "" : read.error().message()));
  REQUIRE(read);
  return configs;
}

}  // namespace

TEST_CASE("A step back keeps what was replaced, and the least of it") {
  const auto step = [](const char* before, const char* after) {
    const store::ConfigStep it = store::step_back(before, after);
    return fmt::format("{} {} '{}'", it.head, it.tail, it.replaced);
  };
  CHECK(step("a: 1\nb: 2\n", "a: 1\nb: 3\n") == "8 1 '2'");
  CHECK(step("points: [1]", "points: [1, 2]") == "10 1 ''");
  CHECK(step("aa", "aaa") == "2 0 ''");
  CHECK(step("aaa", "aa") == "2 0 'a'");
  CHECK(step("", "x") == "0 0 ''");
  CHECK(step("x", "") == "0 0 'x'");
  CHECK(step("same", "same") == "4 0 ''");
}

TEST_CASE("Every configuration that a sweep has had is told again, in whatever way it changed") {
  test::TemporaryDirectory directory;
  std::vector<std::string> configs{
      "a: 1\n",      "a: 1\npoints: [1]\n", "a: 1\npoints: [1, 2]\n", "", "a: \xff",
      "a: \xfe",     "a: \xc3\xa9",
      "a: \xc3\xa8",  // differs within a character
      "a: 1\n"};
  {
    auto store = create_sqlite_store(directory.path(), test::header());
    REQUIRE(store);
    std::vector<Change> together;
    for (std::size_t i = 0; i < configs.size(); ++i) {
      together.emplace_back(SweepEdited{configs[i], "it changed", test::at(1)});
      if (i % 3 != 0) continue;
      REQUIRE((*store)->append(together));
      together.clear();
    }
    REQUIRE((*store)->append(together));
    CHECK((*store)->header().config == configs.back());
  }
  CHECK(told_configs(directory.path()) == configs);
  auto reader = SweepReader::open(directory.path());
  REQUIRE(reader);
  const auto edits = (*reader)->edits();
  REQUIRE(edits);
  CHECK(edits->size() == configs.size());
  CHECK(edits->back().config == configs.back());
  CHECK(edits->front().config.empty());
}

TEST_CASE("A point that is added to many costs no more than its own text") {
  constexpr int kPoints = 400;
  test::TemporaryDirectory directory;
  auto store = create_sqlite_store(directory.path(), test::header());
  REQUIRE(store);
  std::string points;
  for (int i = 0; i < kPoints; ++i) {
    points += fmt::format("  - {{--lr: 0.{:06}, --layers: {}, --activation: relu}}\n", i, i % 7);
    const std::string config = "start_points:\n" + points + "max_total_runs: 1000\n";
    REQUIRE((*store)->append(std::vector<Change>{SweepEdited{config, "one point", test::at(i)}}));
  }
  store->reset();
  const auto configs = told_configs(directory.path());
  REQUIRE(configs.size() == kPoints);
  CHECK(configs[9].size() < configs[399].size());
  // The configuration alone is 22 kB by now; all of them would be 4.5 MB.
  CHECK(std::filesystem::file_size(directory.path() / "sweep.db") < 300'000);
}

TEST_CASE("A configuration that was lost leaves the edits without theirs, and is not made up") {
  test::TemporaryDirectory directory;
  {
    auto store = create_sqlite_store(directory.path(), test::header());
    REQUIRE((*store)->append(
        std::vector<Change>{SweepEdited{"a long configuration\n", "one", test::at(1)},
                            SweepEdited{"a longer configuration\n", "other", test::at(2)}}));
  }
  auto database =
      store::Database::open(directory.path() / "sweep.db", store::Database::Mode::write);
  REQUIRE(database);
  REQUIRE((*database)->execute("UPDATE sweep SET config = 'short'"));
  std::vector<std::string> told;
  REQUIRE(store::read_edits(
      **database, [&](const SweepEdited& edit) { told.push_back(edit.what + edit.config); }));
  CHECK(told == std::vector<std::string>{"one", "other"});
  CHECK(replay_sweep(directory.path(), "", [](const Change&) {}).error().kind ==
        Error::Kind::damaged);
}
