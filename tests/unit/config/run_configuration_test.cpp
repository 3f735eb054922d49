// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;
using Words = std::vector<std::string>;

// What Azure's tools write for a script on a cluster.
constexpr std::string_view kSample = R"(script: train.py
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
    return result;
  }
};

TEST_CASE("A run configuration gives command, environment and time limit; the rest is told once") {
  const Project project(kSample);
  const LoadedConfig loaded = project.load(around("environment_variables: {N: 2}\n"));
  CHECK(loaded.ok());
  CHECK(loaded.spec.command == Words{"/usr/bin/python3", "train.py", "--epochs", "20", "a b"});
  CHECK(loaded.spec.append_parameters);
  CHECK(loaded.spec.environment_variables ==
        std::map<std::string, std::string>{{"EXAMPLE_ENV_VAR", "EXAMPLE_VALUE"}, {"N", "2"}});
  CHECK(loaded.spec.max_run_duration == std::chrono::seconds(60));
  CHECK(project.told(around("environment_variables: {N: 2}\n")) ==
        "<dir>/train.runconfig:3:1: warning: \"target\" is ignored: the runs are processes on this "
        "machine\n"
        "<dir>/train.runconfig:18:28: warning: conda dependencies are not installed: the runs use "
        "\"/usr/bin/python3\" as it is\n"
        "<dir>/train.runconfig:21:5: warning: \"environment.docker.enabled\" is ignored: the runs "
        "are processes on this machine\n");
}

TEST_CASE("A run configuration may be JSON, and need say no more than its script") {
  const Project project(R"({"script": "train.py", "environment": {"python": {}}})");
  CHECK(project.load(around("")).spec.command == Words{"python3", "train.py"});
  CHECK(project.told(around("")) == "");
}

TEST_CASE("Its command goes to a shell and gets nothing appended") {
  const Project project("command: python train.py --x $AZUREML_SWEEP_x\n");
  const LoadedConfig loaded = project.load(around(""));
  CHECK(loaded.spec.command == Words{"sh", "-c", "python train.py --x $AZUREML_SWEEP_x"});
  CHECK_FALSE(loaded.spec.append_parameters);
  CHECK(messages(loaded.problems) == "");
}

TEST_CASE("The command line wins over the run configuration, and hdconfig.yml does too") {
  Project project(
      "script: train.py\nmaxRunDurationSeconds: 60\n"
      "environment: {python: {interpreterPath: py}}\n");
  CHECK(project.told(around("command: t\nmax_run_duration_seconds: 5\n")) ==
        "<dir>/train.runconfig:1:9: warning: \"script\" is ignored, since \"hdconfig.yml\" has a "
        "command of its own\n");
  const LoadedConfig loaded = project.load(around("command: t\nmax_run_duration_seconds: 5\n"));
  CHECK(loaded.spec.command == Words{"t"});
  CHECK(loaded.spec.max_run_duration == std::chrono::seconds(5));
  project.overrides.command = {"train.py", "--fast"};
  CHECK(project.load(around("")).spec.command == Words{"py", "train.py", "--fast"});
  project.overrides.command = {"sh", "run.sh"};
  CHECK(project.load(around("")).spec.command == Words{"sh", "run.sh"});
}

TEST_CASE("What is wrong in a run configuration is told with its place in it") {
  const Project project(
      "script: [train.py]\nscrpt: x\nmaxRunDurationSeconds: -1\n"
      "environment:\n  pyton: {}\n  environmentVariables: [A]\n");
  CHECK(
      project.told(around("command: t\n")) ==
      "<dir>/train.runconfig:1:9: warning: \"script\" is ignored, since \"hdconfig.yml\" has a "
      "command of its own\n"
      "<dir>/train.runconfig:2:1: warning: unknown key \"scrpt\" is ignored; did you mean "
      "\"script\"?\n"
      "<dir>/train.runconfig:3:24: \"maxRunDurationSeconds\" is the integer -1; allowed: a number "
      "above 0, at most 3153600000\n"
      "<dir>/train.runconfig:5:3: warning: unknown key \"pyton\" is ignored; did you mean "
      "\"python\"?\n"
      "<dir>/train.runconfig:6:25: \"environmentVariables\" is a list; allowed: a mapping of "
      "names to texts\n");
  CHECK(Project("[").told(around("command: t\n")) ==
        "<dir>/train.runconfig:1:1: not valid YAML: \"[\" is never closed; add \"]\"\n");
  CHECK(Project("- a\n").told(around("command: t\n")) ==
        "<dir>/train.runconfig:1:1: the run configuration is a list; allowed: a mapping with "
        "script, arguments and environment\n");
  Project missing("");
  missing.overrides.run_configuration = missing.folder.path() / "trin.runconfig";
  CHECK(missing.told(around("command: t\n")) ==
        "<dir>/trin.runconfig: the file does not exist; did you mean \"train.runconfig\"?\n");
}

TEST_CASE("Its source directory counts from where it stands") {
  Project project("");
  project.overrides.run_configuration =
      project.folder.write(".azureml/a.runconfig", "script: train.py\nsourceDirectory: ..\n");
  CHECK(project.load(around("")).spec.source_directory == project.folder.path());
  CHECK(project.told(around("")) == "");
}

TEST_CASE("-c finds a run configuration by name beside, in .azureml and in aml_config") {
  const Folder folder;
  const auto hidden = folder.write(".azureml/cpu.runconfig", "");
  const auto old = folder.write("aml_config/gpu", "");
  const auto beside = folder.write("gpu.runconfig", "");
  CHECK(*find_run_configuration(folder.path(), "cpu") == hidden);
  CHECK(*find_run_configuration(folder.path(), "cpu.runconfig") == hidden);
  CHECK(*find_run_configuration(folder.path(), "gpu") == beside);
  std::filesystem::remove(beside);
  CHECK(*find_run_configuration(folder.path(), "gpu") == old);
  CHECK(find_run_configuration(folder.path(), "cpv").error().what ==
        "there is no run configuration \"cpv\"; looked for \"cpv.runconfig\" in \"" +
            folder.path().string() +
            "\", .azureml and aml_config; found: cpu; did you mean \"cpu\"?");
}

TEST_CASE("The hyperdrive configuration is looked up in sub-folders") {
  const Folder folder;
  const auto inner = folder.write("configs/hdconfig.yml", "");
  CHECK(*find_hyperdrive_configuration(folder.path(), "hdconfig.yml") == inner);
  const auto hidden = folder.write(".azureml/hdconfig.yml", "");
  CHECK(*find_hyperdrive_configuration(folder.path(), "hdconfig.yml") == hidden);
  folder.write("a/twice.yml", "");
  folder.write("b/twice.yml", "");
  const std::string path = folder.path().string();
  CHECK(find_hyperdrive_configuration(folder.path(), "twice.yml").error().what ==
        "there are several files \"twice.yml\": \"" + path + "/a/twice.yml\", \"" + path +
            "/b/twice.yml\"; name one of them by its path");
  CHECK(find_hyperdrive_configuration(folder.path(), "hdconfg.yml").error().what ==
        "there is no file \"hdconfg.yml\" in \"" + path +
            "\" or a folder in it; did you mean \"hdconfig.yml\"?");
}

}  // namespace
}  // namespace hdrive
