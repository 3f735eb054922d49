// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;

Expression expression_of(const std::string& name, const std::string& values) {
  const LoadedConfig loaded =
      parse(with_parameter("name: x, expression: " + name + ", values: " + values));
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  return loaded.spec.space.parameters.at(0).expression;
}

TEST_CASE("The ten expressions take their arguments in their order") {
  CHECK(expression_of("choice", "[a, b]") ==
        Expression(Choice{{std::string("a"), std::string("b")}}));
  CHECK(expression_of("randint", "[5]") == Expression(RandInt{5}));
  CHECK(expression_of("uniform", "[-1, 2.5]") == Expression(Uniform{-1, 2.5}));
  CHECK(expression_of("quniform", "[0, 10, 2]") == Expression(QUniform{0, 10, 2}));
  CHECK(expression_of("loguniform", "[-6, -1]") == Expression(LogUniform{-6, -1}));
  CHECK(expression_of("qloguniform", "[0, 3, 1]") == Expression(QLogUniform{0, 3, 1}));
  CHECK(expression_of("normal", "[10, 3]") == Expression(Normal{10, 3}));
  CHECK(expression_of("qnormal", "[10, 3, 0.5]") == Expression(QNormal{10, 3, 0.5}));
  CHECK(expression_of("lognormal", "[0, 1]") == Expression(LogNormal{0, 1}));
  CHECK(expression_of("qlognormal", "[0, 1, 1]") == Expression(QLogNormal{0, 1, 1}));
}

TEST_CASE("One list as the only value is the list of arguments") {
  CHECK(expression_of("choice", "[[1, 2, 3]]") ==
        Expression(Choice{{std::int64_t{1}, std::int64_t{2}, std::int64_t{3}}}));
  CHECK(expression_of("uniform", "[[1, 2]]") == Expression(Uniform{1, 2}));
  CHECK(expression_of("choice", "[[[1, 2]]]") == Expression(Choice{{Json{"[1,2]"}}}));
  CHECK(expression_of("choice", "[[1, 2], [3]]") ==
        Expression(Choice{{Json{"[1,2]"}, Json{"[3]"}}}));
}

TEST_CASE("Options have the types of YAML 1.2's core schema") {
  const double infinity = std::numeric_limits<double>::infinity();
  struct Row {
    std::string yaml;
    Value value;
  };
  const Row rows[] = {
      {"5", std::int64_t{5}},
      {"-5", std::int64_t{-5}},
      {"+5", std::int64_t{5}},
      {"007", std::int64_t{7}},
      {"0o17", std::int64_t{15}},
      {"0x1F", std::int64_t{31}},
      {"9223372036854775807", std::int64_t{9223372036854775807}},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
      {"5.0", 5.0},
      {"5.", 5.0},
      {".5", 0.5},
      {"-.5e-1", -0.05},
      {"1e3", 1000.0},
      {"1E+3", 1000.0},
      {".inf", infinity},
      {"-.INF", -infinity},
      {"true", true},
      {"FALSE", false},
      {"null", std::monostate{}},
      {"~", std::monostate{}},
      {"yes", std::string("yes")},
      {"No", std::string("No")},
      {"on", std::string("on")},
      {"'5'", std::string("5")},
      {"\"true\"", std::string("true")},
      {"\"\"", std::string()},
      {"!!str 5", std::string("5")},
      {"!!float 5", 5.0},
      {"1_000", std::string("1_000")},
      {"1:30", std::string("1:30")},
      {"0b11", std::string("0b11")},
      {"-0x1F", std::string("-0x1F")},
      {"1e", std::string("1e")},
      {".", std::string(".")},
      {"inf", std::string("inf")},
      {"nan", std::string("nan")},
      {"2024-01-01", std::string("2024-01-01")},
      {"{a: [1, 2.0, yes, null], b: {c: \"d\"}}",
       Json{R"({"a":[1,2.0,"yes",null],"b":{"c":"d"}})"}},
  };
  for (const Row& row : rows) {
    INFO(row.yaml);
    CHECK(expression_of("choice", "[" + row.yaml + ", other]") ==
          Expression(Choice{{row.value, std::string("other")}}));
  }
  const auto choice = std::get<Choice>(expression_of("choice", "[.nan]"));
  CHECK(std::isnan(std::get<double>(choice.options.at(0))));
}

struct Case {
  std::string_view parameter;
  std::string_view message;  // without "hdconfig.yml:"
};

TEST_CASE("A wrong parameter says what its expression takes") {
  const Case cases[] = {
      {"name: x, expression: uniform, values: [1]",
       "4:44: uniform takes 2 values (min_value, max_value), not 1; write [min_value, max_value]"},
      {"name: x, expression: normal, values: [1, 2, 3]",
       "4:43: normal takes 2 values (mu, sigma), not 3; write [mu, sigma]"},
      {"name: x, expression: randint, values: []",
       "4:44: randint takes 1 value (upper), not 0; write [upper]"},
      {"name: x, expression: randint, values: [5.0]",
       "4:45: \"upper\" is the number 5.0; allowed: an integer"},
      {"name: x, expression: randint, values: [0]",
       "4:44: randint: upper is 0; it must be at least 1 (the values are 0 to upper - 1)"},
      {"name: x, expression: uniform, values: [a, '1']",
       "4:45: \"min_value\" is the text \"a\"; allowed: a number\n"
       "hdconfig.yml:4:48: \"max_value\" is the text \"1\"; allowed: a number"},
      {"name: x, expression: uniform, values: [0, .inf]",
       "4:48: \"max_value\" is the number .inf; allowed: a finite number"},
      {"name: x, expression: uniform, values: [0, 1e999]",
       "4:48: \"max_value\" is the number 1e999; allowed: a finite number"},
      {"name: x, expression: uniform, values: [2, 1]",
       "4:44: uniform: min_value 2 is above max_value 1"},
      {"name: x, expression: choice, values: []",
       "4:43: choice has no options; allowed: one or more of them"},
      {"name: x, expression: choice, values: [[]]",
       "4:43: choice has no options; allowed: one or more of them"},
      {"name: x, expression: choice, values: 5",
       "4:43: \"values\" is the integer 5; allowed: a list of the expression's arguments in their "
       "order"},
      {"name: x, expression: choice, values: [9223372036854775808]",
       "4:44: the integer 9223372036854775808 does not fit a 64-bit number; put it in quotes to "
       "keep it as text"},
      {"name: x, expression: choice, values: [a, {b: [1e999]}]",
       "4:47: the number 1e999 does not fit a 64-bit number; put it in quotes to keep it as text"},
      {"name: x, expression: choice, values: [a, b, a]",
       "4:50: warning: the option \"a\" is listed twice: it is drawn twice as often, by a grid "
       "once"},
      {"name: 5, expression: choice, values: [a]",
       "4:12: \"name\" is the integer 5; allowed: text; in quotes it would be text"},
      {"name: --, expression: choice, values: [a]",
       "4:12: \"name\" is \"--\"; allowed: a name with more than dashes"},
      {"name: x, type: choice, values: [a]",
       "4:15: unknown key \"type\" in this parameter; allowed: name, expression, values; did you "
       "mean \"expression\"?"},
      {"expression: choice, values: [a]",
       "4:5: key \"name\" is missing in this parameter; it takes text"},
  };
  for (const Case& one : cases) {
    INFO(one.parameter);
    CHECK(told(with_parameter(one.parameter)) == "hdconfig.yml:" + std::string(one.message) + "\n");
  }
}

TEST_CASE("Plain bounds in loguniform get a warning with the logarithms to write") {
  const auto warned = [](std::string_view expression, std::string_view values) {
    return told(with_parameter("name: x, expression: " + std::string(expression) +
                               ", values: " + std::string(values)));
  };
  CHECK(
      warned("loguniform", "[0.001, 0.1]") ==
      "hdconfig.yml:4:47: warning: loguniform takes the natural logarithms of its bounds, so this "
      "draws from 1.001 to 1.105; for values from 0.001 to 0.1 write "
      "log_uniform_values with these bounds, or [-6.90776, -2.30259]\n");
  CHECK(
      warned("loguniform", "[16, 128]") ==
      "hdconfig.yml:4:47: warning: loguniform takes the natural logarithms of its bounds, so this "
      "draws from 8.886e+06 to 3.888e+55; for values from 16 to 128 "
      "write log_uniform_values with these bounds, or [2.77259, 4.85203]\n");
  CHECK(warned("loguniform", "[-6, -1]") == "");
  CHECK(warned("loguniform", "[0, 3]") == "");
  CHECK(warned("loguniform", "[2.77, 4.85]") == "");
}

TEST_CASE("Lattice points outside the bounds get a warning") {
  const auto warned = [](std::string_view expression, std::string_view values) {
    return told(with_parameter("name: x, expression: " + std::string(expression) +
                               ", values: " + std::string(values)));
  };
  CHECK(
      warned("quniform", "[1, 10, 4]") ==
      "hdconfig.yml:4:45: warning: quniform can draw 0, outside 1 to 10, since values are rounded "
      "to multiples of 4 and not clamped\n");
  CHECK(warned("quniform", "[1, 11, 4]") ==
        "hdconfig.yml:4:45: warning: quniform can draw 0 and 12, outside 1 to 11, since values are "
        "rounded to multiples of 4 and not clamped\n");
  CHECK(
      warned("quniform", "[0, 1, 5]") ==
      "hdconfig.yml:4:45: warning: quniform can only draw 0, since no other multiple of 5 is near "
      "0 to 1; choose a smaller q\n");
  CHECK(warned("qloguniform", "[-3, 3, 1]") ==
        "hdconfig.yml:4:48: warning: qloguniform can draw 0, outside 0.0497871 to 20.0855, since "
        "values are rounded to multiples of 1 and not clamped\n");
  CHECK(warned("quniform", "[0, 10, 2]") == "");
  CHECK(warned("quniform", "[0.1, 0.7, 0.1]") == "");
}

TEST_CASE("Parameters that share an environment variable get a warning") {
  CHECK(told("sampling:\n  type: random\n  parameter_space:\n"
             "  - {name: a-b, expression: choice, values: [1]}\n"
             "  - {name: a_b, expression: choice, values: [1]}\n"
             "primary_metric_name: loss\nprimary_metric_goal: minimize\nmax_total_runs: 3\n") ==
        "hdconfig.yml:5:12: warning: the parameters \"a-b\" and \"a_b\" share the environment "
        "variable AZUREML_SWEEP_a_b; the later one is in it\n");
}

TEST_CASE("An empty space is refused") {
  CHECK(
      told("sampling: {type: random, parameter_space: []}\n"
           "primary_metric_name: loss\nprimary_metric_goal: minimize\nmax_total_runs: 3\n") ==
      "hdconfig.yml:1:43: \"parameter_space\" is an empty list; allowed: one or more parameters\n");
}

}  // namespace
}  // namespace hdrive
