// SPDX-License-Identifier: Apache-2.0
//
// SweepSpec: everything that defines a sweep; what hdconfig.yml is read into.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/distribution.h"
#include "hdrive/history.h"
#include "hdrive/registry.h"
#include "hdrive/space.h"
#include "hdrive/workspace.h"

namespace hdrive {

/// The best so many parameter sets, each so many times: "3x5".
struct RepeatBest {
  std::int64_t runs = 0, times = 0;  ///< both zero, or both at least 1

  bool operator==(const RepeatBest&) const = default;
};

/// Whether what runs log with MLflow goes into the sweep (hdrive/server.h).
enum class MlflowServer {
  automatic,  ///< "auto": unless MLFLOW_TRACKING_URI names another server
  always,     ///< "always": whatever hdrive's own environment says
  never,      ///< "never"
};
std::string_view to_string(MlflowServer choice);

/// Which azureml.core a script of a run imports: hdrive's stand-in, which logs to the run; the real
/// one; or that where it is installed, and else the stand-in.
enum class AzuremlSdk { stand_in, real, automatic };
/// "stand_in", "real", "auto".
std::string_view to_string(AzuremlSdk sdk);

struct SweepSpec {
  // ---- HyperDrive's keys -----------------------------------------------------------------------
  AlgorithmSpec sampling{"random", {}};
  SearchSpace space;
  AlgorithmSpec policy{"no_termination", {}};
  std::string primary_metric;  ///< exact name the script logs
  Goal goal = Goal::maximize;
  std::int64_t max_total_runs = 0;       ///< runs ever created; at least 1
  std::int64_t max_concurrent_runs = 1;  ///< runs alive at once; at least 1
  /// Active time of the whole sweep; then the live runs are cancelled. HyperDrive's 7 days.
  std::chrono::milliseconds max_duration = std::chrono::minutes{10080};

  // ---- keys of our own -------------------------------------------------------------------------
  std::uint64_t seed = 0;   ///< of all random choices; drawn once where none was given
  std::string name;         ///< of the sweep, to address it by; may be empty
  std::string experiment;   ///< groups sweeps; may be empty
  std::string description;  ///< what the sweep is for, for people
  std::map<std::string, std::string> tags;  ///< words to find the sweep by
  /// The program and its arguments; `${{search_space.x}}` is replaced by x's value. Empty:
  /// in-process.
  std::vector<std::string> command;
  /// Whether drawn values are appended as `--name value` (they are unless the command places them).
  bool append_parameters = true;
  std::filesystem::path source_directory;  ///< the code of the runs; absolute once loaded
  /// Whether each run starts in a folder of its own made from the snapshot of the source directory.
  WorkingDirectory working_directory = WorkingDirectory::run;
  KeepWork keep_work = KeepWork::never;          ///< which of these folders outlive their run
  std::uint64_t snapshot_max_file = 10'000'000;  ///< larger files are linked to; bytes
  std::map<std::string, std::string> environment_variables;  ///< added to hdrive's own
  MlflowServer mlflow = MlflowServer::automatic;  ///< what runs log with MLflow goes into the sweep
  /// Where the sweep's server listens: "host", "host:port" or ":port". Empty: at the loopback
  /// address, at a port of its own choice.
  std::string server_address;
  /// By which address runs on other machines reach that server: "host", "host:port", "auto", each
  /// with "http://" in front where nothing but the network keeps what they send. Empty: they don't,
  /// unless `server_address` is one that they can use.
  std::string server_advertise;
  /// PEM files by which that server speaks TLS to other machines; both or none.
  std::filesystem::path server_certificate, server_key;
  /// One run's time limit, HyperDrive's 30 days.
  std::chrono::milliseconds max_run_duration = std::chrono::hours{24 * 30};
  /// How long a cancelled run may take from SIGTERM to SIGKILL.
  std::chrono::milliseconds cancel_grace = std::chrono::seconds{10};
  /// How long a run may report nothing before it is ended; zero: for ever.
  std::chrono::milliseconds max_silent{0};
  /// How often a run that vanished is started again.
  std::int64_t max_lost_retries = 1;
  /// How often a run that failed is started again.
  std::int64_t max_failed_retries = 0;
  /// The GPUs that runs get, each its own: names as CUDA_VISIBLE_DEVICES takes them, or the one
  /// word "auto" for all there are. Empty: hdrive leaves GPUs alone.
  std::vector<std::string> gpus;
  /// How many GPUs a run gets, or below 1 which part of one: 0.5 puts two runs on each.
  double gpus_per_run = 1;
  /// Whether other sweeps of this user that say so too may use the same GPUs.
  bool gpus_shared = false;
  /// Processors each run is bound to, and has to itself among the runs of the sweep. 0: runs are
  /// not bound.
  std::int64_t cpus_per_run = 0;
  /// Where runs go, by the names of targets.yml (hdrive/targets.h): of several, wherever there is
  /// room. Empty: this machine.
  std::vector<std::string> targets;
  std::uint64_t memory_per_run = 0;     ///< of each node, in bytes; 0: a run asks for none
  std::int64_t nodes_per_run = 1;       ///< machines one run has
  std::int64_t processes_per_node = 1;  ///< of one run
  Distribution distribution;            ///< what starts these processes
  /// Regular expressions (RE2) searched for in each line of the script's stdout: the group `value`,
  /// or else the first one, is the value; `name` the metric (default: the primary one); `step` the
  /// step.
  std::vector<std::string> metric_patterns;
  /// Whether scalars in TensorBoard's event files below the runs' logs count as metrics.
  bool tensorboard_metrics = false;
  AzuremlSdk azureml_sdk = AzuremlSdk::stand_in;
  /// Tried before the sampler is asked, in this order, and counted like all runs. A point may leave
  /// parameters out; these are drawn at random.
  std::vector<Assignment> start_points;
  /// Earlier sweeps of the same or an overlapping space (ids, names, paths): samplers that learn do
  /// so from their runs, and policies compare with them. Read once, when the sweep is made; they
  /// have the same primary metric and goal.
  std::vector<std::string> resume_from;
  /// Runs of earlier sweeps ("SWEEP/3", "HD_<uuid>_3") that were stopped or failed and go on here,
  /// with their own values and their outputs, before all others; they count like all runs. Their
  /// sweeps count as in resume_from.
  std::vector<std::string> resume_child_runs;
  /// Stop the sweep when the first max(3, max_concurrent_runs) finished runs all lack the primary
  /// metric.
  bool stop_without_primary_metric = true;
  /// Stop the sweep when the first max(3, max_concurrent_runs) finished runs all failed.
  bool stop_when_all_fail = true;
  /// Stop the sweep when so many runs in a row failed, at any time; zero: never.
  std::int64_t stop_after_consecutive_failures = 10;
  /// End the sweep, with success, as soon as a run reaches this value of the primary metric.
  std::optional<double> stop_at;
  /// End the sweep, with success, when so many ended runs in a row brought nothing better; zero:
  /// never.
  std::int64_t stop_without_progress = 0;
  /// Run the best completed parameter sets again when all runs have ended, with new seeds; these
  /// runs do not count against max_total_runs. None by default.
  RepeatBest repeat_best;
  /// Commands run when the sweep's session ends, and when a run has ended; empty: none. Only what
  /// runs a sweep as a program (the hdrive command) carries them out.
  std::vector<std::string> on_end, on_run_end;

  bool operator==(const SweepSpec&) const = default;
};

/// The arguments one run is started with, and what is added to its environment.
struct RunCommand {
  std::vector<std::string> arguments;  ///< program first
  std::vector<std::pair<std::string, std::string>>
      environment;  ///< added: AZUREML_SWEEP_<name> ...
};

/// What run `id` of sweep `sweep_id` is started with: the command with its placeholders filled, the
/// drawn values appended where asked, and AZUREML_SWEEP_<name> / AZUREML_RUN_ID / HDRIVE_* set,
/// HDRIVE_SEED among them: 31 bits that follow from the sweep's seed and the run's number.
RunCommand render_command(const SweepSpec& spec, const Assignment& parameters,
                          const std::string& sweep_id, RunId id);

/// Tokens of a command line for a person to read and paste: quoted where a POSIX shell would need
/// it.
std::string shell_quote(const std::vector<std::string>& arguments);

/// Parameters whose drawn value the command would ignore: neither appended nor placed, nor read
/// from the environment by a shell variable in the command.
std::vector<std::string> ignored_parameters(const SweepSpec& spec);

}  // namespace hdrive
