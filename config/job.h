// SPDX-License-Identifier: Apache-2.0
//
// Azure ML's v2 jobs: which kind of file a tree is, and the reader of sweep and command jobs. The
// four generations of the format are one to the reader; the keys are in config/job_schema.h.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "config/asset_map.h"
#include "config/job_command.h"
#include "config/job_schema.h"
#include "config/load.h"
#include "config/yaml_reader.h"

namespace hdrive::config {

enum class FileKind { hdconfig, sweep_job, command_job, pipeline };

/// By its type or job_type, by its $schema, else by keys that only a sweep job has.
FileKind kind_of(const Node& root);

/// Reports a file that says it is a job of a type that hdrive does not run; then nothing else about
/// it is worth saying.
bool is_of_unknown_type(const Node& root, Problems& problems);

/// Reads a sweep or command job into the loader's specification. A pipeline is an error here: it
/// is read by config/pipeline.cpp, step by step.
void read_job(Loader& loader, const Node& root);

/// The same of a step of a pipeline. Paths in `unmade` are not looked for: other steps make them.
void read_step(Loader& loader, const Node& step, const AssetMap& assets,
               const std::set<std::string>& unmade);

}  // namespace hdrive::config
