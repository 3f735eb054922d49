// SPDX-License-Identifier: Apache-2.0
//
// The state of one load, and the readers the schema's rows name. Each reader takes one entry that
// is of the right kind already, checks the rest, and writes the specification or reports problems.
#pragma once

#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/problems.h"
#include "config/yaml_reader.h"
#include "hdrive/config.h"
#include "hdrive/targets.h"

namespace hdrive::config {

/// A parameter as it was read, sound or not.
struct Definition {
  std::string name;
  Place place;
  /// The options under which it exists, the outermost first: the choice's number and the option.
  std::vector<std::pair<int, Value>> path;
};

/// An option with parameters of its own.
struct Branch {
  Value option;
  const Node* parameters;
};

struct Loader {
  Problems& problems;
  const ConfigOverrides& overrides;
  std::filesystem::path directory;  ///< of the file, absolute
  SweepSpec spec;
  bool seed_given = false;
  bool concurrency_given = false;
  std::map<std::string, Place> given;    ///< keys of the top level that were read, and where
  std::map<std::string, Place> defined;  ///< parameters by name, and where first
  std::vector<Definition> definitions;   ///< all of them in order
  /// Which of them have a name without its dashes, and which an environment variable.
  std::unordered_map<std::string, std::vector<std::size_t>> named, sharing;
  int choices = 0;  ///< with parameters of their own, so far
  std::map<std::string, Place>
      options;                        ///< of sampling and policy ("policy.slack_factor"), and where
  std::vector<Place> command_places;  ///< of each word of the command
  const Node* start_points = nullptr;   ///< read once the space is known
  const Entry* resources = nullptr;     ///< read when all keys are that say the same
  const Entry* distribution = nullptr;  ///< read after these
  Place nodes_place, processes_place;   ///< of what says how many nodes and processes a run has
  std::string interpreter;              ///< the run configuration's; empty without one
  Place interpreter_place;              ///< where it says so; none where it does not
  Surroundings surroundings;            ///< what the run configuration wants around the program
  bool program_elsewhere = false;       ///< in an environment or an image, not in PATH
  bool space_sound = false;             ///< parameter_space was read without an error
  bool sampling_sound = false;          ///< so was the sampler with its options
  bool policy_sound = true;             ///< and the policy
  bool job = false;                     ///< the file is a v2 job (config/job.h)
  const Entry* default_environment = nullptr;  ///< of a pipeline, for steps without one
  std::vector<std::string> outputs;            ///< of a job, by name
  bool appends = false;  ///< whose values are appended where its command places none
};

// ---- readers of top-level keys ------------------------------------------------------------------
void read_sampling(Loader& loader, const Entry& entry);
void read_policy(Loader& loader, const Entry& entry);
void read_goal(Loader& loader, const Entry& entry);
void read_working_directory(Loader& loader, const Entry& entry);
void read_metric_source(Loader& loader, const Entry& entry);
void read_azureml_sdk(Loader& loader, const Entry& entry);
void read_keep_work(Loader& loader, const Entry& entry);
void read_mlflow(Loader& loader, const Entry& entry);
void read_snapshot_max_file(Loader& loader, const Entry& entry);
void read_command(Loader& loader, const Entry& entry);
void read_source_directory(Loader& loader, const Entry& entry);
void read_environment(Loader& loader, const Entry& entry);
void read_seed(Loader& loader, const Entry& entry);
void read_name(Loader& loader, const Entry& entry);
void read_metric_patterns(Loader& loader, const Entry& entry);
/// A text or a list of texts; `what` each is.
std::vector<std::string> read_words(Loader& loader, const Entry& entry, std::string_view what);
/// A command as a list of words; a text is one for `sh -c`. Empty where it is neither, which is
/// reported.
std::vector<std::string> read_hook(Loader& loader, const Entry& entry);
void read_gpus(Loader& loader, const Entry& entry);
void read_gpus_per_run(Loader& loader, const Entry& entry);
void read_concurrency(Loader& loader, const Entry& entry);
void read_target_names(Loader& loader, const Entry& entry);
void read_repeat_best(Loader& loader, const Entry& entry);

// ---- the whole ----------------------------------------------------------------------------------

/// Reads a file's text, whichever kind of configuration it is.
void read_configuration(Loader& loader, std::string_view text, const std::string& name);

/// The tree of a file with every --set of the overrides applied; null where there is none, which is
/// reported. Makes the loader's directory absolute.
NodePtr read_root(Loader& loader, const std::filesystem::path& file);

/// Takes the overrides and checks the whole, when its keys are read; `has_keys` unless the file is
/// no mapping.
void finish(Loader& loader, bool has_keys);

/// Makes the specification one of a single run: a sweep whose only parameter, job, has the one value
/// `what`.
void be_one_run(Loader& loader, std::string what);

/// What was read, for the caller.
LoadedConfig result_of(Loader& loader);

// ---- steps --------------------------------------------------------------------------------------

/// The expression called `name` with its arguments; nothing where they are missing, or something is
/// wrong with it, which is told. Options of a choice that have parameters are put into `branches`.
std::optional<Expression> read_expression(Loader& loader, const Node& name, const Node* values,
                                          std::vector<Branch>& branches);

/// Reads early termination: `entry` is a mapping with `type`, whatever its key.
void read_policy_mapping(Loader& loader, const Entry& entry);

/// Reads the list of parameters into the specification's space.
void read_parameter_space(Loader& loader, const Node& list);

/// Reports a folder, program or script that is not there: an error where runs are to be started,
/// else a warning.
void report_missing(Loader& loader, Place place, std::string text);

/// Whether the runs will find the program; true where nothing is known of their PATH.
bool is_on_path(const Loader& loader, const std::string& program);

/// Reads the start points, which may be written before the space they are in.
void read_start_points(Loader& loader);

/// Reads what a run asks of its place, where that is not said by another key.
void read_resources(Loader& loader);
/// And what starts a run's processes, which may say how many there are.
void read_distribution(Loader& loader);
/// Refuses what several processes of a run can't have.
void check_processes(Loader& loader);

/// Takes the name of a compute target of Azure's, "azureml:NAME" or NAME, for the target of
/// targets.yml that has it, or for this machine where it is "local". False: there is none.
bool take_compute(Loader& loader, std::string_view name);

/// The targets that the specification names; one that is not there is reported.
std::vector<NamedTarget> look_up_targets(Loader& loader);

/// Takes what the run configuration of the overrides gives and the file does not.
void read_run_configuration(Loader& loader);

/// Checks the command against the space: unknown placeholders, ignored parameters, missing scripts.
void check_command(Loader& loader);

/// Warns where a line for a shell begins with a script that is not in the source folder; the line
/// may well change into another one.
void warn_of_missing_script(Loader& loader, std::string_view line, Place place);

/// Warns where the values of a run may be longer than the system hands to a program.
void warn_of_sizes(Loader& loader);

/// Builds the sampler and the policy once, for the errors only they can tell.
void check_algorithms(Loader& loader);

/// Warns of what Azure itself would refuse, in a specification without errors.
void warn_of_azure(Loader& loader);

/// Whether a policy of ours, by its name, is one of Azure's, too.
bool azure_has_policy(std::string_view name);

/// The words of a command line by a POSIX shell's quoting rules, without expansions. Fails on a
/// quote that is never closed.
Result<std::vector<std::string>> split_words(std::string_view text);

/// Adds one environment variable, or reports what is wrong with it.
/// Azure's name, among the variables of a run, for the time from SIGTERM to SIGKILL.
constexpr std::string_view kKillTimeout = "AZUREML_RUN_KILL_SIGNAL_TIMEOUT_SEC";
/// Takes it where the configuration has no cancel_grace_seconds; once all variables are known.
void read_cancel_grace(Loader& loader);
void add_environment_variable(Loader& loader, const Entry& entry,
                              std::map<std::string, std::string>& to);

/// The text of a scalar as it was written, for words and environment variables; reports other
/// nodes.
/// A mapping of tags; what cannot be one is reported.
std::map<std::string, std::string> tags_of(const Node& node, Problems& problems);
std::optional<std::string> scalar_text(Problems& problems, const Node& node, std::string_view what);

/// From where the relative paths of a configuration count.
std::filesystem::path directory_of(const std::filesystem::path& file);

/// Reads a file as a configuration's text; an Error says what is wrong with the path itself.
Result<std::string> read_text(const std::filesystem::path& file);

/// Seconds from a number, or from ISO 8601's "PT1H30M"; nothing where it is neither, or not above
/// zero.
std::optional<double> seconds_of(const Node& node);

/// At least 1, rounded to the nearest.
inline std::int64_t round_to_count(double number) {
  const auto count = std::llround(number);
  return count < 1 ? 1 : count;
}

/// A bound as a person writes it: 1000000000 rather than 1e+09.
std::string fmt_number(double number);

}  // namespace hdrive::config
