// SPDX-License-Identifier: Apache-2.0
//
// The arguments with which `run`, `validate` and `sample` name a configuration, in hdrive's
// spelling and in HyperDrive's, and the specification they lead to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/config.h"

namespace hdrive::cli {

class ArgumentParser;

struct ConfigArguments {
  std::string file;               ///< hdconfig.yml
  std::string hyperdrive_file;    ///< --hyperdrive-configuration-name
  std::string run_configuration;  ///< -c
  std::string path;               ///< --path
  std::string asset_map;          ///< --asset-map
  std::string experiment;         ///< -e
  std::string name;               ///< --name
  std::optional<std::uint64_t> seed;
  std::vector<std::string> set;      ///< "key=value"
  std::vector<std::string> command;  ///< behind "--"
  std::vector<std::string> script;   ///< HyperDrive's positional script and its arguments
  bool script_follows = false;       ///< such a script is what the positional words are
  std::string conda_file;            ///< -d
  std::string source_directory;      ///< --source-directory
};

/// Declares the options on `parser`.
void add_config_options(ArgumentParser& parser, ConfigArguments& config);
/// Those of them that say what is run and of which experiment it is.
void add_run_configuration_options(ArgumentParser& parser, ConfigArguments& config);

/// Takes the command or the script out of `arguments`. Called when all options are declared: those
/// in front of a script are told from it by what they take.
void take_words(const ArgumentParser& parser, ConfigArguments& config,
                std::vector<std::string>& arguments);

/// `--set`, declared alone for `resume`.
void add_set_option(ArgumentParser& parser, std::vector<std::string>& set);
/// --advertise, another word for a key.
void add_advertise_option(ArgumentParser& parser, std::string& address);
void set_advertise(const std::string& address, std::vector<std::string>& set);
/// `--asset-map`, and the file it or the environment names; empty: none.
void add_asset_map_option(ArgumentParser& parser, std::string& file);
std::filesystem::path asset_map_file(const ConfigArguments& config);
/// "key=value" taken apart; a Failure (code 2) without "=".
std::vector<std::pair<std::string, std::string>> parse_settings(
    const std::vector<std::string>& set);
/// The same of words that are no values of an option; `expected` is what they should look like.
std::vector<std::pair<std::string, std::string>> parse_pairs(const std::vector<std::string>& words,
                                                             std::string_view expected,
                                                             std::string_view option = "");

/// What a configuration is loaded for.
enum class Purpose {
  run,    ///< a command is needed, and what it names must be there
  check,  ///< what is named must be there
  look    ///< what is not there is worth a warning
};

/// The specification, all its problems told on stderr; a Failure (code 2) if one is an error. A
/// seed is drawn where none was given, and `seed_given` left false. `azure`: warn of what Azure
/// would refuse as well.
LoadedConfig load_or_fail(const ConfigArguments& config, Purpose purpose, bool azure = false);

/// What a run configuration wants around its program; the program need not be there.
LoadedConfig load_surroundings_or_fail(const ConfigArguments& config);

/// The same of a single run, without a configuration of a sweep.
LoadedConfig load_single_run_or_fail(const ConfigArguments& config);

/// What the arguments add to the file.
ConfigOverrides overrides_of(const ConfigArguments& config, Purpose purpose);
/// Prints every problem; a Failure (code 2) naming the files at fault if one is an error.
void report_problems(const std::vector<Problem>& problems, Purpose purpose);

/// The configuration file that the arguments name.
std::filesystem::path config_file(const ConfigArguments& config);

}  // namespace hdrive::cli
