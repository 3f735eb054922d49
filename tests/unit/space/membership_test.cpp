// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "hdrive/space.h"
#include "tests/catch.h"

using namespace hdrive;

namespace {

Value integer(std::int64_t number) { return number; }
Value text(const char* chars) { return std::string(chars); }

struct Row {
  Expression expression;
  std::vector<Value> inside;
  std::vector<Value> outside;
};

const double kNan = std::nan("");
const double kInfinity = std::numeric_limits<double>::infinity();

const std::vector<Row> kRows{
    {Choice{{text("a"), integer(2), true, 0.5, Json{"[1]"}}},
     {text("a"), integer(2), 2.0, true, 0.5, Json{"[1]"}},
     {text("b"), integer(1), false, 1.0, 0.0, Json{"[2]"}, text("[1]")}},
    {RandInt{4},
     {integer(0), integer(3), 3.0},
     {integer(4), 4.0, integer(-1), 0.5, true, text("1")}},
    {Uniform{1, 2},
     {1.0, 2.0, integer(1), 1.5},
     {0.999, 2.001, kNan, true, text("1.5"), std::monostate{}}},
    {QUniform{0, 10, 2},
     {integer(0), integer(10), 4.0},
     {integer(-2), integer(12), integer(3), 4.1}},
    {QUniform{1, 10, 4}, {integer(0), integer(8)}, {integer(12), integer(-4), integer(1)}},
    {QUniform{0, 1, 0.1}, {0.3, 0.1 * 3, integer(1)}, {0.31, 1.1}},
    {LogUniform{-6, -1}, {std::exp(-6.0), std::exp(-1.0), 0.01}, {0.002, 0.37, -3.0, 0.0}},
    {QLogUniform{0, 3, 5}, {integer(0), integer(20)}, {integer(25), integer(-5), integer(3)}},
    {LogUniformValues{0.001, 0.1}, {0.001, 0.1, 0.02}, {0.0009999, 0.1000001, 0.0, -1.0, kNan}},
    {QLogUniformValues{1, 100, 10}, {integer(0), integer(100), 20.0}, {integer(110), integer(5)}},
    {IntUniform{-2, 7},
     {integer(-2), integer(7), 3.0, -2.0},
     {integer(-3), integer(8), 7.5, true, kNan, kInfinity, 1e300}},
    {IntLogUniform{2, 9}, {integer(2), integer(9), 4.0}, {integer(1), integer(10), 2.5, kNan}},
    {Normal{0, 1}, {-100.0, integer(3), 0.1}, {kNan, kInfinity, text("0")}},
    {QNormal{0, 1, 0.5}, {-1.5, integer(100)}, {0.3, kInfinity}},
    {LogNormal{0, 1}, {1e-9, integer(3)}, {0.0, -1.0, kInfinity}},
    {QLogNormal{0, 1, 3}, {integer(0), integer(3)}, {integer(-3), integer(4)}},
};

}  // namespace

TEST_CASE("An expression contains what it can produce and nothing else") {
  for (const Row& row : kRows) {
    for (const Value& value : row.inside) {
      INFO(to_text(row.expression) << " has " << to_json(value));
      CHECK(contains(row.expression, value));
    }
    for (const Value& value : row.outside) {
      INFO(to_text(row.expression) << " lacks " << to_json(value));
      CHECK_FALSE(contains(row.expression, value));
    }
  }
}

TEST_CASE("A parameter set is checked name by name") {
  const SearchSpace space{{{"--lr", Uniform{0, 1}}, {"layers", RandInt{4}}}};
  const auto complaint = [&](const Assignment& assignment) {
    const auto result = check(space, assignment);
    return result ? std::string("fits") : result.error().message();
  };
  CHECK(complaint({{"--lr", 0.5}, {"layers", integer(3)}}) == "fits");
  CHECK(complaint({{"layers", integer(3)}, {"lr", 0.5}}) == "fits");
  CHECK(complaint({{"--lr", 0.5}}) ==
        "parameter \"layers\": has no value; each parameter of the space needs one");
  CHECK(complaint({{"--lr", 0.5}, {"layer", integer(3)}}) ==
        "parameter \"layer\": is not in the search space, which has --lr, layers; did you mean "
        "\"layers\"?");
  CHECK(complaint({{"--lr", 0.5}, {"y", integer(3)}}) ==
        "parameter \"y\": is not in the search space, which has --lr, layers");
  CHECK(complaint({{"--lr", 0.5}, {"lr", 0.5}, {"layers", integer(3)}}) ==
        "parameter \"--lr\": is given more than once");
  CHECK(complaint({{"--lr", 1.5}, {"layers", integer(3)}}) ==
        "parameter \"--lr\": 1.5 is not a value of uniform(0, 1)");
}

TEST_CASE("A part of a point is put in the space's order, names and kinds of values") {
  const SearchSpace space{{{"--lr", Uniform{0, 2}},
                           {"layers", RandInt{4}},
                           {"batch", QUniform{16, 64, 16}},
                           {"act", Choice{{text("relu"), 2.0}}}}};
  const auto point =
      partial_point(space, {{"act", integer(2)}, {"batch", 32.0}, {"lr", integer(1)}});
  REQUIRE(point);
  CHECK(*point == Assignment{{"--lr", 1.0}, {"batch", integer(32)}, {"act", 2.0}});
  CHECK(partial_point(space, {})->empty());
  CHECK(partial_point(space, {{"act", text("rely")}}).error().message() ==
        "parameter \"act\": \"rely\" is not a value of choice(\"relu\", 2.0)");
}
