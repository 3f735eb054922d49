// SPDX-License-Identifier: Apache-2.0
//
// `folder attach`: the files that a folder of Azure's has, as samples to begin with.
#include <fmt/format.h>

#include <memory>
#include <string_view>

#include "base/file.h"
#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/azure_arguments.h"
#include "cli/json.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string action, path = ".", experiment;
  AzureArguments azure;
};

constexpr std::string_view kLocal =
    R"(# A run configuration: hdrive run -c local --hyperdrive-configuration-name hdconfig.yml,
# or, for a single run, hdrive submit-script -c local. docs/runconfig.md has every key.
script: train.py
arguments: []            # stand in front of the drawn values
target: local
framework: Python
communicator: None
nodeCount: 1
maxRunDurationSeconds: null
environment:
  name: local
  environmentVariables: {}
  python:
    userManagedDependencies: true   # interpreterPath as it is; false: built from the conda file
    interpreterPath: python
    condaDependenciesFile: .azureml/conda_dependencies.yml
  docker:
    enabled: false
history:
  outputCollection: true
  directoriesToWatch: [logs]
)";

constexpr std::string_view kDocker =
    R"(# A run configuration for a container: podman, docker or apptainer has to be installed.
script: train.py
arguments: []
target: local
framework: Python
communicator: None
nodeCount: 1
environment:
  name: docker
  environmentVariables: {}
  python:
    userManagedDependencies: true   # the image has what the script imports
    interpreterPath: python
  docker:
    enabled: true
    baseImage: docker.io/library/python:3.11-slim
    gpuSupport: false
    shmSize: 2g
    arguments: []
history:
  outputCollection: true
  directoriesToWatch: [logs]
)";

constexpr std::string_view kConda =
    R"(# Packages of an environment, which is built once and kept: userManagedDependencies: false.
name: project_environment
channels:
- conda-forge
dependencies:
- python=3
- scikit-learn
- pip:
  - joblib
)";

constexpr std::string_view kHyperdrive =
    R"(# A sweep: what is drawn, what is stopped early, and how much is tried. docs/hdconfig.md has every key.
sampling:
  type: random
  parameter_space:
  - name: --learning-rate
    expression: loguniform
    values: [-7, 0]
  - name: --batch-size
    expression: choice
    values: [16, 32, 64]
policy:
  type: BanditPolicy
  evaluation_interval: 1
  slack_factor: 0.2
primary_metric_name: Accuracy
primary_metric_goal: Maximize
max_total_runs: 8
max_concurrent_runs: 2
max_duration_minutes: 100
)";

std::string config_json(const Options& options, const fs::path& folder) {
  OrderedJson json;
  json["subscription_id"] = options.azure.subscription;
  json["resource_group"] = options.azure.resource_group;
  json["workspace_name"] = options.azure.workspace.empty() ? "local" : options.azure.workspace;
  json["experiment_name"] =
      options.experiment.empty() ? folder.filename().string() : options.experiment;
  return pretty(json);
}

int attach(const Options& options) {
  std::error_code error;
  const fs::path folder = fs::canonical(options.path, error);
  if (error || !fs::is_directory(folder))
    fail(kWrong, fmt::format("--path {}: there is no such folder", printable(options.path)));
  const std::pair<const char*, std::string> files[] = {
      {"config.json", config_json(options, folder)},
      {"local.runconfig", std::string(kLocal)},
      {"docker.runconfig", std::string(kDocker)},
      {"conda_dependencies.yml", std::string(kConda)},
      {"hdconfig.yml", std::string(kHyperdrive)}};
  ok_or_fail(base::make_directories(folder / ".azureml"));
  for (const auto& [name, text] : files) {
    const fs::path file = folder / ".azureml" / name;
    const bool kept = fs::exists(fs::symlink_status(file, error));
    if (!kept) ok_or_fail(base::write_file_atomically(file, text, false, base::Access::others));
    print(fmt::format("{} {}\n", kept ? "kept " : "wrote", printable(file.string())));
  }
  return kDone;
}

}  // namespace

Action setup_folder(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  parser.choice("action", options->action, {"attach"}, "ACTION", "attach").required = true;
  parser.text("--path", options->path, "DIR", "The folder (default: this one)").completion =
      Completion::directories;
  parser.text("-e,--experiment-name", options->experiment, "NAME",
              "The experiment of the sweeps that are begun here (default: the folder's name)");
  add_workspace_options(parser, options->azure);
  return [options] { return attach(*options); };
}

}  // namespace hdrive::cli
