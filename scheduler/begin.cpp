// SPDX-License-Identifier: Apache-2.0
#include "hdrive/begin.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "hdrive/config.h"

namespace hdrive {

Result<Capture> capture_code(const SweepSpec& spec, const std::filesystem::path& home, Time now) {
  if (spec.source_directory.empty()) return Capture{};
  if (spec.command.empty() || spec.working_directory == WorkingDirectory::source) {
    Capture capture;
    capture.properties = git_properties(spec.source_directory);
    return capture;
  }
  CaptureOptions options;
  options.source = spec.source_directory;
  options.store = snapshot_store(home);
  options.leave_out = {home};
  options.max_file = spec.snapshot_max_file;
  options.now = now;
  return capture_source(options);
}

bool is_single_run(const SweepSpec& spec) {
  return spec.max_total_runs == 1 && spec.primary_metric == "none" &&
         !spec.stop_without_primary_metric;
}

std::vector<Change> notes_of(const Capture& capture, Time now) {
  std::vector<Change> changes;
  for (const std::string& note : capture.notes)
    changes.emplace_back(Noted{Noted::Level::warning, std::nullopt, note, now});
  return changes;
}

Result<SweepSpec> spec_of(const SweepHeader& header, const std::filesystem::path& directory,
                          const std::string& name) {
  const std::string& sweep = name.empty() ? header.id : name;
  ConfigOverrides overrides;
  overrides.needs_command = false;
  LoadedConfig loaded = parse_config(header.config, sweep, directory, overrides);
  if (loaded.ok()) return std::move(loaded.spec);
  for (const Problem& problem : loaded.problems)
    if (problem.severity == Problem::Severity::error)
      return Error{sweep, "its stored configuration: " + problem.message(), Error::Kind::damaged};
  return Error{sweep, "its stored configuration cannot be read", Error::Kind::damaged};
}

RunResources resources_of(const SweepSpec& spec) {
  return {spec.cpus_per_run, spec.gpus.empty() ? 0 : spec.gpus_per_run, spec.memory_per_run,
          spec.nodes_per_run, spec.processes_per_node};
}

Result<DeviceOptions> device_options(const SweepSpec& spec, const std::filesystem::path& directory,
                                     const std::optional<std::string>& visible) {
  DeviceOptions options;
  options.gpus = spec.gpus;
  if (options.gpus == std::vector<std::string>{"auto"}) {
    options.gpus = find_gpus(visible);
    if (options.gpus.empty())
      return Error{"",
                   visible ? "gpus: auto finds no GPU, since CUDA_VISIBLE_DEVICES or "
                             "HIP_VISIBLE_DEVICES names none to hdrive itself"
                           : "gpus: runs are to have GPUs, and there are none here; list them, as "
                             "in gpus: [0, 1], or "
                             "leave out gpus, gpus_per_run and gpus of resources",
                   Error::Kind::invalid};
  }
  options.gpus_per_run = spec.gpus_per_run;
  options.cpus_per_run = static_cast<int>(
      spec.cpus_per_run * (spec.distribution.type == DistributionType::none
                               ? 1
                               : processes_on_a_node(resources_of(spec), spec.distribution)));
  options.share_gpus = spec.gpus_shared;
  // The same for all sweeps of this user on this machine, whatever their environments say.
  options.lock_directory = "/tmp/hdrive-gpus-" + std::to_string(::geteuid());
  options.holder = fmt::format("{}, process {}", directory.string(), ::getpid());
  return options;
}

Result<std::shared_ptr<ComputeTarget>> target_for(const SweepSpec& spec, LocalTargetOptions runs,
                                                  const std::filesystem::path& directory,
                                                  const std::optional<std::string>& visible,
                                                  const std::vector<std::filesystem::path>& files,
                                                  std::shared_ptr<Clock> clock) {
  // Nothing but a batch system leaves it to the run to start what it has asked room for.
  const auto check_resources = [&](const std::string& target,
                                   const SshOptions* hosts) -> Result<void> {
    const auto refuse = [](std::string what) {
      return Error{"resources", std::move(what), Error::Kind::invalid};
    };
    if (spec.nodes_per_run > 1 && !hosts)
      return refuse(
          fmt::format("nodes is {}, but on the target {} a run has one machine; a target of type "
                      "slurm, or one of type ssh with several hosts, has more",
                      spec.nodes_per_run, target));
    if (spec.nodes_per_run > 1)
      if (auto fault = fault_of_nodes(*hosts, spec.nodes_per_run, spec.distribution.type))
        return refuse("target " + target + ": " + *std::move(fault));
    if (spec.processes_per_node > 1 && spec.distribution.type == DistributionType::none)
      return refuse(
          fmt::format("processes_per_node is {}, but nothing says what starts them on the "
                      "target {}; write distribution: pytorch, mpi or tensorflow",
                      spec.processes_per_node, target));
    return {};
  };
  const auto with_devices = [&]() -> Result<LocalTargetOptions> {
    auto devices = device_options(spec, directory, visible);
    if (!devices) return devices.error();
    LocalTargetOptions options = runs;
    options.devices = *std::move(devices);
    return options;
  };
  if (spec.targets.empty()) {
    if (auto possible = check_resources("local", nullptr); !possible) return possible.error();
    auto options = with_devices();
    if (!options) return options.error();
    return make_local_target(*options, std::move(clock));
  }
  std::vector<std::filesystem::path> all{spec.source_directory / kTargetsFile};
  all.insert(all.end(), files.begin(), files.end());
  auto named = find_targets(load_targets(all), spec.targets);
  if (!named) return named.error();
  std::vector<TargetShare> shares;
  for (const NamedTarget& each : *named) {
    if (!std::holds_alternative<SlurmOptions>(each.options))
      if (auto possible = check_resources(each.name, std::get_if<SshOptions>(&each.options));
          !possible)
        return possible.error();
    if (const auto* command = std::get_if<CommandOptions>(&each.options))
      if (auto fault = resource_fault(*command, resources_of(spec)))
        return Error{"target " + each.name, *std::move(fault), Error::Kind::invalid};
    if (const auto* command = std::get_if<CommandOptions>(&each.options))
      if (!command->shared_files && !runs.elsewhere)
        return Error{"target " + each.name,
                     "its jobs share no files with this machine and report by HTTP; say by which "
                     "address they reach it: --advertise ADDRESS, or server_advertise",
                     Error::Kind::invalid};
    // What this machine lacks need not trouble another one.
    const bool local = std::holds_alternative<LocalOptions>(each.options);
    auto options = local ? with_devices() : Result<LocalTargetOptions>(runs);
    if (!options) return options.error();
    auto made = make_target(each, *options, clock, spec.nodes_per_run);
    if (!made) {
      Error error = made.error();
      error.where = "target " + each.name + (error.where.empty() ? "" : ": " + error.where);
      return error;
    }
    shares.push_back({each.name, *std::move(made), each.slots});
  }
  return make_several_targets(std::move(shares), std::move(clock));
}

}  // namespace hdrive
