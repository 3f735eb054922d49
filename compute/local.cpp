// SPDX-License-Identifier: Apache-2.0
//
// The local target: starting runs, finding them again, cancelling them; local_wait.cpp follows
// them. Each run has a supervisor (compute/supervisor); this side prepares its directory, starts
// it, follows its metrics and waits for its end. One epoll set: a pidfd for each supervisor, one
// inotify, one pipe on which supervisors tell that their program runs, and an eventfd for the stop
// token.
#include "compute/local.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "compute/distribution.h"
#include "compute/embedded.h"
#include "compute/limits.h"
#include "compute/local_watch.h"
#include "compute/orphans.h"
#include "compute/process_identity.h"
#include "compute/run_directory.h"
#include "compute/run_environment.h"
#include "compute/supervisor/protocol.h"

extern char** environ;

namespace hdrive::compute {
namespace {

std::string place(const RunRequest& request) { return "run " + std::to_string(request.run); }

// What fails for want of descriptors, processes or memory says what may be done about it.
Error advise(Error error) {
  if (error.kind == Error::Kind::no_resources)
    error.what += "; raise the limits (ulimit -n, ulimit -u), or run fewer at once";
  return error;
}

// A program is given its arguments and variables as texts that end with the first zero byte.
Result<void> check_for_zero_bytes(const RunRequest& request) {
  const auto fault = [&](const std::string& what) {
    return Error{
        place(request),
        what + " holds a zero byte, of which no program would see more than what is before it",
        Error::Kind::invalid};
  };
  for (std::size_t i = 0; i < request.arguments.size(); ++i)
    if (request.arguments[i].find('\0') != std::string::npos)
      return fault("its argument " + std::to_string(i));
  for (const auto& [name, value] : request.environment)
    if ((name + value).find('\0') != std::string::npos)
      return fault("its variable " + base::json_string(name));
  return {};
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

std::string milliseconds(std::chrono::milliseconds time) { return std::to_string(time.count()); }

}  // namespace

Result<std::shared_ptr<LocalTarget>> LocalTarget::make(const LocalTargetOptions& options,
                                                       std::shared_ptr<Clock> clock,
                                                       bool use_inotify, bool from_memory) {
  auto patterns = OutputPatterns::make(options.metric_patterns, options.primary_metric);
  if (!patterns) return patterns.error();
  auto devices = DevicePool::make(options.devices, allowed_cpus());
  if (!devices) return devices.error();
  auto here = look_around();
  if (!here) return here.error();
  std::shared_ptr<LocalTarget> target(new LocalTarget(
      options, std::move(clock), *std::move(patterns), *std::move(devices), from_memory));
  target->here_ = *std::move(here);
  target->file_limit_ = raise_limits();
  if (auto ready = target->open_descriptors(use_inotify); !ready) return ready.error();
  return target;
}

LocalTarget::LocalTarget(const LocalTargetOptions& options, std::shared_ptr<Clock> clock,
                         OutputPatterns patterns, DevicePool devices, bool from_memory)
    : options_(options),
      clock_(std::move(clock)),
      patterns_(std::move(patterns)),
      devices_(std::move(devices)),
      launcher_(from_memory, devices_.most_locks()),
      claim_(protocol::kClaimPrefix + std::to_string(::getpid()) + "-" +
             std::to_string(clock_->now().time_since_epoch().count())) {}

Result<void> LocalTarget::open_descriptors(bool use_inotify) {
  int ends[2] = {-1, -1};
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  bool ready = epoll_ && wake_ && ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
  pipe_read_.reset(ends[0]);
  pipe_write_.reset(ends[1]);
  // Without inotify (its limits are per user, and others use it too) files are polled.
  if (ready && use_inotify) inotify_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ready = ready && watch(pipe_read_, kPipeMark) && watch(wake_, kWakeMark);
  if (!ready) return advise(base::system_error("", "prepare to watch processes", errno));
  if (inotify_ && !watch(inotify_, kInotifyMark)) inotify_.reset();
  return {};
}

bool LocalTarget::watch(const base::UniqueFd& fd, std::uint64_t mark) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = mark;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0;
}

void LocalTarget::share(SharedRuns shared) {
  spares_.keep_in(shared.spares);
  shared_ = std::move(shared);
}

std::optional<TargetCapacity> LocalTarget::capacity() const {
  const int descriptors = patterns_.empty() ? 2 : 3;  // its supervisor, its metrics, its stdout
  const auto here = capacity_of_this_process(static_cast<std::int64_t>(live_.size()), descriptors);
  const auto devices = devices_.capacity();
  return here && (!devices || here->runs < devices->runs) ? here : devices;
}

// ---- starting -----------------------------------------------------------------------------------

// Processes are told from others by their run directory's name, so a directory has only one.
Result<RunRequest> LocalTarget::complete(const RunRequest& request) {
  if (request.arguments.empty())
    return Error{place(request), "there is no program to start; give a command",
                 Error::Kind::invalid};
  if (live_.contains(request.run)) return Error{place(request), "it is running already"};
  RunRequest result = request;
  if (options_.environment)
    for (auto& variable : options_.environment(request))
      result.environment.push_back(std::move(variable));
  std::error_code error;
  const auto directory = std::filesystem::absolute(request.directory, error).lexically_normal();
  if (directory.parent_path() != given_parent_) {
    given_parent_ = directory.parent_path();
    real_parent_ = std::filesystem::weakly_canonical(given_parent_, error);
    if (error) real_parent_ = given_parent_;
  }
  result.directory = real_parent_ / directory.filename();
  result.working_directory = std::filesystem::absolute(
      request.working_directory.empty() ? "." : request.working_directory, error);
  result.working_directory = result.working_directory.lexically_normal();
  if (!result.workspace.snapshot.empty()) result.working_directory = work_folder(result.directory);
  return result;
}

Result<std::filesystem::path> LocalTarget::python_path(const RunRequest& request) {
  const auto directory = request.directory.parent_path() / ".python";
  if (directory == python_path_) return directory;
  if (auto made = install_run_modules(directory); !made) return made.error();
  return python_path_ = directory;
}

Result<void> LocalTarget::start(const RunRequest& incomplete) {
  living_.reset();
  auto request = complete(incomplete);
  if (!request) return request.error();
  if (auto sound = check_for_zero_bytes(*request); !sound) return sound;
  const auto share = devices_.take(request->run);
  if (!share) return compute::of_all_runs(share.error());
  request->gpus = share->gpus;
  request->cpus = share->cpus;
  const RunId run = request->run;
  auto started = start_with(*std::move(request), *share);
  if (!started) devices_.release(run);
  return started;
}

Result<void> LocalTarget::start_with(RunRequest request, const DeviceShare& share) {
  auto python = python_path(request);
  if (!python) return advise(compute::of_all_runs(python.error()));
  auto files = prepare_run_directory(request, !patterns_.empty(), claim_, spares_);
  if (!files) return advise(files.error());
  if (shared_.mlflow) {
    auto mlflow = make_mlflow_metrics(request.directory);
    if (!mlflow) discard(request);
    if (!mlflow) return advise(mlflow.error());
    files->mlflow = *std::move(mlflow);
  }
  EventFiles events;
  if (options_.tensorboard_metrics) events = EventFiles::begin(request.directory);
  if (auto made = make_work(request); !made) {
    discard(request);
    return advise(made.error());
  }
  if (shared_.permit && !shared_.permit(request)) {
    discard(request);
    return Error{place(request), "it was taken back before it began", Error::Kind::busy};
  }
  const auto pid = launch(request, *python, share, memory_group(request));
  if (!pid) {
    memory_.remove(MemoryGroups::name_of(request));
    discard(request);
    Error error = advise(pid.error());
    error.where = place(request);
    return error;
  }
  // Without a descriptor for it (none is left) it is looked at now and then.
  base::UniqueFd process = open_process(*pid);
  const RunId run = request.run;
  Live& live = follow(std::move(request), *std::move(files), std::move(process), *pid);
  live.child = true;
  live.ended = false;
  live.events = std::move(events);
  enqueue(run, live);
  return {};
}

Result<void> LocalTarget::make_work(const RunRequest& request) {
  if (request.workspace.snapshot.empty()) return {};
  set_work_aside(request);
  auto made = folders_.make(request.workspace, request.working_directory);
  for (std::string& note : folders_.take_notes())
    notes_.push_back(TargetNote{request.run, std::move(note)});
  if (!made) return compute::of_all_runs(made.error());
  return made;
}

// An attempt begins in a folder as new as the first's. That of the attempt before goes where its
// files went.
void LocalTarget::set_work_aside(const RunRequest& request) {
  const auto aside =
      request.directory / ("attempt-" + std::to_string(request.attempt - 1)) / "work";
  std::error_code error;
  if (request.workspace.keep != KeepWork::never)
    std::filesystem::rename(request.working_directory, aside, error);
  folders_.remove(request.working_directory);
}

void LocalTarget::discard(const RunRequest& request) {
  folders_.remove(work_folder(request.directory));
  discard_attempt(request.directory, claim_);
}

// Empty: its memory is not limited.
std::filesystem::path LocalTarget::memory_group(const RunRequest& request) {
  if (request.resources.memory == 0) return {};
  auto made = memory_.make(MemoryGroups::name_of(request), request.resources.memory);
  if (made) return *std::move(made);
  if (!std::exchange(unlimited_told_, true))
    notes_.push_back(TargetNote{
        std::nullopt, "the memory of the runs is not limited, though resources asks for it: " +
                          made.error().what});
  return {};
}

Result<pid_t> LocalTarget::launch(const RunRequest& request, const std::filesystem::path& python,
                                  const DeviceShare& share,
                                  const std::filesystem::path& memory_group) {
  std::vector<std::string> arguments = {protocol::kSupervisorName,
                                        std::to_string(request.run),
                                        request.directory.native(),
                                        std::to_string(request.attempt),
                                        here_.boot_id,
                                        request.working_directory.native(),
                                        milliseconds(request.cancel_grace),
                                        milliseconds(request.time_limit),
                                        std::to_string(file_limit_),
                                        std::to_string(share.locks.size()),
                                        milliseconds(shared_.beat),
                                        "0",
                                        lease_.native(),
                                        memory_group.native(),
                                        claim_,
                                        plan_text(request)};
  arguments.insert(arguments.end(), request.arguments.begin(), request.arguments.end());
  std::vector<int> locks;
  for (const auto& lock : share.locks) locks.push_back(lock->get());
  return launcher_.start(arguments,
                         run_environment(request, environ, python, options_.command_path),
                         pipe_write_.get(), request.directory.parent_path(), locks, share.cpus);
}

// From here on `wait` tells of the run. Without a `process` it has ended.
LocalTarget::Live& LocalTarget::follow(RunRequest request, RunFiles files, base::UniqueFd process,
                                       pid_t supervisor) {
  const RunId run = request.run;
  Live& live = live_[run];
  const std::string directory = request.directory.native();
  bool watched = process && watch(process, static_cast<std::uint64_t>(run));
  if (files.metrics) live.metrics_watch = add_watch(run, directory + "/metrics.jsonl");
  if (files.output) live.output_watch = add_watch(run, directory + "/stdout.log");
  watched = watched && (!files.metrics || live.metrics_watch >= 0) &&
            (!files.output || live.output_watch >= 0);
  if (!watched) polled_.insert(run);
  for (std::string& fault : files.faults) notes_.push_back(TargetNote{run, std::move(fault)});
  live.intake = Intake(run, request.attempt, std::move(files.metrics), std::move(files.output),
                       position_from(request.cursor).value_or(IntakePosition{}), &patterns_);
  live.intake.take_mlflow(std::move(files.mlflow));
  live.intake.look_at_the_end_for(request.directory / "metrics.jsonl");
  live.request = std::move(request);
  live.supervisor = supervisor;
  live.process = std::move(process);
  live.ended = !live.process;
  return live;
}

int LocalTarget::add_watch(RunId run, const std::string& path) {
  const int watch = inotify_ ? ::inotify_add_watch(inotify_.get(), path.c_str(), IN_MODIFY) : -1;
  if (watch >= 0) watched_[watch] = run;
  return watch;
}

void LocalTarget::remove_watch(int watch) {
  if (watch < 0) return;
  ::inotify_rm_watch(inotify_.get(), watch);
  watched_.erase(watch);
}

// Its supervisor may have been killed alone. The run may be tried again, in the same directory:
// what is left of this attempt must not go on writing there. Nothing is started between two runs
// that are attached, so one look at all processes is enough for all of them.
Result<bool> LocalTarget::left_something(const std::filesystem::path& directory) {
  if (!living_) {
    auto living = directories_of_living();
    if (!living) return living.error();
    living_ = *std::move(living);
  }
  const auto found = living_->find(directory.native());
  if (found == living_->end()) return false;
  // A supervisor whose claim was revoked ends by itself, and no program of this attempt ever ran: before one
  // does, its supervisor makes the file for its errors.
  return found->second == Inhabitants::programs ||
         ::access((directory / "stderr.log").c_str(), F_OK) == 0;
}

Result<void> LocalTarget::adopt(std::span<const RunRequest> requests) {
  for (const RunRequest& request : requests) {
    const auto found = attach(request);
    if (!found) return Error{place(request), found.error().message(), found.error().kind};
    if (*found == Found::nothing) notes_.push_back(RunNotFound{request.run, request.attempt});
  }
  return {};
}

Result<LocalTarget::Found> LocalTarget::attach(const RunRequest& incomplete) {
  auto request = complete(incomplete);
  if (!request) return request.error();
  const auto& directory = request->directory;
  if (auto revoked = revoke_claims(directory); !revoked) return advise(revoked.error());
  const auto record = read_supervisor_record(directory);
  if (!record) return advise(record.error());
  const auto end = read_exit_record(directory);
  if (!end) return advise(end.error());
  const bool recorded = *record && (*record)->attempt == request->attempt;
  const bool exited = *end && (*end)->attempt == request->attempt;
  base::UniqueFd process;
  if (recorded) {
    auto found = find_supervisor(**record, directory, here_);
    // Where it cannot be seen from here (a container that is gone), the end that it told is
    // believed.
    const bool believed = exited && !found && found.error().kind == Error::Kind::not_allowed;
    if (!found && !believed) return advise(found.error());
    if (found) process = *std::move(found);
  }
  if (!process && !recorded && !exited) {
    const auto left = left_something(directory);
    if (!left) return advise(left.error());
    if (!*left) return Found::nothing;
  }
  auto files = open_run_files(directory, !patterns_.empty());
  if (!files) return advise(files.error());
  const RunId run = request->run;
  devices_.adopt(run, recorded_devices(directory));
  const auto pid = static_cast<pid_t>(recorded ? (*record)->pid : 0);
  Live& live = follow(*std::move(request), *std::move(files), std::move(process), pid);
  if (options_.tensorboard_metrics) {
    live.events = EventFiles::resume(live.request.directory);
    live.look_for_events = true;
  }
  if (recorded) live.program = (*record)->program_pid;
  if (recorded) live.since = (*record)->start_time;
  enqueue(run, live);
  return Found::something;
}

// ---- cancelling ---------------------------------------------------------------------------------

void LocalTarget::cancel(RunId run, CancelMode mode) {
  const auto found = live_.find(run);
  if (found == live_.end()) return;
  found->second.impatient = found->second.impatient || mode == CancelMode::kill;
  if (found->second.ended) return;
  send(found->second, mode == CancelMode::kill ? SIGUSR1 : SIGTERM);
  send(found->second, SIGCONT);  // one that was stopped hears nothing
}

void LocalTarget::send(const Live& live, int number) {
  if (live.process)
    send_signal(live.process, number);
  else if (live.child)
    ::kill(live.supervisor, number);  // it was not reaped, so the pid is still its own
}

}  // namespace hdrive::compute

namespace hdrive {

Result<std::shared_ptr<ComputeTarget>> make_local_target(const LocalTargetOptions& options,
                                                         std::shared_ptr<Clock> clock) {
  auto target = compute::LocalTarget::make(options, std::move(clock));
  if (!target) return target.error();
  return std::shared_ptr<ComputeTarget>(*std::move(target));
}

}  // namespace hdrive
