// SPDX-License-Identifier: Apache-2.0
//
// Reading hdconfig.yml, Azure ML's v2 jobs and .runconfig files, with every problem of a file told
// at once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hdrive/environment.h"
#include "hdrive/result.h"
#include "hdrive/spec.h"

namespace hdrive {

/// One thing that is wrong, or doubtful, in a configuration.
struct Problem {
  enum class Severity { warning, error };
  Severity severity = Severity::error;
  std::string file;  ///< as the user named it
  int line = 0;      ///< from 1; 0: of the file as a whole
  int column = 0;    ///< from 1
  std::string text;  ///< what is wrong; what is allowed; did you mean

  /// "hdconfig.yml:14:9: text"; a warning has "warning: " before the text.
  std::string message() const;
};

/// A specification, or the errors that prevent one. Warnings come either way.
struct LoadedConfig {
  SweepSpec spec;                 ///< meaningful only if `ok()`
  std::vector<Problem> problems;  ///< in the order of the file
  /// What the run configuration wants around the program. The specification is as if it were there
  /// already; who runs it makes it so (environment.h).
  Surroundings surroundings = {};
  bool seed_given = false;  ///< else the caller draws one
  bool concurrency_given =
      false;        ///< else max_concurrent_runs is what this machine has processors for
  bool ok() const;  ///< no errors
};

/// What the command line adds to a file.
struct ConfigOverrides {
  /// `--set key=value`, top-level keys and dotted ones ("policy.slack_factor"); values are YAML.
  std::vector<std::pair<std::string, std::string>> set;
  /// The command given after `--`; replaces the file's. Where a run configuration is given, a
  /// script ("train.py") in its place is started with the run configuration's interpreter.
  std::vector<std::string> command;
  /// Where `command` was typed: the runs start there unless the file, a run configuration or
  /// `source_directory` says otherwise. Empty: in the directory of the file.
  std::filesystem::path command_directory;
  /// A .runconfig file that gives script, arguments, interpreter and environment variables; may be
  /// empty.
  std::filesystem::path run_configuration;
  /// A conda file in the place of the run configuration's environment; may be empty.
  std::filesystem::path conda_dependencies;
  /// Replaces source_directory, before the command is checked.
  std::filesystem::path source_directory;
  /// Whether a specification without a command is an error (it is for runs as processes).
  bool needs_command = true;
  /// Whether a source directory, program or script that is not there is an error also where no
  /// command is needed (where one is, it always is), and not only worth a warning.
  bool needs_files = false;
  /// Whether the source folder is to be captured as it is now: what the command names must not be
  /// left out then.
  bool captures = false;
  /// The PATH of the runs, in which the program is looked for. Nothing: it is not.
  std::optional<std::string> search_path;
  /// Whether to warn as `azure_problems` does, each problem with its place.
  bool azure = false;
  /// The file that says what Azure's names mean on this machine, for a v2 job and a run
  /// configuration. Empty: azureml.yml beside the job's file or in the project's folder, or in
  /// .azureml there, where there is one.
  std::filesystem::path asset_map;
  /// Where targets are looked for after the source directory (targets.h: targets_files).
  std::vector<std::filesystem::path> targets_files;
};

/// Reads hdconfig.yml, HyperDrive's file of any name, or a v2 sweep or command job, which its keys
/// tell, from disk; "-" is standard input. Of what is no regular file (a pipe, /dev/stdin) relative
/// paths count from the working directory.
LoadedConfig load_config(const std::filesystem::path& file, const ConfigOverrides& overrides = {});

/// The same from text; `name` stands for the file in messages, `directory` for its place.
LoadedConfig parse_config(std::string_view text, const std::string& name,
                          const std::filesystem::path& directory,
                          const ConfigOverrides& overrides = {});

/// A YAML or JSON file as JSON on one line, members in the file's order: for those who change what
/// it says before it is parsed. Fails with every problem of the file, each with its line.
Result<std::string> file_as_json(const std::filesystem::path& file);

/// One run of the command of `overrides`, or of its run configuration, as a sweep: its only
/// parameter has one value, of which the command is told nothing. No metric is expected.
LoadedConfig single_run(const ConfigOverrides& overrides);

/// The file that HyperDrive's `-c NAME` means: NAME.runconfig or NAME in `directory`, its .azureml
/// or its aml_config. Fails saying where it looked, and what there is.
Result<std::filesystem::path> find_run_configuration(const std::filesystem::path& directory,
                                                     std::string_view name);

/// The file that `--hyperdrive-configuration-name` means: looked up in `directory`, its .azureml
/// and aml_config, then its other sub-folders, where it must be the only one of its name.
Result<std::filesystem::path> find_hyperdrive_configuration(const std::filesystem::path& directory,
                                                            std::string_view file_name);

/// A start point from "name=value" pairs, the values YAML scalars as in a configuration file. Fails
/// naming what is unknown, given twice or out of its range.
Result<Assignment> parse_point(const SearchSpace& space,
                               const std::vector<std::pair<std::string, std::string>>& given);

/// What Azure itself would refuse or treat differently in this specification (reference, sections
/// 1, 2, 4 and 10.8); each a warning. For a specification made in code: one that is loaded gets
/// them with their places (ConfigOverrides::azure).
std::vector<Problem> azure_problems(const SweepSpec& spec, const std::string& file);

/// The specification as hdconfig.yml text that reads back equal, seed and command included.
std::string to_hdconfig(const SweepSpec& spec);

/// The specification as a v2 sweep job that reads back as the same sweep: its command may be in
/// other words.
std::string to_sweep_job(const SweepSpec& spec);

/// A configuration in the other format, and what of it that cannot express, each a warning with
/// its place.
struct Conversion {
  std::string text;  ///< empty where there are errors
  std::vector<Problem> problems;
};
/// hdconfig.yml as a v2 sweep job, or a v2 job as hdconfig.yml, whichever `file` is not. Folders
/// are written as they are seen from `directory`.
Conversion convert_config(const std::filesystem::path& file, const ConfigOverrides& overrides,
                          const std::filesystem::path& directory);

/// How two specifications differ, a key or an option each: "max_total_runs: 20 instead of 10",
/// "policy.slack_factor: 0.1 instead of none". Empty: they are equal.
std::vector<std::string> differences(const SweepSpec& one, const SweepSpec& other);

/// What changes from `before` to `after`, a key or an option each: "max_total_runs: 10 -> 20",
/// "policy.slack_factor: none -> 0.1", of a list that grew only what was added. Empty: nothing.
std::vector<std::string> changes(const SweepSpec& before, const SweepSpec& after);

/// A JSON Schema of hdconfig.yml for editors, generated from the same tables as the reference page.
std::string config_json_schema();

/// The same of v2 jobs: sweeps, commands and pipelines.
std::string job_json_schema();

/// The tables of docs/sweep-jobs.md: each key of a v2 job, what earlier generations called it, and
/// what hdrive does with it.
std::string job_reference();

/// docs/hdconfig.md, generated from the schema table and the registries.
std::string config_reference();

/// docs/runconfig.md: each key of a run configuration, and what becomes of it.
std::string run_configuration_reference();

}  // namespace hdrive
