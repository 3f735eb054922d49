// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;
using Sets = std::vector<std::pair<std::string, std::string>>;

LoadedConfig parse_with(std::string_view text, Sets set) {
  ConfigOverrides overrides = no_command();
  overrides.set = std::move(set);
  return parse(text, overrides);
}

TEST_CASE("a command that was typed starts where it was typed, unless the file says where") {
  ConfigOverrides overrides;
  overrides.command = {"true"};
  overrides.command_directory = "/somewhere";
  CHECK(parse(around(""), overrides).spec.source_directory == "/somewhere");
  CHECK(parse(around("source_directory: /\n"), overrides).spec.source_directory == "/");
  overrides.command_directory.clear();
  CHECK(parse(around(""), overrides).spec.source_directory == "/nowhere");
}

TEST_CASE("--set replaces values before they are checked") {
  const LoadedConfig loaded = parse_with(around("policy: {type: bandit, slack_factor: 0.2}\n"),
                                         {{"max_total_runs", "5"},
                                          {"policy.slack_factor", "0.1"},
                                          {"policy.delay_evaluation", "3"},
                                          {"environment_variables.X", "a: b"},
                                          {"environment_variables.Y", "'a: b'"},
                                          {"sampling.parameter_space.x.values", "[0, 2]"},
                                          {"sampling.parameter_space.0.expression", "normal"}});
  INFO(messages(loaded.problems));
  CHECK(loaded.spec.max_total_runs == 5);
  CHECK(loaded.spec.policy ==
        AlgorithmSpec{"bandit", {{"delay_evaluation", std::int64_t{3}}, {"slack_factor", 0.1}}});
  CHECK(loaded.spec.space.parameters == std::vector<Parameter>{{"x", Normal{0, 2}}});
  CHECK(loaded.spec.environment_variables == std::map<std::string, std::string>{{"Y", "a: b"}});
  CHECK(messages(loaded.problems) ==
        "--set environment_variables.X: the environment variable \"X\" is a mapping; allowed: text "
        "(an empty one is written \"\")\n");
}

TEST_CASE("--set mends a file that is wrong, and can give all of it") {
  CHECK(parse_with(around("seed: x\n"), {{"seed", "7"}}).spec.seed == 7);
  const LoadedConfig whole =
      parse_with("", {{"sampling",
                       "{type: random, parameter_space: [{name: x, expression: randint, values: "
                       "[3]}]}"},
                      {"primary_metric_name", "loss"},
                      {"primary_metric_goal", "minimize"},
                      {"max_total_runs", "3"}});
  CHECK(messages(whole.problems) == "");
  CHECK(whole.spec.space.parameters == std::vector<Parameter>{{"x", RandInt{3}}});
}

TEST_CASE("What is wrong with a --set is told under its key") {
  const auto told_of = [](const std::string& key, const std::string& value) {
    return messages(parse_with(around(""), {{key, value}}).problems);
  };
  CHECK(told_of("max_total_runs", "many") ==
        "--set max_total_runs: \"max_total_runs\" is the text \"many\"; allowed: an integer from 1 "
        "to 1000000000\n");
  CHECK(told_of("max_total_runs", "") ==
        "--set max_total_runs: \"max_total_runs\" is empty; allowed: an integer from 1 to "
        "1000000000\n");
  CHECK(told_of("max_total_runs", "[") ==
        "--set max_total_runs: not valid YAML: \"[\" is never closed; add \"]\"\n");
  CHECK(told_of("max_total_runs.x", "1") ==
        "--set max_total_runs.x: \"x\" cannot be set inside the integer 8\n");
  CHECK(told_of("policy.slack_factor", "1") ==
        "--set policy.slack_factor: key \"type\" is missing in \"policy\"; it takes the name of a "
        "policy\n");
  CHECK(
      told_of("sampling.parameter_space.y.values", "1") ==
      "--set sampling.parameter_space.y.values: there is no item \"y\" in the list; allowed: x\n");
  CHECK(
      told_of("policy..type", "1") ==
      "--set policy..type: a key is empty; allowed: --set key=value or --set policy.type=value\n");
  CHECK(told_of("seeed", "1") == "--set seeed: unknown key \"seeed\"; did you mean \"seed\"?\n");
  CHECK(told_of("nonsense", "1")
            .starts_with("--set nonsense: unknown key \"nonsense\"; allowed: sampling, "));
}

TEST_CASE("The command line's command replaces the file's") {
  ConfigOverrides overrides;
  overrides.command = {"sh", "-c", "train \"$@\""};
  const LoadedConfig loaded = parse(around("command: python train.py\n"), overrides);
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.command == std::vector<std::string>{"sh", "-c", "train \"$@\""});
}

TEST_CASE(
    "The source directory of the command line replaces the file's, which is then not checked") {
  const Folder folder;
  folder.write("train.py", "");
  ConfigOverrides overrides;
  overrides.command = {"python3", "train.py"};
  overrides.source_directory = folder.path();
  const LoadedConfig loaded = parse(around("source_directory: missing\n"), overrides);
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.source_directory == folder.path());
  overrides.source_directory = folder.path() / "none";
  CHECK(told(around(""), overrides).starts_with("hdconfig.yml: the source directory \""));
}

TEST_CASE("A --set of a parameter that there is not says which there are") {
  CHECK(
      messages(
          parse_with(around(""), {{"sampling.parameter_space.xx.values", "[0, 2]"}}).problems) ==
      "--set sampling.parameter_space.xx.values: there is no item \"xx\" in the list; allowed: x; "
      "did you mean \"x\"?\n");
}

}  // namespace
}  // namespace hdrive
