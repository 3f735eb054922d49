// SPDX-License-Identifier: Apache-2.0
//
// How many runs a grid has, what fits into a run's start, and what must be there before one starts.
#include "tests/unit/config/support.h"

using namespace hdrive;
using namespace hdrive::test;

namespace {

std::string grid(const std::string& top) {
  return "sampling:\n"
         "  type: GridParameterSampling\n"
         "  parameter_space:\n"
         "  - {name: a, expression: choice, values: [1, 2]}\n"
         "  - {name: b, expression: choice, values: [1, 2, 3, 4]}\n"
         "primary_metric_name: accuracy\n"
         "primary_metric_goal: Maximize\n" +
         top;
}

}  // namespace

TEST_CASE("A grid needs no max_total_runs: it has as many runs as combinations") {
  const LoadedConfig loaded = parse(grid(""));
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  CHECK(loaded.problems.empty());
  CHECK(loaded.spec.max_total_runs == 8);
  CHECK(parse(grid("max_total_runs: 100\n")).spec.max_total_runs == 100);
}

TEST_CASE("A budget that leaves combinations out is worth a warning") {
  CHECK(
      told(grid("max_total_runs: 4\n")) ==
      "hdconfig.yml:8:1: warning: the grid has 8 combinations, and only the first 4 of them are "
      "tried, in which the first parameters hardly change; leave max_total_runs out to try all, or "
      "use random sampling\n");
  CHECK(told(grid("max_total_runs: 8\n")) == "");
}

TEST_CASE("All other samplers need max_total_runs") {
  std::string text = around("");
  text.replace(text.find("max_total_runs: 8\n"), 18, "");
  CHECK_THAT(told(text), Catch::Contains("key \"max_total_runs\" is missing"));
}

TEST_CASE("Parameters that the command ignores are told together where they are many") {
  std::string parameters;
  for (int i = 0; i < 50; ++i)
    parameters += "  - {name: p" + std::to_string(i) + ", expression: uniform, values: [0, 1]}\n";
  const std::string text = "sampling:\n  type: random\n  parameter_space:\n" + parameters +
                           "primary_metric_name: accuracy\nprimary_metric_goal: Maximize\n"
                           "max_total_runs: 8\ncommand: [sh, -c, 'exit 0']\n";
  const LoadedConfig loaded = parse(text);
  REQUIRE(loaded.problems.size() == 1);
  CHECK_THAT(
      loaded.problems[0].text,
      Catch::Contains("ignores the values drawn for 50 parameters: \"p0\", \"p1\", \"p2\", ..."));
}

TEST_CASE("Values that do not fit into the environment are told") {
  std::string parameters;
  const std::string option(40, 'a');
  for (int i = 0; i < 3000; ++i)
    parameters +=
        "  - {name: p" + std::to_string(i) + ", expression: choice, values: [" + option + ", b]}\n";
  const auto text = [](const std::string& list) {
    return "sampling:\n  type: random\n  parameter_space:\n" + list +
           "primary_metric_name: accuracy\nprimary_metric_goal: Maximize\n"
           "max_total_runs: 8\ncommand: [sh, -c, 'echo \"$HDRIVE_PARAMETERS $@\"', sh]\n";
  };
  CHECK_THAT(told(text(parameters)), Catch::Contains("HDRIVE_PARAMETERS is left out"));
  CHECK(told(text(parameters.substr(0, parameters.find("p100,") - 11))) == "");
  const std::string long_option(140'000, 'a');
  CHECK_THAT(told(text("  - {name: p, expression: choice, values: [" + long_option + ", b]}\n")),
             Catch::Contains("the longest option of \"p\" has 137 kB"));
}

TEST_CASE("What is missing is an error where runs are to start, and else a warning") {
  const Folder folder;
  const auto said = [&](const std::string& top, bool needs_files) {
    ConfigOverrides overrides = no_command();
    overrides.needs_files = needs_files;
    overrides.search_path = "/usr/bin:/bin";
    const LoadedConfig loaded = parse_config(around(top), "hdconfig.yml", folder.path(), overrides);
    return (loaded.ok() ? "ok: " : "error: ") + messages(loaded.problems);
  };
  for (const auto& [top, what] : std::vector<std::pair<std::string, std::string>>{
           {"source_directory: nowhere\n", "is not a directory"},
           {"command: no-such-program --x\n", "no program \"no-such-program\" is in PATH"},
           {"command: ./train.sh\n", "there is no program \"./train.sh\""},
           {"command: sh train.sh\n", "there is no script \"train.sh\""}}) {
    CHECK_THAT(said(top, true), Catch::StartsWith("error: ") && Catch::Contains(what));
    CHECK_THAT(said(top, false), Catch::StartsWith("ok: ") && Catch::Contains(what));
  }
  CHECK_THAT(said("command: env train.sh\n", true),
             Catch::StartsWith("ok: ") && Catch::Contains("there is no script"));
}

TEST_CASE("A configuration from a pipe belongs to the working directory") {
  const std::filesystem::path here = std::filesystem::current_path();
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const std::string text = around("");
  REQUIRE(::write(pipe_ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(pipe_ends[1]);
  const LoadedConfig loaded = load_config("/dev/fd/" + std::to_string(pipe_ends[0]), no_command());
  ::close(pipe_ends[0]);
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  CHECK(loaded.spec.source_directory == here);
}

TEST_CASE("The JSON Schema is JSON that knows each key") {
  const LoadedConfig read =
      parse_config(config_json_schema(), "schema", "/nowhere", no_command());  // JSON is YAML
  CHECK_FALSE(read.ok());
  CHECK_THAT(messages(read.problems), Catch::Contains("unknown job type \"object\""));
  for (const char* key : {"sampling", "max_total_runs", "slack_factor", "int_uniform",
                          "BanditPolicy", "metric_patterns"})
    CHECK_THAT(config_json_schema(), Catch::Contains("\"" + std::string(key) + "\""));
}
