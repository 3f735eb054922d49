// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>

#include "hdrive/space.h"
#include "tests/catch.h"

using namespace hdrive;

namespace {

using Levels = std::vector<std::pair<Value, double>>;

Levels levels_of(const Expression& expression) {
  Levels result;
  for (std::uint64_t i = 0; i < cardinality(expression).value(); ++i)
    result.emplace_back(level(expression, i), level_probability(expression, i));
  return result;
}

void check_levels(const Expression& expression, const Levels& expected) {
  INFO(to_text(expression));
  const Levels actual = levels_of(expression);
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    CHECK(actual[i].first == expected[i].first);
    CHECK(actual[i].second == Approx(expected[i].second).epsilon(1e-12));
  }
}

Value integer(std::int64_t number) { return number; }
Value text(const char* chars) { return std::string(chars); }

}  // namespace

TEST_CASE(
    "Rounding to multiples ties to even, is not clamped, and gives integers for an integer q") {
  CHECK(quantize(2.5, 1) == integer(2));
  CHECK(quantize(3.5, 1) == integer(4));
  CHECK(quantize(5, 2) == integer(4));
  CHECK(quantize(7, 2) == integer(8));
  CHECK(quantize(-2.5, 1) == integer(-2));
  CHECK(quantize(0.7, 0.5) == Value(0.5));
  CHECK(quantize(1.25, 0.5) == Value(1.0));
  CHECK(quantize(1e19, 1) == Value(1e19));  // beyond 64 bits
  CHECK(quantize(6e18, 4) == integer(6000000000000000000));
  CHECK(std::signbit(std::get<double>(quantize(-0.1, 0.5))) == false);
}

TEST_CASE("The end points of quniform(0, 10, 2) are half as likely as the inner ones") {
  check_levels(QUniform{0, 10, 2}, {{integer(0), 0.1},
                                    {integer(2), 0.2},
                                    {integer(4), 0.2},
                                    {integer(6), 0.2},
                                    {integer(8), 0.2},
                                    {integer(10), 0.1}});
}

TEST_CASE("Lattice points can lie outside the bounds") {
  check_levels(QUniform{1, 10, 4},
               {{integer(0), 1.0 / 9}, {integer(4), 4.0 / 9}, {integer(8), 4.0 / 9}});
  check_levels(QUniform{-0.4, 1.6, 1},
               {{integer(0), 0.9 / 2}, {integer(1), 1.0 / 2}, {integer(2), 0.1 / 2}});
  check_levels(QUniform{0.3, 0.9, 0.5}, {{0.5, 0.45 / 0.6}, {1.0, 0.15 / 0.6}});
}

TEST_CASE("A lattice point reached from nowhere is no level") {
  check_levels(QUniform{0.5, 2.5, 1}, {{integer(1), 0.5}, {integer(2), 0.5}});
  check_levels(QLogUniform{std::log(2.5), std::log(4.5), 1},
               {{integer(3), std::log(3.5 / 2.5) / std::log(4.5 / 2.5)},
                {integer(4), std::log(4.5 / 3.5) / std::log(4.5 / 2.5)}});
}

TEST_CASE("A quniform without width has one level") {
  check_levels(QUniform{2.5, 2.5, 1}, {{integer(2), 1.0}});
  check_levels(QUniform{3, 3, 2}, {{integer(4), 1.0}});
  check_levels(QUniform{0.1, 0.2, 1}, {{integer(0), 1.0}});
}

TEST_CASE("qloguniform's levels have the logarithmic widths of their cells") {
  check_levels(QLogUniform{-1, 1, 1}, {{integer(0), (std::log(0.5) + 1) / 2},
                                       {integer(1), (std::log(1.5) - std::log(0.5)) / 2},
                                       {integer(2), (std::log(2.5) - std::log(1.5)) / 2},
                                       {integer(3), (1 - std::log(2.5)) / 2}});
}

TEST_CASE("Integers between two bounds include both, and on a logarithmic scale none is slighted") {
  check_levels(IntUniform{-1, 2},
               {{integer(-1), 0.25}, {integer(0), 0.25}, {integer(1), 0.25}, {integer(2), 0.25}});
  const double all = std::log(3.5 / 0.5);
  check_levels(IntLogUniform{1, 3}, {{integer(1), std::log(1.5 / 0.5) / all},
                                     {integer(2), std::log(2.5 / 1.5) / all},
                                     {integer(3), std::log(3.5 / 2.5) / all}});
  check_levels(QLogUniformValues{2.5, 4.5, 1},
               {{integer(3), std::log(3.5 / 2.5) / std::log(4.5 / 2.5)},
                {integer(4), std::log(4.5 / 3.5) / std::log(4.5 / 2.5)}});
  const Expression many = IntLogUniform{1, std::int64_t{1} << 53};
  CHECK(cardinality(many) == std::uint64_t{1} << 53);
  CHECK(contains(many, decode(many, 1)));
}

TEST_CASE("Probabilities of all levels add up to one") {
  for (const Expression& expression : std::vector<Expression>{
           QUniform{-3.7, 12.1, 0.3}, QUniform{0, 1000, 1}, QLogUniform{-5, 7, 0.25},
           QLogUniform{std::log(0.5), std::log(99.5), 1}, RandInt{17},
           Choice{{true, false, 1.5}}}) {
    INFO(to_text(expression));
    double sum = 0;
    for (const auto& [value, probability] : levels_of(expression)) {
      CHECK(probability > 0);
      sum += probability;
    }
    CHECK(sum == Approx(1).epsilon(1e-12));
  }
}

TEST_CASE("Options come as listed; one that is listed twice counts once and is twice as likely") {
  check_levels(Choice{{text("b"), text("a"), text("b"), integer(2)}},
               {{text("b"), 0.5}, {text("a"), 0.25}, {integer(2), 0.25}});
  check_levels(RandInt{3}, {{integer(0), 1.0 / 3}, {integer(1), 1.0 / 3}, {integer(2), 1.0 / 3}});
}

TEST_CASE("Only choices, randints and bounded lattices are finite") {
  CHECK(cardinality(Expression(RandInt{std::int64_t{1} << 62})) == std::uint64_t{1} << 62);
  for (const Expression& expression :
       std::vector<Expression>{Uniform{0, 1}, LogUniform{0, 1}, Normal{0, 1}, QNormal{0, 1, 1},
                               LogNormal{0, 1}, QLogNormal{0, 1, 1}, QUniform{0, 1e17, 1}}) {
    INFO(to_text(expression));
    CHECK_FALSE(cardinality(expression));
  }
}

TEST_CASE("A space's size is the product, unless that is infinite or passes 2^63") {
  const Parameter three{"a", Choice{{text("x"), text("y"), text("z")}}};
  const Parameter four{"b", RandInt{4}};
  CHECK(cardinality(SearchSpace{}) == 1u);
  CHECK(cardinality(SearchSpace{{three, four}}) == 12u);
  CHECK_FALSE(cardinality(SearchSpace{{three, {"u", Uniform{0, 1}}}}));
  const Parameter large{"c", RandInt{std::int64_t{1} << 32}};
  const Parameter half{"d", RandInt{std::int64_t{1} << 31}};
  CHECK(cardinality(SearchSpace{{large, half}}) == std::uint64_t{1} << 63);
  CHECK_FALSE(cardinality(SearchSpace{{large, large}}));
  CHECK_FALSE(cardinality(SearchSpace{{large, half, four}}));
}

TEST_CASE("Points are counted with the first parameter slowest") {
  const SearchSpace space{{{"--a", Choice{{text("x"), text("y")}}}, {"b", QUniform{0, 2, 1}}}};
  std::string all;
  for (std::uint64_t i = 0; i < 6; ++i) all += to_json(point(space, i));
  CHECK(all == R"({"--a":"x","b":0}{"--a":"x","b":1}{"--a":"x","b":2})"
               R"({"--a":"y","b":0}{"--a":"y","b":1}{"--a":"y","b":2})");
}
