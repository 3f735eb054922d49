// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::trials;

namespace {

Value text(const char* chars) { return std::string(chars); }

const SearchSpace kSix{{{"--a", Choice{{text("x"), text("y")}}},
                        {"b", Choice{{std::int64_t{3}, std::int64_t{1}, std::int64_t{2}}}}}};

std::string refusal(const SearchSpace& space) {
  const auto made = make_sampler({"grid", {}}, space, {});
  return made ? "accepted" : made.error().message();
}

}  // namespace

TEST_CASE("The grid is walked with the first parameter slowest and the options as listed") {
  History history(Goal::maximize);
  const auto from = sampler("grid", kSix);
  CHECK(run(*from, history, 100) ==
        std::vector<std::string>{R"({"--a":"x","b":3})", R"({"--a":"x","b":1})",
                                 R"({"--a":"x","b":2})", R"({"--a":"y","b":3})",
                                 R"({"--a":"y","b":1})", R"({"--a":"y","b":2})"});
  const Proposal end = propose(*from, history);
  CHECK_FALSE(end.parameters);
  CHECK(end.reason == "the grid has 6 points, and all were tried");
}

TEST_CASE("Run n takes point n and says so") {
  const auto from = sampler("grid", kSix);
  History history(Goal::maximize);
  CHECK(propose(*from, history).reason == "grid point 1 of 6");
  run(*from, history, 4);
  CHECK(propose(*from, history).reason == "grid point 5 of 6");
  CHECK(from->describe() == "grid sampling, space_size 6, the first parameter slowest");
}

TEST_CASE("Points of other origins are skipped and every other point still comes once") {
  const auto from = sampler("grid", kSix);
  for (const std::vector<std::uint64_t>& foreign : std::vector<std::vector<std::uint64_t>>{
           {0}, {5}, {3, 4}, {0, 1, 2}, {2, 2, 2}, {5, 4, 3, 2, 1}}) {
    std::vector<Assignment> tried;
    for (const std::uint64_t index : foreign) tried.push_back(point(kSix, index));
    History history = history_of(tried);
    std::set<std::string> all;
    for (const Assignment& assignment : tried) all.insert(to_json(assignment));
    const std::size_t missing = 6 - all.size();
    const auto proposed = run(*from, history, 100);
    CHECK(proposed.size() == missing);
    all.insert(proposed.begin(), proposed.end());
    CHECK(all.size() == 6);
  }
}

TEST_CASE("Runs that are not on the grid do not keep a point from being tried") {
  const auto from = sampler("grid", kSix);
  History history =
      history_of({{{"--a", text("z")}, {"b", 0.5}}, {{"--a", text("z")}, {"b", 0.6}}});
  CHECK(run(*from, history, 100).size() == 6);
}

TEST_CASE("NaN, zeros of either sign and numbers of either kind are tried once") {
  const double nan = std::nan("");
  const auto from = sampler(
      "grid",
      {{{"x", Choice{{nan, 0.0, -0.0, std::int64_t{1}, 1.0, true, nan, std::int64_t{0}}}}}});
  History history(Goal::maximize);
  CHECK(run(*from, history, 10) ==
        std::vector<std::string>{R"({"x":"NaN"})", R"({"x":0.0})", R"({"x":1})", R"({"x":true})"});
}

TEST_CASE("An option listed twice makes one point") {
  History history(Goal::maximize);
  const auto from = sampler("grid", {{{"a", Choice{{true, false, true}}}}});
  CHECK(run(*from, history, 100) == std::vector<std::string>{R"({"a":true})", R"({"a":false})"});
}

TEST_CASE("A grid beyond 2^63 points is walked too") {
  Choice wide;
  for (std::int64_t i = 0; i < 1024; ++i) wide.options.push_back(i);
  SearchSpace space;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"})
    space.parameters.push_back({name, wide});
  History history(Goal::maximize);
  const auto from = sampler("grid", space);
  const auto proposed = run(*from, history, 1025);
  CHECK(proposed.front() == R"({"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0})");
  CHECK(proposed.back() == R"({"a":0,"b":0,"c":0,"d":0,"e":0,"f":1,"g":0})");
}

TEST_CASE("A grid over anything but choices is refused with what would fit") {
  CHECK(refusal({{{"a", Choice{{true}}}, {"lr", Uniform{0.01, 0.1}}}}) ==
        "grid sampling takes choice only, but \"lr\" is uniform(0.01, 0.1); list the values to try "
        "as "
        "a choice, or use random sampling");
  CHECK(refusal({{{"n", RandInt{3}}, {"q", QUniform{0, 4, 2}}}}) ==
        "grid sampling takes choice only, but \"n\" is randint(3), which could be choice(0, 1, 2), "
        "and "
        "\"q\" is quniform(0, 4, 2), which could be choice(0, 2, 4); list the values to try as a "
        "choice, or use random sampling");
  CHECK(refusal(kSix) == "accepted");
}
