// SPDX-License-Identifier: Apache-2.0
#include "compute/batch/slurm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "compute/batch/job_script.h"

namespace hdrive::compute {
namespace {

// Ids in one command.
constexpr std::size_t kMostJobsNamed = 500;

struct SlurmWord {
  std::string_view word;
  JobState state;
  JobEnd end = JobEnd::unsaid;
};

// squeue's and sacct's words. What is not here is on its way somewhere: it is neither waiting nor over.
constexpr std::array kSlurmWords = {
    SlurmWord{"PENDING", JobState::queued},
    SlurmWord{"CONFIGURING", JobState::queued},
    SlurmWord{"REQUEUED", JobState::queued},
    SlurmWord{"REQUEUE_HOLD", JobState::queued},
    SlurmWord{"REQUEUE_FED", JobState::queued},
    SlurmWord{"RESV_DEL_HOLD", JobState::queued},
    SlurmWord{"SPECIAL_EXIT", JobState::queued},
    SlurmWord{"COMPLETED", JobState::completed},
    SlurmWord{"CANCELLED", JobState::canceled},
    SlurmWord{"REVOKED", JobState::canceled},
    SlurmWord{"FAILED", JobState::failed},
    SlurmWord{"TIMEOUT", JobState::failed, JobEnd::time_limit},
    SlurmWord{"DEADLINE", JobState::failed, JobEnd::time_limit},
    SlurmWord{"OUT_OF_MEMORY", JobState::failed, JobEnd::memory},
    SlurmWord{"NODE_FAIL", JobState::failed, JobEnd::node},
    SlurmWord{"BOOT_FAIL", JobState::failed, JobEnd::node},
    SlurmWord{"PREEMPTED", JobState::failed, JobEnd::preempted},
};

// Of refusals that pass: the controller is away, or a limit of how many jobs there may be.
constexpr std::string_view kPasses[] = {
    "Unable to contact", "Socket timed out", "Connection refused", "Connection timed out",
    "Communication connection failure", "Zero Bytes were transmitted",
    "Protocol authentication error", "Munge", "temporarily", "MaxSubmitJob", "QOSMaxSubmit",
    "job submit limit", "Resource limit exceeded", "Slurmctld is in standby",
    // without a file of its own here a command asks the controller for it
    "failed to fetch config", "Could not establish a configuration source", "slurm_load_jobs error",
    "slurm controller"};

bool contact_passes(std::string_view said) {
  return std::any_of(std::begin(kPasses), std::end(kPasses),
                     [&](std::string_view part) { return said.find(part) != said.npos; });
}

// The job of an array as it would be called alone: "12_3" of "hd-1a2b3c4d-7+-1" is "hd-1a2b3c4d-10-1".
std::string name_of(const std::string& job, std::string_view name) {
  const std::size_t index = job.find('_'), plus = name.find('+');
  if (index == job.npos || plus == name.npos) return std::string(name);
  const std::size_t dash = name.rfind('-', plus);
  const auto first = base::parse_number(name.substr(dash + 1, plus - dash - 1));
  const auto number = base::parse_number(std::string_view(job).substr(index + 1));
  if (dash == name.npos || !first || !number) return std::string(name);
  return fmt::format("{}{:.0f}{}", name.substr(0, dash + 1), *first + *number,
                     name.substr(plus + 1));
}

// "1-02:03:04", "3:04"; nothing: it is no time.
std::optional<std::chrono::seconds> time_in(std::string_view text) {
  std::int64_t days = 0, rest = 0;
  if (const std::size_t dash = text.find('-'); dash != text.npos) {
    const auto number = base::parse_number(text.substr(0, dash));
    if (!number) return std::nullopt;
    days = static_cast<std::int64_t>(*number);
    text.remove_prefix(dash + 1);
  }
  if (text.find(':') == text.npos) return std::nullopt;
  for (const std::string_view part : base::split(text, ':')) {
    const auto number = base::parse_number(part);
    if (!number || *number < 0) return std::nullopt;
    rest = 60 * rest + static_cast<std::int64_t>(*number);
  }
  return std::chrono::seconds{days * 86'400 + rest};
}

// "id|STATE|name", a line a job, and from squeue how much of its time is left. sacct says "CANCELLED by 1000".
std::vector<JobStatus> parse_states(const std::string& text) {
  std::vector<JobStatus> result;
  for (const std::string_view line : base::split(text, '\n')) {
    const auto parts = base::split(line, '|');
    if (parts.size() < 3) continue;
    JobStatus status;
    status.job = base::trim(parts[0]);
    status.word = parts[1].substr(0, parts[1].find_first_of(" +"));
    status.name = name_of(status.job, base::trim(parts[2]));
    if (parts.size() > 3) status.left = time_in(base::trim(parts[3]));
    const auto known =
        std::find_if(kSlurmWords.begin(), kSlurmWords.end(),
                     [&](const SlurmWord& each) { return each.word == status.word; });
    status.state = known == kSlurmWords.end() ? JobState::running : known->state;
    if (known != kSlurmWords.end()) status.end = known->end;
    if (!status.job.empty()) result.push_back(std::move(status));
  }
  return result;
}

class Slurm final : public BatchSystem {
 public:
  Slurm(const SlurmOptions& options, std::filesystem::path commands)
      : options_(options), commands_(std::move(commands)) {}

  std::string name() const override { return "Slurm"; }

  Result<Words> submit(const BatchJob& job) const override {
    Words words = options_of(job);
    words.push_back(job.script.string());
    return words;
  }

  // Its script is on the command line, and becomes that of the run whose number its index tells.
  Words submit_array(const JobArray& array) const override {
    std::vector<std::string> indices;
    for (const RunId run : array.runs) indices.push_back(std::to_string(run - array.base));
    BatchJob job = array.job;
    job.log = "/dev/null";
    Words words = options_of(job);
    words.push_back("--array=" + base::join(indices, ","));
    words.push_back(
        fmt::format("--wrap=hdrive_dir={}/$(({} + SLURM_ARRAY_TASK_ID))\n"
                    "exec /bin/sh \"$hdrive_dir/job.sh\" >> \"$hdrive_dir/job.log\" 2>&1",
                    shell_quoted(job.directory.string()), array.base));
    return words;
  }

  Result<std::string> submitted(const CommandOutput& output) const override {
    // "1234", or "1234;cluster".
    const std::string_view said = base::trim(output.out);
    const std::string id(said.substr(0, said.find_first_not_of("0123456789")));
    if (output.status == 0 && !id.empty()) return id;
    return Error{"", "sbatch: " + output.words(),
                 contact_passes(output.err) ? Error::Kind::busy : Error::Kind::invalid};
  }

  std::span<const std::string> directives() const override { return {}; }
  std::span<const std::string> setup() const override { return options_.setup; }

  // All of the user's, in the time one job takes.
  std::vector<Words> status(std::span<const std::string>) const override {
    Words words = command("squeue");
    words.insert(words.end(),
                 {"--noheader", "--me", "--array", "--states=all", "--format=%i|%T|%j|%L"});
    return {words};
  }
  // As many as a command's line has room for.
  Words history(std::span<const std::string> jobs) const override {
    Words words = command("sacct");
    words.insert(words.end(),
                 {"--noheader", "--parsable2", "--allocations", "--format=JobID,State,JobName",
                  "--jobs=" + joined(jobs.subspan(0, std::min(kMostJobsNamed, jobs.size())))});
    return words;
  }

  Result<std::vector<JobStatus>> states(const CommandOutput& output,
                                        std::span<const std::string>) const override {
    if (output.status != 0) return Error{"", "squeue: " + output.words(), Error::Kind::busy};
    return parse_states(output.out);
  }
  Result<std::vector<JobStatus>> past_states(const CommandOutput& output) const override {
    if (output.status != 0) return Error{"", "sacct: " + output.words(), Error::Kind::busy};
    return parse_states(output.out);
  }

  std::vector<Words> cancel(std::span<const std::string> jobs) const override {
    return for_jobs(command("scancel"), jobs);
  }
  // To the job's shell alone, which is the supervisor. scancel's own way to the end would be SIGKILL after Slurm's
  // KillWait, whatever the run's grace period is.
  std::vector<Words> pass_signal(std::span<const std::string> jobs,
                                 CancelMode mode) const override {
    Words words = command("scancel");
    words.insert(words.end(),
                 {"--batch", mode == CancelMode::kill ? "--signal=USR1" : "--signal=TERM"});
    return for_jobs(words, jobs);
  }

  std::chrono::milliseconds poll() const override { return options_.poll; }

 private:
  Words options_of(const BatchJob& job) const {
    Words words = command("sbatch");
    const auto add = [&](std::string_view option, const std::string& value) {
      if (!value.empty()) words.push_back(fmt::format("--{}={}", option, value));
    };
    words.insert(words.end(), {"--parsable", "--no-requeue", "--open-mode=append"});
    add("job-name", job.name);
    add("chdir", job.directory.string());
    add("output", escaped(job.log.string()));
    add("partition", options_.partition);
    add("account", options_.account);
    add("qos", options_.qos);
    add("constraint", options_.constraint);
    const RunResources& asked = job.resources;
    if (asked.nodes > 1) add("nodes", std::to_string(asked.nodes));
    if (asked.nodes > 1 || asked.processes_per_node > 1)
      add("ntasks-per-node", std::to_string(asked.processes_per_node));
    if (asked.cpus > 0) add("cpus-per-task", std::to_string(asked.cpus));
    if (asked.memory > 0) add("mem", std::to_string((asked.memory + 1023) / 1024) + "K");
    std::string gres = options_.gres;
    if (asked.gpus > 0)
      gres += (gres.empty() ? "" : ",") + fmt::format("gpu:{:.0f}", std::ceil(asked.gpus));
    add("gres", gres);
    // In minutes, of which a part counts as a whole one.
    if (job.time.count() > 0) add("time", std::to_string((job.time.count() + 59) / 60));
    // The supervisor is the job's shell: it hears the warning in another word and passes it on.
    if (!options_.signal.empty())
      add("signal",
          fmt::format("B:{}@{}", options_.signal == "TERM" ? "HUP" : "USR2",
                      std::chrono::ceil<std::chrono::seconds>(options_.signal_before).count()));
    words.insert(words.end(), options_.directives.begin(), options_.directives.end());
    return words;
  }

  Words command(const char* name) const {
    Words words = {commands_.empty() ? name : (commands_ / name).string()};
    if (!options_.cluster.empty()) words.push_back("--clusters=" + options_.cluster);
    return words;
  }

  static std::vector<Words> for_jobs(const Words& command, std::span<const std::string> jobs) {
    std::vector<Words> result;
    for (std::size_t at = 0; at < jobs.size(); at += kMostJobsNamed) {
      const auto part = jobs.subspan(at, std::min(kMostJobsNamed, jobs.size() - at));
      result.push_back(command);
      result.back().insert(result.back().end(), part.begin(), part.end());
    }
    return result;
  }
  static std::string joined(std::span<const std::string> jobs) {
    return base::join({jobs.begin(), jobs.end()}, ",");
  }
  // A percent sign in a file's name stands for something; two are one.
  static std::string escaped(const std::string& path) {
    std::string result;
    for (const char c : path) result += c == '%' ? "%%" : std::string(1, c);
    return result;
  }

  SlurmOptions options_;
  std::filesystem::path commands_;
};

}  // namespace

Result<std::unique_ptr<BatchSystem>> make_slurm_system(const SlurmOptions& options,
                                                       const std::filesystem::path& commands) {
  if (!options.signal.empty() && options.signal != "USR1" && options.signal != "TERM")
    return Error{"signal",
                 "a run can be warned with USR1 or TERM, not with " +
                     base::json_string(options.signal) + "; write USR1 or TERM",
                 Error::Kind::invalid};
  return std::unique_ptr<BatchSystem>(std::make_unique<Slurm>(options, commands));
}

}  // namespace hdrive::compute
