// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;

constexpr const char* kSpace =
    "sampling:\n"
    "  type: random\n"
    "  parameter_space:\n"
    "  - {name: --lr, expression: uniform, values: [0, 1]}\n"
    "  - {name: layers, expression: choice, values: [1, 2, 3]}\n"
    "primary_metric_name: accuracy\n"
    "primary_metric_goal: Maximize\n"
    "max_total_runs: 8\n"
    "max_concurrent_runs: 2\n";

TEST_CASE("Start points are read in the space's order, written before the space or after it") {
  const std::string points = "start_points:\n- {layers: 2, lr: 0.5}\n- layers: 3\n- {}\n";
  for (const std::string& text : {points + kSpace, kSpace + points}) {
    const LoadedConfig loaded = parse(text);
    CHECK(messages(loaded.problems) == "");
    CHECK(loaded.spec.start_points ==
          std::vector<Assignment>{
              {{"--lr", 0.5}, {"layers", std::int64_t{2}}}, {{"layers", std::int64_t{3}}}, {}});
    CHECK(parse(to_hdconfig(loaded.spec)).spec.start_points == loaded.spec.start_points);
  }
}

TEST_CASE("What is wrong with a start point is told where it stands") {
  CHECK(
      told(std::string(kSpace) + "start_points:\n- {layer: 2, lr: 5}\n- 7\n- {lr: 1, --lr: 1}\n") ==
      "hdconfig.yml:11:11: parameter \"layer\": is not in the search space, which has --lr, "
      "layers; "
      "did you mean \"layers\"?\n"
      "hdconfig.yml:11:18: parameter \"lr\": 5 is not a value of uniform(0, 1)\n"
      "hdconfig.yml:12:3: a start point is the integer 7; allowed: a mapping from parameters to "
      "values\n"
      "hdconfig.yml:13:8: parameter \"lr\": is given more than once\n");
}

TEST_CASE("A point on the command line is read as one in a file is") {
  const SearchSpace space{{{"--lr", Uniform{0, 1}}, {"act", Choice{{std::string("relu"), true}}}}};
  CHECK(*parse_point(space, {{"act", "relu"}, {"lr", "1e-1"}}) ==
        Assignment{{"--lr", 0.1}, {"act", std::string("relu")}});
  CHECK(*parse_point(space, {{"act", "true"}}) == Assignment{{"act", true}});
  CHECK(parse_point(space, {{"act", "rely"}}).error().message() ==
        "parameter \"act\": \"rely\" is not a value of choice(\"relu\", true)");
  CHECK_FALSE(parse_point(space, {{"act", "[relu"}}));
}

}  // namespace
}  // namespace hdrive
