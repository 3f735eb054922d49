// SPDX-License-Identifier: Apache-2.0
#include "compute/batch/command_system.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "compute/batch/batch_target.h"
#include "compute/batch/command_template.h"

namespace hdrive::compute {
namespace {

using Regex = std::unique_ptr<re2::RE2>;

// Ids in one command.
constexpr std::size_t kJobsInACommand = 500;

constexpr std::array<std::string_view, 15> kSubmitPlaces{
    "script", "command",   "name",      "log",    "directory", "queue",    "options", "cpus",
    "gpus",   "memory_mb", "memory_gb", "time_s", "time_min",  "time_hms", "token"};
constexpr std::array<std::string_view, 3> kJobPlaces{"jobs", "job", "queue"};
// A run need not ask for these.
constexpr std::array<std::string_view, 7> kAsked{"cpus",   "gpus",     "memory_mb", "memory_gb",
                                                 "time_s", "time_min", "time_hms"};

// ^ and $ are the ends of a line.
Regex compile(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return std::make_unique<re2::RE2>("(?m)" + pattern, options);
}

std::string_view view(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

bool finds(const Regex& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern);
}

const ReadySystem* find_ready(const std::string& name) {
  for (const ReadySystem& each : ready_systems())
    if (each.name == base::lower(name)) return &each;
  return nullptr;
}

// Of all processes together; each of several has one at least.
std::int64_t cpus_of(const RunResources& asked) {
  if (asked.processes_per_node <= 1) return asked.cpus;
  return asked.processes_per_node * std::max<std::int64_t>(asked.cpus, 1);
}

// With what the named system has where nothing else is said.
CommandOptions completed(const CommandOptions& given) {
  const ReadySystem* ready = find_ready(given.system);
  if (!ready) return given;
  CommandOptions result = given;
  const auto fill = [](auto& mine, const auto& theirs) {
    if (mine.empty()) mine = theirs;
  };
  fill(result.submit, ready->options.submit);
  // Of a file that the node does not see it gets the content.
  if (!given.shared_files)
    for (std::string& word : result.submit)
      if (word == "/bin/sh '{script}'") word = "/bin/sh -c '{command}'";
  fill(result.status, ready->options.status);
  fill(result.cancel, ready->options.cancel);
  fill(result.job_pattern, ready->options.job_pattern);
  fill(result.state_pattern, ready->options.state_pattern);
  fill(result.gone_pattern, ready->options.gone_pattern);
  fill(result.busy_pattern, ready->options.busy_pattern);
  result.states.insert(ready->options.states.begin(), ready->options.states.end());
  return result;
}

// ---- what keeps it from working -----------------------------------------------------------------

class Check {
 public:
  explicit Check(const CommandOptions& given) : given_(given), options_(completed(given)) {}

  std::vector<CommandFault> run() {
    if (!given_.system.empty() && !find_ready(given_.system)) return unknown_system();
    if (given_.system.empty()) missing();
    if (const auto submit = parse("submit", options_.submit, kSubmitPlaces)) check_submit(*submit);
    if (const auto status = parse("status", options_.status, kJobPlaces))
      check_jobs("status", *status, false);
    if (const auto cancel = parse("cancel", options_.cancel, kJobPlaces))
      check_jobs("cancel", *cancel, true);
    check_patterns();
    return std::move(faults_);
  }

 private:
  void add(const char* key, std::string what) { faults_.push_back({key, std::move(what)}); }

  std::vector<CommandFault> unknown_system() {
    std::vector<std::string> names;
    for (const ReadySystem& each : ready_systems()) names.push_back(each.name);
    const std::string hint = base::did_you_mean(given_.system, names);
    add("system", "unknown system " + base::json_string(given_.system) +
                      "; allowed: " + base::join(names, ", ") + (hint.empty() ? "" : ";" + hint) +
                      " (any other one is described by submit, status, cancel, job_pattern, "
                      "state_pattern and states)");
    return std::move(faults_);
  }

  void missing() {
    const std::pair<const char*, bool> keys[] = {{"submit", given_.submit.empty()},
                                                 {"status", given_.status.empty()},
                                                 {"cancel", given_.cancel.empty()},
                                                 {"job_pattern", given_.job_pattern.empty()},
                                                 {"state_pattern", given_.state_pattern.empty()},
                                                 {"states", given_.states.empty()}};
    for (const auto& [key, is_missing] : keys)
      if (is_missing)
        add(key, fmt::format("\"{}\" is missing, and no \"system\" is named that has one", key));
  }

  std::optional<CommandTemplate> parse(const char* key, const std::vector<std::string>& words,
                                       std::span<const std::string_view> known) {
    if (words.empty()) return std::nullopt;
    auto made = CommandTemplate::make(words, known);
    if (made) return *std::move(made);
    add(key, fmt::format("\"{}\": {}", key, made.error().what));
    return std::nullopt;
  }

  void check_submit(const CommandTemplate& submit) {
    if (options_.shared_files && submit.has("command"))
      add("submit",
          "\"submit\" says {command}, which is for jobs that share no files with this machine; "
          "write "
          "{script}, or set shared_files: false");
    else if (!submit.has("script") && !submit.has("command"))
      add("submit", "\"submit\" does not say {script}, the job's script: it would start no run");
    if (!options_.shared_files && given_.submit.empty() && submit.has("directory"))
      add("submit",
          "\"submit\" of \"" + given_.system +
              "\" names folders of this machine, which jobs do not see with shared_files: "
              "false; write a submit of your own, with {command} or {script}");
    for (const std::string_view place : kAsked)
      if (submit.always().contains(place))
        add("submit", fmt::format("\"submit\" has {{{0}}} outside of brackets, and a run need not "
                                  "ask for it; put it into brackets together with its option, as "
                                  "in [-l x={{{0}}}]",
                                  place));
    if (!options_.options.empty() && !submit.has("options"))
      add("options", "\"submit\" has no place for \"options\"; write {options} there");
    check_queue("submit", submit);
    if (!options_.queue.empty() && !submit.has("queue"))
      add("queue", "\"submit\" has no place for \"queue\"; write {queue} there");
  }

  void check_jobs(const char* key, const CommandTemplate& words, bool needed) {
    if (words.has("jobs") && words.has("job"))
      add(key, fmt::format("\"{}\" says both {{jobs}}, which are all of them, and {{job}}, with "
                           "which the command is run for each; write one of the two",
                           key));
    else if (needed && !words.has("jobs") && !words.has("job"))
      add(key, fmt::format("\"{}\" says neither {{jobs}} nor {{job}}: it would not know which jobs "
                           "are meant",
                           key));
    check_queue(key, words);
  }

  void check_queue(const char* key, const CommandTemplate& words) {
    if (options_.queue.empty() && words.always().contains("queue") &&
        std::none_of(faults_.begin(), faults_.end(),
                     [](const CommandFault& fault) { return fault.key == "queue"; }))
      add("queue", fmt::format("\"queue\" is missing, which \"{}\" needs", key));
  }

  // Null: it is missing, or none.
  Regex check_pattern(const char* key, const std::string& pattern) {
    if (pattern.empty()) return nullptr;
    Regex made = compile(pattern);
    if (made->ok()) return made;
    add(key, fmt::format("\"{}\" is no regular expression (RE2): {}", key, made->error()));
    return nullptr;
  }

  void check_patterns() {
    if (const auto job = check_pattern("job_pattern", options_.job_pattern);
        job && job->NumberOfCapturingGroups() == 0)
      add("job_pattern",
          "\"job_pattern\" has no group for the job's id; put parentheses around it, as in "
          "Job <(\\d+)>");
    check_pattern("gone_pattern", options_.gone_pattern);
    check_pattern("busy_pattern", options_.busy_pattern);
    const auto state = check_pattern("state_pattern", options_.state_pattern);
    if (!state) return;
    const std::vector<std::string> known{"job", "state", "name"};
    const auto& groups = state->NamedCapturingGroups();
    for (const char* needed : {"job", "state"})
      if (!groups.contains(needed))
        add("state_pattern", fmt::format("\"state_pattern\" has no group \"{0}\"; write it as "
                                         "(?P<{0}>...)",
                                         needed));
    for (const auto& [name, index] : groups)
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        const std::string hint = base::did_you_mean(name, known);
        add("state_pattern",
            fmt::format("\"state_pattern\" has a group \"{}\"; allowed: job, state, name{}", name,
                        hint.empty() ? "" : ";" + hint));
      }
  }

  const CommandOptions& given_;
  CommandOptions options_;
  std::vector<CommandFault> faults_;
};

// ---- the system ---------------------------------------------------------------------------------

class CommandSystem final : public BatchSystem {
 public:
  explicit CommandSystem(const CommandOptions& given)
      : options_(completed(given)),
        submit_(*CommandTemplate::make(options_.submit, kSubmitPlaces)),
        status_(*CommandTemplate::make(options_.status, kJobPlaces)),
        cancel_(*CommandTemplate::make(options_.cancel, kJobPlaces)),
        job_(compile(options_.job_pattern)),
        state_(compile(options_.state_pattern)),
        gone_(compile(options_.gone_pattern)),
        busy_(compile(options_.busy_pattern)) {
    const ReadySystem* ready = find_ready(given.system);
    name_ = ready ? ready->title : options_.submit.front();
    const auto& groups = state_->NamedCapturingGroups();
    job_group_ = groups.at("job");
    state_group_ = groups.at("state");
    if (const auto name = groups.find("name"); name != groups.end()) name_group_ = name->second;
  }

  std::string name() const override { return name_; }

  Result<Words> submit(const BatchJob& job) const override {
    if (auto fault = resource_fault(options_, job.resources))
      return Error{"", *std::move(fault), Error::Kind::invalid};
    PlaceValues values{{"script", {job.script.string()}},
                       {"name", {job.name}},
                       {"log", {job.log.string()}},
                       {"directory", {job.directory.string()}},
                       {"token", {job.token}},
                       {"options", options_.options}};
    if (!options_.queue.empty()) values["queue"] = {options_.queue};
    if (!job.command.empty()) values["command"] = {job.command};
    const RunResources& asked = job.resources;
    if (const auto cpus = cpus_of(asked); cpus > 0) values["cpus"] = {std::to_string(cpus)};
    if (asked.gpus > 0) values["gpus"] = {fmt::format("{:.0f}", std::ceil(asked.gpus))};
    const auto rounded_up = [](std::uint64_t amount, std::uint64_t unit) {
      return std::to_string((amount + unit - 1) / unit);
    };
    if (asked.memory > 0) {
      values["memory_mb"] = {rounded_up(asked.memory, 1 << 20)};
      values["memory_gb"] = {rounded_up(asked.memory, 1 << 30)};
    }
    if (const auto seconds = static_cast<std::uint64_t>(job.time.count()); seconds > 0) {
      values["time_s"] = {std::to_string(seconds)};
      values["time_min"] = {rounded_up(seconds, 60)};
      values["time_hms"] = {
          fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)};
    }
    return submit_.fill(values);
  }

  Result<std::string> submitted(const CommandOutput& output) const override {
    const std::string& command = options_.submit.front();
    if (output.status != 0) {
      // What it says may be on either stream, and without a pattern nothing is known of it: the run waits then, and the
      // user is told.
      const bool passes = options_.busy_pattern.empty() || finds(busy_, output.err + output.out);
      return Error{"", command + ": " + output.words(),
                   passes ? Error::Kind::busy : Error::Kind::invalid};
    }
    std::string job;
    if (re2::RE2::PartialMatch(output.out, *job_, &job) && !job.empty()) return job;
    return Error{"",
                 command + " said " + output.words() +
                     ", in which job_pattern finds no job's id; mend job_pattern",
                 Error::Kind::invalid};
  }

  std::span<const std::string> directives() const override { return {}; }
  std::span<const std::string> setup() const override { return options_.setup; }
  bool supervisor_apart() const override { return options_.shared_files; }
  bool shares_files() const override { return options_.shared_files; }

  std::vector<Words> status(std::span<const std::string> jobs) const override {
    return commands(status_, jobs);
  }
  Words history(std::span<const std::string>) const override { return {}; }

  Result<std::vector<JobStatus>> states(const CommandOutput& output,
                                        std::span<const std::string> jobs) const override {
    const std::string& command = options_.status.front();
    std::vector<JobStatus> result = parse(output.out);
    if (output.status != 0 &&
        (options_.gone_pattern.empty() || !finds(gone_, output.err + output.out)))
      return Error{"", command + ": " + output.words(), Error::Kind::busy};
    if (output.status == 0 && result.empty())
      if (const auto line = line_with_any(output.out, jobs))
        return Error{"",
                     command + " names a job in " + base::json_string(*line) +
                         ", and state_pattern matches nothing of it; mend state_pattern",
                     Error::Kind::busy};
    // Of these the system says nothing.
    std::erase_if(result, [](const JobStatus& each) { return each.state == JobState::unknown; });
    return result;
  }
  Result<std::vector<JobStatus>> past_states(const CommandOutput&) const override {
    return std::vector<JobStatus>{};
  }

  std::vector<Words> cancel(std::span<const std::string> jobs) const override {
    return commands(cancel_, jobs);
  }
  std::vector<Words> pass_signal(std::span<const std::string>, CancelMode) const override {
    return {};
  }

  std::chrono::milliseconds poll() const override { return options_.poll; }

 private:
  std::vector<Words> commands(const CommandTemplate& command,
                              std::span<const std::string> jobs) const {
    PlaceValues values;
    if (!options_.queue.empty()) values["queue"] = {options_.queue};
    if (!command.has("job") && !command.has("jobs")) return {command.fill(values)};
    std::vector<Words> result;
    const bool one_by_one = command.has("job");
    const std::size_t step = one_by_one ? 1 : kJobsInACommand;
    for (std::size_t at = 0; at < jobs.size(); at += step) {
      const auto part = jobs.subspan(at, std::min(step, jobs.size() - at));
      values[one_by_one ? "job" : "jobs"] = {part.begin(), part.end()};
      result.push_back(command.fill(values));
    }
    return result;
  }

  std::vector<JobStatus> parse(const std::string& text) const {
    std::vector<JobStatus> result;
    std::vector<re2::StringPiece> groups(
        static_cast<std::size_t>(state_->NumberOfCapturingGroups()) + 1);
    const auto group = [&](int index) {
      return std::string(base::trim(view(groups[static_cast<std::size_t>(index)])));
    };
    for (std::size_t at = 0;
         at <= text.size() && state_->Match(text, at, text.size(), re2::RE2::UNANCHORED,
                                            groups.data(), static_cast<int>(groups.size()));) {
      const auto end = static_cast<std::size_t>(groups[0].data() - text.data()) + groups[0].size();
      at = std::max(end, at + 1);
      JobStatus status;
      status.job = group(job_group_);
      status.word = group(state_group_);
      if (name_group_ > 0) status.name = group(name_group_);
      if (status.job.empty()) continue;
      const auto known = options_.states.find(status.word);
      status.state = known == options_.states.end() ? JobState::running : known->second;
      if (status.state == JobState::lost) {
        status.state = JobState::failed;
        status.end = JobEnd::node;
      }
      result.push_back(std::move(status));
    }
    return result;
  }

  // A line in which one of the ids is a word of its own.
  static std::optional<std::string> line_with_any(const std::string& text,
                                                  std::span<const std::string> jobs) {
    const std::set<std::string_view> wanted(jobs.begin(), jobs.end());
    for (std::string_view line : base::split(text, '\n')) {
      const std::string_view whole = base::trim(line);
      while (!line.empty()) {
        const std::size_t end = std::min(line.find_first_of(" \t|,;<>"), line.size());
        if (wanted.contains(line.substr(0, end))) return base::to_utf8(whole.substr(0, 200));
        line.remove_prefix(std::min(end + 1, line.size()));
      }
    }
    return std::nullopt;
  }

  CommandOptions options_;
  CommandTemplate submit_, status_, cancel_;
  Regex job_, state_, gone_, busy_;
  std::string name_;
  int job_group_ = 0, state_group_ = 0, name_group_ = 0;
};

}  // namespace

Result<std::unique_ptr<BatchSystem>> make_command_system(const CommandOptions& options) {
  const auto faults = command_faults(options);
  if (!faults.empty()) return Error{faults.front().key, faults.front().what, Error::Kind::invalid};
  return std::unique_ptr<BatchSystem>(std::make_unique<CommandSystem>(options));
}

}  // namespace hdrive::compute

namespace hdrive {

std::vector<CommandFault> command_faults(const CommandOptions& options) {
  return compute::Check(options).run();
}

std::optional<std::string> resource_fault(const CommandOptions& options,
                                          const RunResources& resources) {
  const CommandOptions all = compute::completed(options);
  const auto submit = compute::CommandTemplate::make(all.submit, compute::kSubmitPlaces);
  if (!submit) return submit.error().what;
  const bool memory = submit->has("memory_mb") || submit->has("memory_gb");
  const std::tuple<bool, const char*, const char*> rows[] = {
      {compute::cpus_of(resources) > 0 && !submit->has("cpus"), "cpus", "{cpus}"},
      {resources.gpus > 0 && !submit->has("gpus"), "gpus", "{gpus}"},
      {resources.memory > 0 && !memory, "memory", "{memory_mb}"}};
  for (const auto& [lacks, key, place] : rows)
    if (lacks)
      return fmt::format(
          "runs ask for \"{}\", and \"submit\" has no place for it; write {} into it, in brackets "
          "together with its option, or take it out of \"resources\"",
          key, place);
  if (resources.nodes > 1)
    return "runs ask for several nodes, and a job of these commands has one; a target of type "
           "slurm "
           "has more";
  return std::nullopt;
}

Result<std::shared_ptr<ComputeTarget>> make_command_target(const CommandOptions& options,
                                                           const LocalTargetOptions& runs,
                                                           std::shared_ptr<Clock> clock) {
  return compute::make_batch_target(compute::make_command_system(options), options.poll, runs,
                                    std::move(clock));
}

}  // namespace hdrive
