// SPDX-License-Identifier: Apache-2.0
//
// What makes a target of each type.
#include "compute/pilot/pilot_target.h"
#include "hdrive/targets.h"

namespace hdrive {

Result<std::shared_ptr<ComputeTarget>> make_target(const NamedTarget& named,
                                                   const LocalTargetOptions& runs,
                                                   std::shared_ptr<Clock> clock,
                                                   std::int64_t nodes) {
  if (std::holds_alternative<LocalOptions>(named.options))
    return make_local_target(runs, std::move(clock));
  if (const auto* ssh = std::get_if<SshOptions>(&named.options))
    return make_ssh_target(*ssh, runs, std::move(clock), nodes);
  if (const auto* command = std::get_if<CommandOptions>(&named.options))
    return make_command_target(*command, runs, std::move(clock));
  const auto& slurm = std::get<SlurmOptions>(named.options);
  if (slurm.pilot)
    return compute::pilot::make_pilot_target(slurm, named.name, runs, std::move(clock));
  return make_slurm_target(slurm, runs, std::move(clock));
}

}  // namespace hdrive
