// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "hdrive/space.h"
#include "tests/catch.h"

using namespace hdrive;

namespace {

const std::vector<Expression> kFinite{
    Choice{{std::string("a"), std::int64_t{3}, 0.5, true, Json{"[1,2]"}}},
    Choice{{std::string("only")}},
    RandInt{100},
    QUniform{0, 10, 2},
    QUniform{-1.3, 4.2, 0.1},
    IntUniform{-3, 12},
};
const std::vector<Expression> kLogarithmicLattices{
    QLogUniform{-2, 3, 0.5},    QLogUniformValues{0.2, 30, 0.5},
    QLogUniformValues{1, 1, 1}, IntLogUniform{1, 1000},
    IntLogUniform{7, 7},
};
const std::vector<Expression> kContinuous{Uniform{-2, 5}, LogUniform{-6, -1}, Normal{10, 3},
                                          LogNormal{1, 0.5}, LogUniformValues{1e-5, 0.1}};

double number(const Value& value) { return as_number(value).value(); }

}  // namespace

TEST_CASE("Each value of a finite expression lies in the middle of its cell and comes back") {
  for (const Expression& expression : kFinite) {
    const std::uint64_t size = cardinality(expression).value();
    for (std::uint64_t k = 0; k < size; ++k) {
      INFO(to_text(expression) << " level " << k);
      const Value value = level(expression, k);
      const double unit = encode(expression, value);
      CHECK(unit == Approx((static_cast<double>(k) + 0.5) / static_cast<double>(size)));
      CHECK(decode(expression, unit) == value);
      CHECK(decode(expression, static_cast<double>(k + 1) / static_cast<double>(size) - 1e-9) ==
            value);
    }
    CHECK(decode(expression, 0) == level(expression, 0));
    CHECK(decode(expression, 1) == level(expression, size - 1));
  }
}

TEST_CASE("A rounded value on a logarithmic scale lies in the middle of what is rounded to it") {
  for (const Expression& expression : kLogarithmicLattices) {
    const std::uint64_t size = cardinality(expression).value();
    double begin = 0;
    for (std::uint64_t k = 0; k < size; ++k) {
      INFO(to_text(expression) << " level " << k);
      const Value value = level(expression, k);
      const double end = begin + level_probability(expression, k);
      CHECK(encode(expression, value) == Approx((begin + end) / 2).margin(1e-12));
      CHECK(decode(expression, encode(expression, value)) == value);
      CHECK(decode(expression, begin + 1e-9) == value);
      CHECK(decode(expression, end - 1e-9) == value);
      begin = end;
    }
    CHECK(begin == Approx(1).epsilon(1e-12));
    CHECK(decode(expression, 0) == level(expression, 0));
    CHECK(decode(expression, 1) == level(expression, size - 1));
  }
}

TEST_CASE("Bounds that are given as values are met exactly") {
  for (const auto& [min, max] : {std::pair(1e-5, 0.1), {3e-7, 0.7}, {1.0, 1e300}}) {
    const Expression expression = LogUniformValues{min, max};
    CHECK(decode(expression, 0) == Value(min));
    CHECK(decode(expression, 1) == Value(max));
    CHECK(encode(expression, min) == 0);
    CHECK(encode(expression, max) == 1);
  }
}

TEST_CASE("Places on the unit interval come back through continuous expressions") {
  for (const Expression& expression : kContinuous)
    for (const double unit : {0.001, 0.1, 0.25, 0.5, 0.77, 0.999}) {
      INFO(to_text(expression) << " at " << unit);
      const Value value = decode(expression, unit);
      CHECK(contains(expression, value));
      CHECK(encode(expression, value) == Approx(unit).epsilon(1e-9));
    }
}

TEST_CASE("The interval is linear, logarithmic or the normal distribution function") {
  CHECK(encode(Uniform{-2, 6}, 0.0) == Approx(0.25));
  CHECK(number(decode(Uniform{-2, 6}, 1)) == 6.0);
  CHECK(encode(LogUniform{-6, -1}, std::exp(-2.0)) == Approx(0.8));
  CHECK(number(decode(LogUniform{-6, -1}, 0)) == std::exp(-6.0));
  CHECK(encode(Normal{10, 3}, 10.0) == Approx(0.5));
  CHECK(encode(Normal{10, 3}, 13.0) == Approx(0.8413447460685429).epsilon(1e-12));
  CHECK(number(decode(Normal{10, 3}, 0.975)) == Approx(10 + 3 * 1.959963984540054).epsilon(1e-12));
  CHECK(encode(LogNormal{1, 2}, std::exp(-1.0)) == Approx(0.15865525393145707).epsilon(1e-12));
  CHECK(number(decode(LogNormal{1, 2}, 0.5)) == Approx(std::exp(1.0)));
}

TEST_CASE("Normal tails are clipped a millionth from the ends") {
  CHECK(encode(Normal{0, 1}, -50.0) == 1e-6);
  CHECK(encode(Normal{0, 1}, 50.0) == 1 - 1e-6);
  CHECK(encode(QLogNormal{0, 1, 1}, std::int64_t{0}) == 1e-6);
  CHECK(number(decode(Normal{0, 1}, 0)) == Approx(-4.753424308822899).epsilon(1e-9));
  CHECK(number(decode(Normal{0, 1}, 1)) == Approx(4.753424308822899).epsilon(1e-9));
}

TEST_CASE("The lattices of the normal family come back as the values they are") {
  for (std::int64_t k = -8; k <= 8; ++k) {
    const Expression integers = QNormal{1, 2, 1};
    const Expression halves = QNormal{0, 1, 0.5};
    CHECK(decode(integers, encode(integers, k)) == Value(k));
    CHECK(decode(halves, encode(halves, static_cast<double>(k) / 2)) ==
          Value(static_cast<double>(k) / 2));
  }
  for (std::int64_t k = 0; k <= 40; k += 2) {
    const Expression expression = QLogNormal{1, 1, 2};
    CHECK(decode(expression, encode(expression, k)) == Value(k));
  }
}

TEST_CASE("Degenerate and enormous ranges stay within themselves") {
  CHECK(encode(Uniform{2, 2}, 2.0) == 0.5);
  CHECK(number(decode(Uniform{2, 2}, 0.3)) == 2.0);
  const Expression large = RandInt{std::numeric_limits<std::int64_t>::max()};
  CHECK(contains(large, decode(large, 1)));
  CHECK(contains(large, decode(large, 0.9999999999999999)));
  CHECK(number(decode(Uniform{0, 1}, std::nan(""))) == 0.0);
  CHECK(number(decode(Uniform{0, 1}, 7)) == 1.0);
}
