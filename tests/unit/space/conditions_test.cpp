// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <set>

#include "hdrive/space.h"
#include "tests/catch.h"

using namespace hdrive;

namespace {

Value text(const char* chars) { return std::string(chars); }
Condition where(const char* parameter, Value option) { return {parameter, std::move(option)}; }

// Two branches with a name in common, and a condition on a condition.
SearchSpace models() {
  return {{{"--model", Choice{{text("svm"), text("forest"), text("mean")}}},
           {"kernel", Choice{{text("rbf"), text("linear")}}, where("model", text("svm"))},
           {"gamma", Uniform{0, 1}, where("kernel", text("rbf"))},
           {"kernel", Choice{{text("rbf"), text("none")}}, where("model", text("forest"))},
           {"depth", RandInt{3}, where("model", text("forest"))},
           {"seed", RandInt{2}}}};
}

std::string complaint(const SearchSpace& space) {
  const auto sound = check(space);
  return sound ? "sound" : sound.error().message();
}

std::string complaint(const SearchSpace& space, const Assignment& assignment) {
  const auto fits = check(space, assignment);
  return fits ? "fits" : fits.error().message();
}

}  // namespace

TEST_CASE("A sound space has its parameters behind the options they depend on") {
  CHECK(complaint(models()) == "sound");
  const Parameter choice{"c", Choice{{text("a"), text("b")}}};
  const Parameter of_a{"x", Uniform{0, 1}, where("c", text("a"))};
  const Parameter of_b{"y", Uniform{0, 1}, where("c", text("b"))};
  const Parameter plain{"p", Uniform{0, 1}};
  CHECK(complaint({{choice, of_a, of_b, plain}}) == "sound");
  CHECK(complaint({{choice, of_b, of_a}}) ==
        "parameter \"x\": stands behind \"y\"; put it right behind what exists under the same "
        "option of \"c\" or "
        "an option before it");
  CHECK(complaint({{choice, of_a, plain, of_b}}) ==
        "parameter \"y\": stands behind \"p\"; put it right behind what exists under the same "
        "option of \"c\" or "
        "an option before it");
  CHECK(complaint({{of_a, choice}}) ==
        "parameter \"x\": depends on \"c\", which no parameter before it is called");
  CHECK(complaint({{plain, {"x", Uniform{0, 1}, where("p", 0.5)}}}) ==
        "parameter \"x\": depends on \"p\", which is uniform(0, 1); allowed: a choice");
  CHECK(complaint({{choice, {"x", Uniform{0, 1}, where("c", text("d"))}}}) ==
        "parameter \"x\": exists where \"c\" is \"d\", which is not among its options; allowed: "
        "choice(\"a\", \"b\")");
  CHECK(complaint({{choice, of_a, of_a}}) ==
        "parameter \"x\": shares its name with one that can exist together with it; allowed: "
        "different options of one choice");
  CHECK(complaint({{choice, of_a, {"--x", Uniform{0, 1}}}}) ==
        "parameter \"--x\": shares its name with one that can exist together with it; allowed: "
        "different options of one choice");
  CHECK(complaint({{plain, plain}}) ==
        "parameter \"p\": is in the search space twice; leading dashes do not tell names apart");
}

TEST_CASE("Conditions may depend on conditions, but not without end") {
  SearchSpace space;
  std::string above;
  for (int level = 0; level <= kDeepestCondition + 1; ++level) {
    Parameter parameter{"p" + std::to_string(level), Choice{{true, false}}};
    if (level > 0) parameter.condition = Condition{above, true};
    above = parameter.name;
    if (level == kDeepestCondition + 1) CHECK(complaint(space) == "sound");
    space.parameters.push_back(parameter);
  }
  CHECK(complaint(space) ==
        "parameter \"p17\": depends on more than 16 conditions, one on another");
}

TEST_CASE("A parameter belongs to the last choice of that name before it") {
  CHECK(parents(models()) ==
        std::vector<std::optional<std::size_t>>{std::nullopt, 0, 1, 0, 0, std::nullopt});
}

TEST_CASE("A parameter is active where all above it have the right options") {
  const SearchSpace space = models();
  const auto active = [&](const Assignment& set) {
    std::string result;
    for (std::size_t i = 0; i < space.parameters.size(); ++i)
      result += is_active(space, i, set) ? '1' : '0';
    return result;
  };
  CHECK(active({}) == "100001");
  CHECK(active({{"model", text("svm")}}) == "110001");
  CHECK(active({{"model", text("svm")}, {"kernel", text("rbf")}}) == "111001");
  // The forest's kernel is another one.
  CHECK(active({{"model", text("forest")}, {"kernel", text("rbf")}}) == "100111");
}

TEST_CASE("A set has what exists in it and nothing else") {
  const SearchSpace space = models();
  const Binding seed{"seed", std::int64_t{1}};
  CHECK(complaint(space, {{"model", text("mean")}, seed}) == "fits");
  CHECK(complaint(space, {{"model", text("svm")}, {"kernel", text("linear")}, seed}) == "fits");
  CHECK(complaint(space, {{"model", text("forest")},
                          {"kernel", text("none")},
                          {"depth", std::int64_t{2}},
                          seed}) == "fits");
  CHECK(complaint(space, {{"model", text("mean")}, {"gamma", 0.5}, seed}) ==
        "parameter \"gamma\": exists only where \"model\" is \"svm\" and \"kernel\" is \"rbf\", "
        "and here \"--model\" is \"mean\"");
  CHECK(complaint(space, {{"model", text("mean")}, {"kernel", text("rbf")}, seed}) ==
        "parameter \"kernel\": exists only where \"model\" is \"svm\", or \"model\" is \"forest\", "
        "and here \"--model\" is \"mean\"");
  CHECK(complaint(space, {{"depth", std::int64_t{1}}, seed}) ==
        "parameter \"depth\": exists only where \"model\" is \"forest\", and here there is no "
        "\"--model\"");
  CHECK(complaint(space, {{"model", text("svm")}, {"kernel", text("rbf")}, seed}) ==
        "parameter \"gamma\": has no value; it needs one where \"model\" is \"svm\" and \"kernel\" "
        "is \"rbf\"");
  // A value of the other branch's parameter of that name.
  CHECK(complaint(space, {{"model", text("svm")}, {"kernel", text("none")}, seed}) ==
        "parameter \"kernel\": \"none\" is not a value of choice(\"rbf\", \"linear\")");
}

TEST_CASE("A part of a point brings the options it depends on") {
  const SearchSpace space = models();
  const auto part = [&](const Assignment& given) {
    const auto point = partial_point(space, given);
    return point ? to_json(*point) : point.error().message();
  };
  CHECK(part({{"gamma", 0.5}}) == R"({"--model":"svm","kernel":"rbf","gamma":0.5})");
  CHECK(part({{"depth", 2.0}, {"kernel", text("rbf")}}) ==
        R"({"--model":"forest","kernel":"rbf","depth":2})");
  CHECK(part({{"model", text("svm")}}) == R"({"--model":"svm"})");
  CHECK(part({{"kernel", text("rbf")}}) ==
        "parameter \"kernel\": belongs to several options (\"model\" is \"svm\", or \"model\" is "
        "\"forest\"); give the option too");
  CHECK(part({{"gamma", 0.5}, {"depth", std::int64_t{1}}}) ==
        "parameter \"depth\": exists only where \"model\" is \"forest\", and here \"--model\" is "
        "\"svm\"");
  CHECK(part({{"gamma", 0.5}, {"model", text("mean")}}) ==
        "parameter \"gamma\": exists only where \"model\" is \"svm\" and \"kernel\" is \"rbf\", "
        "and here \"--model\" is \"mean\"");
}

TEST_CASE("What does not exist in a set does not multiply the number of sets") {
  SearchSpace space = models();
  CHECK_FALSE(cardinality(space));  // gamma
  space.parameters[2].expression = RandInt{4};
  // svm: 4 rbf and 1 linear; forest: 2 x 3; mean: 1; each with two seeds.
  REQUIRE(cardinality(space) == 24u);
  std::set<std::string> distinct;
  for (std::uint64_t i = 0; i < 24; ++i) {
    const Assignment set = point(space, i);
    CHECK(complaint(space, set) == "fits");
    distinct.insert(to_json(set));
  }
  CHECK(distinct.size() == 24);
  CHECK(to_json(point(space, 0)) == R"({"--model":"svm","kernel":"rbf","gamma":0,"seed":0})");
  CHECK(to_json(point(space, 1)) == R"({"--model":"svm","kernel":"rbf","gamma":0,"seed":1})");
  CHECK(to_json(point(space, 8)) == R"({"--model":"svm","kernel":"linear","seed":0})");
  CHECK(to_json(point(space, 10)) == R"({"--model":"forest","kernel":"rbf","depth":0,"seed":0})");
  CHECK(to_json(point(space, 23)) == R"({"--model":"mean","seed":1})");
}

TEST_CASE("An option is the same whatever the kind of its number") {
  const SearchSpace space{{{"layers", Choice{{std::int64_t{1}, std::int64_t{2}}}},
                           {"width", RandInt{3}, where("layers", std::int64_t{2})}}};
  CHECK(complaint(space, {{"layers", 2.0}, {"width", 1.0}}) == "fits");
  CHECK(cardinality(space) == 4u);
  // Two integers that are the same real number to 53 bits are two options all the same.
  const std::int64_t large = std::int64_t{1} << 53;
  const Choice choice{{std::int64_t{1}, 1.0, true, 0.0, -0.0, large, large + 1, std::nan("")}};
  CHECK(cardinality(choice) == 6u);
  CHECK(same_option(large, static_cast<double>(large)));
  CHECK_FALSE(same_option(large + 1, static_cast<double>(large)));
  CHECK_FALSE(same_option(true, std::int64_t{1}));
  CHECK(encode(choice, 1.0) == encode(choice, std::int64_t{1}));
}
