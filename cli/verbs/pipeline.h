// SPDX-License-Identifier: Apache-2.0
//
// Running a pipeline: its steps one after the other, or several at once, each a sweep of its own.
#pragma once

#include <filesystem>

#include "cli/config_arguments.h"
#include "cli/verbs/run.h"

namespace hdrive::cli {

/// Runs the pipeline in `file`. Its sweeps are called NAME.STEP; with a NAME that was run before it
/// goes on where that stopped. Gives the exit code: that of the first step that failed.
int run_pipeline(const std::filesystem::path& file, const ConfigArguments& config,
                 const RunOptions& options);

}  // namespace hdrive::cli
