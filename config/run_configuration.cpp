// SPDX-License-Identifier: Apache-2.0
//
// HyperDrive's .runconfig (YAML or JSON): script, arguments, interpreter, environment variables.
// The rest of that format is known by name, so that what has no effect here is told once and not
// refused.
#include <algorithm>

#include "base/text.h"
#include "config/key_check.h"
#include "config/load.h"
#include "config/schema.h"

namespace hdrive {
namespace config {
namespace {

namespace fs = std::filesystem;

enum class Use {
  taken,    ///< read below
  silent,   ///< of no consequence here, whatever it says
  telling,  ///< has no effect here: worth a warning unless empty or one of the defaults
};

struct KnownKey {
  std::string_view path;
  Use use;
  std::vector<std::string_view> defaults = {};
  std::string_view why = {};
};

const std::vector<KnownKey>& known_keys() {
  static const std::vector<KnownKey> kTable{
      {"script", Use::taken},
      {"arguments", Use::taken},
      {"command", Use::taken},
      {"sourceDirectory", Use::taken},
      {"maxRunDurationSeconds", Use::taken},
      {"environment", Use::taken},
      {"target", Use::telling, {"local"}, "the runs are processes on this machine"},
      {"framework", Use::telling, {"python"}, "each run is one process"},
      {"communicator", Use::telling, {"none"}, "each run is one process"},
      {"nodeCount", Use::telling, {"1"}, "each run is one process"},
      {"dataReferences", Use::telling, {}, "give the script paths of this machine"},
      {"data", Use::telling, {}, "give the script paths of this machine"},
      {"sourceDirectoryDataStore", Use::telling, {}, "source_directory says where the runs start"},
      {"exposedPorts", Use::telling, {}, "the runs share this machine's ports"},
      {"docker", Use::silent},
      {"autoPrepareEnvironment", Use::silent},
      {"jobName", Use::silent},
      {"history", Use::silent},
      {"spark", Use::silent},
      {"hdi", Use::silent},
      {"tensorflow", Use::silent},
      {"mpi", Use::silent},
      {"pytorch", Use::silent},
      {"amlcompute", Use::silent},
      {"containerInstance", Use::silent},
      {"batchAi", Use::silent},
      {"environment.name", Use::silent},
      {"environment.version", Use::silent},
      {"environment.environmentVariables", Use::taken},
      {"environment.python", Use::taken},
      {"environment.docker", Use::taken},
      {"environment.spark", Use::silent},
      {"environment.databricks", Use::silent},
      {"environment.inferencingStackVersion", Use::silent},
      {"environment.python.userManagedDependencies", Use::taken},
      {"environment.python.interpreterPath", Use::taken},
      {"environment.python.condaDependenciesFile", Use::taken},
      {"environment.python.condaDependencies", Use::taken},
      {"environment.python.baseCondaEnvironment", Use::silent},
      {"environment.docker.enabled",
       Use::telling,
       {"false"},
       "the runs are processes on this machine"},
      {"environment.docker.baseImage", Use::silent},
      {"environment.docker.baseDockerfile", Use::silent},
      {"environment.docker.sharedVolumes", Use::silent},
      {"environment.docker.gpuSupport", Use::silent},
      {"environment.docker.shmSize", Use::silent},
      {"environment.docker.arguments", Use::silent},
      {"environment.docker.baseImageRegistry", Use::silent},
  };
  return kTable;
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

/// One .runconfig while it is being read.
class RunConfiguration {
 public:
  RunConfiguration(Loader& loader, const Node& root) : loader_(loader), root_(root) {}

  void read() {
    tell_ignored(root_, "");
    read_environment();
    read_command();
    read_directory();
    read_duration();
  }

 private:
  void error(const Node& node, std::string text) {
    loader_.problems.error(node.place, std::move(text));
  }

  // The value at a dotted path, or nullptr where it is absent or empty.
  const Node* value(std::string_view path) const {
    const Node* node = &root_;
    for (const std::string_view key : base::split(path, '.')) {
      const Entry* entry = node->find(key);
      if (!entry || is_empty(*entry->value)) return nullptr;
      node = entry->value.get();
    }
    return node;
  }

  void tell_ignored(const Node& map, const std::string& prefix) {
    for (const Entry& entry : map.entries) {
      const std::string path = prefix + entry.key;
      const auto& table = known_keys();
      const auto row = std::find_if(table.begin(), table.end(),
                                    [&](const KnownKey& known) { return known.path == path; });
      if (row == table.end()) {
        tell_unknown(entry, prefix);
      } else if (row->use == Use::telling) {
        tell_without_effect(entry, path, *row);
      } else if (row->use == Use::taken && entry.value->is(Node::Kind::map) &&
                 path != "environment.environmentVariables") {
        tell_ignored(*entry.value, path + ".");
      }
    }
  }

  void tell_unknown(const Entry& entry, const std::string& prefix) {
    // What stands under a key that is passed over as a whole has no rows.
    std::vector<std::string> names;
    for (const KnownKey& known : known_keys())
      if (known.path.starts_with(prefix) &&
          known.path.find('.', prefix.size()) == std::string_view::npos)
        names.emplace_back(known.path.substr(prefix.size()));
    if (names.empty()) return;
    const std::string hint = base::did_you_mean(entry.key, names);
    loader_.problems.warn(entry.place, "unknown key " + in_quotes(entry.key) + " is ignored" +
                                           (hint.empty() ? "" : ";" + hint));
  }

  void tell_without_effect(const Entry& entry, const std::string& path, const KnownKey& row) {
    if (is_empty(*entry.value)) return;
    const std::string word = base::lower(entry.value->text);
    for (const std::string_view usual : row.defaults)
      if (word == usual) return;
    loader_.problems.warn(entry.place, in_quotes(path) + " is ignored: " + std::string(row.why));
  }

  void read_environment() {
    const Node* python = value("environment.python");
    if (const Node* path = value("environment.python.interpreterPath"))
      loader_.interpreter =
          scalar_text(loader_.problems, *path, "\"interpreterPath\"").value_or("python3");
    const Node* managed = python ? value("environment.python.userManagedDependencies") : nullptr;
    const Node* conda = value("environment.python.condaDependenciesFile");
    if (!conda) conda = value("environment.python.condaDependencies");
    if (conda && !(managed && managed->boolean))
      loader_.problems.warn(conda->place, "conda dependencies are not installed: the runs use " +
                                              in_quotes(loader_.interpreter) + " as it is");
    const Node* variables = value("environment.environmentVariables");
    if (!variables) return;
    if (!variables->is(Node::Kind::map))
      return error(*variables, "\"environmentVariables\" is " + describe(*variables) +
                                   "; allowed: a mapping of names to texts");
    std::map<std::string, std::string> given;
    for (const Entry& variable : variables->entries)
      add_environment_variable(loader_, variable, given);
    loader_.spec.environment_variables.merge(given);  // the file's own stay
  }

  std::vector<std::string> read_words(const Node& node, std::string_view key) {
    std::vector<std::string> words;
    if (node.is(Node::Kind::list)) {
      for (const NodePtr& item : node.items)
        if (auto word = scalar_text(loader_.problems, *item, "a word of " + in_quotes(key)))
          words.push_back(*std::move(word));
      return words;
    }
    if (const auto text = scalar_text(loader_.problems, node, in_quotes(key))) {
      auto split = split_words(*text);
      if (split) return *std::move(split);
      error(node, in_quotes(key) + ": " + split.error().what);
    }
    return words;
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
      words = {loader_.interpreter, *name};
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

  Loader& loader_;
  const Node& root_;
};

constexpr std::string_view kFolders[] = {"", ".azureml", "aml_config"};

std::vector<std::string> names_in(const fs::path& directory, std::string_view ending) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (name.ends_with(ending)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  return fs::exists(status) && !fs::is_directory(status);
}

fs::path in(const fs::path& directory, std::string_view folder) {
  return folder.empty() ? directory : directory / folder;
}

}  // namespace

void read_run_configuration(Loader& loader) {
  const fs::path& file = loader.overrides.run_configuration;
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

Result<std::filesystem::path> find_run_configuration(const std::filesystem::path& directory,
                                                     std::string_view name) {
  using namespace config;
  constexpr std::string_view kEnding = ".runconfig";
  std::vector<std::string> known;
  for (const std::string_view folder : kFolders) {
    const fs::path place = in(directory, folder);
    for (const std::string& file : {std::string(name) + std::string(kEnding), std::string(name)})
      if (!name.empty() && is_file(place / file)) return place / file;
    for (const std::string& file : names_in(place, kEnding))
      known.push_back(file.substr(0, file.size() - kEnding.size()));
  }
  const std::string hint = base::did_you_mean(name, known);
  return Error{"", "there is no run configuration " + in_quotes(name) + "; looked for " +
                       in_quotes(std::string(name) + std::string(kEnding)) + " in " +
                       in_quotes(directory.string()) + ", .azureml and aml_config" +
                       (known.empty() ? "" : "; found: " + listing(known)) +
                       (hint.empty() ? "" : ";" + hint)};
}

Result<std::filesystem::path> find_hyperdrive_configuration(const std::filesystem::path& directory,
                                                            std::string_view file_name) {
  using namespace config;
  if (file_name.empty())
    return Error{"", "the hyperdrive configuration has no name; give a file's, as in hdconfig.yml"};
  for (const std::string_view folder : kFolders) {
    const fs::path place = in(directory, folder) / file_name;
    if (is_file(place)) return place;
  }
  std::vector<fs::path> found;
  std::vector<std::string> known = names_in(directory, ".yml");
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_directory(ignored)) continue;
    if (is_file(it->path() / file_name)) found.push_back(it->path() / file_name);
    for (std::string& name : names_in(it->path(), ".yml")) known.push_back(std::move(name));
  }
  std::sort(found.begin(), found.end());
  if (found.size() == 1) return found.front();
  if (found.size() > 1)
    return Error{"", "there are several files " + in_quotes(file_name) + ": " +
                         in_quotes(found[0].string()) + ", " + in_quotes(found[1].string()) +
                         "; name one of them by its path"};
  const std::string hint = base::did_you_mean(file_name, known);
  return Error{"", "there is no file " + in_quotes(file_name) + " in " +
                       in_quotes(directory.string()) + " or a folder in it" +
                       (hint.empty() ? "" : ";" + hint)};
}

}  // namespace hdrive
