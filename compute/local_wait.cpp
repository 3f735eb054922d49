// SPDX-License-Identifier: Apache-2.0
//
// The local target, second half: what happens to runs. The kernel tells what it can (epoll); the
// rest is looked at now and then.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <utility>

#include "compute/local.h"
#include "compute/local_watch.h"
#include "compute/orphans.h"
#include "compute/run_end.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute {
namespace {

// How often runs are looked at without being told to: where the kernel tells, only for what it does
// not see (mapped memory, a lost event, a stopped supervisor); where it does not, to be in time for
// the policy.
constexpr Duration kWatchedInterval = std::chrono::seconds{1};
constexpr Duration kUnwatchedInterval = std::chrono::milliseconds{25};
constexpr Duration kLongestSleep = std::chrono::hours{1};
// Between two looks for what a killed supervisor left: SIGKILL takes its time on a busy machine.
constexpr Duration kFirstHuntPause = std::chrono::milliseconds{2};
constexpr Duration kLongestHuntPause = std::chrono::milliseconds{250};
// A process that is still there then waits for a device; it will never run again.
constexpr Duration kLongestHunt = std::chrono::seconds{10};
// How long an exit.json that may not be read is waited for.
constexpr Duration kRecordPatience = std::chrono::minutes{1};

// A run of at most this long costs as much in files as in work. Nobody has looked around in its folders, so
// that what it left as it was may serve the next.
constexpr Duration kBrief = std::chrono::seconds{1};

bool was_brief(const ExitRecord& record) {
  return record.started && record.ended && *record.ended >= *record.started &&
         *record.ended - *record.started <= kBrief && record.leftovers == 0;
}

// How long ago that was by the system's clock; nothing where that was set meanwhile, as it seems.
std::optional<Duration> lately(Time time) {
  constexpr Duration kMost = std::chrono::minutes{1};
  const Duration ago = make_steady_clock()->now() - time;
  return ago >= Duration{} && ago <= kMost ? std::optional(ago) : std::nullopt;
}

// How a child ended, which is not reaped for it; si_pid is 0 while it has not.
siginfo_t end_of(pid_t child) {
  siginfo_t info{};
  constexpr int kLookOnly = WEXITED | WNOHANG | WNOWAIT;
  if (::waitid(P_PID, static_cast<id_t>(child), &info, kLookOnly) != 0) info.si_pid = 0;
  return info;
}

bool has_exited(pid_t child) { return end_of(child).si_pid != 0; }

bool was_killed(pid_t child) {
  const siginfo_t info = end_of(child);
  return info.si_pid != 0 && info.si_code != CLD_EXITED;
}

// Whether the supervisor ended before it had begun, so that nothing of the run was ever started.
bool never_began(pid_t child) {
  const siginfo_t info = end_of(child);
  return info.si_pid != 0 && info.si_code == CLD_EXITED &&
         (info.si_status == protocol::kNoDirectory || info.si_status == protocol::kNoClaim ||
          info.si_status == protocol::kNoLease);
}

}  // namespace

void LocalTarget::wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) {
  const std::stop_callback wake(stop, [this] {
    const std::uint64_t one = 1;
    if (::write(wake_.get(), &one, sizeof one) < 0) return;  // full: it wakes already
  });
  const std::size_t from = events.size();
  living_.reset();
  while (true) {
    Time now = clock_->now();
    const bool busy = !queue_.empty() || !notes_.empty() || stop.stop_requested();
    look(busy ? Duration{0} : std::clamp(next_moment(deadline) - now, Duration{0}, kLongestSleep),
         events);
    now = clock_->now();
    if (now >= next_poll_) poll(now);
    if (!lost_.empty() && now >= next_hunt_) hunt(now, events);
    std::move(notes_.begin(), notes_.end(), std::back_inserter(events));
    notes_.clear();
    tell(events);
    if (events.size() > from || stop.stop_requested() || now >= deadline) return;
  }
}

Readiness LocalTarget::readiness() {
  const bool busy = !queue_.empty() || !notes_.empty();
  return {epoll_.get(), busy ? clock_->now() : next_moment(Time::max())};
}

Time LocalTarget::next_moment(Time deadline) const {
  if (!lost_.empty()) deadline = std::min(deadline, next_hunt_);
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
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.process.get(), nullptr);
      end(found->first, found->second);
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
      found->second.token = began[i].token;
      found->second.started = Time{Duration{began[i].started}};
      tell_began(found->second, events);
      enqueue(found->first, found->second);
    }
  }
}

void LocalTarget::tell_began(Live& live, std::vector<TargetEvent>& events) {
  if (std::exchange(live.began, true)) return;
  RunBegan began{live.request.run, live.request.attempt, live.program};
  if (live.since > 0 && !live.ended) began.ran = age_of(live.since);
  // The word may have waited here while the program ran, and even ended.
  if (live.started != Time{}) began.ran = lately(live.started);
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
      if (event.mask & IN_Q_OVERFLOW)
        next_poll_ = next_poll_of_all_ = Time{};  // some were lost: look at all
      const auto run = watched_.find(event.wd);
      if (run == watched_.end()) continue;
      const auto found = live_.find(run->second);
      if (found != live_.end()) enqueue(found->first, found->second);
    }
  }
}

// Its supervisor is dead.
void LocalTarget::end(RunId run, Live& live) {
  live.ended = true;
  live.look_for_events = static_cast<bool>(live.events);
  enqueue(run, live);
}

void LocalTarget::poll(Time now) {
  if (now >= next_poll_of_all_)
    poll_all(now);
  else
    for (const RunId run : polled_) poll_one(run, live_.at(run));
  next_poll_ = next_poll_of_all_;
  if (!polled_.empty()) next_poll_ = std::min(next_poll_, now + kUnwatchedInterval);
}

void LocalTarget::poll_one(RunId run, Live& live) {
  const bool over =
      live.process ? has_ended(live.process) : live.child && has_exited(live.supervisor);
  if (over && !live.ended) end(run, live);
  enqueue(run, live);
}

void LocalTarget::poll_all(Time now) {
  next_poll_of_all_ = now + kWatchedInterval;
  for (auto& [run, live] : live_) {
    // The word that its program runs may have got lost: the pipe holds some thousand.
    if (!live.began) look_for_program(live);
    // A supervisor that somebody stopped would never say how its run ended.
    if (!live.ended && is_stopped(live.supervisor)) send(live, SIGCONT);
    live.look_for_events = static_cast<bool>(live.events);
    poll_one(run, live);
  }
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
    if (live.lost) continue;
    if (!live.began && !live.child) look_for_program(live);
    if (!live.began && live.program != 0) tell_began(live, events);
    // Its program may write before its supervisor's word arrives, which comes in any case.
    if (!live.began && !live.ended) continue;
    if (live.ended && !live.began) begin_late(live, events);
    if (std::exchange(live.look_for_events, false)) take_events(live, events);
    // To open it is to ask the file server what another machine has written to it.
    if (shared_.mlflow) (void)base::open_regular(live.request.directory / kMlflowMetrics);
    if (!live.intake.read(buffer_, budget, live.ended, events))
      enqueue(run, live);
    else if (live.ended)
      finish(run, live, events);
  }
}

// The kernel is not asked to tell of event files: they lie in folders that come and go. They are looked
// at when all runs are, and when their run has ended.
void LocalTarget::take_events(Live& live, std::vector<TargetEvent>& events) {
  std::vector<std::string> faults;
  live.events.take_over(live.ended, faults);
  for (std::string& fault : faults)
    events.push_back(TargetNote{live.request.run, std::move(fault)});
}

// The supervisor of an attached run may have had no program yet; it tells another engine, or none.
void LocalTarget::look_for_program(Live& live) {
  if (live.program != 0) return;
  const auto record = read_supervisor_record(live.request.directory);
  if (record && *record && (*record)->attempt == live.request.attempt)
    live.program = (*record)->program_pid;
}

// The word got lost (the pipe was full, or another engine got it): the end says it too.
void LocalTarget::begin_late(Live& live, std::vector<TargetEvent>& events) {
  const auto record = read_exit_record(live.request.directory);
  if (record && *record && (*record)->attempt == live.request.attempt)
    live.program = (*record)->pid;
  if (live.program != 0) tell_began(live, events);
}

// ---- ends ---------------------------------------------------------------------------------------

// The supervisor is dead and all metrics are told.
void LocalTarget::finish(RunId run, Live& live, std::vector<TargetEvent>& events) {
  const auto record = read_exit_record(live.request.directory);
  if (!record && waits_for_record(live, record.error(), events)) return;
  const bool there = record && *record && (*record)->attempt == live.request.attempt;
  // What the program itself has written there says nothing. A supervisor that was killed before its
  // word came cannot have got as far as the end.
  const bool known = live.token || (live.child && was_killed(live.supervisor));
  const bool genuine = there && (!known || (live.token && (*record)->token == live.token));
  if (genuine)
    tell_exit(run, **record, events);
  else if (live.child && never_began(live.supervisor))
    tell_never_began(run, events);
  else
    lose(run, live);
}

// Its directory or what it may write there was taken away between the two. It is made again for the
// next try.
void LocalTarget::tell_never_began(RunId run, std::vector<TargetEvent>& events) {
  const Live live = take_out(run, events);
  Error why{"", reap(live), Error::Kind::not_found};
  discard(live.request);
  events.emplace_back(RunDeferred{run, live.request.attempt, std::move(why)});
}

// Descriptors and permissions may come back, and with them how the run ended.
bool LocalTarget::waits_for_record(Live& live, const Error& error,
                                   std::vector<TargetEvent>& events) {
  const Time now = clock_->now();
  if (live.impatient) return false;
  if (!live.unclear) {
    live.unclear = now;
    // The program may have taken the directory's permissions away.
    if (error.kind == Error::Kind::not_allowed &&
        ::chmod(live.request.directory.c_str(), 0700) == 0) {
      enqueue(live.request.run, live);
      return true;
    }
  }
  if (!std::exchange(live.unclear_told, true))
    events.push_back(
        TargetNote{live.request.run,
                   "it has ended, but how cannot be read; it is tried again: " + error.message()});
  return passes_by_itself(error.kind) || now < *live.unclear + kRecordPatience;
}

void LocalTarget::tell_exit(RunId run, const ExitRecord& record, std::vector<TargetEvent>& events) {
  const Live live = take_out(run, events);
  reap(live);
  RunExited exited = describe_exit(record, live.request, options_.stderr_tail_lines);
  tidy(live.request, record);
  if (record.lease_over) {
    events.emplace_back(
        RunVanished{run, exited.attempt,
                    "hdrive was out of its reach for longer than lost_after, and so it was ended"});
    return;
  }
  const Error::Kind kind = base::error_kind(record.error_number);
  if (exited.not_started && lies_outside(kind)) {
    discard_attempt(live.request.directory, "");
    events.emplace_back(RunDeferred{run, exited.attempt, Error{"", exited.note, kind}});
  } else {
    events.emplace_back(std::move(exited));
  }
}

// What a run that has ended leaves: what it made, and no more files than hold something.
void LocalTarget::tidy(const RunRequest& request, const ExitRecord& record) {
  const KeepWork keep = request.workspace.keep;
  const bool failed = record.exit_code != 0 && !record.canceled;
  const bool keeps_work = keep == KeepWork::always || (keep == KeepWork::failed && failed);
  const auto work = work_folder(request.directory);
  if (!was_brief(record)) {
    if (!keeps_work) folders_.remove(work);
  } else {
    if (!keeps_work) folders_.hand_on(work);
    spares_.gather(request.directory);
  }
  remove_what_is_empty(request.directory);
}

void LocalTarget::lose(RunId run, Live& live) {
  live.lost = clock_->now();
  lost_.push_back(run);
  hunt_pause_ = kFirstHuntPause;
  next_hunt_ = *live.lost;
}

// Ends what is left of all runs whose supervisors died without a word, a look at a time.
void LocalTarget::hunt(Time now, std::vector<TargetEvent>& events) {
  std::vector<OrphanedRun> wanted;
  for (const RunId run : lost_) {
    const Live& live = live_.at(run);
    // It is not reaped before they are gone: until then its session's number is taken.
    wanted.push_back({live.request.directory, live.child ? live.supervisor : 0});
  }
  const auto found = kill_orphans(wanted);
  if (!found) {
    if (!std::exchange(hunt_failed_, true))
      events.push_back(TargetNote{
          std::nullopt, "what a lost run has left alive cannot be looked for; it is tried again: " +
                            found.error().message()});
    next_hunt_ = now + kWatchedInterval;
    return;
  }
  hunt_failed_ = false;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const RunId run = lost_[i];
    const bool late = now >= *live_.at(run).lost + kLongestHunt;
    if ((*found)[i] > 0 && !late) continue;
    vanish(run, late ? "; some of its processes could not be ended" : "", events);
  }
  std::erase_if(lost_, [this](RunId run) { return !live_.contains(run); });
  next_hunt_ = now + hunt_pause_;
  hunt_pause_ = std::min(2 * hunt_pause_, kLongestHuntPause);
}

void LocalTarget::vanish(RunId run, const std::string& note, std::vector<TargetEvent>& events) {
  const Live live = take_out(run, events);
  if (live.request.workspace.keep == KeepWork::never)
    folders_.remove(work_folder(live.request.directory));
  events.push_back(RunVanished{run, live.request.attempt, reap(live) + note});
}

LocalTarget::Live LocalTarget::take_out(RunId run, std::vector<TargetEvent>& events) {
  auto node = live_.extract(run);
  Live live = std::move(node.mapped());
  live.intake.close(events);
  remove_watch(live.metrics_watch);
  remove_watch(live.output_watch);
  polled_.erase(run);
  devices_.release(run);
  if (live.request.resources.memory > 0) memory_.remove(MemoryGroups::name_of(live.request));
  return live;
}

// Returns what became of the supervisor, in words.
std::string LocalTarget::reap(const Live& live) {
  if (!live.child) return "its supervisor is gone and left no exit.json";
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
  if (info.si_status == protocol::kNoLease) return "hdrive was out of reach when it was to begin";
  std::error_code ignored;
  if (!std::filesystem::exists(live.request.directory, ignored))
    return "its directory " + live.request.directory.string() +
           " was removed while it ran, and with it how it ended";
  if (info.si_status == protocol::kNoRecord)
    return "its supervisor could not write exit.json to " + live.request.directory.string() +
           "; is the disk full?";
  return "its supervisor ended with status " + std::to_string(info.si_status) +
         " and left no exit.json";
}

}  // namespace hdrive::compute
