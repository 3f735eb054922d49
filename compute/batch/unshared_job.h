// SPDX-License-Identifier: Apache-2.0
//
// Jobs that share no file system with the engine: they fetch what they need from the sweep's server, and bring back by
// HTTP what they write (docs/http-reports.md). What is submitted is a few lines that fetch the rest; job.sh, the
// supervisor and the run directory are those of every job, in a folder that the job makes. Called by the batch target;
// pure.
#pragma once

#include <span>
#include <string>

#include "hdrive/target.h"

namespace hdrive::compute {

/// Stands in the job's script for the folder that only the job knows; python/hdrive_job.py has the same.
inline constexpr char kJobPlace[] = "/@hdrive-job@";
/// The claim that the job makes there, when the engine's was given to it.
inline constexpr char kUnsharedClaim[] = ".start-job";

/// The run as it is in the job's own folder. An Error: it cannot be without files of this machine.
Result<RunRequest> request_there(const RunRequest& request);

/// For a shell, on one line and without a quote, so that it can stand within any: begins the job.
std::string inline_command(const ServerAccess& access);
/// The same as a script, for systems that send one along.
std::string starting_script(const ServerAccess& access, std::span<const std::string> directives);

}  // namespace hdrive::compute
