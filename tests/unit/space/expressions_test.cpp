// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "hdrive/space.h"
#include "tests/catch.h"

using namespace hdrive;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Choice kMixed{{std::string("a"), std::int64_t{3}, 0.5, true, Json{"[1,2]"}}};

const std::vector<Expression> kOneOfEach{
    kMixed,
    RandInt{100},
    Uniform{0.01, 0.9},
    QUniform{0, 10, 2},
    LogUniform{-6, -1},
    QLogUniform{0, 3, 0.5},
    Normal{0, 1},
    QNormal{10, 3, 1},
    LogNormal{0, 0.25},
    QLogNormal{1, 1, 2},
    LogUniformValues{0.0001, 0.1},
    QLogUniformValues{1, 100, 5},
    IntUniform{-2, 7},
    IntLogUniform{1, 512},
};

std::string fault_text(const Expression& expression) { return fault(expression).value_or("sound"); }

}  // namespace

TEST_CASE("The table of expressions is in the order of the variant") {
  REQUIRE(expressions().size() == std::variant_size_v<Expression>);
  const std::vector<std::string> names{"choice",
                                       "randint",
                                       "uniform",
                                       "quniform",
                                       "loguniform",
                                       "qloguniform",
                                       "normal",
                                       "qnormal",
                                       "lognormal",
                                       "qlognormal",
                                       "log_uniform_values",
                                       "q_log_uniform_values",
                                       "int_uniform",
                                       "int_log_uniform"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(kOneOfEach[i].index() == i);
    CHECK(expressions()[i].name == names[i]);
    CHECK(expression_name(kOneOfEach[i]) == names[i]);
  }
}

TEST_CASE("An expression has HyperDrive's wire form") {
  const std::vector<std::string> wire{R"(["choice",[["a",3,0.5,true,[1,2]]]])",
                                      R"(["randint",[100]])",
                                      R"(["uniform",[0.01,0.9]])",
                                      R"(["quniform",[0,10,2]])",
                                      R"(["loguniform",[-6,-1]])",
                                      R"(["qloguniform",[0,3,0.5]])",
                                      R"(["normal",[0,1]])",
                                      R"(["qnormal",[10,3,1]])",
                                      R"(["lognormal",[0,0.25]])",
                                      R"(["qlognormal",[1,1,2]])",
                                      R"(["log_uniform_values",[0.0001,0.1]])",
                                      R"(["q_log_uniform_values",[1,100,5]])",
                                      R"(["int_uniform",[-2,7]])",
                                      R"(["int_log_uniform",[1,512]])"};
  for (std::size_t i = 0; i < wire.size(); ++i) CHECK(to_json(kOneOfEach[i]) == wire[i]);
}

TEST_CASE("An expression prints as a call") {
  CHECK(to_text(kOneOfEach[0]) == R"(choice("a", 3, 0.5, true, [1,2]))");
  CHECK(to_text(Expression(RandInt{100})) == "randint(100)");
  CHECK(to_text(Expression(QUniform{0.5, 10, 2})) == "quniform(0.5, 10, 2)");
}

TEST_CASE("Sound expressions have no fault") {
  for (const Expression& expression : kOneOfEach) CHECK(fault_text(expression) == "sound");
  CHECK(fault_text(Uniform{2, 2}) == "sound");
  CHECK(fault_text(RandInt{1}) == "sound");
  CHECK(fault_text(Uniform{-1.7e308, 1.7e308}) == "sound");
  CHECK(fault_text(QLogUniform{-1e9, 3, 1}) == "sound");
}

TEST_CASE("Each fault is told with the argument and what is allowed") {
  CHECK(fault_text(Choice{}) == "there are no options to choose from");
  CHECK(fault_text(RandInt{0}) ==
        "upper is 0; it must be at least 1 (the values are 0 to upper - 1)");
  CHECK(fault_text(Uniform{3, 1}) == "min_value 3 is above max_value 1");
  CHECK(fault_text(QLogUniform{3, 1, 1}) == "min_value 3 is above max_value 1");
  CHECK(fault_text(QUniform{0, 1, 0}) == "q is 0; the step must be above 0");
  CHECK(fault_text(QNormal{0, 1, -2}) == "q is -2; the step must be above 0");
  CHECK(fault_text(Normal{0, 0}) == "sigma is 0; a standard deviation must be above 0");
  CHECK(fault_text(QLogNormal{0, -1, 1}) == "sigma is -1; a standard deviation must be above 0");
  CHECK(fault_text(Uniform{0, kInfinity}) == "max_value is inf; it must be a finite number");
  CHECK(fault_text(QUniform{0, 1, std::nan("")}) == "q is nan; it must be a finite number");
  CHECK(fault_text(Normal{std::nan(""), 1}) == "mu is nan; it must be a finite number");
}

TEST_CASE("Bounds that no logarithmic scale and no integer can have are told") {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  CHECK(fault_text(LogUniformValues{0, 1}) == "min_value is 0; a logarithmic scale begins above 0");
  CHECK(fault_text(QLogUniformValues{-1, 1, 1}) ==
        "min_value is -1; a logarithmic scale begins above 0");
  CHECK(fault_text(LogUniformValues{0.1, 0.01}) == "min_value 0.1 is above max_value 0.01");
  CHECK(fault_text(LogUniformValues{1e-300, 1e300}) == "sound");
  CHECK(fault_text(LogUniformValues{5e-324, 1.7e308}) == "sound");
  CHECK(fault_text(LogUniformValues{1, kInfinity}) ==
        "max_value is inf; it must be a finite number");
  CHECK(fault_text(QLogUniformValues{1, 2, 0}) == "q is 0; the step must be above 0");
  CHECK(fault_text(IntUniform{3, 1}) == "min_value 3 is above max_value 1");
  CHECK(fault_text(IntUniform{kLeast, -1}) == "sound");
  CHECK(fault_text(IntUniform{kLeast, kMost}) ==
        "from -9223372036854775808 to 9223372036854775807 there are more than 2^63 integers");
  CHECK(fault_text(IntLogUniform{0, 8}) ==
        "min_value is 0; integers on a logarithmic scale begin at 1");
  CHECK(fault_text(IntLogUniform{1, kMost}).find("2^53") != std::string::npos);
}

TEST_CASE("Bounds that are no logarithms of numbers are a fault that says so") {
  CHECK(fault_text(LogUniform{1, 1000}) ==
        "exp(max_value) = exp(1000) is too large for a number; min_value and max_value are natural "
        "logarithms: log(0.001) = -6.9, log(100) = 4.6");
  CHECK(fault_text(LogUniform{-1000, 0}).find("exp(-1000) is too small") != std::string::npos);
  CHECK(fault_text(QLogUniform{0, 710, 1}).find("too large") != std::string::npos);
  CHECK(fault_text(LogNormal{0, 100}).find("those of the natural logarithm") != std::string::npos);
  CHECK(fault_text(QLogNormal{1000, 1, 1}).find("too large") != std::string::npos);
  CHECK(fault_text(QUniform{0, 1e300, 1e-300}).find("beyond the range") != std::string::npos);
  CHECK(fault_text(Normal{1e308, 1e308}).find("beyond the range") != std::string::npos);
}
