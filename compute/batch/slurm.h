// SPDX-License-Identifier: Apache-2.0
//
// Slurm in words: sbatch, squeue, sacct, scancel. Pure; see batch_system.h.
#pragma once

#include <filesystem>
#include <memory>

#include "compute/batch/batch_system.h"

namespace hdrive::compute {

/// `commands` is the folder of its commands; empty: they are looked for in PATH. An Error: an
/// option contradicts what the target does.
Result<std::unique_ptr<BatchSystem>> make_slurm_system(const SlurmOptions& options,
                                                       const std::filesystem::path& commands = {});

}  // namespace hdrive::compute
