// SPDX-License-Identifier: Apache-2.0
//
// Pipelines of Azure ML's v2 format: steps that are commands or sweeps, each taking what earlier
// ones wrote. Read and checked as a whole; a front end then runs the steps, each when it can begin
// and as a sweep of its own.
//
// Pure but for reading files; safe from any thread.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/config.h"

namespace hdrive {

struct PipelineStep {
  std::string name;
  bool sweep = false;                ///< else a command: one run
  std::vector<std::string> needs;    ///< steps whose outputs it takes, in the file's order
  std::vector<std::string> outputs;  ///< the names of its own
};

struct Pipeline {
  std::string name;        ///< as the file says; may be empty
  std::string experiment;  ///< which all its sweeps belong to
  /// Whether steps that do not need a failed one are run all the same. Without it nothing begins
  /// any more when a step has failed, and what goes on then is cancelled.
  bool continue_on_step_failure = true;
  /// In an order in which what a step needs stands before it; as in the file where that is free.
  std::vector<PipelineStep> steps;
  std::vector<Problem> problems;  ///< of the file and of every step
  bool ok() const;                ///< no errors
};

/// Whether the file is a pipeline; false where it cannot be read.
bool is_pipeline(const std::filesystem::path& file);

/// Reads a pipeline and checks all of its steps, as if what they take from each other were there.
/// Unknown steps and outputs, and steps that need each other, are errors with their places.
Pipeline load_pipeline(const std::filesystem::path& file, const ConfigOverrides& overrides = {});

/// Where the outputs of a step that is done lie: a folder with one entry for each of their names.
using StepOutputs = std::map<std::string, std::filesystem::path>;

/// The specification of one step. `outputs` has the folders of the steps it needs.
LoadedConfig load_step(const std::filesystem::path& file, const std::string& step,
                       const StepOutputs& outputs, const ConfigOverrides& overrides = {});

/// How a step ended.
enum class StepEnd { completed, failed, skipped };

/// The step that keeps this one from ever being run: the first it needs that ended and did not
/// complete. Nothing: all that it needs completed, or may do so yet.
std::optional<std::string> blocked_by(const PipelineStep& step,
                                      const std::map<std::string, StepEnd>& ended);

/// Whether a step can begin now: all that it needs completed.
bool can_begin(const PipelineStep& step, const std::map<std::string, StepEnd>& ended);

/// A name for a pipeline that was given none: the file's own word for it, and something of its own,
/// since no other one is meant.
std::string new_pipeline_name(const Pipeline& pipeline, const std::filesystem::path& file);

/// What the sweep of a step is called: by it a pipeline that goes on finds what it has begun.
std::string step_sweep_name(const std::string& pipeline, const std::string& step);

/// The folder with what a step has written, from its sweep that has ended: the outputs of the best
/// run of a sweep, or of a command's only run. Fails where no run reported the metric.
Result<std::filesystem::path> outputs_of(const PipelineStep& step, const SweepEntry& sweep);

}  // namespace hdrive
