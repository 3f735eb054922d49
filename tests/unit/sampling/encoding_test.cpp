// SPDX-License-Identifier: Apache-2.0
//
// A search space as coordinates that models learn from, and back.
#include "sampling/encoding.h"

#include <algorithm>
#include <cmath>

#include "sampling/gp/evidence.h"
#include "tests/catch.h"
#include "tests/unit/sampling/trials.h"

using namespace hdrive;
using namespace hdrive::sampling;
using namespace hdrive::sampling::gp;

namespace {

Value text(const char* chars) { return std::string(chars); }

double distance(const Encoding& encoding, const Assignment& a, const Assignment& b) {
  const auto x = encoding.encode(a).value(), y = encoding.encode(b).value();
  double sum = 0;
  for (std::size_t j = 0; j < x.size(); ++j) sum += std::min((x[j] - y[j]) * (x[j] - y[j]), 1.0);
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("Every expression comes back from its coordinates") {
  const SearchSpace space{
      {{"category", Choice{{text("a"), text("b"), text("c")}}},
       {"numbers", Choice{{std::int64_t{64}, std::int64_t{16}, std::int64_t{256}}}},
       {"randint", RandInt{7}},
       {"huge", RandInt{1'000'000}},
       {"uniform", Uniform{-2, 3}},
       {"quniform", QUniform{0, 10, 2}},
       {"loguniform", LogUniform{-5, 1}},
       {"qloguniform", QLogUniform{0, 5, 3}},
       {"normal", Normal{1, 2}},
       {"qnormal", QNormal{0, 2, 0.5}},
       {"lognormal", LogNormal{0, 1}},
       {"qlognormal", QLogNormal{1, 1, 2}}}};
  const Encoding encoding(space, true);
  CHECK(encoding.size() == 12);
  CHECK_FALSE(encoding.is_discrete());
  for (std::int64_t run = 0; run < 200; ++run) {
    Assignment drawn;
    RandomStream random(1, run, 0);
    for (const Parameter& parameter : space.parameters)
      drawn.push_back({parameter.name, draw(parameter.expression, random)});
    auto point = encoding.encode(drawn);
    REQUIRE(point);
    const Assignment back = encoding.decode(*point);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      INFO(drawn[i].name);
      const auto before = as_number(drawn[i].value), after = as_number(back[i].value);
      if (before)
        CHECK(*after == Approx(*before).epsilon(1e-6).margin(1e-6));
      else
        CHECK(back[i].value == drawn[i].value);
    }
    Coordinates snapped = *point;
    encoding.snap(snapped);
    for (std::size_t j = 0; j < snapped.size(); ++j)
      CHECK(snapped[j] == Approx((*point)[j]).margin(1e-9));
  }
}

TEST_CASE("Two categories are one apart, whichever they are") {
  const SearchSpace space{{{"c", Choice{{text("a"), text("b"), text("c"), true}}}}};
  const Encoding encoding(space, true);
  CHECK(distance(encoding, {{"c", text("a")}}, {{"c", text("b")}}) == 1);
  CHECK(distance(encoding, {{"c", text("a")}}, {{"c", true}}) == 1);
  CHECK(distance(encoding, {{"c", text("c")}}, {{"c", text("c")}}) == 0);
}

TEST_CASE("Categories lie further apart than numbers do, and the more so the more there are") {
  const SearchSpace space{{{"x", Uniform{0, 1}},
                           {"n", RandInt{16}},
                           {"two", Choice{{text("a"), text("b")}}},
                           {"four", Choice{{text("a"), text("b"), text("c"), text("d")}}}}};
  const auto spreads = Encoding(space, true).spreads();
  REQUIRE(spreads.size() == 4);
  CHECK(spreads[0] == 1);
  CHECK(spreads[1] == 1);
  // Two of K categories differ, by 1, with probability 1 - 1/K; two numbers from [0, 1] by 1/6 in the mean square.
  CHECK(spreads[2] == Approx(std::sqrt(3)));
  CHECK(spreads[3] == Approx(std::sqrt(4.5)));
}

TEST_CASE("A choice of numbers is ordered by them, by their logarithms if they span much") {
  const Choice sizes{{std::int64_t{512}, std::int64_t{8}, std::int64_t{64}}};
  const auto far = [&](bool ordered) {
    const Encoding encoding({{{"n", sizes}}}, ordered);
    return std::pair(distance(encoding, {{"n", std::int64_t{8}}}, {{"n", std::int64_t{64}}}),
                     distance(encoding, {{"n", std::int64_t{8}}}, {{"n", std::int64_t{512}}}));
  };
  CHECK(far(true).second == Approx(2 * far(true).first));
  CHECK(far(false).first == 1);
  CHECK(far(false).second == 1);
  const Encoding linear({{{"n", Choice{{1.0, 2.0, 5.0}}}}}, true);
  CHECK(distance(linear, {{"n", 1.0}}, {{"n", 5.0}}) ==
        Approx(4 * distance(linear, {{"n", 1.0}}, {{"n", 2.0}})));
}

TEST_CASE("Zero and numbers below it are on the scale of the others, each apart from the next") {
  const auto positions = [](const std::vector<double>& numbers) {
    Choice choice;
    for (const double number : numbers) choice.options.push_back(number);
    return Encoding({{{"n", choice}}}).dimensions().at(0).positions;
  };
  const auto check = [&](const std::vector<double>& numbers, const std::vector<double>& expected) {
    const auto found = positions(numbers);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]));
  };
  check({1e-3, 0, 1e-5, 1e-4}, {0.125, 0.375, 0.625, 0.875});
  check({-10, -1, 0, 1, 10}, {0.1, 0.3, 0.5, 0.7, 0.9});
  check({-100, -1, 1, 100}, {0.125, 0.375, 0.625, 0.875});
  check({0, 0.25, 0.5}, {1.0 / 6, 0.5, 5.0 / 6});  // of one size: as they are
  check({-1, 0, 1}, {1.0 / 6, 0.5, 5.0 / 6});
  check({0, 1e-300, 1e300}, {1.0 / 6, 0.5, 5.0 / 6});
  for (const std::vector<double>& numbers : {std::vector<double>{0, 1e-6, 1e-5, 1e-4, 0.5},
                                             {-1, 1e-4, 1e-3, 1e-2},
                                             {0, 1, 2, 4, 1000}}) {
    const auto found = positions(numbers);
    for (std::size_t i = 1; i < found.size(); ++i) CHECK(found[i] - found[i - 1] > 0.05);
  }
}

TEST_CASE(
    "A parameter without a choice is no dimension, and one of a million levels is continuous") {
  const Encoding encoding({{{"only", Choice{{text("this")}}},
                            {"one", RandInt{1}},
                            {"point", Uniform{2, 2}},
                            {"many", RandInt{1'000'000}}}},
                          true);
  REQUIRE(encoding.size() == 1);
  CHECK(encoding.dimensions()[0].is_continuous());
  const Assignment decoded = encoding.decode(std::vector<double>{0.5});
  CHECK(decoded[0].value == text("this"));
  CHECK(decoded[1].value == Value(std::int64_t{0}));
  CHECK(decoded[2].value == Value(2.0));
  CHECK(decoded[3].value == Value(std::int64_t{500'000}));
}

TEST_CASE("Parameter sets of another space have no coordinates") {
  const Encoding encoding(SearchSpace{{{"x", Uniform{0, 1}}}}, true);
  CHECK_FALSE(encoding.encode({}));
  CHECK_FALSE(encoding.encode({{"y", 0.5}}));
  CHECK_FALSE(encoding.encode({{"x", 1.5}}));
  CHECK_FALSE(encoding.encode({{"x", text("?")}}));
  CHECK(encoding.encode({{"x", 0.5}}));
}
