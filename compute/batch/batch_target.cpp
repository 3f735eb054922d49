// SPDX-License-Identifier: Apache-2.0
//
// The batch target: taking runs over, finding them again, and submitting them. batch_states.cpp asks what became of
// their jobs, batch_wait.cpp follows the run directories.
#include "compute/batch/batch_target.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "compute/batch/job_script.h"
#include "compute/batch/unshared_job.h"
#include "compute/embedded.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute {
namespace {

// So many submissions at once: a controller takes them one after another anyway.
constexpr int kSubmissionsAtOnce = 4;
// Of an array. Where nobody has changed it (MaxArraySize) Slurm has indices up to 1000.
constexpr std::size_t kMostInArray = 500;
constexpr RunId kLargestDistance = 500;

// "HD_1a2b3c4d-..._7" and attempt 1: "hd-1a2b3c4d-7-1".
std::string job_name(const RunRequest& request, const std::string& run) {
  constexpr std::size_t kLength = 8;
  std::string sweep;
  const std::string id = request.run_id.substr(0, request.run_id.rfind('_'));
  for (std::size_t i = id.starts_with("HD_") ? 3 : 0; i < id.size() && sweep.size() < kLength; ++i)
    if (std::isalnum(static_cast<unsigned char>(id[i]))) sweep += id[i];
  return "hd-" + sweep + "-" + run + "-" + std::to_string(request.attempt);
}
std::string job_name(const RunRequest& request) {
  return job_name(request, std::to_string(request.run));
}

// The script of an array's job finds its run's by the number.
bool is_named_by_number(const RunRequest& request) {
  return request.directory.filename() == std::to_string(request.run);
}

// Whether both can be jobs of one array.
bool are_alike(const RunRequest& a, const RunRequest& b) {
  return std::abs(a.run - b.run) < kLargestDistance && a.attempt == b.attempt &&
         a.resources == b.resources && a.distribution == b.distribution &&
         a.time_limit == b.time_limit && a.cancel_grace == b.cancel_grace &&
         a.directory.parent_path() == b.directory.parent_path() && is_named_by_number(b);
}

std::string run_name(const RunRequest& request) { return "run " + std::to_string(request.run); }

bool has_claim(const std::filesystem::path& directory) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().filename().string().starts_with(protocol::kClaimPrefix)) return true;
  return false;
}

}  // namespace

Result<std::shared_ptr<BatchTarget>> BatchTarget::make(std::unique_ptr<BatchSystem> system,
                                                       const LocalTargetOptions& options,
                                                       std::shared_ptr<Clock> clock,
                                                       const BatchTiming& timing) {
  auto patterns = OutputPatterns::make(options.metric_patterns, options.primary_metric);
  if (!patterns) return patterns.error();
  auto commands = Commands::make();
  if (!commands) return commands.error();
  std::shared_ptr<BatchTarget> target(new BatchTarget(std::move(system), options, std::move(clock),
                                                      *std::move(patterns), *std::move(commands),
                                                      timing));
  if (auto opened = target->point_.open("commands"); !opened) return opened.error();
  if (auto watched = target->point_.watch(target->commands_.descriptor(), 0); !watched)
    return watched.error();
  return target;
}

BatchTarget::BatchTarget(std::unique_ptr<BatchSystem> system, const LocalTargetOptions& options,
                         std::shared_ptr<Clock> clock, OutputPatterns patterns, Commands commands,
                         const BatchTiming& timing)
    : system_(std::move(system)),
      options_(options),
      clock_(std::move(clock)),
      patterns_(std::move(patterns)),
      commands_(std::move(commands)),
      timing_(timing),
      claim_(protocol::kClaimPrefix + std::to_string(::getpid()) + "-" +
             std::to_string(clock_->now().time_since_epoch().count())) {}

// ---- taking runs over ---------------------------------------------------------------------------

Result<RunRequest> BatchTarget::complete(const RunRequest& request) {
  if (request.arguments.empty())
    return Error{run_name(request), "there is no program to start; give a command",
                 Error::Kind::invalid};
  if (live_.contains(request.run)) return Error{run_name(request), "it is there already"};
  RunRequest result = request;
  if (const auto access = options_.elsewhere ? options_.elsewhere(request) : std::nullopt)
    result.environment.insert(result.environment.end(), access->environment.begin(),
                              access->environment.end());
  std::error_code error;
  const auto directory = std::filesystem::absolute(request.directory, error).lexically_normal();
  const auto parent = std::filesystem::weakly_canonical(directory.parent_path(), error);
  result.directory = error ? directory : parent / directory.filename();
  result.working_directory =
      std::filesystem::absolute(request.working_directory.empty() ? "." : request.working_directory,
                                error)
          .lexically_normal();
  if (!result.workspace.snapshot.empty()) result.working_directory = work_folder(result.directory);
  return result;
}

// What all jobs of the sweep need, beside their directories.
Result<void> BatchTarget::install(const std::filesystem::path& directory) {
  if (installed_ == directory) return {};
  if (auto made = install_run_modules(directory / ".python"); !made) return made;
  const auto program = directory / ".hdrive-supervisor";
  const auto there = base::read_file(program);
  if (!there || *there != embedded_supervisor()) {
    if (auto written = base::write_file_atomically(program, embedded_supervisor()); !written)
      return written;
  }
  if (::chmod(program.c_str(), 0755) != 0)
    return base::system_error(program, "make executable", errno);
  installed_ = directory;
  return {};
}

Result<void> BatchTarget::start(const RunRequest& incomplete) {
  auto request = complete(incomplete);
  if (!request) return request.error();
  if (auto made = install(request->directory.parent_path()); !made)
    return of_all_runs(made.error());
  Live live;
  if (auto prepared = prepare(*request, live); !prepared) {
    Error error = prepared.error();
    if (error.where.empty()) error.where = run_name(*request);
    return error;
  }
  const RunId run = request->run;
  live.name = job_name(*request);
  live.submitting = true;
  live.request = *std::move(request);
  live_.insert_or_assign(run, std::move(live));
  submissions_.push_back(run);
  return {};
}

Result<void> BatchTarget::prepare(const RunRequest& request, Live& live) {
  const auto script = script_of(request);
  if (!script) return script.error();
  std::optional<std::string> start;
  if (!system_->shares_files()) {
    const auto access = access_of(request);
    if (!access) return access.error();
    start = starting_script(*access, system_->directives());
  }
  auto files = prepare_run_directory(request, !patterns_.empty(), claim_, spares_);
  if (!files) return files.error();
  if (options_.tensorboard_metrics) live.events = EventFiles::begin(request.directory);
  live.request = request;
  if (options_.elsewhere) {
    auto mlflow = make_mlflow_metrics(request.directory);
    if (!mlflow) discard(request);
    if (!mlflow) return mlflow.error();
    files->mlflow = *std::move(mlflow);
  }
  open_files(live, *std::move(files));
  auto made = make_work(request);
  if (made) made = base::write_file_atomically(request.directory / "job.sh", *script);
  if (made && start) made = base::write_file_atomically(request.directory / "submit.sh", *start);
  if (!made) discard(request);
  return made;
}

Result<void> BatchTarget::make_work(const RunRequest& request) {
  if (request.workspace.snapshot.empty()) return {};
  // An attempt begins in a folder as new as the first's. That of the attempt before goes where its files went.
  std::error_code error;
  if (request.workspace.keep != KeepWork::never)
    std::filesystem::rename(
        request.working_directory,
        request.directory / ("attempt-" + std::to_string(request.attempt - 1)) / "work", error);
  folders_.remove(request.working_directory);
  auto made = folders_.make(request.workspace, request.working_directory);
  for (std::string& note : folders_.take_notes())
    notes_.push_back(TargetNote{request.run, std::move(note)});
  if (!made) return of_all_runs(made.error());
  return made;
}

void BatchTarget::discard(const RunRequest& request) {
  folders_.remove(work_folder(request.directory));
  remove_marks(request);
  discard_attempt(request.directory, claim_);
}

void BatchTarget::remove_marks(const RunRequest& request) {
  for (const char* prefix : {protocol::kCancelPrefix, kJobMark})
    ::unlink((request.directory / (prefix + std::to_string(request.attempt))).c_str());
}

void BatchTarget::open_files(Live& live, RunFiles files) {
  const RunRequest& request = live.request;
  for (std::string& fault : files.faults)
    notes_.push_back(TargetNote{request.run, std::move(fault)});
  live.intake =
      Intake(request.run, request.attempt, std::move(files.metrics), std::move(files.output),
             position_from(request.cursor).value_or(IntakePosition{}), &patterns_);
  live.intake.take_mlflow(std::move(files.mlflow));
  live.intake.look_at_the_end_for(request.directory / "metrics.jsonl");
  live.files_open = true;
}

// What the directory does not tell, the system is asked for in `wait`. The claim stays: its job may be waiting.
Result<void> BatchTarget::adopt(std::span<const RunRequest> requests) {
  for (const RunRequest& incomplete : requests) {
    auto request = complete(incomplete);
    if (!request) return request.error();
    const auto& directory = request->directory;
    const auto refuse = [&](const Error& error) {
      return Error{run_name(*request), error.message(), error.kind};
    };
    const bool claimed = has_claim(directory);
    const auto record = read_supervisor_record(directory);
    if (!record) return refuse(record.error());
    const auto end = read_exit_record(directory);
    if (!end) return refuse(end.error());
    const bool recorded = *record && (*record)->attempt == request->attempt;
    const bool exited = *end && (*end)->attempt == request->attempt;
    if (!claimed && !recorded && !exited) {
      notes_.push_back(RunNotFound{request->run, request->attempt});
      continue;
    }
    auto files = open_run_files(directory, !patterns_.empty());
    if (!files) return refuse(files.error());
    Live live;
    live.name = job_name(*request);
    live.job = request->handle;
    live.accepted = !live.job.empty();
    live.request = *std::move(request);
    if (options_.tensorboard_metrics) live.events = EventFiles::resume(live.request.directory);
    open_files(live, *std::move(files));
    const RunId run = live.request.run;
    live_.insert_or_assign(run, std::move(live));
  }
  next_ask_ = next_look_ = Time{};
  return {};
}

void BatchTarget::cancel(RunId run, CancelMode mode) {
  const auto found = live_.find(run);
  if (found == live_.end()) return;
  if (found->second.cancel != CancelMode::kill) found->second.cancel = mode;
  next_look_ = Time{};
}

// ---- submissions --------------------------------------------------------------------------------

Result<void> BatchTarget::run_command(const BatchSystem::Words& words, Commands::Done done) {
  return commands_.start(words, clock_->now() + timing_.command_limit, std::move(done));
}

void BatchTarget::submit_waiting() {
  while (!submissions_.empty() && submitting_ < kSubmissionsAtOnce) {
    if (submit_together()) continue;
    const RunId run = submissions_.front();
    submissions_.pop_front();
    if (const auto found = live_.find(run); found != live_.end() && found->second.submitting)
      submit(run);
  }
}

// What waits together and asks for the same, as an array. False: there are no two of that kind.
bool BatchTarget::submit_together() {
  if (!arrays_ || submissions_.size() < 2) return false;
  JobArray array;
  const Live* first = nullptr;
  for (const RunId run : submissions_) {
    const auto found = live_.find(run);
    if (found == live_.end() || !found->second.submitting || found->second.alone) continue;
    if (!first && is_named_by_number(found->second.request)) first = &found->second;
    if (!first || !are_alike(first->request, found->second.request)) continue;
    array.runs.push_back(run);
    if (array.runs.size() == kMostInArray) break;
  }
  if (array.runs.size() < 2) return false;
  array.base = *std::min_element(array.runs.begin(), array.runs.end());
  array.job = job_of(*first);
  array.job.name = job_name(first->request, std::to_string(array.base) + "+");
  array.job.directory = first->request.directory.parent_path();
  const auto words = system_->submit_array(array);
  arrays_ = !words.empty();
  if (!arrays_) return false;
  std::vector<std::pair<RunId, int>> runs;
  for (const RunId run : array.runs) runs.emplace_back(run, first->request.attempt);
  auto started = run_command(words, [this, runs, base = array.base](const CommandOutput& output) {
    take_array(runs, base, output);
  });
  if (!started) {
    defer_waiting(of_all_runs(started.error()));
    return true;
  }
  ++submitting_;
  std::erase_if(submissions_, [&](RunId run) {
    return std::find(array.runs.begin(), array.runs.end(), run) != array.runs.end();
  });
  return true;
}

void BatchTarget::submit(RunId run) {
  Live& live = live_.at(run);
  const int attempt = live.request.attempt;
  const auto words = system_->submit(job_of(live));
  if (!words) {
    live.submitting = false;
    return refuse(live, words.error());
  }
  auto started = run_command(*words, [this, run, attempt](const CommandOutput& output) {
    take_submission(run, attempt, output);
  });
  if (started) {
    ++submitting_;
    return;
  }
  live.submitting = false;
  refuse(live, of_all_runs(started.error()));
}

void BatchTarget::take_submission(RunId run, int attempt, const CommandOutput& output) {
  --submitting_;
  const auto job = system_->submitted(output);
  take_job(run, attempt, job);
  if (!job && passes_by_itself(job.error().kind)) defer_waiting(job.error());
}

// An array that is refused may be too large for a limit, so that each is tried alone then. Where it has got there all the
// same, claims keep its jobs from starting what others have started.
void BatchTarget::take_array(const std::vector<std::pair<RunId, int>>& runs, RunId base,
                             const CommandOutput& output) {
  --submitting_;
  const auto job = system_->submitted(output);
  if (job) {
    for (const auto& [run, attempt] : runs)
      take_job(run, attempt, *job + "_" + std::to_string(run - base));
    return;
  }
  arrays_ = arrays_ && passes_by_itself(job.error().kind);
  for (auto each = runs.rbegin(); each != runs.rend(); ++each) {
    const auto found = live_.find(each->first);
    if (found == live_.end() || found->second.request.attempt != each->second) continue;
    found->second.alone = true;
    submissions_.push_front(each->first);
  }
}

// What has kept one from being submitted keeps the others, too, for a while.
void BatchTarget::defer_waiting(const Error& error) {
  for (const RunId run : submissions_) {
    const auto found = live_.find(run);
    if (found == live_.end() || !found->second.submitting) continue;
    found->second.submitting = false;
    refuse(found->second, error);
  }
  submissions_.clear();
}

void BatchTarget::take_job(RunId run, int attempt, const Result<std::string>& job) {
  const auto found = live_.find(run);
  if (found == live_.end() || found->second.request.attempt != attempt) {
    // It was cancelled meanwhile, and its claim taken away: a job that starts nothing.
    if (job) to_cancel_.insert(*job);
    return;
  }
  Live& live = found->second;
  live.submitting = false;
  live.known = clock_->now();
  next_ask_ = std::min(next_ask_, live.known + timing_.poll);
  if (job) {
    live.job = *job;
    live.accepted = true;
    notes_.push_back(RunAccepted{run, attempt, *job});
    return;
  }
  // It may have got there all the same. If so, its supervisor has the claim, or finds none any more.
  refuse(live, job.error());
}

void BatchTarget::refuse(Live& live, const Error& error) {
  const RunRequest& request = live.request;
  if (lies_outside(error.kind)) {
    live.never = RunDeferred{request.run, request.attempt, error};
  } else {
    RunExited exited{request.run, request.attempt};
    exited.not_started = true;
    exited.note = error.what;
    live.never = std::move(exited);
  }
  next_look_ = Time{};
}

Result<std::shared_ptr<ComputeTarget>> make_batch_target(
    Result<std::unique_ptr<BatchSystem>> system, std::chrono::milliseconds poll,
    const LocalTargetOptions& runs, std::shared_ptr<Clock> clock) {
  if (!system) return system.error();
  BatchTiming timing;
  timing.poll = poll;
  auto target = BatchTarget::make(*std::move(system), runs, std::move(clock), timing);
  if (!target) return target.error();
  return std::shared_ptr<ComputeTarget>(*std::move(target));
}

}  // namespace hdrive::compute
