// SPDX-License-Identifier: Apache-2.0
//
// What the readers of the three kinds of files share about runs of several processes.
#pragma once

#include "config/job_schema.h"
#include "config/load.h"

namespace hdrive::config {

/// The mapping `distribution` of a v2 job.
void read_job_distribution(Loader& loader, const Fields& fields, Place place);

/// What a run configuration says of a run's processes.
struct RunProcesses {
  DistributionType type = DistributionType::none;
  std::int64_t nodes = 1, per_node = 1, workers = 0, servers = 0;
};
/// Takes them over where hdconfig.yml says nothing of them.
void take_processes(Loader& loader, const RunProcesses& processes, Place place);

/// Reports more workers and parameter servers than a run can have.
void check_distribution(Loader& loader, Place place);

}  // namespace hdrive::config
