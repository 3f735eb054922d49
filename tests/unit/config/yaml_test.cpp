// SPDX-License-Identifier: Apache-2.0
//
// Merge keys, and what is said of text that is no YAML.
#include "tests/unit/config/support.h"

using namespace hdrive;
using namespace hdrive::test;

namespace {

std::string options_of(const std::string& values) {
  const LoadedConfig loaded =
      parse(around("") + "start_points: []\n" + "environment_variables: {}\n");
  REQUIRE(loaded.ok());
  const LoadedConfig merged =
      parse(with_parameter("name: x, expression: choice, values: " + values));
  INFO(messages(merged.problems));
  REQUIRE(merged.ok());
  std::string text;
  for (const Value& option :
       std::get<Choice>(merged.spec.space.parameters.at(0).expression).options)
    text += to_text(option);
  return text;
}

}  // namespace

TEST_CASE("Merge keys give a mapping what it does not say itself, as PyYAML does") {
  CHECK(options_of("[&base {lr: 1, wd: 2}, {<<: *base, bs: 3}]") ==
        R"({"lr":1,"wd":2}{"lr":1,"wd":2,"bs":3})");
  CHECK(options_of("[&base {lr: 1, wd: 2}, {lr: 9, <<: *base}]") ==
        R"({"lr":1,"wd":2}{"lr":9,"wd":2})");
  CHECK(options_of("[&a {k: 1, l: 1}, &b {k: 2, m: 2}, {<<: [*a, *b]}]") ==
        R"({"k":1,"l":1}{"k":2,"m":2}{"k":1,"m":2,"l":1})");
  CHECK(options_of("[&a {k: 1}, &b {<<: *a, l: 2}, {<<: *b, m: 3}]") ==
        R"({"k":1}{"k":1,"l":2}{"k":1,"l":2,"m":3})");
  CHECK(options_of(R"([{"<<": 1}])") == R"({"<<":1})");
}

TEST_CASE("Parameters share what they merge") {
  const LoadedConfig loaded = parse(R"(sampling:
  type: random
  parameter_space:
  - &p {name: a, expression: uniform, values: [0, 1]}
  - {<<: *p, name: b}
primary_metric_name: accuracy
primary_metric_goal: Maximize
max_total_runs: 8
)");
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  REQUIRE(loaded.spec.space.parameters.size() == 2);
  CHECK(loaded.spec.space.parameters[1].name == "b");
  CHECK(loaded.spec.space.parameters[1].expression == Expression(Uniform{0, 1}));
}

TEST_CASE("What cannot be merged is told where it stands") {
  CHECK_THAT(told(around("environment_variables: {<<: 3}\n")),
             Catch::Contains("hdconfig.yml:9:29: the merge key << has the integer 3; allowed: a "
                             "mapping, as <<: *defaults, or a list of mappings"));
  CHECK_THAT(told(around("environment_variables: {<<: [{a: b}, c]}\n")),
             Catch::Contains("the merge key << has a list"));
}

TEST_CASE("A blank that is missing after a colon is told on its line") {
  CHECK(told("max_total_runs:4\n" + around("")) ==
        "hdconfig.yml:1:15: not valid YAML: a blank is missing after the colon; write \"key: "
        "value\"\n");
  CHECK_THAT(told(around("name: \"a: b\"\nmax_duration_minutes:4\nseed: 3\n")),
             Catch::Contains("hdconfig.yml:10:21: not valid YAML: a blank is missing"));
  CHECK_THAT(told(around("max_duration_minutes:4\n")),
             Catch::Contains("hdconfig.yml:9:1: unknown key \"max_duration_minutes:4\"; a blank is "
                             "missing after the colon: \"max_duration_minutes: 4\""));
  CHECK_THAT(told(with_parameter("name:x, expression: uniform, values: [0, 1]")),
             Catch::Contains("a blank is missing after the colon: \"name: x\""));
}

TEST_CASE("A bracket that another one closes is told") {
  CHECK_THAT(
      told(with_parameter("name: x, expression: uniform, values: [0, 1}")),
      Catch::Contains("hdconfig.yml:4:49: not valid YAML: the \"[\" of column 44 is closed by "
                      "\"}\"; write \"]\""));
  CHECK_THAT(told(around("environment_variables: {a: b]\n")),
             Catch::Contains("the \"{\" of column 24 is closed by \"]\"; write \"}\""));
  CHECK_THAT(told(around("seed: ]\n")), Catch::Contains("closes nothing"));
}

TEST_CASE("An escape that is none leads to single quotes") {
  CHECK_THAT(
      told(around("metric_patterns: \"loss: (\\d+)\"\n")),
      Catch::Contains(R"(in double quotes "\" begins an escape, and "\d" is none; write regular )"
                      "expressions, and other text with backslashes, in single quotes"));
}

TEST_CASE("Text of a setting that YAML takes for a mapping is to be quoted") {
  ConfigOverrides overrides = no_command();
  overrides.set = {{"metric_patterns", "loss: (..)"}};
  CHECK(told(around(""), overrides) ==
        "--set metric_patterns: a metric pattern is a mapping; allowed: a regular expression as "
        "text; --set reads YAML, so put text that holds \": \" in quotes of its own, as in --set "
        "'key=\"a: b\"'\n");
  overrides.set = {{"primary_metric_name", "loss: best"}};
  CHECK_THAT(told(around(""), overrides), Catch::Contains("in quotes of its own"));
  overrides.set = {{"metric_patterns", "'loss: (..)'"}};
  CHECK(told(around(""), overrides) == "");
}

TEST_CASE("Only a whole number in digits is the place of an item") {
  for (const char* key : {"nan", "NaN", "-nan", "1e0", "inf", "+0", "0x0", "2", "-1"}) {
    ConfigOverrides overrides = no_command();
    overrides.set = {{std::string("sampling.parameter_space.") + key + ".values", "[7, 8]"}};
    INFO(key);
    CHECK_THAT(told(around(""), overrides), Catch::Contains("there is no item"));
  }
  ConfigOverrides overrides = no_command();
  overrides.set = {{"sampling.parameter_space.0.values", "[7, 8]"}};
  CHECK(parse(around(""), overrides).spec.space.parameters.at(0).expression ==
        Expression(Uniform{7, 8}));
}
