// SPDX-License-Identifier: Apache-2.0
#include "cli/config_arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/unicode.h"
#include "cli/argument_parser.h"
#include "cli/azure_arguments.h"
#include "cli/command.h"
#include "cli/targets.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/ids.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultFile = "hdconfig.yml";
constexpr const char* kHyperdriveOption = "--hyperdrive-configuration-name";

void take_command(std::vector<std::string>& arguments, std::vector<std::string>& command) {
  const auto mark = std::find(arguments.begin(), arguments.end(), "--");
  if (mark == arguments.end()) return;
  command.assign(mark + 1, arguments.end());
  if (command.empty()) fail(kWrong, "nothing follows \"--\"; the command to train with goes there");
  arguments.erase(mark, arguments.end());
}

bool takes_value(const ArgumentParser& parser, const std::string& argument) {
  const Argument* option = parser.find(argument);
  return option != nullptr && option->takes_value();
}

// What stands behind a script is the script's, also where it is spelled as an option of ours.
void warn_of_own_options(const ArgumentParser& parser, const std::vector<std::string>& script) {
  std::vector<std::string> ours;
  for (const std::string& word : script) {
    const std::string name = word.substr(0, word.find('='));
    if (name.starts_with("--") && parser.find(name) != nullptr) ours.push_back(name);
  }
  if (!ours.empty())
    complain(fmt::format(
        "warning: to the script \"{}\" goes all that follows it, here {}, too; options of "
        "hdrive's own stand before the script",
        script.front(), base::join(ours, ", ")));
}

// az ml run submit-hyperdrive takes the script where its own options end; all behind it is the
// script's.
void take_script(const ArgumentParser& parser, std::vector<std::string>& arguments,
                 std::vector<std::string>& script, bool follows) {
  const bool hyperdrive = std::any_of(arguments.begin(), arguments.end(), [](const auto& argument) {
    return argument.starts_with(kHyperdriveOption);
  });
  if (!hyperdrive && !follows) return;
  std::size_t i = 0;
  while (i < arguments.size() && arguments[i].starts_with('-'))
    i += takes_value(parser, arguments[i]) ? 2 : 1;
  if (i >= arguments.size()) return;
  const auto begin = arguments.begin() + static_cast<std::ptrdiff_t>(i);
  script.assign(begin, arguments.end());
  arguments.erase(begin, arguments.end());
  warn_of_own_options(parser, script);
}

// HyperDrive looks for its files in --path and in folders of it; a path of its own is taken, too.
fs::path found(const Result<fs::path>& file, const std::string& given, std::string_view option) {
  if (file) return file->lexically_normal();
  std::error_code ignored;
  if (fs::is_regular_file(given, ignored)) return given;
  fail(kWrong, fmt::format("{} {}: {}", option, given, file.error().message()));
}

fs::path folder_of(const ConfigArguments& config) {
  return config.path.empty() ? fs::path(".") : fs::path(config.path);
}

fs::path run_configuration_file(const ConfigArguments& config) {
  if (config.run_configuration.empty()) return {};
  return found(find_run_configuration(folder_of(config), config.run_configuration),
               config.run_configuration, "--run-configuration-name");
}

void check_name(const std::string& name) {
  if (name.find('/') != std::string::npos || name == "last" || base::has_control(name))
    fail(kWrong,
         fmt::format("--name \"{}\": a sweep's name has no \"/\" and no control characters in "
                     "it and is not \"last\"",
                     printable(name)));
}

}  // namespace

void add_set_option(ArgumentParser& parser, std::vector<std::string>& set) {
  parser
      .texts("--set", set, "KEY=VALUE",
             "Set a key of the configuration, a dotted one too (policy.slack_factor=0.1); "
             "may be repeated")
      .completion = Completion::settings;
}

void add_advertise_option(ArgumentParser& parser, std::string& address) {
  parser.text(
      "--advertise", address, "ADDRESS",
      "By which address runs on other machines reach the sweep's server: HOST, HOST:PORT or "
      "auto, http:// in front where it may go unprotected; server_advertise in the "
      "configuration");
}

void set_advertise(const std::string& address, std::vector<std::string>& set) {
  if (!address.empty()) set.push_back("server_advertise=" + to_json(Value(address)));
}

void add_asset_map_option(ArgumentParser& parser, std::string& file) {
  parser
      .text("--asset-map", file, "FILE",
            "The file that says what Azure's names mean on this machine (default: "
            "$HDRIVE_ASSET_MAP, else azureml.yml beside the job or the run configuration)")
      .completion = Completion::files;
}

fs::path asset_map_file(const ConfigArguments& config) {
  return config.asset_map.empty() ? environment("HDRIVE_ASSET_MAP").value_or("") : config.asset_map;
}

void add_run_configuration_options(ArgumentParser& parser, ConfigArguments& config) {
  parser.text("-e,--experiment-name", config.experiment, "NAME",
              "The experiment the sweep belongs to");
  parser
      .text("-c,--run-configuration-name", config.run_configuration, "NAME",
            "The run configuration: a .runconfig file, or its name without the extension")
      .completion = Completion::files;
  parser.text("--path", config.path, "DIR", "The source directory, in which the runs start")
      .completion = Completion::directories;
  parser
      .text("-d,--conda-dependencies", config.conda_file, "FILE",
            "A conda file for the runs' environment, instead of the run configuration's")
      .completion = Completion::files;
  add_asset_map_option(parser, config.asset_map);
  parser
      .text("--source-directory", config.source_directory, "DIR",
            "The source directory, where --path is where configurations are looked for")
      .completion = Completion::directories;
}

void add_config_options(ArgumentParser& parser, ConfigArguments& config) {
  parser
      .text("config", config.file, "CONFIG",
            "The configuration: an hdconfig.yml or a v2 job (default: ./hdconfig.yml)")
      .completion = Completion::configurations;
  parser.explain_extras([&config](const std::vector<std::string>& words) {
    return fmt::format(
        "unexpected argument \"{}\"; the command to train with goes behind \"--\": "
        "hdrive run {} -- {}",
        words.front(), config.file, shell_quote(words));
  });
  parser.integer("--seed", config.seed, std::uint64_t{0},
                 "The seed of all random choices (default: drawn)");
  add_set_option(parser, config.set);
  parser.add(
      "--name", "NAME", "A name to address the sweep by", [&config](const std::string& name) {
        config.name = name;
        return name.empty() ? std::string("is empty; a name, or no --name at all, is allowed") : "";
      });
  add_run_configuration_options(parser, config);
  parser
      .text(kHyperdriveOption, config.hyperdrive_file, "FILE",
            "The configuration as HyperDrive's command names it; a script and its arguments may "
            "follow the options")
      .completion = Completion::configurations;
}

void take_words(const ArgumentParser& parser, ConfigArguments& config,
                std::vector<std::string>& arguments) {
  take_command(arguments, config.command);
  take_script(parser, arguments, config.script, config.script_follows);
}

std::vector<std::pair<std::string, std::string>> parse_settings(
    const std::vector<std::string>& set) {
  return parse_pairs(set, "KEY=VALUE", "--set ");
}

std::vector<std::pair<std::string, std::string>> parse_pairs(const std::vector<std::string>& words,
                                                             std::string_view expected,
                                                             std::string_view option) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      fail(kWrong, fmt::format("{}\"{}\": expected {}", option, word, expected));
    result.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return result;
}

void report_problems(const std::vector<Problem>& problems, Purpose purpose) {
  for (const Problem& problem : problems) tell(problem.message() + "\n");
  std::vector<std::string> files;  // that have errors
  long long errors = 0;
  for (const Problem& problem : problems) {
    if (problem.severity != Problem::Severity::error) continue;
    ++errors;
    if (std::find(files.begin(), files.end(), problem.file) == files.end())
      files.push_back(problem.file);
  }
  if (errors == 0) return;
  fail(kWrong, fmt::format("{}: {}{}", base::join(files, ", "), base::plural(errors, "error"),
                           purpose == Purpose::run ? "; nothing was started" : ""));
}

fs::path config_file(const ConfigArguments& config) {
  if (!config.file.empty() && !config.hyperdrive_file.empty())
    fail(kWrong, fmt::format("two configurations, \"{}\" and \"{}\"; give one", config.file,
                             config.hyperdrive_file));
  if (!config.hyperdrive_file.empty())
    return found(find_hyperdrive_configuration(folder_of(config), config.hyperdrive_file),
                 config.hyperdrive_file, kHyperdriveOption);
  if (config.file.empty()) {
    std::error_code ignored;
    if (fs::is_regular_file(kDefaultFile, ignored)) return kDefaultFile;
    fail(kWrong, fmt::format("no configuration given, and there is no {} here; name one, or make "
                             "one with: hdrive init train.py",
                             kDefaultFile));
  }
  for (const std::string_view script : {".py", ".sh", ".R", ".jl", ".ipynb"})
    if (config.file.ends_with(script))
      fail(kWrong,
           fmt::format("{} is a script, not a configuration; the command to train with goes "
                       "behind \"--\": hdrive run {} -- {}{}",
                       config.file, kDefaultFile, script == ".py" ? "python " : "", config.file));
  return config.file;
}

ConfigOverrides overrides_of(const ConfigArguments& config, Purpose purpose) {
  ConfigOverrides overrides;
  overrides.set = parse_settings(config.set);
  overrides.command = config.command;
  // A run configuration names the interpreter of the script; without one it is Python's.
  if (!config.script.empty()) overrides.command = config.script;
  if (!config.script.empty() && config.run_configuration.empty() &&
      config.script.front().ends_with(".py"))
    overrides.command.insert(overrides.command.begin(), "python3");
  // A command typed here names its files as they are seen from here, wherever the configuration
  // lies; and HyperDrive's command takes the folder it is called in.
  if (!overrides.command.empty() || !config.hyperdrive_file.empty())
    overrides.command_directory = fs::current_path();
  overrides.run_configuration = run_configuration_file(config);
  overrides.conda_dependencies = config.conda_file;
  overrides.source_directory =
      config.source_directory.empty() ? config.path : config.source_directory;
  overrides.needs_command = purpose == Purpose::run;
  overrides.needs_files = overrides.captures = purpose != Purpose::look;
  overrides.asset_map = asset_map_file(config);
  overrides.targets_files = targets_files_here();
  overrides.search_path = search_path_of_runs();
  if (!config.command.empty() && !config.script.empty())
    fail(kWrong, fmt::format("both a script (\"{}\") and a command behind \"--\"; give one",
                             config.script.front()));
  check_name(config.name);
  return overrides;
}

namespace {

// What the command line says of the sweep itself.
void complete(LoadedConfig& loaded, const ConfigArguments& config, Purpose purpose) {
  report_problems(loaded.problems, purpose);
  if (!config.name.empty()) loaded.spec.name = config.name;
  if (!config.experiment.empty()) loaded.spec.experiment = config.experiment;
  const bool azures = !config.run_configuration.empty() || !config.hyperdrive_file.empty();
  if (azures && loaded.spec.experiment.empty())
    loaded.spec.experiment = attached_experiment(folder_of(config));
  if (config.seed) loaded.spec.seed = *config.seed;
  loaded.seed_given = loaded.seed_given || config.seed.has_value();
  if (!loaded.seed_given) loaded.spec.seed = new_seed();
}

}  // namespace

LoadedConfig load_or_fail(const ConfigArguments& config, Purpose purpose, bool azure) {
  const fs::path file = config_file(config);
  ConfigOverrides overrides = overrides_of(config, purpose);
  overrides.azure = azure;
  LoadedConfig loaded = load_config(file, overrides);
  complete(loaded, config, purpose);
  return loaded;
}

LoadedConfig load_surroundings_or_fail(const ConfigArguments& config) {
  LoadedConfig loaded = single_run(overrides_of(config, Purpose::look));
  report_problems(loaded.problems, Purpose::look);
  return loaded;
}

LoadedConfig load_single_run_or_fail(const ConfigArguments& config) {
  ConfigOverrides overrides = overrides_of(config, Purpose::run);
  overrides.command_directory = fs::current_path();
  LoadedConfig loaded = single_run(overrides);
  complete(loaded, config, Purpose::run);
  return loaded;
}

}  // namespace hdrive::cli
