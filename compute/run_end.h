// SPDX-License-Identifier: Apache-2.0
//
// How a run ended, from what its supervisor wrote, in words for the user. Called by the local
// target.
#pragma once

#include "compute/run_records.h"
#include "hdrive/target.h"

namespace hdrive::compute {

/// The exit event for `record`, with the end of stderr.log for a run that failed. `program` is the
/// first of the run's arguments, for the words on a program that could not be started.
RunExited describe_exit(const ExitRecord& record, const RunRequest& request, int stderr_tail_lines);

/// Why `program` could not be executed from `working_directory`, and what to do: `error` is
/// execvp's errno.
std::string explain_exec_failure(const std::string& program,
                                 const std::filesystem::path& working_directory, int error);

}  // namespace hdrive::compute
