// SPDX-License-Identifier: Apache-2.0
//
// The words with which an allocation is asked for and its nodes are reached. Pure.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "compute/batch/batch_system.h"
#include "compute/remote/connection.h"
#include "hdrive/targets.h"

namespace hdrive::compute::pilot {

/// Where what is needed lies.
struct PilotPlace {
  std::filesystem::path commands;  ///< the folder of Slurm's commands; empty: they are in PATH
  std::filesystem::path agent;     ///< hdrive's agent, where the nodes see it
  std::filesystem::path folder;    ///< the allocation's
};

/// The options that sbatch is given: whole nodes where no number of processors is asked for.
SlurmOptions options_of_allocation(SlurmOptions options);
/// The job that is the allocation.
BatchJob job_of_allocation(const SlurmOptions& options, const PilotPlace& place,
                           const std::string& name);
/// Its script: a holder on each node, which gives a sign of life so often.
std::string pilot_script(const SlurmOptions& options, const PilotPlace& place,
                         std::chrono::milliseconds beat);
/// What leads to the holder on a node of the job.
remote::Way way_to_node(const SlurmOptions& options, const PilotPlace& place,
                        const std::string& job, const std::string& node);

}  // namespace hdrive::compute::pilot
