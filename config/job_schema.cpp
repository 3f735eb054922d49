// SPDX-License-Identifier: Apache-2.0
#include "config/job_schema.h"

#include <algorithm>
#include <initializer_list>

namespace hdrive::config {
namespace {

constexpr double kMostRuns = 1e9;
constexpr double kMostConcurrent = 1e6;
constexpr double kCenturySeconds = 52'560'000.0 * 60;

constexpr std::string_view kNotKept =
    "hdrive keeps the state of git and the snapshot here; write what you look for as tags";
constexpr std::string_view kThisMachine = "the runs are processes on this machine";
constexpr std::string_view kTarget =
    "a target of targets.yml of that name, or what azureml.yml says; of neither, which is told, "
    "the steps run on this machine";
constexpr std::string_view kYourself = "the runs have your own rights on this machine";
constexpr std::string_view kNoQueue = "runs start as soon as there is a place for them";
// clang-format off
std::vector<JobKey> make_job_schema() {
  using K = KeyKind;
  using T = Treatment;
  std::vector<JobKey> rows;
  const auto add = [&](std::string_view mapping, std::initializer_list<JobKey> keys) {
    for (const JobKey& key : keys) {
      rows.push_back(key);
      rows.back().mapping = mapping;
      rows.back().row.section = Section::job;
    }
  };
  add("job", {
    {.row = {.name = "$schema", .kind = K::text,
             .summary = "Which kind of file this is, for editors."}},
    {.row = {.name = "type", .kind = K::text, .allowed = "sweep",
             .summary = "The kind of job: sweep."},
     .earlier = {"job_type"}},
    {.row = {.name = "name", .kind = K::text, .summary = "A name to address the sweep by."}},
    {.row = {.name = "display_name", .kind = K::text,
             .summary = "The sweep's name where there is no `name`."},
     .treatment = T::mapped, .note = "the name of the sweep where there is no `name`"},
    {.row = {.name = "experiment_name", .kind = K::text,
             .summary = "The experiment the sweep belongs to; the name of the file's folder by "
                        "default."}},
    {.row = {.name = "description", .kind = K::text,
             .summary = "What the job is for; shown by hdrive show."}},
    {.row = {.name = "tags", .kind = K::mapping, .allowed = "a mapping of names to texts",
             .summary = "Words to find the job by: hdrive list --tag NAME=VALUE."}},
    {.row = {.name = "properties", .kind = K::mapping, .summary = "Properties of the job."},
     .treatment = T::warned, .note = kNotKept},
    {.row = {.name = "sampling_algorithm", .kind = K::any, .required = true,
             .allowed = "random, grid, bayesian, or a mapping with type",
             .summary = "How parameter sets are chosen: a name, or a mapping with type, seed, rule "
                        "and logbase.",
             .elsewhere = {"sampling", "hyperparameter_sampling"}},
     .earlier = {"algorithm"}},
    {.row = {.name = "search_space", .kind = K::mapping, .required = true,
             .allowed = "a mapping of parameters to distributions",
             .summary = "The parameters, each with the distribution its values are drawn from.",
             .elsewhere = {"parameter_space"}}},
    {.row = {.name = "objective", .kind = K::mapping, .required = true,
             .allowed = "a mapping with primary_metric and goal",
             .summary = "The metric to optimise, and in which direction."}},
    {.row = {.name = "early_termination", .kind = K::any, .allowed = "a mapping with type",
             .summary = "Which runs are stopped before they end.",
             .elsewhere = {"policy", "early_termination_policy"}}},
    {.row = {.name = "limits", .kind = K::mapping,
             .allowed = "a mapping with max_total_trials, max_concurrent_trials, timeout and "
                        "trial_timeout",
             .summary = "How many runs, how many at once, for how long."}},
    {.row = {.name = "max_total_trials", .kind = K::integer, .minimum = 1, .maximum = kMostRuns,
             .summary = "Stands under `limits` today."},
     .treatment = T::mapped, .note = "limits.max_total_trials", .earlier = {"max_total_runs"}},
    {.row = {.name = "max_concurrent_trials", .kind = K::integer, .minimum = 1,
             .maximum = kMostConcurrent, .summary = "Stands under `limits` today."},
     .treatment = T::mapped, .note = "limits.max_concurrent_trials",
     .earlier = {"max_concurrent_runs"}},
    {.row = {.name = "timeout_minutes", .kind = K::number, .minimum = 0,
             .maximum = kCenturySeconds / 60, .exclusive_minimum = true,
             .summary = "Stands under `limits` as `timeout` today, in seconds."},
     .treatment = T::mapped, .note = "limits.timeout, 60 times as large",
     .earlier = {"max_duration_minutes"}},
    {.row = {.name = "trial", .kind = K::any, .required = true,
             .allowed = "a mapping with command, code and environment, or the file of a component",
             .summary = "What a run is: a command with its code, or the file of a component."}},
    {.row = {.name = "inputs", .kind = K::mapping,
             .summary = "Values and data by name, for ${{inputs.NAME}}."}},
    {.row = {.name = "outputs", .kind = K::mapping,
             .summary = "Folders by name, for ${{outputs.NAME}}: below the outputs of each run."}},
    {.row = {.name = "compute", .kind = K::any, .allowed = "text, or a mapping with target",
             .summary = "Where it runs on Azure."},
     .treatment = T::warned, .note = kThisMachine},
    {.row = {.name = "resources", .kind = K::mapping, .summary = "What a run gets."}},
    {.row = {.name = "identity", .kind = K::any, .allowed = "a mapping",
             .summary = "As whom the runs act on Azure."},
     .treatment = T::warned, .note = kYourself},
    {.row = {.name = "queue_settings", .kind = K::mapping, .summary = "Azure's queue."},
     .treatment = T::warned, .note = kNoQueue},
    {.row = {.name = "services", .kind = K::mapping, .summary = "Ways into a run on Azure."},
     .treatment = T::warned, .note = kThisMachine},
  });
  add("trial", {
    {.row = {.name = "command", .kind = K::text, .required = true,
             .summary = "What a run does, as a line for bash; ${{search_space.x}}, ${{inputs.x}} "
                        "and ${{outputs.x}} are replaced."}},
    {.row = {.name = "code", .kind = K::any, .allowed = "the path of a folder",
             .summary = "The folder with the code, which is captured and from which the runs "
                        "start; by default that of the file."}},
    {.row = {.name = "environment", .kind = K::any, .allowed = "text, or a mapping",
             .summary = "The packages the command needs: azureml:NAME is looked up in the asset "
                        "map."}},
    {.row = {.name = "environment_variables", .kind = K::mapping,
             .summary = "Added to the environment of each run."}},
    {.row = {.name = "distribution", .kind = K::mapping,
             .summary = "The processes of a distributed training."}},
    {.row = {.name = "resources", .kind = K::mapping, .summary = "What a run gets."}},
    {.row = {.name = "timeout", .kind = K::any,
             .allowed = "a number of seconds, or text such as PT1H30M",
             .summary = "Stands under `limits` as `trial_timeout` today."},
     .treatment = T::mapped, .note = "limits.trial_timeout"},
    {.row = {.name = "compute", .kind = K::any, .allowed = "text, or a mapping with target",
             .summary = "Where it runs on Azure."},
     .treatment = T::warned, .note = kThisMachine},
    {.row = {.name = "identity", .kind = K::any, .allowed = "a mapping",
             .summary = "As whom the runs act on Azure."},
     .treatment = T::warned, .note = kYourself},
    {.row = {.name = "inputs", .kind = K::mapping,
             .summary = "Of a component: its inputs with their types and defaults."}},
    {.row = {.name = "outputs", .kind = K::mapping, .summary = "Of a component: its outputs."}},
    {.row = {.name = "$schema", .kind = K::text, .summary = "Of a component's file."}},
    {.row = {.name = "type", .kind = K::text, .allowed = "command",
             .summary = "Of a component: command."}},
    {.row = {.name = "name", .kind = K::text, .summary = "Of a component: its name."}},
    {.row = {.name = "version", .kind = K::any, .allowed = "text, or a number",
             .summary = "Of a component: its version."}},
    {.row = {.name = "display_name", .kind = K::text, .summary = "Of a component."}},
    {.row = {.name = "description", .kind = K::text, .summary = "Of a component."}},
    {.row = {.name = "tags", .kind = K::mapping, .summary = "Of a component."}},
    {.row = {.name = "is_deterministic", .kind = K::boolean, .summary = "Of a component."},
     .treatment = T::mapped, .note = "nothing: results are not reused"},
  });
  add("sampling_algorithm", {
    {.row = {.name = "type", .kind = K::text, .required = true, .allowed = "the name of a sampler",
             .summary = "random, grid, bayesian, or another of hdrive's samplers."},
     .earlier = {"spec", "sampling_algorithm_type"}},
    {.row = {.name = "seed", .kind = K::integer, .minimum = 0,
             .summary = "Of all random choices."}},
    {.row = {.name = "rule", .kind = K::text, .allowed = "random or sobol",
             .summary = "Of random sampling: sobol spreads the points evenly."}},
    {.row = {.name = "logbase", .kind = K::any, .allowed = "e, or a number above 1",
             .summary = "The base of the logarithms that the log forms take; e by default."}},
  });
  add("distribution of search_space", {
    {.row = {.name = "type", .kind = K::text, .required = true, .allowed = "one of the expressions",
             .summary = "The distribution: choice, randint, uniform, quniform, loguniform, "
                        "qloguniform, normal, qnormal, lognormal, qlognormal, or one of hdrive's "
                        "own."},
     .earlier = {"spec"}},
    {.row = {.name = "values", .kind = K::list,
             .summary = "Of choice: the options. An object's members may be distributions, which "
                        "are drawn only with that option.",
             .elsewhere = {"options", "choices"}}},
    {.row = {.name = "upper", .kind = K::integer, .summary = "Of randint: the first integer that is "
                                                             "never drawn."}},
    {.row = {.name = "min_value", .kind = K::number, .summary = "Of the uniform family.",
             .elsewhere = {"min", "low", "lower"}}},
    {.row = {.name = "max_value", .kind = K::number, .summary = "Of the uniform family.",
             .elsewhere = {"max", "high"}}},
    {.row = {.name = "mu", .kind = K::number, .summary = "Of the normal family: the mean.",
             .elsewhere = {"mean", "loc"}}},
    {.row = {.name = "sigma", .kind = K::number,
             .summary = "Of the normal family: the standard deviation.",
             .elsewhere = {"std", "stddev", "scale"}}},
    {.row = {.name = "q", .kind = K::number, .summary = "Of the q-forms: values are rounded to "
                                                        "multiples of it.",
             .elsewhere = {"step"}}},
  });
  add("objective", {
    {.row = {.name = "primary_metric", .kind = K::text, .required = true,
             .summary = "The metric to optimise, exactly as the script logs it.",
             .elsewhere = {"primary_metric_name", "metric"}}},
    {.row = {.name = "goal", .kind = K::text, .required = true, .allowed = "maximize or minimize",
             .summary = "Whether the best value is the largest or the smallest.",
             .elsewhere = {"primary_metric_goal"}}},
  });
  add("early_termination", {
    {.row = {.name = "type", .kind = K::text, .required = true, .allowed = "the name of a policy",
             .summary = "bandit, median_stopping, truncation_selection, or another of hdrive's "
                        "policies."},
     .earlier = {"spec", "policy_type"}},
    {.row = {.name = "evaluation_interval", .kind = K::integer, .minimum = 0,
             .summary = "How many reports lie between two decisions."}},
    {.row = {.name = "delay_evaluation", .kind = K::integer, .minimum = 0,
             .summary = "How many reports a run has before the first decision."}},
    {.row = {.name = "slack_factor", .kind = K::number,
             .summary = "Of bandit: how much worse than the best, as a part of it."}},
    {.row = {.name = "slack_amount", .kind = K::number,
             .summary = "Of bandit: how much worse than the best."}},
    {.row = {.name = "truncation_percentage", .kind = K::number,
             .summary = "Of truncation_selection: how many of the runs are stopped."}},
    {.row = {.name = "exclude_finished_jobs", .kind = K::boolean,
             .summary = "Of truncation_selection: whether only unfinished runs are ranked."}},
  });
  add("limits", {
    {.row = {.name = "max_total_trials", .kind = K::integer, .default_text = "1000", .minimum = 1,
             .maximum = kMostRuns, .summary = "How many runs are ever created."},
     .earlier = {"max_total_runs"}},
    {.row = {.name = "max_concurrent_trials", .kind = K::integer, .minimum = 1,
             .maximum = kMostConcurrent,
             .summary = "How many runs may be alive at once; as many as there are processors by "
                        "default."},
     .earlier = {"max_concurrent_runs"}},
    {.row = {.name = "timeout", .kind = K::any, .default_text = "5184000",
             .allowed = "a number of seconds, or text such as PT1H30M",
             .summary = "Of the whole sweep, in seconds; 60 days by default."}},
    {.row = {.name = "timeout_minutes", .kind = K::number, .minimum = 0,
             .maximum = kCenturySeconds / 60, .exclusive_minimum = true,
             .summary = "The same in minutes, as earlier files have it."},
     .treatment = T::mapped, .note = "limits.timeout, 60 times as large",
     .earlier = {"max_duration_minutes"}},
    {.row = {.name = "trial_timeout", .kind = K::any,
             .allowed = "a number of seconds, or text such as PT1H30M",
             .summary = "Of one run, in seconds; 30 days by default."}},
  });
  add("input", {
    {.row = {.name = "type", .kind = K::text, .allowed = "a type of data or of values",
             .summary = "uri_file, uri_folder, mltable, mlflow_model, custom_model, triton_model; "
                        "or number, integer, boolean, string."}},
    {.row = {.name = "path", .kind = K::text,
             .summary = "Of data: a file or folder, relative to the file; azureml: names are "
                        "looked up in the asset map."},
     .earlier = {"data", "dataset", "file", "folder", "local_path"}},
    {.row = {.name = "mode", .kind = K::text, .summary = "How Azure hands data over."},
     .treatment = T::mapped, .note = "the file or folder itself, whatever the mode"},
    {.row = {.name = "default", .kind = K::any, .allowed = "a value",
             .summary = "Of a component: the value where none is given."}, .earlier = {"value"}},
    {.row = {.name = "optional", .kind = K::boolean,
             .summary = "Whether the input may be left out; then what stands in $[[...]] around it "
                        "is, too."}},
    {.row = {.name = "description", .kind = K::text, .summary = "What the input is."}},
    {.row = {.name = "min", .kind = K::any, .allowed = "a number",
             .summary = "Of a component: the least value."},
     .treatment = T::warned, .note = "values of inputs are not checked"},
    {.row = {.name = "max", .kind = K::any, .allowed = "a number",
             .summary = "Of a component: the greatest value."},
     .treatment = T::warned, .note = "values of inputs are not checked"},
    {.row = {.name = "enum", .kind = K::list, .summary = "Of a component: the allowed values."},
     .treatment = T::warned, .note = "values of inputs are not checked"},
  });
  add("output", {
    {.row = {.name = "type", .kind = K::text,
             .summary = "uri_folder or mltable, and the models: a folder; uri_file: a file."}},
    {.row = {.name = "path", .kind = K::text, .summary = "Where Azure stores the output."},
     .treatment = T::warned, .note = "outputs stay in the run's folder outputs/NAME"},
    {.row = {.name = "mode", .kind = K::text, .summary = "How Azure stores it."},
     .treatment = T::mapped, .note = "a folder of the run, whatever the mode"},
    {.row = {.name = "name", .kind = K::text, .summary = "Under which name Azure registers it."},
     .treatment = T::warned, .note = "outputs are not registered"},
    {.row = {.name = "version", .kind = K::any, .allowed = "text, or a number",
             .summary = "Under which version Azure registers it."},
     .treatment = T::warned, .note = "outputs are not registered"},
    {.row = {.name = "description", .kind = K::text, .summary = "What the output is."}},
  });
  add("environment", {
    {.row = {.name = "name", .kind = K::text, .summary = "Its name, for the asset map."}},
    {.row = {.name = "version", .kind = K::any, .allowed = "text, or a number",
             .summary = "Its version."}},
    {.row = {.name = "image", .kind = K::text,
             .summary = "A container image: the runs are in it where podman, docker or apptainer "
                        "has it or can fetch it; else a warning, and the program is found in "
                        "PATH. Azure's images with conda and MPI alone are not used, and none is "
                        "where there is a `conda_file`."}},
    {.row = {.name = "conda_file", .kind = K::any, .allowed = "the path of a file, or its content",
             .summary = "The packages: built into an environment once, and kept for all who want the "
                        "same."}},
    {.row = {.name = "build", .kind = K::mapping,
             .allowed = "a mapping with path and dockerfile_path",
             .summary = "A folder with a Dockerfile: an image is built of it by podman or docker, "
                        "once for the same content, and taken as `image` is."}},
    {.row = {.name = "docker", .kind = K::mapping, .allowed = "a mapping with image or build",
             .summary = "Stands here itself today."},
     .treatment = T::mapped, .note = "its `image` or `build`, as if it stood here"},
    {.row = {.name = "description", .kind = K::text, .summary = "What it is."}},
    {.row = {.name = "tags", .kind = K::mapping, .summary = "Words to find it by."},
     .treatment = T::warned, .note = kNotKept},
    {.row = {.name = "os_type", .kind = K::text, .summary = "Of the image."},
     .treatment = T::warned, .note = kThisMachine},
    {.row = {.name = "inference_config", .kind = K::mapping, .summary = "Of the image."},
     .treatment = T::warned, .note = kThisMachine},
  });
  add("build", {
    {.row = {.name = "path", .kind = K::text, .required = true,
             .summary = "The folder that the Dockerfile copies from, relative to the file."},
     .earlier = {"local_path"}},
    {.row = {.name = "dockerfile_path", .kind = K::text, .default_text = "Dockerfile",
             .summary = "The Dockerfile's path in that folder."}},
  });
  add("distribution", {
    {.row = {.name = "type", .kind = K::text, .required = true,
             .allowed = "pytorch, mpi or tensorflow", .summary = "By which variables the processes find each other."},
     .earlier = {"distribution_type"}},
    {.row = {.name = "process_count_per_instance", .kind = K::integer, .default_text = "1", .minimum = 1, .maximum = 65'536,
             .summary = "How many processes there are on each machine."},
     .earlier = {"process_count"}},
    {.row = {.name = "worker_count", .kind = K::integer, .default_text = "one a machine", .default_in_words = true,
             .minimum = 1, .maximum = 1000, .summary = "Of tensorflow: workers, on all machines."}},
    {.row = {.name = "parameter_server_count", .kind = K::integer, .default_text = "0", .minimum = 0, .maximum = 1000,
             .summary = "Of tensorflow: parameter servers."}},
    {.row = {.name = "port", .kind = K::integer, .summary = "Of ray."},
     .treatment = T::warned, .note = kThisMachine},
  });
  add("resources", {
    {.row = {.name = "instance_count", .kind = K::integer, .default_text = "1", .minimum = 1, .maximum = 65'536,
             .summary = "How many machines a run has; more than one needs a target that has them."}},
    {.row = {.name = "instance_type", .kind = K::any, .allowed = "text, or a list of texts",
             .summary = "Azure's kind of machine."},
     .treatment = T::warned, .note = kThisMachine},
    {.row = {.name = "shm_size", .kind = K::any, .allowed = "a size",
             .summary = "Of a container: the size of /dev/shm. Without one it has no effect."}},
    {.row = {.name = "docker_args", .kind = K::any, .allowed = "text, or a list",
             .summary = "Of a container: arguments of the engine. Without one they have no "
                        "effect."}},
    {.row = {.name = "locations", .kind = K::list, .summary = "Azure's regions."},
     .treatment = T::warned, .note = kThisMachine},
    {.row = {.name = "properties", .kind = K::mapping, .summary = "Of Azure's machines."},
     .treatment = T::warned, .note = kThisMachine},
  });
  add("pipeline", {
    {.row = {.name = "$schema", .kind = K::text,
             .summary = "Which kind of file this is, for editors."}},
    {.row = {.name = "type", .kind = K::text, .allowed = "pipeline",
             .summary = "The kind of job: pipeline."}},
    {.row = {.name = "name", .kind = K::text, .summary = "A name to address the pipeline by."}},
    {.row = {.name = "display_name", .kind = K::text,
             .summary = "The pipeline's name where there is no `name`."},
     .treatment = T::mapped, .note = "the name of the pipeline where there is no `name`"},
    {.row = {.name = "experiment_name", .kind = K::text,
             .summary = "The experiment all its sweeps belong to."}},
    {.row = {.name = "description", .kind = K::text,
             .summary = "What the pipeline is for; of steps that have none of their own."}},
    {.row = {.name = "tags", .kind = K::mapping, .allowed = "a mapping of names to texts",
             .summary = "Words to find its sweeps by; each step has them, beside its own."}},
    {.row = {.name = "properties", .kind = K::mapping, .summary = "Properties of the job."},
     .treatment = T::warned, .note = kNotKept},
    {.row = {.name = "inputs", .kind = K::mapping,
             .summary = "Values and data by name, for ${{parent.inputs.NAME}}."}},
    {.row = {.name = "outputs", .kind = K::mapping,
             .summary = "Names for outputs of its steps, which say ${{parent.outputs.NAME}}."}},
    {.row = {.name = "settings", .kind = K::mapping,
             .summary = "How the pipeline's steps are run."}},
    {.row = {.name = "compute", .kind = K::any, .allowed = "text",
             .summary = "Where steps run that do not say so."},
     .treatment = T::mapped, .note = kTarget},
    {.row = {.name = "identity", .kind = K::any, .allowed = "a mapping",
             .summary = "As whom the runs act on Azure."},
     .treatment = T::warned, .note = kYourself},
    {.row = {.name = "schedule", .kind = K::any, .allowed = "a mapping",
             .summary = "When Azure runs it by itself."},
     .treatment = T::warned,
     .note = "it runs now, once; let cron, or a timer of systemd, call hdrive run"},
    {.row = {.name = "jobs", .kind = K::mapping, .required = true,
             .summary = "The steps by name: each of type command or sweep (`component` in earlier "
                        "files)."}},
  });
  add("settings of a pipeline", {
    {.row = {.name = "continue_on_step_failure", .kind = K::boolean,
             .summary = "Whether steps that do not need a failed one are run all the same; true "
                        "by default."}},
    {.row = {.name = "default_compute", .kind = K::any, .allowed = "text",
             .summary = "The same; it counts before `compute`.",
             .elsewhere = {"default_compute_target"}},
     .treatment = T::mapped, .note = kTarget},
    {.row = {.name = "default_datastore", .kind = K::any, .allowed = "text",
             .summary = "Where outputs lie on Azure whose step does not say so."},
     .treatment = T::warned, .note = "what a step writes is kept with its run"},
    {.row = {.name = "environment", .kind = K::any, .allowed = "text, or a mapping",
             .summary = "Of steps that have none, and whose component has none."}},
    {.row = {.name = "force_rerun", .kind = K::boolean,
             .summary = "Whether steps are run whose result is known."},
     .treatment = T::mapped,
     .note = "nothing: no step takes the result of another pipeline; one that goes on by its "
             "`--name` keeps its own"},
  });
  add("limits of a command job", {
    {.row = {.name = "timeout", .kind = K::any,
             .allowed = "a number of seconds, or text such as PT1H30M",
             .summary = "Of the run, in seconds; 30 days by default."}},
  });
  // A command job has a job's head and a trial's body.
  const std::vector<JobKey> others = rows;
  const auto take = [&](std::string_view mapping, std::initializer_list<std::string_view> names) {
    for (const JobKey& key : others)
      if (key.mapping == mapping &&
          std::find(names.begin(), names.end(), key.row.name) != names.end()) {
        rows.push_back(key);
        rows.back().mapping = "command job";
        rows.back().row.required = false;
      }
  };
  take("job", {"$schema", "type", "name", "display_name", "experiment_name", "description", "tags",
               "properties", "inputs", "outputs", "compute", "resources", "identity",
               "queue_settings", "services", "limits"});
  take("trial", {"command", "code", "environment", "environment_variables", "distribution"});
  add("command job", {
    {.row = {.name = "component", .kind = K::any,
             .allowed = "the file of a component, or a mapping with command",
             .summary = "Of a pipeline's step: the component it runs."}},
  });
  return rows;
}
// clang-format on

}  // namespace

const std::vector<JobKey>& job_schema() {
  static const std::vector<JobKey> table = make_job_schema();
  return table;
}

}  // namespace hdrive::config
