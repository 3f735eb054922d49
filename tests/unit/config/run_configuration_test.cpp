// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "tests/unit/config/project.h"

namespace hdrive {
namespace {

using namespace test;
using Words = std::vector<std::string>;

TEST_CASE("A run configuration gives command, environment and time limit; the rest is told once") {
  const Project project(kSample);
  project.folder.write(".azureml/conda_dependencies.yml",
                       "name: mine\nchannels: [conda-forge]\n"
                       "dependencies: [python=3.8, numpy, {pip: [azureml-defaults, joblib]}]\n");
  const LoadedConfig loaded = project.load(around("environment_variables: {N: 2}\n"));
  CHECK(loaded.ok());
  CHECK(loaded.spec.command == Words{"python", "train.py", "--epochs", "20", "a b"});
  CHECK(loaded.spec.append_parameters);
  CHECK(loaded.spec.environment_variables ==
        std::map<std::string, std::string>{{"EXAMPLE_ENV_VAR", "EXAMPLE_VALUE"}, {"N", "2"}});
  CHECK(loaded.spec.max_run_duration == std::chrono::seconds(60));
  CHECK_FALSE(loaded.surroundings.container);
  REQUIRE(loaded.surroundings.packages);
  CHECK(loaded.surroundings.packages->name == "project_environment");
  CHECK(loaded.surroundings.packages->channels == Words{"conda-forge"});
  CHECK(loaded.surroundings.packages->conda == Words{"python=3.8", "numpy"});
  CHECK(loaded.surroundings.packages->pip == Words{"azureml-defaults", "joblib"});
  CHECK(
      project.told(around("environment_variables: {N: 2}\n")) ==
      "<dir>/train.runconfig:3:9: warning: \"target\" is \"cpu-cluster\", which no targets.yml "
      "has: the "
      "runs are processes on this machine; `hdrive target create` makes a target\n"
      "<dir>/train.runconfig:17:22: warning: \"interpreterPath\" is ignored: the environment that "
      "is built has an interpreter of its own; userManagedDependencies: true uses this one\n"
      "<dir>/train.runconfig:22:16: warning: the image is not used: it has conda and MPI alone, "
      "and the runs get their environment on this machine\n");
}

// All that Azure's SDK writes, the greater part of which says nothing.
constexpr std::string_view kWhole = R"(script: train.py
arguments: []
target: local
framework: Python
communicator: None
maxRunDurationSeconds:
nodeCount: 1
priority:
environment:
  name: mine
  version:
  environmentVariables:
    A: first
    B: b
  python:
    userManagedDependencies: true
    interpreterPath: python3
    condaDependenciesFile:
    baseCondaEnvironment:
    condaDependencies:
      channels: [anaconda, conda-forge]
      dependencies: [python=3.8.13, {pip: [azureml-defaults]}]
      name: project_environment
  docker:
    enabled: false
    baseImage: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:20221010.v1
    baseDockerfile:
    buildContext:
    sharedVolumes: true
    shmSize: 2g
    arguments: []
    baseImageRegistry: {address:, username:, password:, registryIdentity:}
    platform: {os: Linux, architecture: amd64}
  spark: {repositories: [], packages: [], precachePackages: true}
  databricks: {mavenLibraries: [], pypiLibraries: [], rcranLibraries: [], jarLibraries: [], eggLibraries: []}
  r:
  inferencingStackVersion:
  assetId:
history: {outputCollection: true, snapshotProject: true, directoriesToWatch: [logs]}
spark: {configuration: {spark.app.name: Azure ML Experiment, spark.yarn.maxAppAttempts: 1}}
docker: {useDocker: false, sharedVolumes: true, arguments: [], shmSize: 2g}
hdi: {yarnDeployMode: cluster}
tensorflow: {workerCount: 1, parameterServerCount: 1}
mpi: {processCountPerNode: 1, nodeCount: 1}
pytorch: {communicationBackend: nccl, processCount:, nodeCount: 1}
paralleltask: {maxRetriesPerWorker: 0, workerCountPerNode: 1, terminalExitCodes:}
dataReferences: {}
data: {}
datacaches: []
outputData: {}
sourceDirectoryDataStore:
amlcompute: {vmSize:, vmPriority:, retainCluster: false, name:, clusterMaxNodeCount:}
autoClusterComputeSpecification:
kubernetescompute: {instanceType:}
credentialPassthrough: false
command: ''
environmentVariables: {A: later}
applicationEndpoints: {}
services: {}
commandReturnCodeConfig: {returnCode: Zero, successfulReturnCodes: []}
)";

TEST_CASE("A configuration as Azure's SDK writes it, with every key, gets no warning") {
  const Project project(kWhole);
  CHECK(project.told(around("")) == "");
  const LoadedConfig loaded = project.load(around(""));
  CHECK(loaded.spec.command == Words{"python3", "train.py"});
  CHECK_FALSE(loaded.surroundings.packages);
  CHECK_FALSE(loaded.surroundings.container);
  CHECK(loaded.spec.environment_variables ==
        std::map<std::string, std::string>{{"A", "later"}, {"B", "b"}});
}

TEST_CASE("A run configuration says what starts a run's processes, and how many there are") {
  const auto spec = [](const std::string& lines) {
    return Project("script: train.py\n" + lines).load(around("")).spec;
  };
  SweepSpec read = spec("communicator: IntelMpi\nnodeCount: 2\nmpi: {processCountPerNode: 4}\n");
  CHECK(read.distribution.type == DistributionType::mpi);
  CHECK(read.processes_per_node == 4);
  CHECK(read.nodes_per_run == 2);
  // The section counts with a communicator alone.
  CHECK(spec("mpi: {processCountPerNode: 4}\n").distribution == Distribution{});
  read = spec("framework: PyTorch\ncommunicator: Nccl\npytorch: {processCount: 6, nodeCount: 2}\n");
  CHECK(read.distribution.type == DistributionType::pytorch);
  CHECK(read.nodes_per_run == 2);
  CHECK(read.processes_per_node == 3);
  read = spec(
      "framework: TensorFlow\ncommunicator: ParameterServer\n"
      "tensorflow: {workerCount: 2, parameterServerCount: 1}\n");
  CHECK(read.distribution == Distribution{DistributionType::tensorflow, 2, 1, false, {}});
  read = spec(
      "framework: TensorFlow\ncommunicator: ParameterServer\n"
      "tensorflow: {workerCount: 1, parameterServerCount: 1}\n");
  CHECK(read.distribution == Distribution{});
}

TEST_CASE("What a run configuration wants and nothing can give is refused with what to do") {
  const auto told = [](const std::string& lines) {
    Project project("script: train.py\n" + lines);
    project.overrides.needs_files = true;
    const std::string text = project.told(around(""));
    return text.substr(text.find(':', text.find("runconfig")) + 1, 110);
  };
  CHECK(told("nodeCount: 2\n").starts_with("2:12: a run has 2 nodes, but this machine is one"));
  CHECK(told("framework: PyTorch\npytorch: {processCount: 3, nodeCount: 2}\n")
            .starts_with("3:25: \"pytorch.processCount\" is 3, which 2 nodes do not share evenly"));
  CHECK(told("communicator: Mpi\nmpi: {processCountPerNode: none}\n")
            .starts_with(
                "3:28: \"mpi.processCountPerNode\" is the text \"none\"; allowed: an integer"));
  CHECK(told("framework: PySpark\n")
            .starts_with("2:12: \"framework\" is \"PySpark\"; hdrive runs no Spark jobs"));
  CHECK(told("communicator: OpenMPI2\n")
            .starts_with("2:15: unknown communicator \"OpenMPI2\"; allowed: None,"));
  CHECK(
      told("environment: {docker: {enabled: yes}}\n")
          .starts_with("2:33: \"environment.docker.enabled\" is the text \"yes\"; allowed: true"));
}

TEST_CASE("A docker section asks for a container, or is refused with the reason") {
  const std::string head = "script: train.py\nenvironment:\n  docker:\n";
  const auto loaded =
      Project(head +
              "    {enabled: true, baseImage: me/train:1, shmSize: 2g, gpuSupport: "
              "true, arguments: [--cap-add, X], baseImageRegistry: {address: r.io}}\n"
              "  python: {userManagedDependencies: true, interpreterPath: /py}\n")
          .load(around(""));
  CHECK(messages(loaded.problems) == "");
  REQUIRE(loaded.surroundings.container);
  CHECK(loaded.surroundings.container->image == "r.io/me/train:1");
  CHECK(loaded.surroundings.container->shm_size == "2g");
  CHECK(loaded.surroundings.container->gpu);
  CHECK(loaded.surroundings.container->arguments == Words{"--cap-add", "X"});
  CHECK(loaded.spec.command == Words{"/py", "train.py"});
  const auto later = Project(head + "    {baseImage: a}\ndocker: {useDocker: true, shmSize: 1g}\n")
                         .load(around(""));
  REQUIRE(later.surroundings.container);
  CHECK(later.surroundings.container->shm_size == "1g");
  CHECK(later.spec.command == Words{"python", "train.py"});
  CHECK_FALSE(Project(head + "    {enabled: false, baseImage: a}\n")
                  .load(around(""))
                  .surroundings.container);
  const auto built =
      Project(head + "    {enabled: true, baseDockerfile: FROM x}\n").load(around(""));
  REQUIRE(built.surroundings.container);
  CHECK(built.surroundings.container->build == ImageBuild{{}, "", "FROM x"});
  CHECK(Project(head + "    {enabled: true, baseDockerfile: docker/None}\n").told(around("")) ==
        "<dir>/train.runconfig:4:37: \"baseDockerfile\" is \"docker/None\", but there is no "
        "\"<dir>/docker/None\"; allowed: the path of a Dockerfile, or its text\n");
  const auto folder =
      Project(head + "    {enabled: true, buildContext: {location: ., dockerfilePath: Own}}\n")
          .load(around(""));
  CHECK(messages(folder.problems) == "");
  REQUIRE(folder.surroundings.container);
  CHECK(folder.surroundings.container->build->dockerfile == "Own");
  CHECK(Project(head + "    {enabled: true, buildContext: {location: none}}\n")
            .told(around(""))
            .find("\"<dir>/none\" is not a directory") != std::string::npos);
  CHECK(Project(head + "    {enabled: true, baseImage: a}\n"
                       "  python: {condaDependencies: {dependencies: [numpy]}}\n")
            .told(around(""))
            .starts_with("<dir>/train.runconfig:4:32: conda dependencies are not installed into"));
  const std::string secret =
      Project(head + "    {enabled: true, baseImage: a, baseImageRegistry: {password: hunter2}}\n")
          .told(around(""));
  CHECK(secret.find("log in yourself") != secret.npos);
  CHECK(secret.find("hunter2") == secret.npos);
}

TEST_CASE("Directories to watch beside logs and outputs keep the folders of the runs") {
  const Project project("script: train.py\nhistory: {directoriesToWatch: [logs, ./tb/x]}\n");
  CHECK(project.load(around("")).spec.keep_work == KeepWork::always);
  CHECK(project.load(around("keep_work: failed\n")).spec.keep_work == KeepWork::failed);
  CHECK(project.told(around("")) ==
        "<dir>/train.runconfig:2:31: warning: \"./tb/x\" is not followed while a run goes on, as "
        "logs is; the runs' whole folders are kept (keep_work: always)\n");
}

TEST_CASE("Odd values in the place of any key are told or passed over, and never believed") {
  const std::vector<std::string> kOdd{"5",           "-1.5",     "true", "''",   "text",
                                      "[]",          "{}",       "['']", "[[]]", "{a: b}",
                                      "{a: {b: c}}", "[{a: b}]", ".nan", "null", "'..'"};
  const std::vector<std::string> kPlaces{
      "script: @\n",
      "arguments: @\nscript: train.py\n",
      "command: @\n",
      "sourceDirectory: @\n",
      "maxRunDurationSeconds: @\n",
      "framework: @\n",
      "communicator: @\n",
      "nodeCount: @\n",
      "mpi: @\n",
      "environment: @\n",
      "environmentVariables: @\n",
      "environment: {python: @}\n",
      "environment: {name: @}\n",
      "environment: {python: {condaDependencies: @}}\n",
      "environment: {python: {condaDependencies: {dependencies: @}}}\n",
      "environment: {python: {condaDependencies: {dependencies: [{pip: @}]}}}\n",
      "environment: {python: {condaDependenciesFile: @}}\n",
      "environment: {python: {userManagedDependencies: @, interpreterPath: @}}\n",
      "environment: {docker: @}\n",
      "environment: {docker: {enabled: @}}\n",
      "environment: {docker: {enabled: true, baseImage: @, arguments: @, shmSize: @}}\n",
      "environment: {docker: {enabled: true, baseImage: a, baseImageRegistry: @}}\n",
      "docker: @\n",
      "docker: {useDocker: @}\n",
      "history: @\n",
      "history: {directoriesToWatch: @}\n",
      "dataReferences: @\n",
      "dataReferences: {x: @}\n",
      "dataReferences: {x: {dataStoreName: @, pathOnDataStore: @, mode: @}}\n",
      "data: @\n",
      "data: {x: {dataLocation: @}}\n",
      "data: {x: {dataLocation: {dataset: @}}}\n",
      "data: {x: {dataLocation: {dataPath: @}, environmentVariableName: @}}\n",
  };
  for (const std::string& place : kPlaces)
    for (const std::string& odd : kOdd) {
      std::string text = place;
      for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@'))
        text.replace(at, 1, odd);
      INFO(text);
      for (const Problem& problem : Project(text).load(around("")).problems)
        CHECK_FALSE(problem.text.empty());
    }
}

TEST_CASE("docs/runconfig.md is what the table says") {
  const auto page = base::read_file(HDRIVE_SOURCE_DIR "/docs/runconfig.md");
  INFO("hdrive config-reference --run-configuration > docs/runconfig.md");
  CHECK((page && *page == run_configuration_reference()));
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

TEST_CASE("An interpreter of Windows is the python in PATH here; another that is missing is told") {
  const auto with = [](const std::string& interpreter) {
    return "script: train.py\nenvironment:\n  python:\n    userManagedDependencies: true\n"
           "    interpreterPath: " +
           interpreter + "\n";
  };
  Project windows(with("'C:\\Users\\ada\\py36\\python.exe'"));
  windows.overrides.search_path = "";
  CHECK(windows.load(around("")).spec.command == Words{"python3", "train.py"});
  CHECK(windows.told(around(""))
            .starts_with("<dir>/train.runconfig:5:22: warning: \"interpreterPath\" is "
                         "\"C:\\\\Users\\\\ada\\\\py36\\\\python.exe\", which is of Windows; the "
                         "python in PATH is taken\n"));
  Project missing(with("/nowhere/python"));
  missing.overrides.needs_files = true;
  missing.overrides.command = {"train.py"};
  CHECK_THAT(
      missing.told(around("")),
      Catch::StartsWith("<dir>/train.runconfig:5:22: there is no program \"/nowhere/python\""));
}

TEST_CASE("A script and a conda file may have the separators of Windows") {
  Project project(
      "script: src\\train.py\n"
      "environment: {python: {condaDependenciesFile: '.azureml\\conda.yml'}}\n");
  project.folder.write("src/train.py", "");
  project.folder.write(".azureml/conda.yml", "name: e\ndependencies: [pip]\n");
  project.overrides.needs_files = true;
  CHECK(project.told(around("")) == "");
  CHECK(project.load(around("")).spec.command == Words{"python", "src/train.py"});
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
