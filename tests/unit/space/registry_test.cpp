// SPDX-License-Identifier: Apache-2.0
#include "hdrive/registry.h"

#include "tests/catch.h"

using namespace hdrive;

namespace {

const std::vector<AlgorithmInfo> kTable{
    {"first_one", {"FirstOneSampling"}, "The first.", {}},
    {"second",
     {},
     "The second.",
     {{"percent", OptionKind::integer, "Percent.", "", 1, 99, false, true},
      {"factor", OptionKind::number, "Factor.", "0.5", 0, {}, true, false},
      {"flag", OptionKind::boolean, "Flag.", "false", {}, {}, false, false},
      {"word", OptionKind::text, "Word.", "", {}, {}, false, false}}}};

std::string complaint(const AlgorithmInfo& info, std::map<std::string, Value> options) {
  const auto result = check_options(info, {std::string(info.name), std::move(options)});
  return result ? "fits" : result.error().message();
}

}  // namespace

TEST_CASE("An algorithm is found by its name or alias, whatever the case and the separators") {
  for (const char* name : {"first_one", "FIRST-ONE", "FirstOne", "first one", "firstonesampling"}) {
    INFO(name);
    CHECK(find_algorithm(kTable, name) == &kTable[0]);
  }
  CHECK(find_algorithm(kTable, "Second") == &kTable[1]);
  CHECK(find_algorithm(kTable, "third") == nullptr);
  CHECK(find_algorithm(kTable, "") == nullptr);
}

TEST_CASE("Options are checked against the algorithm's table") {
  const Value twenty = std::int64_t{20};
  CHECK(complaint(kTable[1], {{"percent", twenty}}) == "fits");
  CHECK(complaint(kTable[1], {{"percent", twenty},
                              {"factor", std::int64_t{2}},
                              {"flag", true},
                              {"word", std::string("x")}}) == "fits");
  CHECK(complaint(kTable[1], {}) == "second needs the option percent: Percent.");
  CHECK(complaint(kTable[1], {{"percent", std::int64_t{100}}}) ==
        "option percent of second is 100; it must be an integer from 1 to 99");
  CHECK(complaint(kTable[1], {{"percent", 20.5}}) ==
        "option percent of second is 20.5; it must be an integer from 1 to 99");
  CHECK(complaint(kTable[1], {{"percent", twenty}, {"factor", 0.0}}) ==
        "option factor of second is 0.0; it must be a number above 0");
  CHECK(complaint(kTable[1], {{"percent", twenty}, {"flag", std::int64_t{1}}}) ==
        "option flag of second is 1; it must be true or false");
  CHECK(complaint(kTable[1], {{"percnt", twenty}}) ==
        "second has no option \"percnt\"; it takes percent, factor, flag, word; did you mean "
        "\"percent\"?");
  CHECK(complaint(kTable[0], {{"seed", twenty}}) ==
        "first_one has no option \"seed\"; it takes none");
}
