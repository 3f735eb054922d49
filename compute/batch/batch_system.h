// SPDX-License-Identifier: Apache-2.0
//
// What the batch target needs to know of a batch system: the words of its commands and what their answers mean. An
// implementation is a translator; it starts nothing, so that it is tested with texts alone. One thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compute/batch/commands.h"
#include "hdrive/target.h"
#include "hdrive/targets.h"

namespace hdrive::compute {

/// A job to be submitted.
struct BatchJob {
  std::string name;  ///< by which it is found again: "hd-1a2b3c4d-7-1"
  std::filesystem::path script, directory, log;
  std::string token = {};  ///< that no other submission has
  RunResources resources;
  /// What begins it where it shares no files with the engine: text for a shell.
  std::string command = {};
  /// How long it may take in all, the run's grace period included; 0: as long as the system allows.
  std::chrono::seconds time{0};
};

/// Jobs of runs that ask for the same, in one submission. The job of a run has the array's id, an underscore and the
/// run's index, which is its number less `base`.
struct JobArray {
  /// What they have in common: its directory is the one that has the runs' directories, its script is not looked at.
  BatchJob job;
  RunId base = 0;
  std::vector<RunId> runs;
};

/// Why a job came to its end, where the system says so.
enum class JobEnd { unsaid, time_limit, memory, node, preempted };

/// What the system says of a job.
struct JobStatus {
  std::string job;   ///< its id
  std::string name;  ///< empty: it does not say
  JobState state = JobState::unknown;
  JobEnd end = JobEnd::unsaid;
  std::string word;                               ///< the system's own for the state
  std::optional<std::chrono::seconds> left = {};  ///< of its time, where the system says so

  bool over() const {
    return state == JobState::completed || state == JobState::failed || state == JobState::canceled;
  }
};

class BatchSystem {
 public:
  using Words = std::vector<std::string>;

  virtual ~BatchSystem() = default;

  /// "Slurm", for sentences.
  virtual std::string name() const = 0;

  /// An Error: it has no words for what the job asks for.
  virtual Result<Words> submit(const BatchJob& job) const = 0;
  /// None: it has no arrays, or not for these.
  virtual Words submit_array(const JobArray&) const { return {}; }
  /// The job's id. An Error that lies outside or passes: the same may work later.
  virtual Result<std::string> submitted(const CommandOutput& output) const = 0;
  /// Lines at the head of a job's script, and those before its run.
  virtual std::span<const std::string> directives() const = 0;
  virtual std::span<const std::string> setup() const = 0;
  /// Whether the supervisor runs beside the job's shell, in a session of its own, and not in its
  /// place: for systems that kill a job's processes and miss some of them. It hears of the shell's
  /// end and ends the run itself.
  virtual bool supervisor_apart() const { return false; }

  /// Whether jobs see the run directories. Otherwise they report by HTTP (unshared_job.h).
  virtual bool shares_files() const { return true; }

  /// The commands that ask for the states of jobs; they may answer for others, too. None: the
  /// system can be asked nothing without a job's id.
  virtual std::vector<Words> status(std::span<const std::string> jobs) const = 0;
  /// Of jobs that `status` says nothing of. Empty: there is no such command.
  virtual Words history(std::span<const std::string> jobs) const = 0;
  /// What one of these commands said, which was asked for `jobs`.
  virtual Result<std::vector<JobStatus>> states(const CommandOutput& output,
                                                std::span<const std::string> jobs) const = 0;
  virtual Result<std::vector<JobStatus>> past_states(const CommandOutput& output) const = 0;

  virtual std::vector<Words> cancel(std::span<const std::string> jobs) const = 0;
  /// Passes a signal to the jobs' supervisors, which end their runs. Empty: there is no such
  /// command; they find out by a file.
  virtual std::vector<Words> pass_signal(std::span<const std::string> jobs,
                                         CancelMode mode) const = 0;

  virtual std::chrono::milliseconds poll() const = 0;
};

}  // namespace hdrive::compute
