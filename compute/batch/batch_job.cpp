// SPDX-License-Identifier: Apache-2.0
//
// The batch target, fourth part: what is submitted for a run.
#include <chrono>
#include <filesystem>

#include "compute/batch/batch_target.h"
#include "compute/batch/job_script.h"
#include "compute/batch/unshared_job.h"

namespace hdrive::compute {
namespace {

// Beyond time limit and grace period a job may take: until its supervisor has written how it ended.
constexpr std::chrono::seconds kTimeBeyond{30};

}  // namespace

// As it is on the shared file system, or in the job's own folder.
Result<std::string> BatchTarget::script_of(const RunRequest& request) const {
  const bool shared = system_->shares_files();
  const auto folder = shared ? installed_ : std::filesystem::path(kJobPlace);
  JobScript parts;
  if (shared) parts.directives = system_->directives();
  parts.setup = system_->setup();
  parts.supervisor = folder / ".hdrive-supervisor";
  parts.python = folder / ".python";
  if (shared) parts.commands = options_.command_path;
  parts.claim = shared ? claim_ : kUnsharedClaim;
  parts.beat = timing_.beat;
  parts.apart = system_->supervisor_apart();
  if (shared) return job_script(request, parts);
  const auto there = request_there(request);
  if (!there) return there.error();
  return job_script(*there, parts);
}

// Of a job that reports by HTTP.
Result<ServerAccess> BatchTarget::access_of(const RunRequest& request) const {
  const auto access = options_.elsewhere ? options_.elsewhere(request) : std::nullopt;
  if (access) return *access;
  return Error{"run " + std::to_string(request.run),
               "its job shares no files with this machine and reports by HTTP, and there is no "
               "address by which it reaches the sweep's server; hdrive run --advertise ADDRESS",
               Error::Kind::invalid};
}

BatchJob BatchTarget::job_of(const Live& live) const {
  const RunRequest& request = live.request;
  BatchJob job{live.name,
               request.directory / "job.sh",
               request.directory,
               request.directory / "job.log",
               std::to_string(clock_->now().time_since_epoch().count()),
               request.resources};
  if (!system_->shares_files()) {
    job.script = request.directory / "submit.sh";
    if (const auto access = access_of(request)) job.command = inline_command(*access);
  }
  if (request.distribution.type != DistributionType::none)
    job.resources.processes_per_node = processes_on_a_node(request.resources, request.distribution);
  if (request.time_limit.count() > 0)
    job.time = std::chrono::ceil<std::chrono::seconds>(request.time_limit + request.cancel_grace) +
               kTimeBeyond;
  return job;
}

}  // namespace hdrive::compute
