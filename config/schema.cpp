// SPDX-License-Identifier: Apache-2.0
#include "config/schema.h"

#include <algorithm>

#include "base/text.h"
#include "config/load.h"
#include "config/schema_rows.h"
#include "config/write.h"

namespace hdrive::config {
namespace {

// clang-format off
std::vector<KeyInfo> make_schema() {
  using rows::kCenturyMinutes;
  using rows::kCenturySeconds;
  using rows::kDefaults;
  using rows::kMostRuns;
  using rows::unless_default;
  using rows::write_boolean;
  using rows::write_duration;
  using rows::write_integer;
  using rows::write_text;
  using S = Section;
  using K = KeyKind;
  std::vector<KeyInfo> table{
      // ---- HyperDrive's -------------------------------------------------------------------------
      {.name = "sampling", .kind = K::mapping, .required = true,
       .summary = "How parameter sets are chosen, and from which space.",
       .elsewhere = {"hyperparameter_sampling", "sampling_algorithm", "search_space", "algorithm"},
       .read = read_sampling, .write = write_sampling},
      {.name = "policy", .kind = K::any,
       .default_text = "no early termination", .default_in_words = true, .allowed = "a mapping",
       .summary = "The early-termination policy: which runs are stopped before they end.",
       .elsewhere = {"early_termination", "early_termination_policy"},
       .read = read_policy, .write = write_policy},
      {.name = "primary_metric_name", .kind = K::text, .required = true,
       .summary = "The metric to optimise, exactly as the script logs it: case and blanks count.",
       .elsewhere = {"primary_metric", "metric", "metric_name", "objective"},
       .read = [](Loader& l, const Entry& e) { l.spec.primary_metric = e.value->text; },
       .write = [](const SweepSpec& s) { return yaml_text(s.primary_metric); }},
      {.name = "primary_metric_goal", .kind = K::text, .required = true,
       .allowed = "Maximize or Minimize",
       .summary = "Whether the best value is the largest or the smallest.",
       .elsewhere = {"goal", "direction", "metric_goal"},
       .read = read_goal,
       .write = [](const SweepSpec& s) {
         return std::string(s.goal == Goal::maximize ? "Maximize" : "Minimize"); }},
      {.name = "max_total_runs", .kind = K::integer, .required = true,
       .default_text = "of grid sampling the number of combinations", .default_in_words = true,
       .minimum = 1, .maximum = kMostRuns,
       .summary = "How many runs are ever created. A finite space may end the sweep earlier.",
       .elsewhere = {"max_total_trials", "max_trials", "n_trials", "total_runs"},
       .read = [](Loader& l, const Entry& e) { l.spec.max_total_runs = *e.value->integer(); },
       .write = [](const SweepSpec& s) { return std::to_string(s.max_total_runs); }},
      {.name = "max_concurrent_runs", .kind = K::any,
       .default_text = "`auto`", .default_in_words = true, .allowed = "an integer from 1 to 1000000, or auto",
       .summary = "How many runs may be alive at once. `auto`: as many as the machine has processors, or "
                  "its targets have slots, at most max_total_runs.",
       .elsewhere = {"max_concurrent_trials", "concurrency", "parallelism", "concurrent_runs"},
       .read = read_concurrency,
       .write = [](const SweepSpec& s) { return std::to_string(s.max_concurrent_runs); }},
      {.name = "max_duration_minutes", .kind = K::number, .default_text = "10080",
       .minimum = 0, .maximum = kCenturyMinutes, .exclusive_minimum = true,
       .summary = "Active time of the whole sweep, 7 days by default; at its end no run is started "
                  "and the live ones are cancelled. Fractions are allowed.",
       .elsewhere = {"timeout", "timeout_minutes", "max_duration"},
       .read = [](Loader& l, const Entry& e) {
         l.spec.max_duration =
             std::chrono::milliseconds(round_to_count(e.value->number * 60'000)); },
       .write = [](const SweepSpec& s) {
         return write_duration(s.max_duration, kDefaults.max_duration, 60'000); }},

      {.section = S::sampling, .name = "type", .kind = K::text, .required = true,
       .allowed = "the name of a sampler",
       .summary = "The sampler, in any case; its options stand beside this key."},
      {.section = S::sampling, .name = "parameter_space", .kind = K::list, .required = true,
       .allowed = "a list of parameters, each with name, expression and values",
       .summary = "The parameters, in the order in which they appear on the command line.",
       .elsewhere = {"search_space", "parameters", "space"}},

      {.section = S::parameter, .name = "name", .kind = K::text, .required = true,
       .summary = "The parameter's name, used as it is on the command line; a name without dashes "
                  "gets `--` in front."},
      {.section = S::parameter, .name = "expression", .kind = K::text, .required = true,
       .allowed = "one of the expressions",
       .summary = "What values are drawn: one of the expressions below, in any case.",
       .elsewhere = {"type", "spec", "distribution", "log", "suggest"}},
      {.section = S::parameter, .name = "values", .kind = K::list, .required = true,
       .allowed = "a list of the expression's arguments in their order",
       .summary = "The expression's arguments in their order; of `choice` the options, flat or as "
                  "one list. An option may have parameters of its own.",
       .elsewhere = {"value", "options", "args", "arguments", "min", "max", "low", "high", "lower",
                     "upper", "min_value", "max_value", "mu", "sigma", "q", "step", "choices",
                     "range", "bounds"}},

      {.section = S::option, .name = "value", .kind = K::any, .required = true,
       .allowed = "anything",
       .summary = "The option itself, as it would stand alone.",
       .elsewhere = {"name", "option"}},
      {.section = S::option, .name = "parameters", .kind = K::list, .required = true,
       .allowed = "a list of parameters, each with name, expression and values",
       .summary = "The parameters that exist only in sets with this option, written as those of "
                  "`parameter_space`. Their choices may have such options too, 16 levels deep."},

      {.section = S::policy, .name = "type", .kind = K::text, .required = true,
       .allowed = "the name of a policy",
       .summary = "The policy, in any case; its options stand beside this key.",
       .elsewhere = {"policy_type", "spec"}},

      // ---- hdrive's own -------------------------------------------------------------------------
      {.name = "command", .kind = K::any, .own = true,
       .default_text = "what follows -- on the command line", .default_in_words = true,
       .allowed = "a list of words, or one text that is split into words as a shell would",
       .summary = "The program of a run and its arguments. No shell reads it: write `sh -c \"...\"` "
                  "where you need one. `${{search_space.x}}` is replaced by the value drawn for x.",
       .elsewhere = {"script", "arguments", "cmd", "program"},
       .read = read_command, .write = write_command},
      {.name = "append_parameters", .kind = K::boolean, .own = true, .default_text = "true",
       .summary = "Whether drawn values are appended to the command as `--name value`. A command "
                  "that places at least one value with `${{search_space.x}}` gets none appended.",
       .read = [](Loader& l, const Entry& e) { l.spec.append_parameters = e.value->boolean; },
       .write = [](const SweepSpec& s) { return write_boolean(s.append_parameters, true); }},
      {.name = "source_directory", .kind = K::text, .own = true,
       .default_text = "the directory of the file; of a command after --, where it was typed",
       .default_in_words = true,
       .summary = "The folder with the code: captured once, when the sweep begins, for its runs to "
                  "start from. A relative path counts from the directory of the file.",
       .elsewhere = {"source_dir", "code", "path"},
       .read = read_source_directory,
       .write = [](const SweepSpec& s) { return write_text(s.source_directory.string()); }},
      {.name = "working_directory", .kind = K::text, .own = true, .default_text = "run",
       .allowed = "run or source",
       .summary = "Where the runs start: each in a folder of its own with the captured files (`run`; "
                  "[the rules](run-directory.md#working-folders)), or all in source_directory "
                  "itself (`source`).",
       .elsewhere = {"cwd", "workdir"},
       .read = read_working_directory,
       .write = [](const SweepSpec& s) {
         return unless_default(s.working_directory == kDefaults.working_directory,
                               std::string(to_string(s.working_directory))); }},
      {.name = "keep_work", .kind = K::text, .own = true, .default_text = "never",
       .allowed = "never, failed or always",
       .summary = "Which runs keep their working folder when they have ended; `outputs` and `logs` "
                  "are kept in any case.",
       .read = read_keep_work,
       .write = [](const SweepSpec& s) {
         return unless_default(s.keep_work == kDefaults.keep_work,
                               std::string(to_string(s.keep_work))); }},
      {.name = "snapshot_max_file", .kind = K::any, .own = true, .default_text = "10 MB",
       .allowed = "a size such as 500 kB, 10 MB or 2 GB, or a number of bytes",
       .summary = "Of the source folder, files larger than this are not captured: the runs see the "
                  "original through a link.",
       .read = read_snapshot_max_file, .write = write_snapshot_max_file},
      {.name = "environment_variables", .kind = K::mapping, .own = true, .default_text = "{}",
       .allowed = "a mapping of names to texts",
       .summary = "Added to the environment of each run, beside hdrive's own variables.",
       .elsewhere = {"env", "environment"},
       .read = read_environment, .write = write_environment},
      {.name = "seed", .kind = K::any, .own = true,
       .default_text = "drawn once for each sweep, and stored", .default_in_words = true,
       .allowed = "an integer from 0 to 18446744073709551615",
       .summary = "Of all random choices: the same seed gives the same parameter sets.",
       .elsewhere = {"random_seed", "random_state"},
       .read = read_seed, .write = [](const SweepSpec& s) { return std::to_string(s.seed); }},
      {.name = "name", .kind = K::text, .own = true, .default_text = "none",
       .default_in_words = true,
       .summary = "A name to address the sweep by.",
       .elsewhere = {"display_name", "sweep_name"},
       .read = read_name, .write = [](const SweepSpec& s) { return write_text(s.name); }},
      {.name = "experiment_name", .kind = K::text, .own = true, .default_text = "none",
       .default_in_words = true,
       .summary = "Groups sweeps in listings.",
       .elsewhere = {"experiment"},
       .read = [](Loader& l, const Entry& e) { l.spec.experiment = e.value->text; },
       .write = [](const SweepSpec& s) { return write_text(s.experiment); }},
      {.name = "description", .kind = K::text, .own = true, .default_text = "none",
       .default_in_words = true,
       .summary = "What the sweep is for, for people.",
       .elsewhere = {"notes", "comment"},
       .read = [](Loader& l, const Entry& e) { l.spec.description = e.value->text; },
       .write = [](const SweepSpec& s) { return write_text(s.description); }},
      {.name = "tags", .kind = K::mapping, .own = true, .default_text = "{}",
       .allowed = "a mapping of names to texts",
       .summary = "Words to find the sweep by: `hdrive list --tag NAME=VALUE`.",
       .elsewhere = {"labels"},
       .read = [](Loader& l, const Entry& e) { l.spec.tags = tags_of(*e.value, l.problems); },
       .write = [](const SweepSpec& s) { return write_texts(s.tags); }},
      {.name = "max_run_duration_seconds", .kind = K::number, .own = true,
       .default_text = "2592000", .minimum = 0, .maximum = kCenturySeconds,
       .exclusive_minimum = true,
       .summary = "One run's time limit, 30 days by default; then it is cancelled.",
       .elsewhere = {"trial_timeout", "run_timeout"},
       .read = [](Loader& l, const Entry& e) {
         l.spec.max_run_duration =
             std::chrono::milliseconds(round_to_count(e.value->number * 1000)); },
       .write = [](const SweepSpec& s) {
         return write_duration(s.max_run_duration, kDefaults.max_run_duration, 1000); }},
      {.name = "cancel_grace_seconds", .kind = K::number, .own = true, .default_text = "10",
       .minimum = 0, .maximum = 86'400,
       .summary = "How long a cancelled run may take from SIGTERM to SIGKILL; also as Azure's variable "
                  "AZUREML_RUN_KILL_SIGNAL_TIMEOUT_SEC in environment_variables.",
       .elsewhere = {"grace_period", "kill_timeout"},
       .read = [](Loader& l, const Entry& e) {
         l.spec.cancel_grace = std::chrono::milliseconds(std::llround(e.value->number * 1000)); },
       .write = [](const SweepSpec& s) {
         // Where a variable of Azure's would say something else it is written in any case.
         const bool named = s.environment_variables.contains(std::string(kKillTimeout));
         return write_duration(s.cancel_grace, named ? -kDefaults.cancel_grace : kDefaults.cancel_grace,
                               1000); }},
      {.name = "max_silent_seconds", .kind = K::number, .own = true, .default_text = "0",
       .minimum = 0, .maximum = kCenturySeconds,
       .summary = "How long a run may report no metric before it is ended, counted from its start or "
                  "its latest report; 0: for ever.",
       .elsewhere = {"stall_timeout", "heartbeat_timeout", "silent_timeout", "idle_timeout"},
       .read = [](Loader& l, const Entry& e) {
         l.spec.max_silent = std::chrono::milliseconds(std::llround(e.value->number * 1000)); },
       .write = [](const SweepSpec& s) {
         return write_duration(s.max_silent, kDefaults.max_silent, 1000); }},
      {.name = "max_lost_retries", .kind = K::integer, .own = true, .default_text = "1",
       .minimum = 0, .maximum = 1000,
       .summary = "How often a run that vanished without an exit code is started again.",
       .elsewhere = {"retries", "max_retries"},
       .read = [](Loader& l, const Entry& e) { l.spec.max_lost_retries = *e.value->integer(); },
       .write = [](const SweepSpec& s) {
         return write_integer(s.max_lost_retries, kDefaults.max_lost_retries); }},
      {.name = "max_failed_retries", .kind = K::integer, .own = true, .default_text = "0",
       .minimum = 0, .maximum = 1000,
       .summary = "How often a run that failed (an exit code other than 0, a signal) is started again, "
                  "as its next attempt in the same run directory.",
       .elsewhere = {"max_failures", "failed_retries", "retry_failed"},
       .read = [](Loader& l, const Entry& e) { l.spec.max_failed_retries = *e.value->integer(); },
       .write = [](const SweepSpec& s) {
         return write_integer(s.max_failed_retries, kDefaults.max_failed_retries); }},
      {.name = "gpus", .kind = K::any, .own = true, .default_text = "[]",
       .allowed = "`auto`, or a list of GPU numbers such as [0, 1, 3]",
       .summary = "The GPUs that are handed out to runs; each run finds its own in "
                  "CUDA_VISIBLE_DEVICES and HIP_VISIBLE_DEVICES. `auto` takes all this machine has, "
                  "or those that hdrive's own CUDA_VISIBLE_DEVICES names.",
       .elsewhere = {"gpu", "devices", "gpu_ids", "cuda_visible_devices"},
       .read = read_gpus, .write = write_gpus},
      {.name = "gpus_per_run", .kind = K::number, .own = true, .default_text = "1",
       .minimum = 0, .maximum = 1024, .exclusive_minimum = true,
       .summary = "How many GPUs each run gets, or below 1 which part of one: with 0.5 two runs share "
                  "each GPU. No more runs are alive at once than there are GPUs for.",
       .elsewhere = {"resources_per_trial", "num_gpus", "gpus_per_trial"},
       .read = read_gpus_per_run,
       .write = [](const SweepSpec& s) {
         return unless_default(s.gpus_per_run == kDefaults.gpus_per_run,
                               fmt_number(s.gpus_per_run)); }},
      {.name = "gpus_shared", .kind = K::boolean, .own = true, .default_text = "false",
       .summary = "Whether other sweeps of yours that say so too may use the same GPUs. Otherwise a "
                  "sweep waits for a GPU that another one uses.",
       .read = [](Loader& l, const Entry& e) { l.spec.gpus_shared = e.value->boolean; },
       .write = [](const SweepSpec& s) { return write_boolean(s.gpus_shared, false); }},
      {.name = "cpus_per_run", .kind = K::integer, .own = true, .default_text = "0",
       .minimum = 0, .maximum = 65'536,
       .summary = "Binds each run to so many processors of its own and sets OMP_NUM_THREADS; 0 binds "
                  "none. No more runs are alive at once than there are processors for.",
       .elsewhere = {"num_cpus", "cpus", "cpus_per_trial"},
       .read = [](Loader& l, const Entry& e) { l.spec.cpus_per_run = *e.value->integer(); },
       .write = [](const SweepSpec& s) {
         return unless_default(s.cpus_per_run == kDefaults.cpus_per_run,
                               std::to_string(s.cpus_per_run)); }},
      {.name = "target", .kind = K::any, .own = true, .default_text = "local",
       .allowed = "the name of a target, or a list of names",
       .summary = "Where the runs go: a target of targets.yml (docs/targets-file.md), or `local`, this "
                  "machine. Of several, a run goes wherever there is room.",
       .elsewhere = {"targets", "compute", "compute_target", "cluster", "executor"},
       .read = read_target_names, .write = write_targets},
      {.name = "resources", .kind = K::mapping, .own = true, .default_text = "none",
       .default_in_words = true,
       .summary = "What a run asks of the place where it runs; the keys are below.",
       .elsewhere = {"resource", "requirements"},
       .read = [](Loader& l, const Entry& e) { l.resources = &e; }, .write = write_resources},
      {.section = S::resources, .name = "cpus", .kind = K::integer,
       .default_text = "0", .minimum = 1, .maximum = 65'536,
       .summary = "Processors of each of its processes; here the same as cpus_per_run.",
       .elsewhere = {"cpu", "cpus_per_task", "ncpus", "num_cpus"}},
      {.section = S::resources, .name = "gpus", .kind = K::number,
       .default_text = "0", .minimum = 0, .maximum = 1024, .exclusive_minimum = true,
       .summary = "GPUs of each of its nodes, or below 1 which part of one; here the same as "
                  "gpus_per_run, with `gpus: auto` where no GPUs are named.",
       .elsewhere = {"gpu", "gpus_per_node", "num_gpus"}},
      {.section = S::resources, .name = "memory", .kind = K::any,
       .default_text = "none", .default_in_words = true, .allowed = "bytes, or a number with a unit: 16 GB",
       .summary = "Memory of each of its nodes.",
       .elsewhere = {"mem", "ram", "memory_gb"}},
      {.section = S::resources, .name = "nodes", .kind = K::integer,
       .default_text = "1", .minimum = 1, .maximum = 65'536,
       .summary = "How many machines one run has.",
       .elsewhere = {"node_count", "instance_count", "num_nodes"}},
      {.section = S::resources, .name = "processes_per_node", .kind = K::integer,
       .default_text = "1", .minimum = 1, .maximum = 65'536,
       .summary = "How many processes of one run there are on each of its nodes.",
       .elsewhere = {"process_count_per_node", "process_count_per_instance", "ntasks_per_node", "processes"}},
      {.section = S::resources, .name = "time", .kind = K::any,
       .default_text = "30 days", .default_in_words = true,
       .allowed = "seconds, or a number with s, m, h or d behind it",
       .summary = "The time limit of one run; here the same as max_run_duration_seconds.",
       .elsewhere = {"time_limit", "walltime", "timeout"}},
      {.name = "distribution", .kind = K::any, .own = true, .default_text = "none",
       .allowed = "pytorch, mpi, tensorflow, none, or a mapping with type",
       .summary = "Several processes a run, each the run's command (docs/distributed.md); how many is "
                  "`processes_per_node` and `nodes` of `resources`. The keys of a mapping are below.",
       .elsewhere = {"distributed", "distributed_training", "strategy", "distributed_job_config"},
       .read = [](Loader& l, const Entry& e) { l.distribution = &e; }, .write = write_distribution},
      {.section = S::distribution, .name = "type", .kind = K::text, .required = true,
       .allowed = "pytorch, mpi, tensorflow or none",
       .summary = "By which variables the processes find each other: those of torchrun, of mpirun, "
                  "or TF_CONFIG."},
      {.section = S::distribution, .name = "processes_per_node", .kind = K::integer,
       .default_text = "1", .minimum = 1, .maximum = 65'536,
       .summary = "The same as in `resources`.",
       .elsewhere = {"process_count_per_node", "process_count_per_instance", "nproc_per_node", "process_count"}},
      {.section = S::distribution, .name = "worker_count", .kind = K::integer,
       .default_text = "all processes", .default_in_words = true, .minimum = 1, .maximum = 1000,
       .summary = "Of tensorflow: workers, over all nodes.", .elsewhere = {"workers"}},
      {.section = S::distribution, .name = "parameter_server_count", .kind = K::integer,
       .default_text = "0", .minimum = 0, .maximum = 1000,
       .summary = "Of tensorflow: parameter servers; they are ended when the workers are done.",
       .elsewhere = {"ps_count", "parameter_servers"}},
      {.section = S::distribution, .name = "metrics", .kind = K::text, .default_text = "rank_0",
       .allowed = "rank_0 or all",
       .summary = "Whose metrics are the run's: those of the process of rank 0, or those of all."},
      {.section = S::distribution, .name = "launcher", .kind = K::any, .default_text = "mpirun",
       .allowed = "a text or a list of words",
       .summary = "Of mpi: what starts the processes; `-n`, their number and the command follow. "
                  "`srun --mpi=pmix` on some clusters."},
      {.name = "metric_patterns", .kind = K::any, .own = true, .default_text = "[]",
       .allowed = "a regular expression, or a list of them",
       .summary = "Regular expressions (RE2) that read metrics from each line of stdout: the group "
                  "`value`, or else the first group, is the value; the group `name` the metric "
                  "(default: the primary one); the group `step` the step.",
       .elsewhere = {"metric_pattern", "metric_regex", "regex"},
       .read = read_metric_patterns, .write = write_metric_patterns},
      {.name = "metrics", .kind = K::text, .own = true, .default_text = "file",
       .allowed = "file or tensorboard",
       .summary = "Where metrics come from, beside lines of stdout that `metric_patterns` find: the "
                  "metric file (`file`), or that and the scalars in TensorBoard's event files below "
                  "`./logs` (`tensorboard`; docs/tensorboard.md).",
       .elsewhere = {"metric_source", "tensorboard"},
       .read = read_metric_source,
       .write = [](const SweepSpec& s) {
         return unless_default(!s.tensorboard_metrics, "tensorboard"); }},
      {.name = "azureml_sdk", .kind = K::text, .own = true, .default_text = "stand_in",
       .allowed = "stand_in, real or auto",
       .summary = "What `import azureml.core` gives a script: hdrive's stand-in, which logs to the run; "
                  "`real`: what is installed, which logs to Azure; `auto`: what is installed, and else "
                  "the stand-in (docs/azureml.md).",
       .read = read_azureml_sdk,
       .write = [](const SweepSpec& s) {
         return unless_default(s.azureml_sdk == kDefaults.azureml_sdk,
                               std::string(to_string(s.azureml_sdk))); }},
  };
  for (KeyInfo& row : rows_of_server()) table.push_back(std::move(row));
  for (KeyInfo& row : rows_of_ends()) table.push_back(std::move(row));
  return table;
}
// clang-format on

std::string range_text(const KeyInfo& row, const std::string& noun) {
  const auto text = [](double bound) { return fmt_number(bound); };
  if (row.minimum && row.maximum)
    return row.exclusive_minimum
               ? noun + " above " + text(*row.minimum) + ", at most " + text(*row.maximum)
               : noun + " from " + text(*row.minimum) + " to " + text(*row.maximum);
  if (row.minimum)
    return noun + (row.exclusive_minimum ? " above " : " of at least ") + text(*row.minimum);
  if (row.maximum) return noun + " of at most " + text(*row.maximum);
  return noun;
}

}  // namespace

const std::vector<KeyInfo>& schema() {
  static const std::vector<KeyInfo> table = make_schema();
  return table;
}

std::vector<KeyInfo> rows_of(Section section) {
  std::vector<KeyInfo> rows;
  for (const KeyInfo& row : schema())
    if (row.section == section) rows.push_back(row);
  return rows;
}

KeyInfo row_of(Section section, const OptionInfo& option) {
  static constexpr KeyKind kKinds[] = {KeyKind::integer, KeyKind::number, KeyKind::boolean,
                                       KeyKind::text};
  KeyInfo row;
  row.section = section;
  row.name = option.name;
  row.kind = kKinds[static_cast<int>(option.kind)];
  row.required = option.required;
  row.default_text = option.default_text;
  row.minimum = option.minimum;
  row.maximum = option.maximum;
  row.exclusive_minimum = option.exclusive_minimum;
  row.summary = option.summary;
  return row;
}

std::string allowed_text(const KeyInfo& row) {
  if (!row.allowed.empty()) return std::string(row.allowed);
  switch (row.kind) {
    case KeyKind::text:
      return "text";
    case KeyKind::integer:
      return range_text(row, "an integer");
    case KeyKind::number:
      return range_text(row, "a number");
    case KeyKind::boolean:
      return "true or false";
    case KeyKind::mapping:
      return "a mapping";
    case KeyKind::list:
      return "a list";
    case KeyKind::any:
      return "anything";
  }
  return "";
}

}  // namespace hdrive::config
