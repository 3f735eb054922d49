// SPDX-License-Identifier: Apache-2.0
//
// Running a pipeline: its steps one after the other, or several at once, each a sweep of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/config_arguments.h"
#include "cli/verbs/run.h"
#include "hdrive/pipeline.h"

namespace hdrive::cli {

/// Runs the pipeline in `file`. Its sweeps are called NAME.STEP; with a NAME that was run before it
/// goes on where that stopped. Gives the exit code: that of the first step that failed.
int run_pipeline(const std::filesystem::path& file, const ConfigArguments& config,
                 const RunOptions& options);

/// What only the sweeps that are there can tell of a step: a Failure where it cannot be run, such as
/// one that goes on from a sweep that is not there. Gives sentences to be told.
std::vector<std::string> check_step(const std::filesystem::path& file, const PipelineStep& step,
                                    const ConfigOverrides& overrides,
                                    const std::filesystem::path& home);

}  // namespace hdrive::cli
