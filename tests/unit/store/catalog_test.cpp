// SPDX-License-Identifier: Apache-2.0
#include "hdrive/catalog.h"

#include <fstream>

#include "hdrive/store.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;

namespace {

namespace fs = std::filesystem;

class Home {
 public:
  const fs::path& path() const { return directory_.path(); }

  void sweep(const std::string& id, const std::string& name, int day) {
    SweepHeader header;
    header.id = id;
    header.name = name;
    header.metric = "acc";
    header.created = Time(std::chrono::days(20'000 + day));
    auto made = create_sqlite_store(path() / id, header);
    INFO((made ? "" : made.error().message()));
    REQUIRE(made);
  }

  std::string found(const std::string& selector) const {
    auto sweep = find_sweep(path(), selector);
    INFO((sweep ? "" : sweep.error().message()));
    REQUIRE(sweep);
    return sweep->header.id;
  }

  std::string refused(const std::string& selector) const {
    auto sweep = find_sweep(path(), selector);
    REQUIRE_FALSE(sweep);
    return sweep.error().message();
  }

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace

TEST_CASE("Sweeps are listed oldest first, with their directories") {
  Home home;
  home.sweep("HD_bbb", "", 3);
  home.sweep("HD_aaa", "", 5);
  home.sweep("HD_ccc", "", 1);
  std::vector<Error> problems;
  const auto sweeps = list_sweeps(home.path(), &problems);
  REQUIRE(sweeps.size() == 3);
  CHECK(sweeps[0].header.id == "HD_ccc");
  CHECK(sweeps[1].header.id == "HD_bbb");
  CHECK(sweeps[2].header.id == "HD_aaa");
  CHECK(sweeps[2].directory == home.path() / "HD_aaa");
  CHECK_FALSE(sweeps[2].engine);
  CHECK(sweeps[2].status == SweepStatus::running);
  CHECK(sweeps[2].end == SweepEnd::none);
  CHECK(problems.empty());
}

TEST_CASE("A home that does not exist holds no sweeps and no problems") {
  std::vector<Error> problems;
  CHECK(list_sweeps("/no/such/home", &problems).empty());
  CHECK(problems.empty());
  auto found = find_sweep("/no/such/home", "last");
  REQUIRE_FALSE(found);
  CHECK(found.error().message() == "there are no sweeps in /no/such/home; `hdrive run` starts one");
}

TEST_CASE("A sweep that cannot be read is a problem and hides no other") {
  Home home;
  home.sweep("HD_good", "", 1);
  fs::create_directories(home.path() / "HD_text");
  std::ofstream(home.path() / "HD_text" / "sweep.db") << std::string(2000, 'x');
  fs::create_directories(home.path() / "HD_short");
  std::ofstream(home.path() / "HD_short" / "engine.lock") << "1 host\n";
  fs::create_directories(home.path() / "python");  // not a sweep at all
  std::ofstream(home.path() / "file") << "";
  std::vector<Error> problems;
  CHECK(list_sweeps(home.path(), &problems).size() == 1);
  CHECK(problems.size() == 2);
  CHECK(list_sweeps(home.path(), nullptr).size() == 1);
  CHECK_THAT(home.refused("HD_text"), Catch::Contains("does not begin as a sweep's database"));
  CHECK_THAT(home.refused("HD_sho"), Catch::Contains("cut short"));
  CHECK(home.found("last") == "HD_good");
}

TEST_CASE("A sweep is found by id, prefix, name, path and as the last one") {
  Home home;
  home.sweep("HD_12ab", "digits", 3);
  home.sweep("HD_12cd", "faces", 2);
  home.sweep("HD_9", "12cd", 1);
  CHECK(home.found("HD_12ab") == "HD_12ab");
  CHECK(home.found("HD_12c") == "HD_12cd");
  CHECK(home.found("12a") == "HD_12ab");
  CHECK(home.found("hd_12A") == "HD_12ab");
  CHECK(home.found("9") == "HD_9");
  CHECK(home.found("digits") == "HD_12ab");
  CHECK(home.found("12cd") == "HD_9");  // a whole name before the start of an id
  CHECK(home.found("last") == "HD_12ab");
  CHECK(home.found((home.path() / "HD_9").string()) == "HD_9");
  CHECK(home.found((home.path() / "HD_9" / "").string()) == "HD_9");
  CHECK(home.found((home.path() / "HD_9" / "sweep.db").string()) == "HD_9");
}

TEST_CASE("An ambiguous or unknown word is answered with what would do") {
  Home home;
  home.sweep("HD_12ab", "digits", 0);
  home.sweep("HD_12cd", "digits", 1);
  home.sweep("HD_9", "faces", 2);
  CHECK(home.refused("HD_12") ==
        "\"HD_12\" names 2 sweeps; say which, with enough of its id:\n"
        "  HD_12ab  created 2024-10-04T00:00:00Z  digits\n"
        "  HD_12cd  created 2024-10-05T00:00:00Z  digits");
  CHECK_THAT(home.refused("digits"), Catch::Contains("names 2 sweeps"));
  CHECK_THAT(home.refused("faecs"), Catch::Contains("did you mean \"faces\"?") &&
                                        Catch::Contains("hdrive list") &&
                                        Catch::Contains(home.path().string()));
  CHECK_THAT(home.refused("something else"),
             Catch::Contains("no sweep \"something else\"") && Catch::Contains("the start of one"));
  CHECK_THAT(home.refused(""), Catch::Contains("which sweep?"));
}

TEST_CASE("A sweep is found by its directory's name with a slash behind it") {
  Home home;
  home.sweep("HD_aaa", "digits", 1);
  for (const std::string& word :
       {std::string("HD_aaa/"), std::string("HD_a//"), (home.path() / "HD_aaa").string() + "/"})
    CHECK(home.found(word) == "HD_aaa");
}
