// SPDX-License-Identifier: Apache-2.0
//
// The run directory: what the engine puts there for a run, and what the run's supervisor leaves
// there (docs/run-directory.md). Called by the local target, on the sweep's thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "compute/spare_directories.h"
#include "hdrive/target.h"

namespace hdrive::compute {

/// The files the engine reads on.
struct RunFiles {
  base::UniqueFd metrics;           ///< metrics.jsonl
  base::UniqueFd output;            ///< stdout.log, if asked for
  base::UniqueFd mlflow;            ///< mlflow-metrics.jsonl, where there is one
  std::vector<std::string> faults;  ///< which of the two is no file, and so is not read
};

/// What belongs to a run, over all its attempts.
inline constexpr const char* kAttemptFolders[] = {"outputs", "logs", "checkpoints"};
/// What its program writes to.
inline constexpr const char* kWrittenFiles[] = {"stdout.log", "stderr.log", "metrics.jsonl"};
/// Of a run on another machine: what it logs with MLflow, which the sweep's server writes here. Its
/// metrics.jsonl has another writer, and two machines cannot append to one file.
inline constexpr const char* kMlflowMetrics = "mlflow-metrics.jsonl";

/// Makes the directory ready for an attempt: outputs/, logs/, checkpoints/, run.json, an empty
/// metrics.jsonl, and the claim of that name for its supervisor. What an earlier attempt wrote is
/// moved to attempt-<k>/; outputs/, logs/ and checkpoints/ stay. The directory of a first attempt
/// may be a spare one. After an Error nothing of the attempt is there.
Result<RunFiles> prepare_run_directory(const RunRequest& request, bool with_output,
                                       const std::string& claim, SpareDirectories& spares);

/// Makes the directory of a run that is elsewhere, for the files that come from there. What an
/// earlier attempt left is moved aside as above.
Result<void> prepare_mirror(const RunRequest& request);

/// Of a run over several hosts: where the files of a node are that is not the first, whose are the
/// run's own; and the run's directory of such a one.
inline std::filesystem::path directory_of_node(const std::filesystem::path& directory,
                                               std::size_t node) {
  return node == 0 ? directory : directory / "nodes" / std::to_string(node);
}
inline std::filesystem::path run_of_node(const std::filesystem::path& directory) {
  return directory.parent_path().parent_path();
}

/// Makes the file for what a run on another machine logs with MLflow: where it is, the sweep's server
/// writes there. In a directory that is prepared, and before the run can begin.
Result<base::UniqueFd> make_mlflow_metrics(const std::filesystem::path& directory);

/// The same Error of what all runs of the sweep need (their folder, the snapshot), in a kind that lies outside: it
/// tells nothing of the run that came upon it.
Error of_all_runs(Error error);

/// Where a run with a snapshot starts.
inline std::filesystem::path work_folder(const std::filesystem::path& directory) {
  return directory / "work";
}

/// Of a run that has ended and is recorded in exit.json: takes away the folders and files that hold
/// nothing, and supervisor.json, so that a small run costs few files.
void remove_what_is_empty(const std::filesystem::path& directory);

/// Takes away what belongs to an attempt that never ran, and what was made for it and is empty.
void discard_attempt(const std::filesystem::path& directory, const std::string& claim);

/// Takes back what an engine that died allowed a supervisor to start, if none has claimed it yet.
/// From then on supervisor.json tells whether there is one. An Error: some may still be there.
Result<void> revoke_claims(const std::filesystem::path& directory);

/// Opens the files of a run that an earlier engine started.
Result<RunFiles> open_run_files(const std::filesystem::path& directory, bool with_output);

}  // namespace hdrive::compute
