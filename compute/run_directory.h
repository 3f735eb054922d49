// SPDX-License-Identifier: Apache-2.0
//
// The run directory: what the engine puts there for a run, and what the run's supervisor leaves there
// (docs/run-directory.md). Called by the local target, on the sweep's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "hdrive/target.h"

namespace hdrive::compute {

/// The files the engine reads on.
struct RunFiles {
  base::UniqueFd metrics;  ///< metrics.jsonl
  base::UniqueFd output;   ///< stdout.log, if asked for
};

/// Makes the directory ready for an attempt: outputs/, logs/, checkpoints/, run.json, an empty
/// metrics.jsonl, and the claim of that name for its supervisor. What an earlier attempt wrote is moved to
/// attempt-<k>/; outputs/, logs/ and checkpoints/ stay.
Result<RunFiles> prepare_run_directory(const RunRequest& request, bool with_output,
                                       const std::string& claim);

/// Takes back what an engine that died allowed a supervisor to start, if none has claimed it yet. From then
/// on supervisor.json tells whether there is one.
void revoke_claims(const std::filesystem::path& directory);

/// Opens the files of a run that an earlier engine started.
Result<RunFiles> open_run_files(const std::filesystem::path& directory, bool with_output);

/// The environment of a run: `inherited` ("NAME=value"), the request's own additions, and what the metric
/// protocol promises. `python_path` is put in front of PYTHONPATH, `command_path`, if any, behind PATH.
std::vector<std::string> run_environment(const RunRequest& request, const char* const* inherited,
                                         const std::filesystem::path& python_path,
                                         const std::filesystem::path& command_path = {});

/// supervisor.json: who looks after the run.
struct SupervisorRecord {
  int attempt = 0;
  std::int64_t pid = 0;
  std::int64_t start_time = 0;  ///< in clock ticks after boot, as /proc/<pid>/stat gives it
  std::string boot_id;
  std::int64_t program_pid = 0;
};
/// Nothing: there is none, or it is of another format version.
std::optional<SupervisorRecord> read_supervisor_record(const std::filesystem::path& directory);

/// exit.json: how the run ended.
struct ExitRecord {
  int attempt = 0;
  std::int64_t pid = 0;  ///< of the training program
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string not_started;  ///< what failed before the program ran: "exec", "chdir", a file's name
  int error_number = 0;     ///< errno of that
  bool over_time = false;
  std::int64_t leftovers = 0;  ///< processes it left behind and that were ended
};
std::optional<ExitRecord> read_exit_record(const std::filesystem::path& directory);

}  // namespace hdrive::compute
