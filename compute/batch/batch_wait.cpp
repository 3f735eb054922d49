// SPDX-License-Identifier: Apache-2.0
//
// The batch target, third part: what run directories tell. They are on a file system of other machines, of which
// nothing but looking brings news.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "compute/batch/batch_target.h"
#include "compute/batch/job_script.h"
#include "compute/run_end.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute {
namespace {

// With more runs each is looked at less often, so that all together cost the same; but this often in any case.
constexpr std::size_t kRunsLookedAtOften = 100;
constexpr Duration kLongestLookInterval = std::chrono::seconds{2};
// Missed signs of life until a supervisor is taken for dead whose job is over, and one whose job nobody knows any more:
// that one may be cut off for a while.
constexpr int kTouchesMissed = 3;
constexpr int kTouchesMissedUnknown = 12;
// How long a run that was asked to end may take beyond its grace period, before the system is asked to end its job.
constexpr Duration kCancelMargin = std::chrono::seconds{10};
constexpr std::size_t kMostLogBytes = 4 << 10;
constexpr int kLogLines = 5;

bool exists(int directory, const char* name) {
  return ::faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

// The size of a file, asked of the file server: to open it is to ask. -1: there is none.
off_t size_at(int directory, const char* name) {
  const auto file = base::open_regular(directory, name, O_RDONLY);
  struct stat status {};
  return file && ::fstat(file->get(), &status) == 0 ? status.st_size : -1;
}

std::string with_words(std::string sentence, const JobStatus& status) {
  return status.word.empty() ? sentence : sentence + " (" + status.word + ")";
}

bool same(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

void BatchTarget::wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) {
  const std::stop_callback wake(stop, [this] { point_.wake(); });
  const std::size_t from = events.size();
  budget_ = {};
  while (true) {
    Time now = clock_->now();
    commands_.take_ended(now);
    submit_waiting();
    ask_for_states(now);
    // What is found out now belongs before what is read of the runs.
    std::move(notes_.begin(), notes_.end(), std::back_inserter(events));
    notes_.clear();
    if (now >= next_look_) {
      next_look_ = now + look_interval();
      for (auto it = live_.begin(); it != live_.end();)
        it = look(it->first, it->second, now, events) ? std::next(it) : live_.erase(it);
    }
    send_cancels();
    if (events.size() > from || stop.stop_requested() || now >= deadline) return;
    now = clock_->now();
    point_.wait(next_moment(deadline) - now);
  }
}

Duration BatchTarget::look_interval() const {
  const auto often = static_cast<std::int64_t>(live_.size() / kRunsLookedAtOften + 1);
  return std::min(timing_.look * often, std::max(timing_.look, kLongestLookInterval));
}

Readiness BatchTarget::readiness() {
  if (!notes_.empty() || (!submissions_.empty() && submitting_ == 0))
    return {point_.descriptor(), clock_->now()};
  return {point_.descriptor(), next_moment(Time::max())};
}

Time BatchTarget::next_moment(Time deadline) const {
  Time next = std::min(deadline, commands_.next_moment());
  if (live_.empty()) return next;
  next = std::min(next, next_look_);
  return asking_ ? next : std::min(next, next_ask_);
}

// False: the run's last event is told.
bool BatchTarget::look(RunId run, Live& live, Time now, std::vector<TargetEvent>& events) {
  const RunRequest& request = live.request;
  if (live.cancel && !live.began && !live.never) live.never = RunNotFound{run, request.attempt};
  if (live.never && settle_never(live, events)) return false;
  if (live.submitting) return true;
  const auto directory = base::open_directory(AT_FDCWD, request.directory);
  if (!directory && directory.error().kind != Error::Kind::not_found) {
    tell_unreachable(live, "its directory cannot be read: " + directory.error().message(), events);
    return true;
  }
  std::optional<ExitRecord> end;
  if (directory) {
    if (!live.began && exists(directory->get(), "supervisor.json"))
      if (const auto record = read_supervisor_record(request.directory);
          record && *record && (*record)->attempt == request.attempt)
        live.supervisor = **record;
    if (exists(directory->get(), "exit.json"))
      if (const auto record = read_exit_record(request.directory);
          record && *record && (*record)->attempt == request.attempt)
        end = **record;
    tell_began(live, end, events);
    if (live.began && !read_metrics(directory->get(), live, end.has_value(), events)) {
      next_look_ = now;
      return true;
    }
  }
  if (end) {
    if (needs_state(live, *end)) {
      if (!std::exchange(live.waits_for_state, live.waits_for_state.value_or(now)))
        next_ask_ = std::min(next_ask_, now);
      if (now < *live.waits_for_state + timing_.patience) return true;
    }
    tell_exit(live, *end, events);
    return false;
  }
  if (live.began)
    tell_reachable(live, events);
  else if (!no_contact_.empty())
    tell_unreachable(live, no_contact_, events);
  else
    tell_reachable(live, events);
  pass_on_cancel(live, now);
  return judge(live, now, events);
}

// True: it has never begun, and will not.
bool BatchTarget::settle_never(Live& live, std::vector<TargetEvent>& events) {
  const RunRequest& request = live.request;
  if (auto revoked = revoke_claims(request.directory); !revoked) {
    tell_unreachable(live, "whether it has begun cannot be looked at: " + revoked.error().message(),
                     events);
    return false;
  }
  const auto record = read_supervisor_record(request.directory);
  const auto end = read_exit_record(request.directory);
  if (!record || !end) return false;
  const bool began = (*record && (*record)->attempt == request.attempt) ||
                     (*end && (*end)->attempt == request.attempt);
  if (began) {
    live.never.reset();
    return false;
  }
  // Also one that is over for us may still stand in a queue, held or in error.
  if (!live.job.empty()) to_cancel_.insert(live.job);
  live.intake.close(events);
  discard(request);
  events.push_back(*std::exchange(live.never, std::nullopt));
  return true;
}

void BatchTarget::tell_began(Live& live, const std::optional<ExitRecord>& end,
                             std::vector<TargetEvent>& events) {
  const bool runs = live.supervisor && live.supervisor->program_pid != 0;
  if (live.began || (!runs && !(end && end->pid != 0))) return;
  live.began = true;
  live.unreachable = false;
  RunBegan began{live.request.run, live.request.attempt, 0, {}};
  const auto started = end && end->started ? end->started
                       : live.supervisor   ? live.supervisor->started
                                           : std::nullopt;
  // The clocks of two machines differ; a start in the future is one of just now.
  if (started) began.ran = std::max(Duration{0}, make_steady_clock()->now() - *started);
  events.push_back(began);
}

// False: there is more to read.
bool BatchTarget::read_metrics(int directory, Live& live, bool last,
                               std::vector<TargetEvent>& events) {
  if (live.events) {
    std::vector<std::string> faults;
    live.events.take_over(last, faults);
    for (std::string& fault : faults)
      events.push_back(TargetNote{live.request.run, std::move(fault)});
  }
  const off_t metrics = size_at(directory, "metrics.jsonl");
  const off_t output = patterns_.empty() ? -1 : size_at(directory, "stdout.log");
  const off_t mlflow = options_.elsewhere ? size_at(directory, kMlflowMetrics) : -1;
  if (!last && metrics == live.metrics_seen && output == live.output_seen &&
      mlflow == live.mlflow_seen)
    return true;
  if (!live.intake.read(buffer_, budget_, last, events)) return false;
  live.metrics_seen = metrics;
  live.output_seen = output;
  live.mlflow_seen = mlflow;
  return true;
}

// ---- its end ------------------------------------------------------------------------------------

// Told to its supervisor on both ways: by a file, which is sure to get there, and by the system, which is quicker.
void BatchTarget::pass_on_cancel(Live& live, Time now) {
  if (!live.cancel || !(live.began || live.supervisor)) return;
  const RunRequest& request = live.request;
  if (live.asked != live.cancel) {
    const bool kill = live.cancel == CancelMode::kill;
    const auto file =
        request.directory / (protocol::kCancelPrefix + std::to_string(request.attempt));
    if (!base::write_file_atomically(file, kill ? "kill\n" : "gracefully\n")) return;  // later
    if (!live.job.empty()) (kill ? to_kill_ : to_signal_).insert(live.job);
    live.asked = live.cancel;
    live.asked_at = now;
    live.system_asked = false;
  }
  const Duration grace =
      live.asked == CancelMode::kill ? Duration{0} : Duration{request.cancel_grace};
  if (live.job.empty() || live.system_asked || now < *live.asked_at + grace + kCancelMargin) return;
  to_cancel_.insert(live.job);
  live.system_asked = true;
}

// What the system knows of a job without exit.json. False: the run's last event is told.
bool BatchTarget::judge(Live& live, Time now, std::vector<TargetEvent>& events) {
  const bool begun_and_waits = live.began && live.status.state == JobState::queued;
  if (!live.status.over() && !forgotten(live) && !begun_and_waits) {
    live.over.reset();
    return true;
  }
  if (!live.began && !live.supervisor) {
    if (!live.never) live.never = never_began(live);
    next_look_ = now;
    return true;
  }
  if (!live.over) {
    live.over = live.beat_seen = now;
    live.beat = {};
  }
  if (!is_silent(live, now)) return true;
  tell_lost(live, events);
  return false;
}

// Its supervisor touches its file as long as it lives. By this machine's clock alone: how long nothing changed.
bool BatchTarget::is_silent(Live& live, Time now) const {
  const auto file = base::open_regular(live.request.directory / "supervisor.json");
  struct stat status {};
  if (file && ::fstat(file->get(), &status) == 0 && !same(status.st_mtim, live.beat)) {
    live.beat = status.st_mtim;
    live.beat_seen = now;
    return false;
  }
  const int missed = live.status.over() ? kTouchesMissed : kTouchesMissedUnknown;
  const Duration silence = timing_.beat * protocol::kBeatsPerTouch * missed;
  return now >= live.beat_seen + silence;
}

// The run began, and the system says since that its job waits: it took the job from its node and keeps it for later. Its
// claim is gone, so that it would begin nothing.
bool BatchTarget::is_requeued(const Live& live) const {
  return live.status.state == JobState::queued && live.waits_for_state &&
         live.seen >= *live.waits_for_state;
}

namespace {

// Whether the system may have ended it. It signals the processes of a job one by one: a program can have died of its SIGTERM
// before the supervisor, which says so then, has heard of it.
bool is_from_outside(const ExitRecord& record) {
  return record.canceled || record.signal == SIGTERM;
}

}  // namespace

// A job can end its run in ways that the run's supervisor takes for one and the same: a SIGTERM, a SIGKILL.
bool BatchTarget::needs_state(const Live& live, const ExitRecord& record) const {
  if (live.status.over() || forgotten(live) || live.cancel) return false;
  if (is_requeued(live)) return false;
  return (is_from_outside(record) && !record.over_time) || record.signal == SIGKILL;
}

void BatchTarget::tell_exit(Live& live, const ExitRecord& record,
                            std::vector<TargetEvent>& events) {
  const RunRequest& request = live.request;
  live.intake.close(events);
  RunExited exited = describe_exit(record, request, options_.stderr_tail_lines);
  const auto add = [&](const std::string& sentence) {
    exited.note += (exited.note.empty() ? "" : "; ") + sentence;
  };
  const std::string job = "its job " + live.job;
  const bool by_system = is_from_outside(record) && !live.cancel && live.status.over();
  const JobEnd why = live.status.end;
  const bool requeued = is_from_outside(record) && !live.cancel && is_requeued(live);
  if (requeued || (by_system && (why == JobEnd::preempted || why == JobEnd::node))) {
    // The next attempt goes on from its checkpoint, as a job of its own.
    if (requeued) to_cancel_.insert(live.job);
    tidy(live, record);
    const char* what = requeued ? " was taken from its nodes and put back into the queue"
                                : " was taken from its nodes";
    events.push_back(
        RunVanished{request.run, request.attempt, with_words(job + what, live.status)});
    return;
  }
  if (by_system && why == JobEnd::time_limit) {
    exited.over_time = true;
    add(with_words(job + " had used up its time", live.status));
  } else if (by_system && live.status.state == JobState::canceled) {
    add(with_words(job + " was cancelled by somebody else", live.status));
  } else if (is_from_outside(record) && !live.cancel && forgotten(live)) {
    add(job + " was ended by " + system_->name() +
        ", or by somebody else; it knows nothing of the job any more");
  }
  if (why == JobEnd::memory)
    add(with_words(job + " took more memory than it had asked for", live.status));
  tidy(live, record);
  const Error::Kind kind = base::error_kind(record.error_number);
  if (exited.not_started && lies_outside(kind)) {
    discard_attempt(request.directory, "");
    events.emplace_back(RunDeferred{request.run, request.attempt, Error{"", exited.note, kind}});
  } else {
    events.emplace_back(std::move(exited));
  }
}

// Its supervisor was ended with it, so that nobody wrote how it ended.
void BatchTarget::tell_lost(Live& live, std::vector<TargetEvent>& events) {
  const RunRequest& request = live.request;
  IntakeBudget all;
  while (!live.intake.read(buffer_, all, true, events)) all = {};
  live.intake.close(events);
  const std::string job = "its job " + live.job;
  const JobStatus& status = live.status;
  const bool killed = status.end == JobEnd::memory || status.end == JobEnd::time_limit ||
                      status.state == JobState::canceled;
  if (killed) {
    RunExited exited{request.run, request.attempt};
    exited.signal = SIGKILL;
    exited.over_time = status.end == JobEnd::time_limit;
    exited.note =
        with_words(job + (status.end == JobEnd::memory ? " took more memory than it had asked for"
                          : exited.over_time           ? " had used up its time"
                                                       : " was cancelled"),
                   status);
    events.emplace_back(std::move(exited));
  } else {
    const bool waits = status.state == JobState::queued;
    if (waits) to_cancel_.insert(live.job);
    std::string note =
        status.over() || waits
            ? with_words(job + (waits ? " was put back into the queue, without exit.json"
                                      : " ended without exit.json"),
                         status)
            : system_->name() + " knows nothing of " + job +
                  " any more, and its supervisor gives no sign of life";
    if (live.supervisor && !live.supervisor->host.empty())
      note += "; it ran on " + live.supervisor->host;
    events.push_back(RunVanished{request.run, request.attempt, std::move(note)});
  }
  if (request.workspace.keep == KeepWork::never) folders_.remove(work_folder(request.directory));
}

// What is told of a run whose job is over, or forgotten, without having begun it.
TargetEvent BatchTarget::never_began(const Live& live) const {
  const RunRequest& request = live.request;
  const JobStatus& status = live.status;
  std::error_code error;
  const bool job_began = std::filesystem::exists(
      request.directory / (kJobMark + std::to_string(request.attempt)), error);
  if (!status.over() && !job_began) return RunNotFound{request.run, request.attempt};
  const std::string job = live.job.empty() ? "its job" : "its job " + live.job;
  if (status.end == JobEnd::node || status.end == JobEnd::preempted)
    return RunDeferred{
        request.run, request.attempt,
        Error{"", with_words(job + " was taken from its nodes before the run began", status),
              Error::Kind::busy}};
  RunExited exited{request.run, request.attempt};
  exited.not_started = true;
  exited.note = with_words(status.state == JobState::canceled
                               ? job + " was cancelled by somebody else before the run began"
                               : job + " ended before the run began",
                           status);
  const auto log = base::read_file_end(request.directory / "job.log", kMostLogBytes);
  if (log && !base::trim(*log).empty())
    exited.stderr_tail = base::to_utf8(base::tail(*log, kLogLines, kMostLogBytes));
  return exited;
}

void BatchTarget::tidy(const Live& live, const ExitRecord& record) {
  const RunRequest& request = live.request;
  const KeepWork keep = request.workspace.keep;
  const bool failed = record.exit_code != 0 && !record.canceled;
  if (keep == KeepWork::never || (keep == KeepWork::failed && !failed))
    folders_.remove(work_folder(request.directory));
  const auto log = request.directory / "job.log";
  struct stat status {};
  if (::lstat(log.c_str(), &status) == 0 && status.st_size == 0) ::unlink(log.c_str());
  remove_marks(request);
  remove_what_is_empty(request.directory);
}

void BatchTarget::tell_unreachable(Live& live, const std::string& why,
                                   std::vector<TargetEvent>& events) {
  if (std::exchange(live.unreachable, true)) return;
  events.push_back(RunUnreachable{live.request.run, live.request.attempt, why});
}

void BatchTarget::tell_reachable(Live& live, std::vector<TargetEvent>& events) {
  if (std::exchange(live.unreachable, false))
    events.push_back(RunReachable{live.request.run, live.request.attempt});
}

}  // namespace hdrive::compute
