// SPDX-License-Identifier: Apache-2.0
#include "config/job_trial.h"

#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "config/distribution.h"
#include "config/placeholders.h"
#include "config/run_configuration.h"
#include "config/written_path.h"

namespace hdrive::config {
namespace {

namespace fs = std::filesystem;

}  // namespace

void JobTrial::read(const Fields& job) {
  const bool parts = read_parts(job);
  // A component's inputs are checked also where it has no command that can be read.
  inputs_.read_values(job.find("inputs"), loader_.directory);
  inputs_.read_outputs(job.find("outputs"));
  if (!parts) {
    loader_.given["command"] = {0, 0, 0};  // which is told, so that none is missed besides
    return;
  }
  const Entry* given = job.entry("inputs");
  inputs_.finish(given ? given->place : fields_.all().front().second->place);
  read_code();
  read_environment(job);
  read_processes(fields_);
  if (job.entry("resources") && job.entry("resources") != fields_.entry("resources"))
    read_processes(job);
  if (const Entry* limit = fields_.entry("timeout")) {
    const auto seconds = seconds_of(*limit->value);
    if (!seconds)
      loader_.problems.error(limit->value->place,
                             "\"timeout\" is " + describe(*limit->value) +
                                 "; allowed: a number of seconds, or text such as PT1H30M");
    else if (loader_.given.emplace("max_run_duration_seconds", limit->place).second)
      loader_.spec.max_run_duration = std::chrono::milliseconds(round_to_count(*seconds * 1000));
  }
  if (const Entry* variables = fields_.entry("environment_variables"))
    config::read_environment(loader_, *variables);
  read_command();
}

// Where command, code and environment stand: in the job itself, under `trial`, or in the file of a
// component.
bool JobTrial::read_parts(const Fields& job) {
  const Entry* component = job.entry("component");
  const Entry* trial = job.entry("trial");
  const Entry* entry = component ? component : trial;
  if (!entry) {
    fields_ = job;
    return job.find("command") != nullptr;
  }
  if (entry->value->is(Node::Kind::text)) return read_component(*entry);
  if (!entry->value->is(Node::Kind::map)) {
    loader_.problems.error(entry->value->place,
                           in_quotes(entry->key) + " is " + describe(*entry->value) +
                               "; allowed: a mapping with command, code and environment, or the "
                               "file of a component");
    return false;
  }
  fields_ = read_fields("trial", *entry->value, entry->place, " in " + in_quotes(entry->key),
                        loader_.problems);
  if (fields_.find("inputs") || component) inputs_.declare(fields_.find("inputs"), directory_);
  inputs_.read_outputs(fields_.find("outputs"));
  return fields_.find("command") != nullptr;
}

bool JobTrial::read_component(const Entry& entry) {
  const Node& node = *entry.value;
  fs::path file = written_path(directory_, node.text);
  if (is_remote(node.text)) {
    const auto mapped = assets_.path("components", node.text);
    if (!mapped) {
      loader_.problems.error(node.place, in_quotes(entry.key) + " is " + in_quotes(node.text) +
                                             ", which is not on this machine; say which file it "
                                             "is " +
                                             assets_.advice("components", node.text, "FILE"));
      return false;
    }
    file = *mapped;
  }
  file = file.lexically_normal();
  auto text = read_text(file);
  if (!text) {
    loader_.problems.error(node.place, in_quotes(entry.key) + " is " + in_quotes(node.text) + ": " +
                                           text.error().what + " (" + in_quotes(file.string()) +
                                           ")");
    return false;
  }
  if (text->starts_with("\xEF\xBB\xBF")) text->erase(0, 3);
  const fs::path shown = file.lexically_proximate(loader_.directory);
  root_ =
      read_yaml(loader_.problems.add_source(shown.string(), *std::move(text)), loader_.problems);
  if (!root_) return false;
  if (!root_->is(Node::Kind::map)) {
    loader_.problems.error(root_->place,
                           "the component is " + describe(*root_) +
                               "; allowed: a mapping with command, code, environment, "
                               "inputs and outputs");
    return false;
  }
  directory_ = file.parent_path();
  fields_ = read_fields("trial", *root_, root_->place, " in this component", loader_.problems);
  inputs_.declare(fields_.find("inputs"), directory_);
  inputs_.read_outputs(fields_.find("outputs"));
  return fields_.find("command") != nullptr;
}

// Without code Azure gives the runs an empty folder; here they start from the folder of the file,
// as with hdconfig.yml.
void JobTrial::read_code() {
  const Entry* entry = fields_.entry("code");
  const Node* path = entry ? entry->value.get() : nullptr;
  if (path && path->is(Node::Kind::map)) {
    const Entry* local = path->find("local_path");  // the first generation's
    if (!local || path->entries.size() != 1)
      return loader_.problems.error(path->place,
                                    "\"code\" is a mapping; allowed: the path of a folder");
    path = local->value.get();
  }
  fs::path folder = directory_;
  if (path) {
    const auto text = scalar_text(loader_.problems, *path, "\"code\"");
    if (!text) return;
    folder = written_path(directory_, *text);
    if (is_remote(*text)) {
      const auto mapped = assets_.path("code", *text);
      if (!mapped)
        return loader_.problems.error(path->place,
                                      "\"code\" is " + in_quotes(*text) +
                                          ", which is not on this machine; say where it is " +
                                          assets_.advice("code", *text, "FOLDER"));
      folder = *mapped;
    }
  }
  folder = folder.lexically_normal();
  if (!folder.has_filename() && folder != folder.root_path()) folder = folder.parent_path();
  std::error_code error;
  if (path && fs::is_regular_file(folder, error)) {
    loader_.problems.warn(path->place, "\"code\" is the file " + in_quotes(path->text) +
                                           "; the whole folder it lies in is captured");
    folder = folder.parent_path();
  }
  loader_.spec.source_directory = folder;
  if (!path || !loader_.overrides.source_directory.empty() || fs::is_directory(folder, error))
    return;
  report_missing(loader_, path->place,
                 "\"code\" is " + in_quotes(path->text) + ", but " + in_quotes(folder.string()) +
                     " is not a directory; allowed: one that exists");
}

void JobTrial::read_environment(const Fields& job) {
  const Entry* entry = fields_.entry("environment");
  // What the job says counts from its own file, what a component says from the component's.
  const fs::path& from = entry ? directory_ : loader_.directory;
  if (!entry) entry = job.entry("environment");
  if (!entry) entry = loader_.default_environment;
  if (!entry) return;
  const Node& node = *entry->value;
  std::string name = node.text;
  if (node.is(Node::Kind::map)) {
    const Entry* known = node.find("name");
    if (const auto local = known ? assets_.environment(known->value->text) : std::nullopt)
      return take_environment(*local, entry->place);
    const Node flat = flattened(node, {"docker"});
    const Fields fields =
        read_fields("environment", flat, entry->place, " in \"environment\"", loader_.problems);
    read_packages(fields, from);
    return read_image(fields, from);
  }
  if (!scalar_text(loader_.problems, node, "\"environment\"")) return;
  if (const auto local = assets_.environment(name)) return take_environment(*local, entry->place);
  loader_.problems.warn(node.place,
                        "the environment " + in_quotes(name) +
                            " is not on this machine, so the program is found in PATH; to name an "
                            "interpreter, say " +
                            assets_.advice("environments", name, "PATH/TO/bin/python"));
}

// The packages of an environment that is described in the job: built and kept as those of a run
// configuration.
void JobTrial::read_packages(const Fields& environment, const fs::path& from) {
  const Node* conda = environment.find("conda_file");
  if (!conda) return;
  std::optional<PythonPackages> packages;
  if (conda->is(Node::Kind::map)) {
    packages = read_conda_packages(loader_.problems, *conda);
    packages->directory = from;
  } else if (const auto text = scalar_text(loader_.problems, *conda, "\"conda_file\"")) {
    packages = read_conda_file(loader_, written_path(from, *text), conda->place);
  }
  const Node* name = environment.find("name");
  if (packages && name) packages->name = name->text;
  loader_.surroundings.packages = std::move(packages);
  loader_.program_elsewhere = loader_.surroundings.packages.has_value();
}

// The image that the runs are to be in, where this machine can give it.
void JobTrial::read_image(const Fields& environment, const fs::path& directory) {
  const Entry* image = environment.entry("image");
  const Entry* build = environment.entry("build");
  const Entry* used = image ? image : build;
  if (!used) return;
  const std::string name = in_quotes(used->key);
  if (loader_.surroundings.packages)
    return loader_.problems.warn(used->place, name +
                                                  " has no effect beside \"conda_file\": "
                                                  "its packages are built into an "
                                                  "environment of this machine");
  if (image && is_bare_image(image->value->text))
    return loader_.problems.warn(used->place,
                                 "the image is not used: it has conda and MPI alone, and the "
                                 "program is found in PATH");
  Container container;
  container.required = false;
  if (image) {
    container.image = image->value->text;
  } else {
    const Fields fields =
        read_fields("build", *build->value, build->place, " in \"build\"", loader_.problems);
    const Node* path = fields.find("path");
    if (!path) return;
    ImageBuild& from = container.build.emplace();
    from.context = written_path(directory, path->text);
    if (const Node* file = fields.find("dockerfile_path")) from.dockerfile = file->text;
    std::error_code error;
    if (!fs::is_directory(from.context, error))
      return report_missing(loader_, path->place,
                            "\"path\" is " + in_quotes(path->text) + ", but " +
                                in_quotes(from.context.string()) +
                                " is not a directory; allowed: one with a Dockerfile");
  }
  container.volumes = inputs_.data();
  loader_.surroundings.container = std::move(container);
  loader_.program_elsewhere = true;
}

// What of the resources is a container's.
void JobTrial::read_container_options(const Fields& resources) {
  auto& container = loader_.surroundings.container;
  const auto taken = [&](const char* key, const char* otherwise) {
    const Entry* entry = resources.entry(key);
    if (entry && !container)
      loader_.problems.warn(entry->place, in_quotes(key) + " has no effect: " + otherwise);
    return container ? entry : nullptr;
  };
  if (const Entry* size = taken("shm_size", "the runs share this machine's memory as any program"))
    container->shm_size = size->value->text;
  const Entry* arguments = taken("docker_args", "the runs are processes on this machine");
  if (!arguments) return;
  if (arguments->value->is(Node::Kind::list)) {
    for (const NodePtr& item : arguments->value->items)
      if (auto word = scalar_text(loader_.problems, *item, "a word of \"docker_args\""))
        container->arguments.push_back(*std::move(word));
  } else if (auto words = split_words(arguments->value->text)) {
    container->arguments = *std::move(words);
  } else {
    loader_.problems.error(arguments->value->place, "\"docker_args\": " + words.error().what);
  }
}

void JobTrial::take_environment(const LocalEnvironment& environment, Place place) {
  environment_ = environment;
  std::error_code error;
  const fs::path& file = environment.interpreter;
  if (file.empty() || fs::exists(file, error)) return;
  report_missing(loader_, place,
                 "the environment's interpreter " + in_quotes(file.string()) +
                     " does not exist; the asset map names it");
}

void JobTrial::read_processes(const Fields& fields) {
  if (const Entry* entry = fields.entry("resources")) {
    const Fields read = read_fields("resources", *entry->value, entry->place, " in \"resources\"",
                                    loader_.problems);
    read_container_options(read);
    if (const Node* count = read.find("instance_count")) {
      loader_.spec.nodes_per_run = *count->integer();
      loader_.nodes_place = count->place;
    }
  }
  if (const Entry* entry = fields.entry("distribution"))
    read_job_distribution(loader_,
                          read_fields("distribution", *entry->value, entry->place,
                                      " in \"distribution\"", loader_.problems),
                          entry->place);
}

// What makes `python` the environment's. Where nothing is known of it, and the machine has no
// `python`, its `python3` is meant.
std::string JobTrial::interpreter_lines(std::string_view command) const {
  const fs::path& file = environment_.interpreter;
  std::string lines;
  if (!file.empty()) {
    lines = "export PATH=" + shell_word(file.parent_path().string()) + ":\"$PATH\"\n";
    if (file.filename() != "python")
      lines += "python() { " + shell_word(file.string()) + " \"$@\"; }\n";
  } else if (loader_.surroundings.container && mentions(command, "python")) {
    // An image may lack the one or the other.
    lines = "command -v python >/dev/null 2>&1 || python() { python3 \"$@\"; }\n";
  } else if (environment_.command.empty() && !loader_.surroundings.packages &&
             mentions(command, "python") && !is_on_path(loader_, "python") &&
             is_on_path(loader_, "python3")) {
    lines = "python() { python3 \"$@\"; }\n";
  }
  return lines;
}

void JobTrial::read_command() {
  const Entry* entry = fields_.entry("command");
  const Place place = entry->value->place;
  std::string line = shell_line(entry->value->text, [&](auto group, auto name, auto text) {
    return inputs_.resolve(group, name, text, place);
  });
  warn_of_missing_script(loader_, line, place);
  SweepSpec& spec = loader_.spec;
  loader_.given["command"] = entry->place;
  spec.append_parameters = false;
  spec.command = environment_.command;
  spec.command.insert(spec.command.end(), {"bash", "-c"});
  // The first generation appended the values where the command placed none.
  const bool first = entry->value->text.find("search_space.") == std::string::npos &&
                     line.find("AZUREML_SWEEP_") == std::string::npos && loader_.appends;
  if (first) {
    line += " \"$@\"";
    spec.append_parameters = true;
  }
  spec.command.push_back(inputs_.preparation() + interpreter_lines(line) + line);
  if (first) spec.command.emplace_back("bash");
  loader_.command_places.assign(spec.command.size(), place);
}

}  // namespace hdrive::config
