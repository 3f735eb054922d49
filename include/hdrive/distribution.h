// SPDX-License-Identifier: Apache-2.0
//
// Distributed training: one run of several processes, on one machine or several.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hdrive {

/// What starts a run's processes, and by which variables they find each other
/// (docs/distributed.md).
enum class DistributionType {
  none,        ///< the run's command is one process; what it starts is its own affair
  mpi,         ///< mpirun: OMPI_COMM_WORLD_RANK, ...
  pytorch,     ///< as torchrun: RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, ...
  tensorflow,  ///< workers and parameter servers: TF_CONFIG
};

/// "mpi".
std::string_view to_string(DistributionType type);
std::optional<DistributionType> distribution_type(std::string_view name);

/// How a run is distributed. How many nodes it has, and how many processes on each, says its
/// RunResources; each process is the run's command.
struct Distribution {
  DistributionType type = DistributionType::none;
  /// Of tensorflow, over all nodes: both 0 means that all processes are workers.
  std::int64_t workers = 0;
  std::int64_t parameter_servers = 0;
  /// Whether what other processes than the one of rank 0 log counts as the run's metrics as well.
  bool metrics_of_all = false;
  /// Of mpi: what starts the processes; "-n", their number and the command follow. Words without
  /// blanks. Empty: mpirun.
  std::vector<std::string> launcher;
  bool operator==(const Distribution&) const = default;
};

}  // namespace hdrive
