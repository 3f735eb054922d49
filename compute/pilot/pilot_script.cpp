// SPDX-License-Identifier: Apache-2.0
#include "compute/pilot/pilot_script.h"

#include <fmt/format.h>

#include "base/text.h"
#include "compute/batch/job_script.h"
#include "compute/pilot/pilot_files.h"

namespace hdrive::compute::pilot {
namespace {

// What runs on each node. Slurm's description of the step is for it alone: a training program that found it would take
// itself for one of so many tasks.
constexpr const char* kOnNode = R"sh(node=$SLURMD_NODENAME cpus=${SLURM_CPUS_ON_NODE:-1} gpus=
memory=${SLURM_MEM_PER_NODE:-0}
[ "$memory" -gt 0 ] || memory=$((${SLURM_MEM_PER_CPU:-0} * cpus))
[ -z "${SLURM_STEP_GPUS:-${SLURM_JOB_GPUS:-}}" ] || gpus=${CUDA_VISIBLE_DEVICES:-${ROCR_VISIBLE_DEVICES:-}}
for name in $(env | sed -n "s/^\(SLURM_[A-Za-z0-9_]*\)=.*/\1/p"); do
  case $name in SLURM_CONF|SLURM_CLUSTERS|SLURM_JOB_ID) ;; *) unset "$name" ;; esac
done
exec "$1" hold "$2" "$node" "$cpus" "$((memory * 1048576))" "$gpus" "$3" "$4")sh";

constexpr const char* kScript = R"sh(#!/bin/sh
folder={folder}
mv "$folder/claim" "$folder/begun" 2> /dev/null || exit 0
echo "$SLURM_JOB_ID" > "$folder/job.new" && mv "$folder/job.new" "$folder/job" || exit 65
{setup}warn() {{ echo "$1" > "$folder/warned.new" && mv "$folder/warned.new" "$folder/warned"; }}
trap 'warn HUP' HUP
trap 'warn USR2' USR2
{srun} sh -c {on_node} hdrive {agent} "$folder" {idle} {beat} &
step=$!
while wait "$step"; status=$?; [ "$status" -gt 128 ] && kill -0 "$step" 2> /dev/null; do :; done
exit "$status"
)sh";

std::string command(const SlurmOptions& options, const PilotPlace& place, const char* name) {
  std::string words =
      shell_quoted(place.commands.empty() ? name : (place.commands / name).string());
  if (!options.cluster.empty()) words += " --clusters=" + shell_quoted(options.cluster);
  return words;
}

std::string explain_srun(std::string_view printed, int status) {
  std::string last;
  for (const std::string_view line : base::split(printed, '\n'))
    if (!base::trim(line).empty()) last = base::to_utf8(base::trim(line));
  return last.empty() ? fmt::format("the connection broke (srun ended with status {})", status)
                      : last;
}

}  // namespace

SlurmOptions options_of_allocation(SlurmOptions options) {
  if (options.cpus == 0)
    options.directives.insert(options.directives.begin(), {"--exclusive", "--mem=0"});
  return options;
}

BatchJob job_of_allocation(const SlurmOptions& options, const PilotPlace& place,
                           const std::string& name) {
  BatchJob job{name, place.folder / "job.sh", place.folder, place.folder / "job.log"};
  job.resources.nodes = options.nodes;
  job.resources.cpus = options.cpus;
  job.time = std::chrono::ceil<std::chrono::seconds>(options.time);
  return job;
}

std::string pilot_script(const SlurmOptions& options, const PilotPlace& place,
                         std::chrono::milliseconds beat) {
  std::string setup;
  for (const std::string& line : options.setup) setup += line + "\n";
  const std::string srun =
      command(options, place, "srun") +
      fmt::format(
          " --nodes={0} --ntasks={0} --ntasks-per-node=1 --cpu-bind=none --mpi=none "
          "--kill-on-bad-exit=1 --input=none",
          options.nodes);
  return fmt::format(fmt::runtime(kScript), fmt::arg("folder", shell_quoted(place.folder.native())),
                     fmt::arg("setup", setup), fmt::arg("srun", srun),
                     fmt::arg("on_node", shell_quoted(kOnNode)),
                     fmt::arg("agent", shell_quoted(place.agent.native())),
                     fmt::arg("idle", options.idle.count()), fmt::arg("beat", beat.count()));
}

// A step of its own beside the holder's, of whose processors and memory it takes nothing. Unbuffered: Slurm passes on
// whole lines otherwise, and messages are none.
remote::Way way_to_node(const SlurmOptions& options, const PilotPlace& place,
                        const std::string& job, const std::string& node) {
  remote::Way way;
  std::vector<std::string> words = {place.commands.empty() ? "srun"
                                                           : (place.commands / "srun").string()};
  if (!options.cluster.empty()) words.push_back("--clusters=" + options.cluster);
  words.insert(words.end(), {"--jobid=" + job, "--nodelist=" + node, "--overlap", "--nodes=1",
                             "--ntasks=1", "--mem=0", "--gres=none", "--cpu-bind=none",
                             "--mpi=none", "--unbuffered", "--quiet", "--job-name=hdrive-bridge",
                             place.agent.native(), "bridge", place.folder.native(), node});
  way.command = [words](std::uint64_t connection) {
    std::vector<std::string> command = words;
    command.push_back(std::to_string(connection));
    return command;
  };
  way.environment = environment_of_commands;
  way.missing =
      "there is no command \"srun\" in PATH; install Slurm's commands here, or start the sweep on "
      "a machine that has them";
  way.explain = explain_srun;
  return way;
}

}  // namespace hdrive::compute::pilot

namespace hdrive {

std::vector<CommandFault> slurm_faults(const SlurmOptions& options) {
  std::vector<CommandFault> faults;
  if (!options.pilot) {
    const SlurmOptions usual;
    const auto alone = [&](const char* key, bool given) {
      if (given)
        faults.push_back(
            {key, fmt::format(
                      "\"{}\" is of the allocation that pilot: true asks for, and this target has "
                      "none; add pilot: true, or say under \"resources\" of hdconfig.yml what "
                      "each run asks for",
                      key)});
    };
    alone("nodes", options.nodes != usual.nodes);
    alone("cpus", options.cpus != usual.cpus);
    alone("time", options.time != usual.time);
    alone("idle", options.idle != usual.idle);
    return faults;
  }
  if (options.nodes < 1) faults.push_back({"nodes", "an allocation has at least one node"});
  if (options.time.count() != 0 && options.time < std::chrono::minutes{1})
    faults.push_back(
        {"time", "\"time\" of an allocation is counted in minutes by Slurm; give at least 1m"});
  if (options.idle < std::chrono::seconds{1})
    faults.push_back(
        {"idle",
         "\"idle\" is how long an allocation without runs is kept for the next; give at least 1s"});
  for (const std::string& directive : options.directives)
    for (const std::string_view taken : {"--array", "--wrap", "--ntasks", "-n", "-a"})
      if (directive == taken || directive.starts_with(std::string(taken) + "=") ||
          (taken.size() == 2 && directive.starts_with(taken)))
        faults.push_back(
            {"directives",
             fmt::format("{} cannot be given with pilot: true, whose job has one task of "
                         "hdrive on each node; take it out",
                         directive)});
  return faults;
}

}  // namespace hdrive
