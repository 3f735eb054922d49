// SPDX-License-Identifier: Apache-2.0
//
// The ten expressions against the formulas of the reference, section 1.1. Expected probabilities are
// written out here and not taken from space/, so that the two check each other.
#include <map>

#include "hdrive/sampler.h"
#include "tests/catch.h"
#include "tests/unit/sampling/statistics.h"

using namespace hdrive;
using namespace hdrive::statistics;

namespace {

constexpr int kDraws = 100'000;

std::vector<Value> draws(const Expression& expression) {
  RandomStream random(20240229, 1, 0);
  std::vector<Value> result;
  for (int i = 0; i < kDraws; ++i) result.push_back(draw(expression, random));
  return result;
}

std::vector<double> numbers(const Expression& expression) {
  std::vector<double> result;
  for (const Value& value : draws(expression)) result.push_back(as_number(value).value());
  return result;
}

// Mean and variance, each within four standard errors. `kurtosis` is that of the distribution.
void check_moments(const std::vector<double>& sample, double mean_of, double variance_of,
                   double kurtosis) {
  const double n = static_cast<double>(sample.size());
  CHECK(std::abs(mean(sample) - mean_of) < 4 * std::sqrt(variance_of / n));
  CHECK(std::abs(variance(sample) - variance_of) < 4 * variance_of * std::sqrt((kurtosis - 1) / n));
}

using Probabilities = std::map<double, double>;  // of each value; the rest may be lumped together

// Chi-square over the listed values and, as one more cell, all others.
void check_lattice(const Expression& expression, const Probabilities& expected) {
  INFO(to_text(expression));
  std::map<double, double> counts;
  double others = 0;
  for (const double x : numbers(expression)) expected.contains(x) ? ++counts[x] : ++others;
  std::vector<double> observed, probabilities;
  double rest = 1;
  for (const auto& [value, probability] : expected) {
    observed.push_back(counts[value]);
    probabilities.push_back(probability);
    rest -= probability;
  }
  if (rest > 1e-9) {
    observed.push_back(others);
    probabilities.push_back(rest);
  } else {
    CHECK(others == 0);
  }
  CHECK(chi_square(observed, probabilities) < chi_square_bound(observed.size()));
}

double normal_mass(double low, double high, double mu, double sigma) {
  return normal_cdf((high - mu) / sigma) - normal_cdf((low - mu) / sigma);
}

}  // namespace

TEST_CASE("choice gives each option equally often, with its kind") {
  const std::vector<Value> options{std::string("a"), std::int64_t{3}, 3.5, true, Json{"[1,2]"}};
  std::vector<double> counts(options.size());
  for (const Value& value : draws(Choice{options}))
    ++counts[static_cast<std::size_t>(std::find(options.begin(), options.end(), value) -
                                      options.begin())];
  CHECK(chi_square(counts, std::vector<double>(options.size(), 0.2)) < chi_square_bound(5));
}

TEST_CASE("An option listed twice comes twice as often") {
  check_lattice(Choice{{1.0, 2.0, 1.0}}, {{1, 2.0 / 3}, {2, 1.0 / 3}});
}

TEST_CASE("randint(4) gives 0 to 3 equally often and never 4") {
  check_lattice(RandInt{4}, {{0, 0.25}, {1, 0.25}, {2, 0.25}, {3, 0.25}});
  for (const Value& value : draws(RandInt{4})) REQUIRE(std::holds_alternative<std::int64_t>(value));
  check_lattice(RandInt{1}, {{0, 1}});
}

TEST_CASE("randint of a bound that is no power of two is without bias") {
  // A modulo of 64 bits would favour the lower third of these by 2 to 1.
  const std::int64_t upper = std::int64_t{3} << 61;
  double lower_third = 0;
  for (const double x : numbers(RandInt{upper})) lower_third += x < static_cast<double>(upper) / 3;
  CHECK(chi_square({lower_third, kDraws - lower_third}, {1.0 / 3, 2.0 / 3}) < chi_square_bound(2));
}

TEST_CASE("uniform is uniform between its bounds") {
  const auto sample = numbers(Uniform{-2, 6});
  CHECK(kolmogorov(sample, [](double x) { return (x + 2) / 8; }) < kKolmogorovBound);
  check_moments(sample, 2, 64.0 / 12, 1.8);
  CHECK(*std::min_element(sample.begin(), sample.end()) >= -2);
  CHECK(*std::max_element(sample.begin(), sample.end()) <= 6);
  check_lattice(Uniform{1.1, 1.1}, {{1.1, 1}});
}

TEST_CASE("loguniform(-6, -1) is uniform in the natural logarithm, from 0.002479 to 0.367879") {
  const auto sample = numbers(LogUniform{-6, -1});
  CHECK(kolmogorov(sample, [](double x) { return (std::log(x) + 6) / 5; }) < kKolmogorovBound);
  const double first = (std::exp(-1.0) - std::exp(-6.0)) / 5;
  const double second = (std::exp(-2.0) - std::exp(-12.0)) / 10;
  check_moments(sample, first, second - first * first, 5);
  const double least = *std::min_element(sample.begin(), sample.end());
  const double most = *std::max_element(sample.begin(), sample.end());
  CHECK(least >= 0.002478752);
  CHECK(least < 0.00248);
  CHECK(most <= 0.367879442);
  CHECK(most > 0.3678);
}

TEST_CASE("normal has its mean and standard deviation") {
  const auto sample = numbers(Normal{10, 3});
  CHECK(kolmogorov(sample, [](double x) { return normal_cdf((x - 10) / 3); }) < kKolmogorovBound);
  check_moments(sample, 10, 9, 3);
}

TEST_CASE("lognormal's mu and sigma are those of the natural logarithm") {
  const auto sample = numbers(LogNormal{0.5, 0.25});
  CHECK(kolmogorov(sample, [](double x) { return normal_cdf((std::log(x) - 0.5) / 0.25); }) <
        kKolmogorovBound);
  const double s2 = 0.25 * 0.25;
  check_moments(sample, std::exp(0.5 + s2 / 2), (std::exp(s2) - 1) * std::exp(1 + s2), 4.2);
}

TEST_CASE("quniform(0, 10, 2) gives its end points half as often as the inner ones") {
  check_lattice(QUniform{0, 10, 2}, {{0, 0.1}, {2, 0.2}, {4, 0.2}, {6, 0.2}, {8, 0.2}, {10, 0.1}});
}

TEST_CASE("quniform is rounded to the nearest multiple and not clamped to its bounds") {
  check_lattice(QUniform{1, 10, 4}, {{0, 1.0 / 9}, {4, 4.0 / 9}, {8, 4.0 / 9}});
  check_lattice(QUniform{-1.6, 1.7, 1},
                {{-2, 0.1 / 3.3}, {-1, 1 / 3.3}, {0, 1 / 3.3}, {1, 1 / 3.3}, {2, 0.2 / 3.3}});
  check_lattice(QUniform{0.3, 0.9, 0.5}, {{0.5, 0.45 / 0.6}, {1, 0.15 / 0.6}});
}

TEST_CASE("log_uniform_values draws evenly on a logarithmic scale") {
  RandomStream random(11, 0, 0);
  const int draws = 20'000;
  int below = 0;
  for (int i = 0; i < draws; ++i)
    below += as_number(draw(LogUniformValues{1e-4, 1}, random)).value() < 1e-3 ? 1 : 0;
  CHECK(below == Approx(draws / 4.0).epsilon(0.04));
}

TEST_CASE("qloguniform rounds after the exponential") {
  Probabilities expected;
  for (int k = 0; k <= 7; ++k) {
    const double low = k == 0 ? -1 : std::log(k - 0.5);
    expected[k] = (std::min(2.0, std::log(k + 0.5)) - low) / 3;
  }
  check_lattice(QLogUniform{-1, 2, 1}, expected);
  check_lattice(QLogUniform{0, std::log(10.0), 4},
                {{0, std::log10(2)}, {4, std::log10(3)}, {8, std::log10(10.0 / 6)}});
}

TEST_CASE("qnormal rounds a normal draw") {
  Probabilities expected;
  for (int k = -3; k <= 4; ++k) expected[2 * k] = normal_mass(2 * k - 1, 2 * k + 1, 1, 3);
  check_lattice(QNormal{1, 3, 2}, expected);
}

TEST_CASE("qlognormal rounds after the exponential") {
  Probabilities expected{{0, normal_cdf((std::log(1.0) - 0.5) / 0.8)}};
  for (int k = 1; k <= 4; ++k)
    expected[2 * k] = normal_mass(std::log(2 * k - 1), std::log(2 * k + 1), 0.5, 0.8);
  check_lattice(QLogNormal{0.5, 0.8, 2}, expected);
}

TEST_CASE("The chance of each level is the one that space/ tells") {
  for (const Expression& expression : std::vector<Expression>{
           QUniform{-3.7, 2.1, 0.5}, QUniform{0, 7, 3}, QLogUniform{-2, 1.5, 0.5},
           QLogUniform{1, 3, 2}, Choice{{1.0, 2.0, 2.0, 5.0}}, RandInt{6}, IntUniform{-2, 3},
           IntLogUniform{1, 9}, QLogUniformValues{0.7, 9.2, 1.5}}) {
    Probabilities expected;
    for (std::uint64_t i = 0; i < cardinality(expression).value(); ++i)
      expected[as_number(level(expression, i)).value()] = level_probability(expression, i);
    check_lattice(expression, expected);
  }
}

TEST_CASE("q-forms give integers where q is one and reals where it is not") {
  for (const Expression& expression : std::vector<Expression>{
           QUniform{0.5, 9.5, 2}, QLogUniform{0, 3, 1}, QNormal{0, 5, 3}, QLogNormal{0, 1, 1}}) {
    for (const Value& value : draws(expression))
      REQUIRE(std::holds_alternative<std::int64_t>(value));
  }
  for (const Expression& expression :
       std::vector<Expression>{QUniform{0, 9, 0.5}, QNormal{0, 1, 0.5}, QLogNormal{0, 1, 1.5}}) {
    for (const Value& value : draws(expression)) {
      REQUIRE(std::holds_alternative<double>(value));
      REQUIRE(to_text(value) != "-0.0");
    }
  }
}

TEST_CASE("Every draw is a value of its expression") {
  for (const Expression& expression : std::vector<Expression>{
           Choice{{true, 1.5}}, RandInt{1'000'000'007}, Uniform{-1.7e308, 1.7e308}, Uniform{1, 1},
           QUniform{0, 1, 0.1}, LogUniform{-700, 700}, QLogUniform{-1e9, 700, 3}, Normal{0, 1e300},
           QNormal{-5, 2, 0.3}, LogNormal{-300, 20}, QLogNormal{3, 2, 7},
           LogUniformValues{1e-300, 1e300}, LogUniformValues{0.1, 0.1}, QLogUniformValues{1, 9, 4},
           IntUniform{std::numeric_limits<std::int64_t>::min(), -1}, IntUniform{3, 3},
           IntLogUniform{1, 1}, IntLogUniform{1, std::int64_t{1} << 53}}) {
    INFO(to_text(expression));
    REQUIRE_FALSE(fault(expression));
    RandomStream random(5, 0, 0);
    for (int i = 0; i < 10'000; ++i) {
      const Value value = draw(expression, random);
      if (!contains(expression, value)) FAIL(to_json(value) << " is outside");
    }
  }
}
