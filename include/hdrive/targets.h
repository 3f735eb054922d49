// SPDX-License-Identifier: Apache-2.0
//
// Targets by name: what targets.yml says of the places where runs can go. docs/targets-file.md has
// its keys.
//
// Plain values; copy them freely.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hdrive/config.h"
#include "hdrive/target.h"

namespace hdrive {

// ---- ssh ----------------------------------------------------------------------------------------

/// One machine that is reached by SSH. What is not given here, the system's ssh client knows: from
/// its configuration file, its agent, its list of known hosts.
struct SshHost {
  std::string host;  ///< a name or address, or a Host of ssh's configuration file
  int port = 0;      ///< 0: ssh's own
  std::string user;  ///< empty: ssh's own
  std::filesystem::path identity_file;  ///< a private key; empty: ssh's own
  std::int64_t slots = 0;         ///< runs at once; 0: as many as its processors and GPUs allow
  std::vector<std::string> gpus;  ///< handed out to runs; "auto": all of them
  /// By which the other hosts reach it, for runs over several of them; empty: the address at which
  /// its sshd was reached, or where that is the loopback's the name it has for itself.
  std::string address;
  bool operator==(const SshHost&) const = default;
};

struct SshOptions {
  std::vector<SshHost> hosts;  ///< at least one
  std::string directory;       ///< on each host, for what hdrive keeps there; empty: ~/.hdrive-runs
  /// ssh's configuration file in the place of ~/.ssh/config; may be empty.
  std::filesystem::path config_file;
  std::vector<std::string> ssh_options;  ///< of ssh's `-o`: "ProxyJump=gate"
  std::string python;                    ///< a folder put in front of PATH there; empty: none
  /// How long a host may be out of reach before its runs count as lost and are started elsewhere.
  /// Their supervisors end them before that. Zero: never, they are waited for.
  std::chrono::milliseconds lost_after{0};
  bool operator==(const SshOptions&) const = default;
};

/// Runs on machines reached by SSH. `runs` says what is read of a run, as the local target reads
/// it; its devices are not looked at. Each host has run directories of its own, whose files are
/// copied to the sweep's while a run goes on and when it has ended. `nodes`: of how many hosts each
/// run has a slot, RunResources::nodes of all requests; there have to be so many.
Result<std::shared_ptr<ComputeTarget>> make_ssh_target(const SshOptions& options,
                                                       const LocalTargetOptions& runs,
                                                       std::shared_ptr<Clock> clock,
                                                       std::int64_t nodes = 1);

/// What keeps runs of so many nodes from these hosts; nothing: they can run there.
std::optional<std::string> fault_of_nodes(const SshOptions& options, std::int64_t nodes,
                                          DistributionType type);

/// How many runs fit at once where each takes one of the `slots` of `nodes` different hosts.
std::int64_t runs_over_hosts(const std::vector<std::int64_t>& slots, std::int64_t nodes);

/// What keeps a target of these options from working: a key, and what is wrong with it.
struct CommandFault {
  std::string key, what;
};

// ---- slurm --------------------------------------------------------------------------------------

struct SlurmOptions {
  std::string partition, account, qos, constraint, gres;  ///< as sbatch takes them; may be empty
  std::string cluster;                                    ///< of several (`-M`); may be empty
  std::vector<std::string> directives;  ///< more of sbatch's options: "--exclusive"
  std::vector<std::string> setup;       ///< lines of the job's script before the run: "module load"
  /// What the script is sent before its time is over, and how long before: sbatch's `--signal`.
  std::string signal;  ///< "USR1" or "TERM"; empty: none
  std::chrono::milliseconds signal_before{std::chrono::seconds{60}};
  std::chrono::milliseconds poll{std::chrono::seconds{5}};  ///< how often the queue is asked
  /// Not a job for each run, but one for all: an allocation whose nodes hdrive starts runs on.
  bool pilot = false;
  // The allocation; without `pilot` these say nothing.
  std::int64_t nodes = 1;             ///< how many it has
  std::int64_t cpus = 0;              ///< processors of each node; 0: whole nodes (--exclusive)
  std::chrono::milliseconds time{0};  ///< how long it lasts; 0: the partition's default
  std::chrono::milliseconds idle{std::chrono::seconds{60}};  ///< without runs: given back then
  bool operator==(const SlurmOptions&) const = default;
};
std::vector<CommandFault> slurm_faults(const SlurmOptions& options);

// ---- any batch system by its commands -----------------------------------------------------------

/// What a batch system calls a job's state, in our words.
enum class JobState {
  queued,
  running,
  completed,
  failed,
  canceled,
  lost,     ///< taken from its node: the run is tried again, as often as the sweep allows
  unknown,  ///< it says nothing of the job: the run directory tells
};

/// A batch system by three commands and what they print. Commands are words, with placeholders
/// (docs/targets.md#command); words in brackets are left out where a placeholder in them has no
/// value. With a `system` all that is not given here is that one's.
struct CommandOptions {
  std::string system;  ///< a ready one (ready_systems): "sge", ...; empty: none
  std::vector<std::string> submit, status, cancel;
  std::string job_pattern;    ///< RE2: its first group in what `submit` prints is the job's id
  std::string state_pattern;  ///< RE2: groups `job`, `state`, may be `name` in what `status` prints
  std::string gone_pattern;   ///< RE2: what a failing `status` says of jobs it does not know; or ""
  std::string busy_pattern;   ///< RE2: what a failing `submit` says that passes; empty: all does
  std::map<std::string, JobState> states;  ///< of the system's words; any other one means running
  std::string queue;                       ///< for {queue}; may be empty
  std::vector<std::string> options;        ///< for {options}: more words of `submit`
  std::vector<std::string> setup;          ///< lines of the job's script before the run
  /// Whether jobs see the sweep's directory under its path here. Otherwise they report by HTTP, and
  /// need python3 and LocalTargetOptions::elsewhere.
  bool shared_files = true;
  std::chrono::milliseconds poll{std::chrono::seconds{10}};  ///< how often states are asked for
  bool operator==(const CommandOptions&) const = default;
};

/// A batch system whose commands are known.
struct ReadySystem {
  std::string name, title;  ///< "sge", "Grid Engine"
  bool tested = false;      ///< with the real system
  std::string version;      ///< by whose documentation, or with which one it was tested
  CommandOptions options;
};
const std::vector<ReadySystem>& ready_systems();

std::vector<CommandFault> command_faults(const CommandOptions& options);

/// Why runs that ask for these resources cannot be submitted: `submit` has no place for them.
std::optional<std::string> resource_fault(const CommandOptions& options,
                                          const RunResources& resources);

// ---- any of them --------------------------------------------------------------------------------

/// Processes of this machine.
struct LocalOptions {
  bool operator==(const LocalOptions&) const = default;
};

using TargetOptions = std::variant<LocalOptions, SshOptions, SlurmOptions, CommandOptions>;

/// A place where runs can go.
struct NamedTarget {
  std::string name;
  std::string type;  ///< "local", "ssh", "slurm", "command"
  TargetOptions options;
  std::int64_t slots = 0;      ///< runs at once; 0: what it has room for
  std::filesystem::path file;  ///< that says so; empty: none does
  int line = 0;                ///< in that file
  /// Its keys as they are written, in the file's order, each with its value as YAML on one line.
  std::vector<std::pair<std::string, std::string>> written;
};

// ---- making them --------------------------------------------------------------------------------

/// Runs as jobs of Slurm, each a job of its own, or with `pilot` within one job. The sweep's
/// directory is on a file system that the nodes share. `runs` says what is read of a run, as the
/// local target reads it; its devices are not looked at. Fails on options that contradict each
/// other or that it has not.
Result<std::shared_ptr<ComputeTarget>> make_slurm_target(const SlurmOptions& options,
                                                         const LocalTargetOptions& runs,
                                                         std::shared_ptr<Clock> clock);

/// Runs as jobs of any batch system whose commands `options` have; else as make_slurm_target.
Result<std::shared_ptr<ComputeTarget>> make_command_target(const CommandOptions& options,
                                                           const LocalTargetOptions& runs,
                                                           std::shared_ptr<Clock> clock);

/// The target that a name stands for. `runs` says what is read of a run; its devices count on this
/// machine alone. `nodes`: of each run.
Result<std::shared_ptr<ComputeTarget>> make_target(const NamedTarget& named,
                                                   const LocalTargetOptions& runs,
                                                   std::shared_ptr<Clock> clock,
                                                   std::int64_t nodes = 1);

/// One of the targets of a sweep.
struct TargetShare {
  std::string name;
  std::shared_ptr<ComputeTarget> target;
  std::int64_t slots = 0;  ///< runs at once; 0: as many as the target has room for
};
/// One target made of several: a run goes to the first that has room, of the order given. A target
/// that fails three times in a row is set aside for ten minutes, then for longer, and that is told.
/// Fails without a share, and where two have one name.
Result<std::shared_ptr<ComputeTarget>> make_several_targets(std::vector<TargetShare> shares,
                                                            std::shared_ptr<Clock> clock);

// ---- targets.yml --------------------------------------------------------------------------------

/// What targets.yml is called, in a project's folder and in the user's configuration folder.
inline constexpr const char* kTargetsFile = "targets.yml";

struct LoadedTargets {
  /// In the order of the files. Of two with one name the first counts; the other is `hidden`.
  std::vector<NamedTarget> targets;
  std::vector<NamedTarget> hidden;
  std::vector<std::string> faulty;           ///< names of those that have an error
  std::vector<std::filesystem::path> files;  ///< those that are there
  std::vector<Problem> problems;             ///< a target that has one is not among the targets
  bool ok() const;                           ///< no errors
};

/// Where a user's targets are looked for besides a sweep's source directory: in `here`, the working
/// directory, and in the user's configuration folder, which `variable` leads to by
/// $XDG_CONFIG_HOME or $HOME.
std::vector<std::filesystem::path> targets_files(
    const std::filesystem::path& here,
    const std::function<std::optional<std::string>(const char*)>& variable);

/// Reads these files, the one that counts more first; what is not there is passed over.
LoadedTargets load_targets(const std::vector<std::filesystem::path>& files);

/// The targets of these names; "local" is this machine, whatever the files say. Fails on a name
/// that no file has, naming those there are, and on one whose target has an error.
Result<std::vector<NamedTarget>> find_targets(const LoadedTargets& loaded,
                                              const std::vector<std::string>& names);

/// How many runs of so many nodes a target takes at once, where that is written down; else nothing.
std::optional<std::int64_t> slots_of(const NamedTarget& target, std::int64_t nodes = 1);

/// A change of targets.yml's text.
struct TargetEdit {
  enum class Kind { add, change, remove };
  Kind kind = Kind::add;
  std::string name;
  /// Keys and their values as YAML; dotted keys reach into lists and mappings: "hosts.0.port".
  std::vector<std::pair<std::string, std::string>> set = {};
};
/// The text after the change, everything else in it as it was, comments too. Empty where there are
/// errors: then nothing is to be written.
struct EditedTargets {
  std::string text;
  std::vector<Problem> problems;
};
EditedTargets edit_targets(std::string_view text, const std::filesystem::path& file,
                           const TargetEdit& edit);

/// One key of a type of target, as it is written in targets.yml.
struct TargetKeyInfo {
  std::string name;
  std::string allowed;  ///< in words: "an integer from 1 to 65535"
  std::string summary;
  std::string default_text;  ///< as it would be written, or in words; empty: none
  bool required = false;
};
struct TargetTypeInfo {
  std::string name;  ///< "ssh"
  std::string summary;
  std::vector<TargetKeyInfo> keys;  ///< those of each type among them
};
/// What may stand in targets.yml, for forms and completion.
std::vector<TargetTypeInfo> target_type_infos();

/// The keys of targets.yml as a page: docs/targets-file.md.
std::string targets_reference();

}  // namespace hdrive
