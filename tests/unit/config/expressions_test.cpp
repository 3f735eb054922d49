// SPDX-License-Identifier: Apache-2.0
//
// The expressions beside HyperDrive's ten, the names that other tools have for them, and their advice.
#include <cmath>
#include <limits>

#include "tests/unit/config/support.h"

using namespace hdrive;
using namespace hdrive::test;

namespace {

Expression expression_of(const std::string& name, const std::string& values) {
  const LoadedConfig loaded =
      parse(with_parameter("name: x, expression: " + name + ", values: " + values));
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  CHECK(loaded.problems.empty());
  return loaded.spec.space.parameters.at(0).expression;
}

// What is said of the parameter, without the place.
std::string told_of(const std::string& name, const std::string& values, bool azure = false) {
  ConfigOverrides overrides = no_command();
  overrides.azure = azure;
  const std::string text =
      told(with_parameter("name: x, expression: " + name + ", values: " + values), overrides);
  const std::string place = "hdconfig.yml:4:";
  return text.starts_with(place) ? text.substr(text.find(": ", place.size()) + 2) : text;
}

}  // namespace

TEST_CASE("Logarithmic scales and integers are written with their bounds") {
  CHECK(expression_of("log_uniform_values", "[0.0001, 0.1]") ==
        Expression(LogUniformValues{0.0001, 0.1}));
  CHECK(expression_of("q_log_uniform_values", "[8, 512, 8]") ==
        Expression(QLogUniformValues{8, 512, 8}));
  CHECK(expression_of("int_uniform", "[-3, 9007199254740993]") ==
        Expression(IntUniform{-3, 9007199254740993}));
  CHECK(expression_of("int_log_uniform", "[1, 1024]") == Expression(IntLogUniform{1, 1024}));
}

TEST_CASE("Names of other tools stand for the same expressions, in any spelling") {
  for (const char* name : {"int", "Int", "integer", "intUniform", "int-uniform"})
    CHECK(expression_of(name, "[1, 8]") == Expression(IntUniform{1, 8}));
  for (const char* name : {"log_float", "LogFloat", "loguniform_values"})
    CHECK(expression_of(name, "[0.1, 8]") == Expression(LogUniformValues{0.1, 8}));
  CHECK(expression_of("log_int", "[1, 8]") == Expression(IntLogUniform{1, 8}));
  CHECK(expression_of("float", "[0, 8]") == Expression(Uniform{0, 8}));
  CHECK(expression_of("categorical", "[a, b]") ==
        Expression(Choice{{std::string("a"), std::string("b")}}));
  CHECK(expression_of("q_uniform", "[0, 8, 2]") == Expression(QUniform{0, 8, 2}));
}

TEST_CASE("Integers take integers only") {
  CHECK(told_of("int_uniform", "[1, 2.5]") ==
        "\"max_value\" is the number 2.5; allowed: an integer\n");
  CHECK(told_of("int_log_uniform", "[0, 8]") ==
        "int_log_uniform: min_value is 0; integers on a logarithmic scale begin "
        "at 1\n");
}

TEST_CASE("Plain bounds for logarithms are pointed to the expression that takes them") {
  CHECK(
      told_of("loguniform", "[0.001, 0.1]") ==
      "warning: loguniform takes the natural logarithms of its bounds, so this "
      "draws from 1.001 to 1.105; for values from 0.001 to 0.1 write log_uniform_values with these "
      "bounds, or [-6.90776, -2.30259]\n");
}

TEST_CASE("A number of arguments that another tool has gets that tool's expression") {
  CHECK_THAT(told_of("randint", "[1, 8]"),
             Catch::Contains("integers from min_value to max_value are int_uniform"));
  CHECK_THAT(told_of("int", "[1, 8, 2]"), Catch::Contains("for a step write quniform"));
}

TEST_CASE("An unknown expression is guessed by what other tools call it") {
  for (const auto& [theirs, ours] : std::vector<std::pair<std::string, std::string>>{
           {"lograndint", "int_log_uniform"},
           {"suggest_float", "uniform"},
           {"reciprocal", "log_uniform_values"},
           {"suggest_int", "int_uniform"},
           {"intt", "int"},
           {"log_uniform_value", "log_uniform_values"}})
    CHECK_THAT(told_of(theirs, "[1, 8]"), Catch::Contains("did you mean \"" + ours + "\"?"));
}

TEST_CASE("Keys in which other tools give bounds lead to values") {
  for (const char* key : {"min", "low", "max_value", "step"})
    CHECK_THAT(told(with_parameter("name: x, expression: uniform, values: [0, 1], " +
                                   std::string(key) + ": 1")),
               Catch::Contains("did you mean \"values\"?"));
}

TEST_CASE("Azure is told to have none of hdrive's own expressions, and what to write there") {
  CHECK(told_of("log_uniform_values", "[1, 8]", true) ==
        "warning: Azure: there is no expression log_uniform_values (parameter "
        "\"x\"); write loguniform with [0, 2.0794415416798357]\n");
  CHECK_THAT(told_of("int", "[0, 8]", true), Catch::Contains("write randint with [9]"));
  CHECK_THAT(told_of("int", "[1, 8]", true), Catch::Contains("write quniform with [1, 8, 1]"));
  CHECK_THAT(told_of("int_log_uniform", "[1, 8]", true), Catch::Contains("write qloguniform with"));
  CHECK_THAT(told_of("q_log_uniform_values", "[1, 8, 1]", true),
             Catch::Contains("write qloguniform with [0, 2.0794415416798357, 1]"));
  CHECK_THAT(told_of("float", "[1, 8]", true),
             Catch::Contains("Azure: there is no expression \"float\"; write uniform"));
  CHECK(told_of("float", "[1, 8]") == "");
}

TEST_CASE("Numbers that are none to draw from are told as such") {
  CHECK(told_of("uniform", "[-.inf, 1]") ==
        "\"min_value\" is the number -.inf; allowed: a finite number\n");
  CHECK(told_of("normal", "[.nan, 1]") == "\"mu\" is the number .nan; allowed: a finite number\n");
  CHECK(told_of("randint", "[9223372036854775808]") ==
        "\"upper\" is the integer 9223372036854775808; allowed: an integer up to "
        "9223372036854775807\n");
  CHECK(told_of("int", "[-9223372036854775809, 1]") ==
        "\"min_value\" is the integer -9223372036854775809; allowed: an integer of "
        "at least -9223372036854775808\n");
}

TEST_CASE("No program can be given a zero byte") {
  CHECK_THAT(told_of("choice", R"(["a", "x\0y"])"),
             Catch::Contains(R"(the option "x\u0000y" holds a zero byte)"));
  CHECK_THAT(told(with_parameter(R"(name: "x\0y", expression: uniform, values: [0, 1])")),
             Catch::Contains("allowed: text without zero bytes"));
}

TEST_CASE("An option that is no number is one option, with parameters of its own") {
  const std::string text = R"(sampling:
  type: grid
  parameter_space:
  - name: fill
    expression: choice
    values:
    - 0
    - value: .nan
      parameters:
      - {name: width, expression: choice, values: [1, 2]}
primary_metric_name: accuracy
primary_metric_goal: Maximize
start_points:
- {fill: .nan}
)";
  const LoadedConfig loaded = parse(text);
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  CHECK(loaded.spec.max_total_runs == 3);
  CHECK(loaded.spec.start_points.size() == 1);
  const LoadedConfig again = parse(to_hdconfig(loaded.spec));
  INFO(to_hdconfig(loaded.spec));
  REQUIRE(again.ok());
  CHECK(again.spec == loaded.spec);
}
