// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "config/run_configuration.h"

namespace hdrive {
namespace config {
namespace {

// clang-format off
std::vector<RunKey> make_table() {
  return {
      {"script", Use::honoured, "the script, started with the environment's interpreter"},
      {"arguments", Use::honoured, "the script's arguments, in front of the drawn values"},
      {"command", Use::honoured, "a line for `sh -c`, to which nothing is appended"},
      {"sourceDirectory", Use::honoured, "the source folder, counted from the file's folder"},
      {"maxRunDurationSeconds", Use::honoured, "the time limit of one run"},
      {"target", Use::honoured, "a target of targets.yml; of a name that is none there, which is told, the runs are processes on this machine"},
      {"framework", Use::mapped, "with the communicator says what starts a run's processes; PySpark is refused"},
      {"communicator", Use::mapped, "OpenMpi, IntelMpi and Mpi: mpirun; with framework PyTorch Nccl and Gloo: as torchrun; with TensorFlow ParameterServer: TF_CONFIG (docs/distributed.md)"},
      {"nodeCount", Use::honoured, "machines of one run; more than one needs a target that has them"},
      {"autoPrepareEnvironment", Use::honoured, "`false`: nothing is built, and the interpreter taken as it is"},
      {"jobName", Use::needless, "a name for Azure Batch AI"},
      {"sourceDirectoryDataStore", Use::warned, "source_directory says where the runs start"},
      {"exposedPorts", Use::warned, "the runs share this machine's ports"},
      {"useAbsolutePath", Use::needless, "paths are those of this machine"},
      {"environmentVariables", Use::honoured, "as environment.environmentVariables, which it wins over"},
      {"environment", Use::honoured, "below"},
      {"environment.name", Use::mapped, "one of Azure's curated names stands for a list of packages; another name means nothing"},
      {"environment.version", Use::needless, "of the environment's registration"},
      {"environment.environmentVariables", Use::honoured, "variables of each run; those of hdconfig.yml win"},
      {"environment.python", Use::honoured, "below"},
      {"environment.python.userManagedDependencies", Use::honoured, "`true`: interpreterPath as it is"},
      {"environment.python.interpreterPath", Use::honoured, "the interpreter; `python` is python3 where there is no python, and a path of Windows (`C:\\...`) is the python in PATH"},
      {"environment.python.condaDependenciesFile", Use::honoured, "built once and kept"},
      {"environment.python.condaDependencies", Use::honoured, "the same, written out"},
      {"environment.python.baseCondaEnvironment", Use::refused, "give the path of that environment's python as interpreterPath, with userManagedDependencies: true"},
      {"environment.docker", Use::honoured, "below; without `enabled: true` none of it means anything"},
      {"environment.docker.enabled", Use::honoured, "runs in podman, docker or apptainer; Azure's images with conda and MPI alone are not used"},
      {"environment.docker.baseImage", Use::honoured, "the image"},
      {"environment.docker.baseDockerfile", Use::honoured, "the text of a Dockerfile, or the path of one, which copies from its folder: built by podman or docker, once for the same content"},
      {"environment.docker.buildContext", Use::honoured, "below: a folder with a Dockerfile, of which an image is built as of baseDockerfile"},
      {"environment.docker.buildContext.location", Use::honoured, "the folder"},
      {"environment.docker.buildContext.locationType", Use::needless, "the folder is one of this machine"},
      {"environment.docker.buildContext.dockerfilePath", Use::honoured, "the Dockerfile's path in it"},
      {"environment.docker.sharedVolumes", Use::mapped, "the run's folder and the source folder are always shared"},
      {"environment.docker.gpuSupport", Use::honoured, "hands the GPUs in, where there are any"},
      {"environment.docker.shmSize", Use::honoured, "the size of /dev/shm"},
      {"environment.docker.arguments", Use::honoured, "arguments of the engine"},
      {"environment.docker.baseImageRegistry", Use::honoured, "below"},
      {"environment.docker.baseImageRegistry.address", Use::honoured, "stands before the image's name"},
      {"environment.docker.baseImageRegistry.username", Use::refused, "log in yourself: podman login ADDRESS"},
      {"environment.docker.baseImageRegistry.password", Use::refused, "log in yourself: podman login ADDRESS, and keep passwords out of files"},
      {"environment.docker.baseImageRegistry.registryIdentity", Use::refused, "log in yourself: podman login ADDRESS"},
      {"environment.docker.platform", Use::needless, "the engine takes the image for this machine"},
      {"environment.spark", Use::needless, "counts with framework PySpark alone"},
      {"environment.databricks", Use::needless, "counts on Databricks alone"},
      {"environment.r", Use::warned, "packages of R are not installed; install them yourself"},
      {"environment.inferencingStackVersion", Use::needless, "counts for deployments alone"},
      {"environment.assetId", Use::warned, "an environment of Azure's registry; its packages are those that the file names"},
      {"docker", Use::honoured, "the later place of environment.docker, which it wins over"},
      {"docker.useDocker", Use::honoured, "as environment.docker.enabled"},
      {"docker.sharedVolumes", Use::mapped, "as environment.docker.sharedVolumes"},
      {"docker.shmSize", Use::honoured, "as environment.docker.shmSize"},
      {"docker.arguments", Use::honoured, "as environment.docker.arguments"},
      {"history", Use::honoured, "below"},
      {"history.outputCollection", Use::warned, "outputs and logs of a run are kept in any case", {"true"}},
      {"history.snapshotProject", Use::warned, "the source folder is captured all the same; working_directory: source in hdconfig.yml starts the runs in it", {"true"}},
      {"history.directoriesToWatch", Use::mapped, "`logs` is followed and kept as ever; with others the run's whole folder is kept (`keep_work: always`)"},
      {"history.ambientAuthentication", Use::warned, "a run has the credentials of who runs the sweep"},
      {"dataReferences", Use::mapped, "below"},
      {"dataReferences.*.dataStoreName", Use::mapped, "a folder, by `datastores` in azureml.yml"},
      {"dataReferences.*.pathOnDataStore", Use::honoured, "in that folder"},
      {"dataReferences.*.mode", Use::mapped, "Mount, Download and Upload alike: the folder itself"},
      {"dataReferences.*.pathOnCompute", Use::needless, "the path is told by AZUREML_DATAREFERENCE_name"},
      {"dataReferences.*.overwrite", Use::needless, "nothing is copied"},
      {"data", Use::mapped, "below"},
      {"data.*.dataLocation.dataset.name", Use::mapped, "a path, by `data` in azureml.yml"},
      {"data.*.dataLocation.dataset.id", Use::mapped, "the same"},
      {"data.*.dataLocation.dataset.version", Use::mapped, "`NAME:VERSION` in azureml.yml, else `NAME`"},
      {"data.*.dataLocation.dataPath.datastoreName", Use::mapped, "a folder, by `datastores` in azureml.yml"},
      {"data.*.dataLocation.datapath", Use::mapped, "another spelling of dataPath"},
      {"data.*.dataLocation.dataPath.relativePath", Use::honoured, "in that folder"},
      {"data.*.dataLocation.uri.path", Use::mapped, "a path of this machine, or by `data` in azureml.yml"},
      {"data.*.dataLocation.uri.isFile", Use::needless, "a file and a folder are told apart by looking"},
      {"data.*.environmentVariableName", Use::honoured, "a variable with the path, beside AZUREML_DATAREFERENCE_name"},
      {"data.*.mechanism", Use::needless, "the path itself is given"},
      {"data.*.pathOnCompute", Use::needless, "the path is told by the variable"},
      {"data.*.overwrite", Use::needless, "nothing is copied"},
      {"data.*.createOutputDirectories", Use::needless, "nothing is copied"},
      {"data.*.options", Use::needless, "of mounting and downloading"},
      {"outputData", Use::refused, "write to ./outputs, which is kept of each run"},
      {"mpi", Use::honoured, "below; counts with communicator OpenMpi, IntelMpi or Mpi alone"},
      {"mpi.processCountPerNode", Use::honoured, "processes_per_node of resources"},
      {"mpi.nodeCount", Use::honoured, "as nodeCount"},
      {"pytorch", Use::honoured, "below; counts with framework PyTorch alone"},
      {"pytorch.communicationBackend", Use::needless, "the script chooses it in init_process_group"},
      {"pytorch.processCount", Use::honoured, "processes on all nodes together"},
      {"pytorch.nodeCount", Use::honoured, "as nodeCount"},
      {"tensorflow", Use::honoured, "below; counts with framework TensorFlow and communicator ParameterServer alone"},
      {"tensorflow.workerCount", Use::honoured, "worker_count of distribution"},
      {"tensorflow.parameterServerCount", Use::mapped, "parameter_server_count of distribution; one worker alone has no use for a server"},
      {"spark", Use::needless, "counts with framework PySpark alone"},
      {"hdi", Use::needless, "counts on HDInsight alone"},
      {"amlcompute", Use::mapped, "below"},
      {"amlcompute.name", Use::warned, "the runs are processes on this machine"},
      {"amlcompute.vmSize", Use::warned, "the runs are processes on this machine"},
      {"amlcompute.vmPriority", Use::needless, "of a machine that is not made"},
      {"amlcompute.retainCluster", Use::needless, "of a machine that is not made"},
      {"amlcompute.clusterMaxNodeCount", Use::needless, "of a machine that is not made"},
      {"autoClusterComputeSpecification", Use::needless, "of a machine that is not made"},
      {"paralleltask", Use::needless, "counts for parallel steps of pipelines alone"},
      {"datacaches", Use::warned, "data is where the asset map says"},
      {"applicationEndpoints", Use::warned, "a run is a process on this machine"},
      {"services", Use::warned, "a run is a process on this machine"},
      {"credentialPassthrough", Use::needless, "a run has the credentials of who runs the sweep"},
      {"identity", Use::warned, "a run has the credentials of who runs the sweep"},
      {"priority", Use::needless, "of a queue of Azure's"},
      {"queueSettings", Use::needless, "of a queue of Azure's"},
      {"commandReturnCodeConfig", Use::mapped, "below"},
      {"commandReturnCodeConfig.returnCode", Use::warned, "a run has succeeded where it ends with exit code 0", {"zero"}},
      {"commandReturnCodeConfig.successfulReturnCodes", Use::warned, "a run has succeeded where it ends with exit code 0"},
      {"kubernetescompute", Use::needless, "counts on Kubernetes alone"},
      {"cmk8sCompute", Use::needless, "counts on Kubernetes alone"},
      {"cmAksCompute", Use::needless, "counts on Kubernetes alone"},
      {"itpCompute", Use::needless, "counts on another compute of Azure's alone"},
      {"aisuperComputer", Use::needless, "counts on another compute of Azure's alone"},
      {"globalJobDispatcher", Use::needless, "counts on another compute of Azure's alone"},
      {"containerInstance", Use::needless, "counts on container instances alone"},
      {"batchAi", Use::needless, "counts on Azure Batch AI alone"},
  };
}
// clang-format on

const RunKey* find_key(const std::string& path) {
  const auto& table = run_keys();
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const RunKey& known) { return known.path == path; });
  return row == table.end() ? nullptr : &*row;
}

// The names of the rows right below a prefix ("environment.").
std::vector<std::string> names_below(const std::string& prefix) {
  std::vector<std::string> names;
  for (const RunKey& known : run_keys()) {
    if (!known.path.starts_with(prefix)) continue;
    const std::string_view rest = known.path.substr(prefix.size());
    const std::string name(rest.substr(0, rest.find('.')));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

void tell_unknown(Problems& problems, const Entry& entry, const std::string& prefix) {
  const auto names = names_below(prefix);
  if (names.empty()) return;  // passed over as a whole, or the user's own names
  const std::string hint = base::did_you_mean(entry.key, names);
  problems.warn(entry.place, "unknown key " + in_quotes(entry.key) + " is ignored" +
                                 (hint.empty() ? "" : ";" + hint));
}

bool is_usual(const RunKey& row, const Node& value) {
  const std::string word = base::lower(value.text);
  return is_empty(value) || std::find(row.usual.begin(), row.usual.end(), word) != row.usual.end();
}

void check_keys(Problems& problems, const Node& map, const std::string& prefix) {
  for (const Entry& entry : map.entries) {
    const std::string path = prefix + entry.key;
    const auto names = names_below(prefix);
    const bool any_name = names.size() == 1 && names[0] == "*";
    const std::string below = (any_name ? prefix + "*" : path) + ".";
    const RunKey* row = find_key(path);
    if (!row && !any_name && names_below(below).empty())
      tell_unknown(problems, entry, prefix);
    else if (row && row->use == Use::warned && !is_usual(*row, *entry.value))
      problems.warn(entry.place, in_quotes(path) + " is ignored: " + std::string(row->what));
    else if (entry.value->is(Node::Kind::map) && !names_below(below).empty())
      check_keys(problems, *entry.value, below);
  }
}

std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

constexpr std::string_view kHead =
    R"(# .runconfig: what hdrive does with each key

This page is generated: `hdrive config-reference --run-configuration > docs/runconfig.md`.

`hdrive run -c NAME` and `hdrive submit-script -c NAME` read Azure's run configurations, YAML or JSON: NAME.runconfig, or NAME, in
`--path`, its `.azureml` or its `aml_config`. A key in the table is

- *honoured*: it does what it did there;
- *mapped*: it does what comes nearest here;
- *warned*: it has no effect here, and a warning says so unless it is empty or has its usual value;
- *refused*: an error before anything starts, unless it is empty or has its usual value;
- *needless*: of no consequence for a run on this machine, whatever it says.

Keys that are not in it are warned of by name and line.

| key | hdrive | |
|---|---|---|
)";

}  // namespace

std::string_view to_string(Use use) {
  constexpr std::string_view kNames[] = {"honoured", "mapped", "warned", "refused", "needless"};
  return kNames[static_cast<int>(use)];
}

const std::vector<RunKey>& run_keys() {
  static const std::vector<RunKey> table = make_table();
  return table;
}

bool is_empty(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return true;
    case Node::Kind::text:
      return node.text.empty();
    case Node::Kind::list:
      return node.items.empty();
    case Node::Kind::map:
      return node.entries.empty();
    default:
      return false;
  }
}

const Node* value_at(const Node& root, std::string_view path) {
  const Node* node = &root;
  for (const std::string_view key : base::split(path, '.')) {
    const Entry* entry = node->find(key);
    if (!entry || is_empty(*entry->value)) return nullptr;
    node = entry->value.get();
  }
  return node;
}

void check_run_keys(Problems& problems, const Node& root) { check_keys(problems, root, ""); }

void refuse_run_key(Problems& problems, const Node& root, std::string_view path) {
  const Node* value = value_at(root, path);
  const RunKey* row = find_key(std::string(path));
  if (!value || !row || is_usual(*row, *value)) return;
  const bool secret = path.ends_with("password");
  problems.error(value->place, in_quotes(path) + (secret ? "" : " is " + describe(*value)) + "; " +
                                   std::string(row->what));
}

}  // namespace config

std::string run_configuration_reference() {
  std::string page(config::kHead);
  for (const config::RunKey& row : config::run_keys()) {
    page += "| `" + std::string(row.path) + "` | " + std::string(to_string(row.use));
    page += " | " + config::cell(row.what) + " |\n";
  }
  return page;
}

}  // namespace hdrive
