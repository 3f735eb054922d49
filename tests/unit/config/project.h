// SPDX-License-Identifier: Apache-2.0
//
// A folder with a run configuration and a script, as users of Azure ML have them.
#pragma once

#include <string>
#include <string_view>

#include "tests/unit/config/support.h"

namespace hdrive::test {

// What Azure's tools write for a script on a cluster.
inline constexpr std::string_view kSample = R"(script: train.py
arguments: [--epochs, 20, "a b"]
target: cpu-cluster
framework: Python
communicator: None
autoPrepareEnvironment: true
maxRunDurationSeconds: 60
nodeCount: 1
environment:
  name: project_environment
  version: null
  environmentVariables:
    EXAMPLE_ENV_VAR: EXAMPLE_VALUE
    N: 1
  python:
    userManagedDependencies: false
    interpreterPath: /usr/bin/python3
    condaDependenciesFile: .azureml/conda_dependencies.yml
    baseCondaEnvironment: null
  docker:
    enabled: true
    baseImage: mcr.microsoft.com/azureml/intelmpi2018.3-ubuntu16.04
    arguments: []
  spark:
    repositories: []
history:
  outputCollection: true
spark:
  configuration:
    spark.app.name: Azure ML Experiment
hdi: {yarnDeployMode: Cluster}
tensorflow: {workerCount: 1, parameterServerCount: 1}
mpi: {processCountPerNode: 1}
dataReferences: {}
data: {}
amlcompute: {name: null, vmSize: null}
sourceDirectoryDataStore: null
exposedPorts: null
)";

struct Project {
  Folder folder;
  ConfigOverrides overrides;

  explicit Project(std::string_view run_configuration) {
    folder.write("train.py", "");
    overrides.run_configuration = folder.write("train.runconfig", run_configuration);
  }
  LoadedConfig load(std::string_view text) const {
    return parse_config(text, "hdconfig.yml", folder.path(), overrides);
  }
  std::string told(std::string_view text) const {
    std::string result = messages(load(text).problems);
    const std::string path = folder.path().string();
    for (std::size_t at = result.find(path); at != std::string::npos; at = result.find(path))
      result.replace(at, path.size(), "<dir>");
    // The asset map is told as it is seen from where the test runs.
    for (std::size_t at = result.find("../"); at != std::string::npos; at = result.find("../"))
      result.erase(at, 3);
    for (std::size_t at = result.find("..<dir>"); at != std::string::npos;)
      at = result.erase(at, 2).find("..<dir>");
    return result;
  }
};

}  // namespace hdrive::test
