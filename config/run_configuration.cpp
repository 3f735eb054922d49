// SPDX-License-Identifier: Apache-2.0
//
// HyperDrive's .runconfig (YAML or JSON): what is run, and what it wants around it. Each key is in
// the table of run_keys.cpp, which says what becomes of it; what is read here is what counts.
#include "config/run_configuration.h"

#include <algorithm>

#include "base/text.h"
#include "config/distribution.h"
#include "config/key_check.h"
#include "config/load.h"
#include "config/schema.h"
#include "config/written_path.h"

namespace hdrive {
namespace config {
namespace {

namespace fs = std::filesystem;

// The folder of the project: configurations often lie in a folder of their own in it.
fs::path project_of(const fs::path& file) {
  std::error_code ignored;
  const fs::path here = fs::absolute(file, ignored).lexically_normal().parent_path();
  const std::string name = here.filename();
  return name == ".azureml" || name == "aml_config" ? here.parent_path() : here;
}

/// One .runconfig while it is being read.
class RunConfiguration {
 public:
  RunConfiguration(Loader& loader, const Node& root)
      : loader_(loader),
        root_(root),
        file_(loader.overrides.run_configuration),
        project_(loader.overrides.source_directory.empty() ? project_of(file_)
                                                           : loader.overrides.source_directory) {}

  void read() {
    check_run_keys(loader_.problems, root_);
    read_distribution();
    read_variables();
    read_target();
    read_directory();
    std::vector<fs::path> folders;
    data_ = read_run_data(loader_, root_, project_, folders);
    read_python();
    read_container(folders);
    read_command();
    read_duration();
    read_history();
  }

 private:
  void error(const Node& node, std::string text) {
    loader_.problems.error(node.place, std::move(text));
  }
  void warn(const Node& node, std::string text) {
    loader_.problems.warn(node.place, std::move(text));
  }
  void refuse(std::string_view path) { refuse_run_key(loader_.problems, root_, path); }

  const Node* value(std::string_view path) const { return value_at(root_, path); }

  // Nothing where it is absent, or no truth value, which is reported.
  std::optional<bool> truth(std::string_view path) {
    const Node* node = value(path);
    if (!node) return std::nullopt;
    if (node->is(Node::Kind::boolean)) return node->boolean;
    error(*node, in_quotes(path) + " is " + describe(*node) + "; allowed: true or false");
    return std::nullopt;
  }
  std::string text(std::string_view path) {
    const Node* node = value(path);
    return node ? scalar_text(loader_.problems, *node, in_quotes(path)).value_or("") : "";
  }

  // ---- one process or several -------------------------------------------------------------------

  void read_distribution() {
    static const std::vector<std::string> kFrameworks{
        "Python",    "PySpark",        "PySparkInteractive",       "Cntk", "TensorFlow", "PyTorch",
        "PythonMpi", "PythonIntelMpi", "TensorFlowParameterServer"};
    static const std::vector<std::string> kCommunicators{
        "None", "ParameterServer", "OpenMpi", "IntelMpi", "Gloo", "Mpi", "Nccl"};
    const std::string framework = word("framework", kFrameworks);
    const std::string communicator = word("communicator", kCommunicators);
    if (framework.starts_with("pyspark"))
      error(*value("framework"),
            "\"framework\" is " + in_quotes(value("framework")->text) +
                "; hdrive runs no Spark jobs; let a script of framework Python "
                "call spark-submit");
    refuse("outputData");
    RunProcesses processes;
    processes.nodes = count("nodeCount");
    if (communicator.ends_with("mpi") || framework.ends_with("mpi")) {
      processes.type = DistributionType::mpi;
      processes.nodes = std::max(processes.nodes, count("mpi.nodeCount"));
      processes.per_node = count("mpi.processCountPerNode");
    } else if (framework == "pytorch" && (communicator == "nccl" || communicator == "gloo" ||
                                          count("pytorch.processCount") > 1)) {
      processes.type = DistributionType::pytorch;
      processes.nodes = std::max(processes.nodes, count("pytorch.nodeCount"));
      const std::int64_t all = std::max(count("pytorch.processCount"), processes.nodes);
      processes.per_node = all / processes.nodes;
      if (all % processes.nodes != 0)
        error(*value("pytorch.processCount"),
              "\"pytorch.processCount\" is " + std::to_string(all) + ", which " +
                  std::to_string(processes.nodes) +
                  " nodes do not share evenly; allowed: a multiple of the node count");
    } else if (framework == "tensorflowparameterserver" ||
               (framework == "tensorflow" && communicator == "parameterserver")) {
      processes.workers = count("tensorflow.workerCount");
      // One worker alone has no use for the server that the SDK writes by default.
      if (processes.workers > 1) {
        processes.type = DistributionType::tensorflow;
        const Node* servers = value("tensorflow.parameterServerCount");
        processes.servers = servers ? servers->integer().value_or(1) : 1;
      }
    }
    for (const char* path : {"nodeCount", "mpi.nodeCount", "pytorch.nodeCount"})
      if (const Node* node = value(path); node && node->integer().value_or(1) > 1)
        loader_.nodes_place = node->place;
    take_processes(loader_, processes, root_.place);
  }

  // 1 where it is absent, or no number above 0, which is reported.
  std::int64_t count(std::string_view path) {
    const Node* node = value(path);
    if (!node || node->is(Node::Kind::null)) return 1;
    const auto number = node->integer();
    if (number && *number >= 1 && *number <= 65'536) return *number;
    error(*node,
          in_quotes(path) + " is " + describe(*node) + "; allowed: an integer from 1 to 65536");
    return 1;
  }

  // The value in lower case, one of `allowed`; else it is reported.
  std::string word(std::string_view path, const std::vector<std::string>& allowed) {
    const std::string given = text(path), folded = base::lower(given);
    if (given.empty()) return "";
    for (const std::string& each : allowed)
      if (base::lower(each) == folded) return folded;
    const std::string hint = base::did_you_mean(given, allowed);
    error(*value(path), "unknown " + std::string(path) + " " + in_quotes(given) + "; allowed: " +
                            base::join(allowed, ", ") + (hint.empty() ? "" : ";" + hint));
    return "";
  }

  // ---- the environment --------------------------------------------------------------------------

  void read_variables() {
    const Node* environment = value("environment");
    if (environment && !environment->is(Node::Kind::map))
      error(*environment, "\"environment\" is " + describe(*environment) +
                              "; allowed: a mapping with python, docker, environmentVariables");
    for (const std::string_view path : {"environmentVariables", "environment.environmentVariables"})
      read_variables_at(path);
  }

  // What is there already stays: the file's own, then those of the later place.
  void read_variables_at(std::string_view path) {
    const Node* variables = value(path);
    if (!variables) return;
    if (!variables->is(Node::Kind::map))
      return error(*variables, "\"environmentVariables\" is " + describe(*variables) +
                                   "; allowed: a mapping of names to texts");
    std::map<std::string, std::string> given;
    for (const Entry& variable : variables->entries)
      add_environment_variable(loader_, variable, given);
    loader_.spec.environment_variables.merge(given);
  }

  void read_python() {
    const bool managed = truth("environment.python.userManagedDependencies").value_or(false);
    const bool prepared = truth("autoPrepareEnvironment").value_or(true);
    const std::string interpreter = text("environment.python.interpreterPath");
    if (!managed && prepared) {
      refuse("environment.python.baseCondaEnvironment");
      loader_.surroundings.packages = packages();
    }
    if (loader_.surroundings.packages) {
      loader_.program_elsewhere = true;
      loader_.interpreter = "python";
      if (!interpreter.empty() && interpreter != "python")
        warn(*value("environment.python.interpreterPath"),
             "\"interpreterPath\" is ignored: the environment that is built has an interpreter of "
             "its own; userManagedDependencies: true uses this one");
      return;
    }
    loader_.interpreter = interpreter.empty() ? "python3" : interpreter;
    if (const Node* path = value("environment.python.interpreterPath")) {
      loader_.interpreter_place = path->place;
      if (is_of_windows(interpreter)) {
        warn(*path, "\"interpreterPath\" is " + in_quotes(interpreter) +
                        ", which is of Windows; the python in PATH is taken");
        loader_.interpreter = "python";
      }
    }
    const bool is_there = is_on_path(loader_, loader_.interpreter);
    if (loader_.interpreter == "python" && !is_there) loader_.interpreter = "python3";
  }

  std::optional<PythonPackages> packages() {
    if (const fs::path& given = loader_.overrides.conda_dependencies; !given.empty())
      return read_conda_file(loader_, given,
                             {loader_.problems.add_source("--conda-dependencies"), 0, 0});
    const Node* inline_packages = value("environment.python.condaDependencies");
    const Node* file = value("environment.python.condaDependenciesFile");
    const std::string name = text("environment.name");
    std::optional<PythonPackages> result;
    if (inline_packages) {
      result = read_conda_packages(loader_.problems, *inline_packages);
      result->directory = project_;
    } else if (file) {
      result = packages_of_file(*file);
    } else if (base::lower(name).starts_with("azureml-")) {
      auto curated = curated_environment(name);
      if (!curated) {
        error(*value("environment.name"), curated.error().what);
        return std::nullopt;
      }
      result = *std::move(curated);
      result->directory = project_;
    }
    if (result && !name.empty()) result->name = name;
    return result;
  }

  std::optional<PythonPackages> packages_of_file(const Node& node) {
    const auto name = scalar_text(loader_.problems, node, "\"condaDependenciesFile\"");
    if (!name) return std::nullopt;
    return read_conda_file(loader_, beside_or_in_project(*name), node.place);
  }

  // ---- the container ----------------------------------------------------------------------------

  // The value at the later place of the docker section, else at the earlier one.
  std::string docker(std::string_view key) const {
    const std::string later = "docker." + std::string(key);
    return value(later) ? later : "environment.docker." + std::string(key);
  }

  void read_container(const std::vector<fs::path>& folders) {
    const auto later = truth("docker.useDocker");
    const bool enabled = later ? *later : truth("environment.docker.enabled").value_or(false);
    if (!enabled) return;
    for (const std::string_view key : {"username", "password", "registryIdentity"})
      refuse("environment.docker.baseImageRegistry." + std::string(key));
    Container container;
    container.image = text("environment.docker.baseImage");
    const Node* image = value("environment.docker.baseImage");
    const Node* dockerfile = image ? nullptr : value("environment.docker.baseDockerfile");
    const Node* context = image || dockerfile ? nullptr : value("environment.docker.buildContext");
    if (dockerfile) {
      container.build = image_build(*dockerfile);
      image = dockerfile;
    } else if (context) {
      container.build = image_build_of(*context);
      image = context;
    } else if (!image || is_bare_image(container.image)) {
      if (image)
        warn(*image,
             "the image is not used: it has conda and MPI alone, and the runs get their "
             "environment on this machine");
      return;
    }
    if (loader_.surroundings.packages)
      return error(*image,
                   "conda dependencies are not installed into images; give an image that has "
                   "them, and userManagedDependencies: true, or enabled: false for an "
                   "environment of this machine");
    if (const std::string address = text("environment.docker.baseImageRegistry.address");
        !address.empty() && !container.build && !container.image.starts_with(address + "/"))
      container.image = address + "/" + container.image;
    container.shm_size = text(docker("shmSize"));
    container.gpu = truth("environment.docker.gpuSupport").value_or(false);
    if (const Node* arguments = value(docker("arguments")))
      container.arguments = read_words(*arguments, "arguments");
    container.volumes = folders;
    if (!truth(docker("sharedVolumes")).value_or(true))
      warn(*value(docker("sharedVolumes")),
           "\"sharedVolumes\" is ignored: a run needs its folder and the source folder");
    loader_.surroundings.container = std::move(container);
    loader_.program_elsewhere = true;
    if (loader_.interpreter == "python3" && !value("environment.python.interpreterPath"))
      loader_.interpreter = "python";
  }

  // A Dockerfile written out, or the path of one, which copies from its folder.
  ImageBuild image_build(const Node& node) {
    ImageBuild build;
    const std::string given =
        scalar_text(loader_.problems, node, "\"baseDockerfile\"").value_or("");
    if (given.find('\n') != given.npos || base::lower(given).starts_with("from ")) {
      build.text = given;
      return build;
    }
    const fs::path path = beside_or_in_project(given);
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored))
      error(node, "\"baseDockerfile\" is " + in_quotes(given) + ", but there is no " +
                      in_quotes(path.string()) +
                      "; allowed: the path of a Dockerfile, or its text");
    build.context = path.parent_path();
    build.dockerfile = path.filename();
    return build;
  }

  // A folder with a Dockerfile.
  ImageBuild image_build_of(const Node& node) {
    const std::string path = "environment.docker.buildContext.";
    const std::string given = text(path + "location");
    ImageBuild build{beside_or_in_project(given), text(path + "dockerfilePath"), ""};
    std::error_code ignored;
    if (!fs::is_directory(build.context, ignored))
      error(node, "\"buildContext\" has the location " + in_quotes(given) + ", but " +
                      in_quotes(build.context.string()) +
                      " is not a directory; allowed: a folder of this machine with a Dockerfile");
    return build;
  }

  // A file that is named in the run configuration: in the project, else beside it.
  fs::path beside_or_in_project(std::string_view name) const {
    std::error_code ignored;
    const fs::path path = written_path(fs::absolute(project_, ignored), name);
    const fs::path beside = written_path(fs::absolute(file_, ignored).parent_path(), name);
    return !fs::exists(path, ignored) && fs::exists(beside, ignored) ? beside : path;
  }

  // ---- what is run ------------------------------------------------------------------------------

  std::vector<std::string> read_words(const Node& node, std::string_view key) {
    std::vector<std::string> words;
    if (node.is(Node::Kind::list)) {
      for (const NodePtr& item : node.items)
        if (const auto given = scalar_text(loader_.problems, *item, "a word of " + in_quotes(key)))
          words.push_back(with_data(*given));
      return words;
    }
    if (const auto text = scalar_text(loader_.problems, node, in_quotes(key))) {
      auto split = split_words(*text);
      if (split) {
        for (std::string& each : *split) each = with_data(each);
        return *std::move(split);
      }
      error(node, in_quotes(key) + ": " + split.error().what);
    }
    return words;
  }

  // What Azure put in the place of "$AZUREML_DATAREFERENCE_name" before the script saw it.
  std::string with_data(std::string given) const {
    // From the end, where the longer of two names comes first that begin alike.
    for (auto it = data_.rbegin(); it != data_.rend(); ++it)
      for (const std::string& token : {"${" + it->first + "}", "$" + it->first})
        for (std::size_t at = given.find(token); at != given.npos; at = given.find(token, at)) {
          given.replace(at, token.size(), it->second);
          at += it->second.size();
        }
    return given;
  }

  void read_command() {
    const Node* script = value("script");
    const Node* command = value("command");
    const Node* used = script ? script : command;
    if (!used) return;
    if (script && command)
      loader_.problems.warn(command->place, "\"command\" is ignored, since there is a script");
    if (!loader_.overrides.command.empty()) return;
    if (loader_.given.contains("command"))
      return loader_.problems.warn(used->place, in_quotes(script ? "script" : "command") +
                                                    " is ignored, since " +
                                                    in_quotes(loader_.problems.source_name(0)) +
                                                    " has a command of its own");
    std::vector<std::string>& words = loader_.spec.command;
    if (script) {
      const auto name = scalar_text(loader_.problems, *script, "\"script\"");
      if (!name) return;
      words = {loader_.interpreter, without_windows(project_, *name)};
      if (const Node* arguments = value("arguments"))
        for (std::string& word : read_words(*arguments, "arguments")) words.push_back(word);
    } else {
      // Azure hands a command to a shell and appends nothing; values come from
      // AZUREML_SWEEP_<name>.
      std::string line = command->text;
      if (command->is(Node::Kind::list))
        line = base::join(read_words(*command, "command"), " ");
      else if (!scalar_text(loader_.problems, *command, "\"command\""))
        return;
      words = {"sh", "-c", line};
      if (!loader_.given.contains("append_parameters")) loader_.spec.append_parameters = false;
    }
    loader_.command_places.assign(words.size(), used->place);
    if (script && loader_.interpreter_place.line > 0)
      loader_.command_places[0] = loader_.interpreter_place;
  }

  void read_target() {
    const Node* node = value("target");
    if (node && node->is(Node::Kind::text) && !node->text.empty() &&
        !take_compute(loader_, node->text))
      warn(*node, "\"target\" is " + in_quotes(node->text) +
                      ", which no targets.yml has: the runs are processes on this machine; "
                      "`hdrive target create` makes a target");
  }

  void read_directory() {
    const Node* node = value("sourceDirectory");
    if (!node || loader_.given.contains("source_directory")) return;
    const auto text = scalar_text(loader_.problems, *node, "\"sourceDirectory\"");
    if (!text) return;
    std::error_code ignored;
    const fs::path here = fs::absolute(loader_.overrides.run_configuration, ignored).parent_path();
    fs::path path = (here / *text).lexically_normal();
    if (!path.has_filename() && path != path.root_path()) path = path.parent_path();
    if (!fs::is_directory(path, ignored))
      return error(*node, "\"sourceDirectory\" is " + in_quotes(*text) + ", but " +
                              in_quotes(path.string()) +
                              " is not a directory; allowed: one that exists");
    loader_.spec.source_directory = path;
  }

  void read_duration() {
    const Node* node = value("maxRunDurationSeconds");
    if (!node || loader_.given.contains("max_run_duration_seconds")) return;
    const auto rows = rows_of(Section::top);
    const auto row = std::find_if(rows.begin(), rows.end(), [](const KeyInfo& each) {
      return each.name == "max_run_duration_seconds";
    });
    if (check_value(*row, "maxRunDurationSeconds", *node, loader_.problems))
      loader_.spec.max_run_duration =
          std::chrono::milliseconds(round_to_count(node->number * 1000));
  }

  // What is to be followed and kept beside outputs and logs lies in the run's folder.
  void read_history() {
    const Node* watched = value("history.directoriesToWatch");
    if (!watched) return;
    std::vector<std::string> others;
    for (const std::string& each : read_words(*watched, "directoriesToWatch")) {
      const fs::path path = fs::path(each).lexically_normal();
      if (path.empty()) continue;
      const fs::path top = *path.begin();
      if (top != "logs" && top != "outputs") others.push_back(in_quotes(each));
    }
    if (others.empty()) return;
    const bool kept = loader_.given.contains("keep_work");
    if (!kept) loader_.spec.keep_work = KeepWork::always;
    warn(*watched, listing(others) + (others.size() == 1 ? " is" : " are") +
                       " not followed while a run goes on, as logs is" +
                       (kept ? "" : "; the runs' whole folders are kept (keep_work: always)"));
  }

  Loader& loader_;
  const Node& root_;
  const fs::path& file_;
  fs::path project_;
  std::map<std::string, std::string> data_;  // the variables of data references, and their paths
};

}  // namespace

void read_run_configuration(Loader& loader) {
  const fs::path& file = loader.overrides.run_configuration;
  Node none;  // a run configuration without a key
  none.kind = Node::Kind::map;
  if (file.empty() && !loader.overrides.conda_dependencies.empty())
    RunConfiguration(loader, none).read();
  if (file.empty()) return;
  loader.interpreter = "python3";
  auto text = read_text(file);
  if (!text) {
    const int source = loader.problems.add_source(file.string());
    return loader.problems.error({source, 0, 0}, text.error().what);
  }
  if (text->starts_with("\xEF\xBB\xBF")) text->erase(0, 3);
  const int source = loader.problems.add_source(file.string(), *std::move(text));
  const NodePtr root = read_yaml(source, loader.problems);
  if (!root) return;
  if (!root->is(Node::Kind::map))
    return loader.problems.error(root->place, "the run configuration is " + describe(*root) +
                                                  "; allowed: a mapping with script, arguments "
                                                  "and environment");
  RunConfiguration(loader, *root).read();
}

}  // namespace config
}  // namespace hdrive
