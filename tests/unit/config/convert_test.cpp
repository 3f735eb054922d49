// SPDX-License-Identifier: Apache-2.0
//
// From one format to the other and back, and the JSON Schemas of both.
#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "config/job_schema.h"
#include "config/yaml_reader.h"
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;
namespace fs = std::filesystem;
using Catch::Contains;

const fs::path kJobs = HDRIVE_SOURCE_DIR "/tests/golden/jobs";

std::string difference(const SweepSpec& one, const SweepSpec& other) {
  return base::join(differences(one, other), "\n");
}

TEST_CASE("A job written from what a job means is the same job") {
  for (const auto& entry : fs::directory_iterator(kJobs)) {
    const fs::path file = entry.path();
    const std::string stem = file.stem();
    // Of these the command is wrapped, or there is no sweep.
    if (file.extension() != ".yml" || stem == "azureml" || stem == "environment_command" ||
        stem == "command_job" || stem == "first_generation" || stem.starts_with("pipeline"))
      continue;
    INFO(file.filename());
    const LoadedConfig loaded = load_config(file, no_command());
    REQUIRE(loaded.ok());
    const std::string written = to_sweep_job(loaded.spec);
    INFO(written);
    const LoadedConfig again = parse_config(written, "job", "/", no_command());
    CHECK(again.ok());
    CHECK(difference(again.spec, loaded.spec) == "");
  }
}

TEST_CASE("hdconfig.yml becomes a job whose command places what was appended") {
  const Folder folder;
  const fs::path file = folder.write(
      "hdconfig.yml",
      "sampling:\n"
      "  type: random\n"
      "  parameter_space:\n"
      "  - {name: --learning-rate, expression: uniform, values: [0, 1]}\n"
      "  - name: opt\n"
      "    expression: choice\n"
      "    values:\n"
      "    - {value: sgd, parameters: [{name: beta, expression: choice, values: [1, 2]}]}\n"
      "    - adam\n"
      "primary_metric_name: loss\n"
      "primary_metric_goal: Minimize\n"
      "max_total_runs: 8\n"
      "max_concurrent_runs: 2\n"
      "command: [python, train.py, --note, \"it's\"]\n"
      "environment_variables: {A: b}\n"
      "stop_at: 0.5\n");
  const Conversion conversion = convert_config(file, no_command(), folder.path());
  const std::string told = messages(conversion.problems);
  CHECK_THAT(told,
             Contains("hdconfig.yml:4:12: warning: parameter \"--learning-rate\": a v2 job takes "
                      "letters, digits and \"_\" in a name; it is written \"learning_rate\""));
  CHECK_THAT(told, Contains("hdconfig.yml:16:1: warning: stop_at: a v2 job has no such key"));
  CHECK(conversion.text ==
        "$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json\n"
        "type: sweep\n"
        "trial:\n"
        "  command: \"python train.py --note 'it'\\\\''s' --learning-rate "
        "${{search_space.learning_rate}} --opt ${{search_space.opt}} --beta "
        "${{search_space.beta}}\"\n"
        "  code: \".\"\n"
        "  environment_variables:\n"
        "    A: b\n"
        "sampling_algorithm:\n"
        "  type: random\n"
        "search_space:\n"
        "  learning_rate: {type: uniform, min_value: 0.0, max_value: 1.0}\n"
        "  opt:\n"
        "    type: choice\n"
        "    values:\n"
        "    - opt: sgd\n"
        "      beta: {type: choice, values: [1, 2]}\n"
        "    - adam\n"
        "objective:\n"
        "  primary_metric: loss\n"
        "  goal: minimize\n"
        "limits:\n"
        "  max_total_trials: 8\n"
        "  max_concurrent_trials: 2\n"
        "  timeout: 604800\n"
        "# hdrive's own keys:\n"
        "stop_at: 0.5\n");

  // And back: the same space under the new name, the rest as it was.
  const fs::path job = folder.write("sweep.yml", conversion.text);
  const Conversion back = convert_config(job, no_command(), folder.path());
  const LoadedConfig again = parse_config(back.text, "back", folder.path(), no_command());
  INFO(back.text);
  CHECK(again.ok());
  LoadedConfig before = load_config(file, no_command());
  before.spec.space.parameters[0].name = "learning_rate";
  CHECK(again.spec.space == before.spec.space);
  CHECK(again.spec.stop_at == before.spec.stop_at);
  CHECK(again.spec.environment_variables == before.spec.environment_variables);
  CHECK(again.spec.source_directory == before.spec.source_directory);
  CHECK(back.text.find("seed") == std::string::npos);
}

TEST_CASE(
    "What is appended to a shell's line is placed in it, and a line in a line stays as it is") {
  const auto written = [](const std::vector<std::string>& command, bool append) {
    SweepSpec spec;
    spec.space.parameters = {{"--lr", Uniform{0, 1}, {}}};
    spec.primary_metric = "loss";
    spec.command = command;
    spec.append_parameters = append;
    spec.environment_variables["AZUREML_DATAREFERENCE_iris"] = "/data/my iris.csv";
    return to_sweep_job(spec);
  };
  const std::string line = "python t.py --data \"${AZUREML_DATAREFERENCE_iris}\"";
  CHECK_THAT(
      written({"bash", "-c", line + " \"$@\"", "bash"}, true),
      Contains("command: \"python t.py --data ${{inputs.iris}} --lr ${{search_space.lr}}\""));
  // Replaced in the inner line it would fall into two words at the blank.
  const std::string wrapped = written({"conda", "run", "bash", "-c", line}, false);
  CHECK_THAT(wrapped, !Contains("${{inputs.iris}}") && Contains("iris: {type: "));
  const LoadedConfig again = parse_config(wrapped, "job", "/", no_command());
  INFO(messages(again.problems));
  REQUIRE(again.spec.command.size() == 3);
  CHECK(again.spec.command[2] == "conda run bash -c " + shell_quote({line}));
}

TEST_CASE("What has errors is not converted") {
  const Folder folder;
  const fs::path file = folder.write("sweep.yml", "type: sweep\ntrial: 3\n");
  const Conversion conversion = convert_config(file, no_command(), folder.path());
  CHECK(conversion.text == "");
  CHECK_THAT(messages(conversion.problems), Contains("\"trial\" is the integer 3"));
  CHECK_THAT(messages(convert_config(folder.path() / "none.yml", no_command(), "/").problems),
             Contains("the file does not exist"));
}

TEST_CASE("The JSON Schema of jobs has every key under every name") {
  config::Problems problems;
  const std::string schema = job_json_schema();
  const config::NodePtr root = config::read_yaml(problems.add_source("schema", schema), problems);
  REQUIRE(root);
  const config::Node& definitions = *root->find("definitions")->value;
  for (const config::JobKey& key : config::job_schema()) {
    std::string mapping(key.mapping);
    std::replace(mapping.begin(), mapping.end(), ' ', '_');
    INFO(mapping << "." << key.row.name);
    const config::Entry* definition = definitions.find(mapping);
    REQUIRE(definition);
    const config::Node& properties = *definition->value->find("properties")->value;
    CHECK(properties.find(key.row.name));
    for (const std::string_view name : key.earlier) CHECK(properties.find(name));
  }
  // What is referred to is there.
  for (std::size_t at = schema.find("#/definitions/"); at != schema.npos;
       at = schema.find("#/definitions/", at + 1)) {
    const std::size_t from = at + 14;
    const std::string name = schema.substr(from, schema.find('"', from) - from);
    INFO(name);
    CHECK((definitions.find(name) != nullptr || name == "sampling" || name == "policy"));
  }
}

}  // namespace
}  // namespace hdrive
