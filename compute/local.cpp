// SPDX-License-Identifier: Apache-2.0
//
// The local target. Each run has a supervisor (compute/supervisor); this side prepares its directory,
// starts it, follows its metrics and waits for its end. One epoll set: a pidfd for each supervisor, one
// inotify, one pipe on which supervisors tell that their program runs, and an eventfd for the stop token.
#include "compute/local.h"

#include <fcntl.h>
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

#include "compute/embedded.h"
#include "compute/process_identity.h"
#include "compute/run_directory.h"
#include "compute/run_end.h"
#include "compute/supervisor/protocol.h"

extern char** environ;

namespace hdrive::compute {
namespace {

// epoll's marks for what is not a run.
constexpr std::uint64_t kPipeMark = ~0ULL, kInotifyMark = ~1ULL, kWakeMark = ~2ULL;

// How often files are looked at without being told to: where inotify works, only for what it does not
// see (mapped memory, a lost event); where it does not, to be in time for the policy.
constexpr Duration kWatchedInterval = std::chrono::seconds{1};
constexpr Duration kUnwatchedInterval = std::chrono::milliseconds{25};
constexpr Duration kLongestSleep = std::chrono::hours{1};

std::string place(const RunRequest& request) { return "run " + std::to_string(request.run); }

std::string milliseconds(std::chrono::milliseconds time) { return std::to_string(time.count()); }

}  // namespace

Result<std::shared_ptr<LocalTarget>> LocalTarget::make(const LocalTargetOptions& options,
                                                       std::shared_ptr<Clock> clock,
                                                       bool use_inotify, bool from_memory) {
  auto patterns = OutputPatterns::make(options.metric_patterns, options.primary_metric);
  if (!patterns) return patterns.error();
  std::shared_ptr<LocalTarget> target(
      new LocalTarget(options, std::move(clock), *std::move(patterns), from_memory));
  if (auto ready = target->open_descriptors(use_inotify); !ready) return ready.error();
  return target;
}

LocalTarget::LocalTarget(const LocalTargetOptions& options, std::shared_ptr<Clock> clock,
                         OutputPatterns patterns, bool from_memory)
    : options_(options),
      clock_(std::move(clock)),
      patterns_(std::move(patterns)),
      launcher_(from_memory),
      boot_id_(compute::boot_id()),
      claim_(protocol::kClaimPrefix + std::to_string(::getpid()) + "-" +
             std::to_string(clock_->now().time_since_epoch().count())) {}

Result<void> LocalTarget::open_descriptors(bool use_inotify) {
  int ends[2] = {-1, -1};
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !wake_ || ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return Error{"", std::string("cannot prepare to watch processes: ") + std::strerror(errno)};
  pipe_read_.reset(ends[0]);
  pipe_write_.reset(ends[1]);
  // Without inotify (its limits are per user, and others use it too) files are polled.
  if (use_inotify) inotify_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  watch(pipe_read_, kPipeMark);
  watch(wake_, kWakeMark);
  if (inotify_) watch(inotify_, kInotifyMark);
  return {};
}

void LocalTarget::watch(const base::UniqueFd& fd, std::uint64_t mark) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = mark;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event);
}

// ---- starting -----------------------------------------------------------------------------------

// Processes are told from others by their run directory's name, so a directory has only one.
Result<RunRequest> LocalTarget::complete(const RunRequest& request) {
  if (request.arguments.empty())
    return Error{place(request), "there is no program to start; give a command"};
  if (live_.contains(request.run)) return Error{place(request), "it is running already"};
  RunRequest result = request;
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
  return result;
}

Result<std::filesystem::path> LocalTarget::python_path(const RunRequest& request) {
  const auto directory = request.directory.parent_path() / ".python";
  if (directory == python_path_) return directory;
  if (auto made = install_run_module(directory); !made) return made.error();
  return python_path_ = directory;
}

Result<void> LocalTarget::start(const RunRequest& incomplete) {
  auto request = complete(incomplete);
  if (!request) return request.error();
  auto python = python_path(*request);
  if (!python) return python.error();
  auto files = prepare_run_directory(*request, !patterns_.empty(), claim_);
  if (!files) return files.error();

  std::vector<std::string> arguments = {"hdrive-run",
                                        std::to_string(request->run),
                                        request->directory.native(),
                                        std::to_string(request->attempt),
                                        boot_id_,
                                        request->working_directory.native(),
                                        milliseconds(request->cancel_grace),
                                        milliseconds(request->time_limit),
                                        claim_};
  arguments.insert(arguments.end(), request->arguments.begin(), request->arguments.end());
  auto pid =
      launcher_.start(arguments, run_environment(*request, environ, *python, options_.command_path),
                      pipe_write_.get(), request->directory.parent_path());
  if (!pid) return Error{place(*request), pid.error().message()};
  base::UniqueFd process = open_process(*pid);
  if (!process && errno != ESRCH) return give_up(*request, *pid, errno);
  follow(*std::move(request), *std::move(files), std::move(process), *pid).child = true;
  return {};
}

// A run that cannot be watched is ended again. Its supervisor is a child that was not reaped, so that the
// pid is still its own.
Error LocalTarget::give_up(const RunRequest& request, pid_t supervisor, int error) {
  ::kill(supervisor, SIGUSR1);
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(supervisor), &info, WEXITED) != 0 && errno == EINTR) {
  }
  std::string what = std::string("cannot watch its process: ") + std::strerror(error);
  if (error == EMFILE) what += "; raise the limit with ulimit -n, or run fewer at once";
  if (error == ENOSYS) what += "; Linux 5.3 or later is needed";
  return {place(request), what};
}

// From here on `wait` tells of the run. Without a `process` it has ended.
LocalTarget::Live& LocalTarget::follow(RunRequest request, RunFiles files, base::UniqueFd process,
                                       pid_t supervisor) {
  const RunId run = request.run;
  Live& live = live_[run];
  const std::string directory = request.directory.native();
  live.metrics_watch = add_watch(run, directory + "/metrics.jsonl");
  if (files.output) live.output_watch = add_watch(run, directory + "/stdout.log");
  live.intake = Intake(run, request.attempt, std::move(files.metrics), std::move(files.output),
                       request.position, &patterns_, &faults_told_);
  live.request = std::move(request);
  live.supervisor = supervisor;
  live.process = std::move(process);
  live.ended = !live.process;
  if (live.process) watch(live.process, static_cast<std::uint64_t>(run));
  enqueue(run, live);
  return live;
}

int LocalTarget::add_watch(RunId run, const std::string& path) {
  const int watch = inotify_ ? ::inotify_add_watch(inotify_.get(), path.c_str(), IN_MODIFY) : -1;
  if (watch >= 0)
    watched_[watch] = run;
  else
    ++unwatched_;
  return watch;
}

void LocalTarget::remove_watch(int watch) {
  if (watch < 0) {
    --unwatched_;
    return;
  }
  ::inotify_rm_watch(inotify_.get(), watch);
  watched_.erase(watch);
}

Result<AttachOutcome> LocalTarget::attach(const RunRequest& incomplete) {
  auto request = complete(incomplete);
  if (!request) return request.error();
  const auto& directory = request->directory;
  revoke_claims(directory);
  const auto supervisor = read_supervisor_record(directory);
  const bool recorded = supervisor && supervisor->attempt == request->attempt;
  base::UniqueFd process;
  if (recorded) process = find_supervisor(*supervisor, boot_id_);
  if (!process) {
    const auto end = read_exit_record(directory);
    if (!end || end->attempt != request->attempt) {
      // Its supervisor may have been killed alone. The run may be tried again, in the same directory: what
      // is left of this attempt must not go on writing there.
      end_orphans(directory, 0);
      return AttachOutcome::gone;
    }
  }
  auto files = open_run_files(directory, !patterns_.empty());
  if (!files) return files.error();
  const auto pid = static_cast<pid_t>(recorded ? supervisor->pid : 0);
  Live& live = follow(*std::move(request), *std::move(files), std::move(process), pid);
  if (recorded) live.program = supervisor->program_pid;
  if (recorded) live.since = supervisor->start_time;
  return AttachOutcome::attached;
}

// ---- cancelling ---------------------------------------------------------------------------------

void LocalTarget::cancel(RunId run, CancelMode mode) {
  const auto found = live_.find(run);
  if (found == live_.end() || found->second.ended) return;
  const int signal = mode == CancelMode::kill ? SIGUSR1 : SIGTERM;
  send_signal(found->second.process, signal);
  send_signal(found->second.process, SIGCONT);  // one that was stopped hears nothing
}

// ---- waiting ------------------------------------------------------------------------------------

void LocalTarget::wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) {
  const std::stop_callback wake(stop, [this] {
    const std::uint64_t one = 1;
    if (::write(wake_.get(), &one, sizeof one) < 0) return;  // full: it wakes already
  });
  const std::size_t from = events.size();
  while (true) {
    Time now = clock_->now();
    const bool busy = !queue_.empty() || stop.stop_requested();
    look(busy ? Duration{0} : std::clamp(next_moment(deadline) - now, Duration{0}, kLongestSleep),
         events);
    now = clock_->now();
    if (now >= next_poll_) poll_files(now);
    tell(events);
    if (events.size() > from || stop.stop_requested() || now >= deadline) return;
  }
}

Time LocalTarget::next_moment(Time deadline) const {
  return live_.empty() ? deadline : std::min(deadline, next_poll_);
}

// Asks the kernel what happened, for at most `longest`.
void LocalTarget::look(Duration longest, std::vector<TargetEvent>& events) {
  constexpr int kMostEvents = 256;
  epoll_event happened[kMostEvents];
  // Rounded up: waking before the moment would only mean to ask again.
  const auto timeout = static_cast<int>((longest.count() + 999) / 1000);
  const int count = ::epoll_wait(epoll_.get(), happened, kMostEvents, timeout);
  if (count <= 0) return;
  // Always first, as a run begins before anything else of it is told.
  take_began(events);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t mark = happened[i].data.u64;
    if (mark == kInotifyMark) {
      take_modified();
    } else if (mark == kWakeMark) {
      std::uint64_t ignored = 0;
      if (::read(wake_.get(), &ignored, sizeof ignored) < 0) continue;
    } else if (mark != kPipeMark) {
      const auto found = live_.find(static_cast<RunId>(mark));
      if (found == live_.end()) continue;
      found->second.ended = true;
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.process.get(), nullptr);
      enqueue(found->first, found->second);
    }
  }
}

void LocalTarget::take_began(std::vector<TargetEvent>& events) {
  protocol::Began began[256];
  while (true) {
    const ssize_t bytes = ::read(pipe_read_.get(), began, sizeof began);
    if (bytes <= 0) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(bytes) / sizeof began[0]; ++i) {
      const auto found = live_.find(began[i].run);
      if (found == live_.end() || found->second.request.attempt != began[i].attempt) continue;
      found->second.program = began[i].pid;
      tell_began(found->second, events);
      enqueue(found->first, found->second);
    }
  }
}

void LocalTarget::tell_began(Live& live, std::vector<TargetEvent>& events) {
  if (std::exchange(live.began, true)) return;
  RunBegan began{live.request.run, live.request.attempt, live.program};
  if (live.since > 0 && !live.ended) began.ran = age_of(live.since);
  events.push_back(began);
}

void LocalTarget::take_modified() {
  alignas(inotify_event) char buffer[16384];
  while (true) {
    const ssize_t bytes = ::read(inotify_.get(), buffer, sizeof buffer);
    if (bytes <= 0) return;
    for (ssize_t at = 0; at < bytes;) {
      inotify_event event;
      std::memcpy(&event, buffer + at, sizeof event);
      at += static_cast<ssize_t>(sizeof event + event.len);
      if (event.mask & IN_Q_OVERFLOW) next_poll_ = Time{};  // events were lost: look at all files
      const auto run = watched_.find(event.wd);
      if (run == watched_.end()) continue;
      const auto found = live_.find(run->second);
      if (found != live_.end()) enqueue(found->first, found->second);
    }
  }
}

void LocalTarget::poll_files(Time now) {
  for (auto& [run, live] : live_) enqueue(run, live);
  next_poll_ = now + (unwatched_ > 0 ? kUnwatchedInterval : kWatchedInterval);
  if (now >= next_care_) wake_stopped_supervisors(now);
}

// A supervisor that somebody stopped would never say how its run ended.
void LocalTarget::wake_stopped_supervisors(Time now) {
  next_care_ = now + kWatchedInterval;
  for (const auto& [run, live] : live_)
    if (!live.ended && is_stopped(live.supervisor)) send_signal(live.process, SIGCONT);
}

void LocalTarget::enqueue(RunId run, Live& live) {
  if (!std::exchange(live.queued, true)) queue_.push_back(run);
}

// Tells what the queued runs have, a slice of each in turn, until the budget of the call is spent.
void LocalTarget::tell(std::vector<TargetEvent>& events) {
  IntakeBudget budget;
  while (!queue_.empty() && !budget.spent()) {
    const RunId run = queue_.front();
    queue_.pop_front();
    const auto found = live_.find(run);
    if (found == live_.end()) continue;
    Live& live = found->second;
    live.queued = false;
    if (!live.began && !live.child) look_for_program(live);
    if (!live.began && live.program != 0) tell_began(live, events);  // attached
    // Its program may write before its supervisor's word arrives, which comes in any case.
    if (!live.began && !live.ended) continue;
    if (live.ended && !live.began) begin_late(live, events);
    if (!live.intake.read(buffer_, budget, live.ended, events))
      enqueue(run, live);
    else if (live.ended)
      finish(run, events);
  }
}

// The supervisor of an attached run may have had no program yet; it tells another engine, or none.
void LocalTarget::look_for_program(Live& live) {
  if (live.program != 0) return;
  const auto record = read_supervisor_record(live.request.directory);
  if (record && record->attempt == live.request.attempt) live.program = record->program_pid;
}

// The word got lost (the pipe was full, or another engine got it): the end says it too.
void LocalTarget::begin_late(Live& live, std::vector<TargetEvent>& events) {
  const auto record = read_exit_record(live.request.directory);
  if (record && record->attempt == live.request.attempt) live.program = record->pid;
  if (live.program != 0) tell_began(live, events);
}

// The supervisor is dead and all metrics are told.
void LocalTarget::finish(RunId run, std::vector<TargetEvent>& events) {
  auto node = live_.extract(run);
  Live& live = node.mapped();
  live.intake.close(events);
  remove_watch(live.metrics_watch);
  if (!patterns_.empty()) remove_watch(live.output_watch);
  const auto record = read_exit_record(live.request.directory);
  if (record && record->attempt == live.request.attempt) {
    reap(live);
    RunExited end = describe_exit(*record, live.request, options_.stderr_tail_lines);
    events.emplace_back(std::move(end));
    return;
  }
  // Orphans are looked for before it is reaped: until then its session's number is taken.
  const int orphans = end_orphans(live.request.directory, live.child ? live.supervisor : 0);
  RunVanished lost{run, live.request.attempt, reap(live)};
  if (orphans < 0) lost.note += "; some of its processes could not be ended";
  events.push_back(std::move(lost));
}

// Returns what became of the supervisor, in words.
std::string LocalTarget::reap(const Live& live) {
  siginfo_t info{};
  const auto pid = static_cast<id_t>(live.supervisor);
  if (pid <= 1 || ::waitid(P_PID, pid, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
    return "its supervisor is gone and left no exit.json";
  if (info.si_code != CLD_EXITED)
    return "its supervisor was killed by signal " + std::to_string(info.si_status);
  if (info.si_status == protocol::kNoDirectory)
    return "its supervisor could not enter " + live.request.directory.string();
  if (info.si_status == protocol::kNoClaim)
    return "its supervisor could not take it over: another engine has, or supervisor.json could "
           "not "
           "be written";
  if (info.si_status == protocol::kNoRecord)
    return "its supervisor could not write exit.json to " + live.request.directory.string() +
           "; is the disk full?";
  return "its supervisor ended with status " + std::to_string(info.si_status) +
         " and left no exit.json";
}

}  // namespace hdrive::compute

namespace hdrive {

Result<std::shared_ptr<ComputeTarget>> make_local_target(const LocalTargetOptions& options,
                                                         std::shared_ptr<Clock> clock) {
  auto target = compute::LocalTarget::make(options, std::move(clock));
  if (!target) return target.error();
  return std::shared_ptr<ComputeTarget>(*std::move(target));
}

Result<void> install_run_module(const std::filesystem::path& directory) {
  const auto file = directory / "hdrive_run.py";
  const std::string_view text = compute::embedded_run_module();
  if (const auto present = base::read_file(file); present && *present == text) return {};
  if (auto made = base::make_directories(directory); !made) return made.error();
  return base::write_file_atomically(file, text);
}

}  // namespace hdrive
