// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/agent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "base/sha256.h"
#include "compute/pilot/holder.h"
#include "compute/pilot/node_agent.h"
#include "compute/remote/host_address.h"
#include "compute/run_records.h"

namespace hdrive::compute::remote {
namespace {

namespace fs = std::filesystem;

constexpr Duration kFileInterval = std::chrono::seconds{1};
// The lease is asked for so many times while it lasts, and at least so often.
constexpr int kLeaseParts = 6;
constexpr Duration kLeaseInterval = std::chrono::seconds{10};
constexpr Duration kLongest = std::chrono::hours{1};

int processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

// Who holds the lock; 0: nobody.
pid_t holder_of(int fd) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return ::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

bool try_lock(int fd) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return ::fcntl(fd, F_SETLK, &lock) == 0;
}

// Ends the agent whose connection broke without its noticing. What it was told and has not done yet
// it never does.
void end_agent(pid_t pid) {
  if (pid <= 1) return;
  const base::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return;
  ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  pollfd ended{process.get(), POLLIN, 0};
  ::poll(&ended, 1, 1000);
}

}  // namespace

void Inbox::read_all(int fd, std::uint64_t connection) {
  FrameReader frames(connection);
  std::string buffer(std::size_t{1} << 16, '\0');
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    bool sound = count > 0;
    std::vector<Message> arrived;
    if (sound) frames.add({buffer.data(), static_cast<std::size_t>(count)});
    while (sound) {
      auto message = frames.next();
      sound = static_cast<bool>(message);
      if (!message || !*message) break;
      arrived.push_back(**std::move(message));
    }
    const std::lock_guard hold(mutex_);
    for (Message& message : arrived) messages_.push_back(std::move(message));
    ended_ = !sound;
    source_.request_stop();
    more_.notify_all();
    if (ended_) return;
  }
}

std::vector<Message> Inbox::take(std::stop_token& stop, bool& ended) {
  const std::lock_guard hold(mutex_);
  source_ = {};
  stop = source_.get_token();
  ended = ended_;
  return std::exchange(messages_, {});
}

void Inbox::wait() {
  std::unique_lock hold(mutex_);
  more_.wait(hold, [this] { return ended_ || !messages_.empty(); });
}

void Outbox::send(const Message& message) {
  const std::string bytes = frames_.frame(message);
  std::string_view rest = bytes;
  while (!rest.empty() && !cut_) {
    const ssize_t count = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    cut_ = count < 0;
    if (!cut_) rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

Agent::Agent(fs::path directory, std::uint64_t connection, std::string_view reached)
    : directory_(std::move(directory)),
      store_(directory_ / "snapshots"),
      out_(connection),
      address_(address_by(reached)) {}

void Agent::serve(Inbox& inbox) {
  send({{"is", "hello"},
        {"processors", processors()},
        {"gpus", find_gpus(std::nullopt)},
        {"address", address_}});
  std::stop_token stop;
  std::vector<TargetEvent> events;
  while (!out_.cut()) {
    if (!target_) inbox.wait();
    bool ended = false;
    for (const Message& message : inbox.take(stop, ended)) take(message);
    if (ended) break;
    const Time now = clock_->now();
    if (lost_after_ > Duration{} && now >= next_lease_) ask_for_lease();
    if (now >= next_files_) send_files(now);
    const bool busy = send_ends();
    if (!target_) continue;
    events.clear();
    Time until = runs_.empty() ? now + kLongest : next_files_;
    if (lost_after_ > Duration{}) until = std::min(until, next_lease_);
    target_->wait(busy ? now : until, stop, events);
    for (const TargetEvent& event : events) tell(event);
  }
  if (target_ && runs_.empty()) lease_.remove();
}

void Agent::take(const Message& message) {
  const std::string is = message.at("is");
  if (is == "open") return open(message);
  if (!target_) return;
  if (is == "snapshot") return take_snapshot(message);
  if (is == "content") return take_content(message);
  if (is == "file") return take_file(message);
  if (is == "start") return start(message);
  if (is == "adopt") return adopt(message);
  if (is == "abandon") return abandon(message);
  if (is == "lease") return take_lease(message);
  if (is == "gather") return gather(message);
  const RunId run = message.at("run");
  if (is == "cancel")
    target_->cancel(run, message.at("kill").get<bool>() ? CancelMode::kill : CancelMode::graceful);
  if (is == "remove") remove(run);
}

// One agent at a time looks after the runs of a sweep on one of its hosts.
Result<void> Agent::lock(const std::string& name) {
  const fs::path path = directory_ / "locks" / name;
  if (auto made = base::make_directories(path.parent_path(), 2); !made) return made;
  lock_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_) return base::system_error(path, "open", errno);
  for (int tries = 0; tries < 10; ++tries) {
    if (try_lock(lock_.get())) return {};
    end_agent(holder_of(lock_.get()));
  }
  return Error{path.string(), "an earlier agent holds it and cannot be ended", Error::Kind::busy};
}

void Agent::open(const Message& message) {
  const std::string sweep = message.at("sweep"), host = message.at("host");
  LocalTargetOptions options;
  options.metric_patterns = message.at("metric_patterns").get<std::vector<std::string>>();
  options.primary_metric = message.at("primary_metric");
  options.tensorboard_metrics = message.at("tensorboard_metrics");
  options.devices.gpus = message.at("gpus").get<std::vector<std::string>>();
  options.devices.gpus_per_run = message.at("gpus_per_run");
  options.devices.cpus_per_run = message.at("cpus_per_run");
  options.devices.lock_directory = fmt::format("/tmp/hdrive-gpus-{}", ::getuid());
  options.devices.holder = "sweep " + sweep;
  first_in_path_ = message.at("first_in_path");
  const auto fail = [&](const Error& error) {
    send({{"is", "failed"}, {"error", message_of(error)}});
  };
  if (!stays_inside(sweep) || !stays_inside(host))
    return fail({"", "a sweep's name is no name of a folder", Error::Kind::invalid});
  if (auto locked = lock(sweep + "-" + host); !locked) return fail(locked.error());
  runs_directory_ = directory_ / sweep / host / "runs";
  if (auto made = base::make_directories(runs_directory_); !made) return fail(made.error());
  auto target = LocalTarget::make(options, clock_);
  if (!target) return fail(target.error());
  lost_after_ = std::chrono::milliseconds{message.at("lost_after").get<std::int64_t>()};
  lease_ = HostLease(runs_directory_);
  if (lost_after_ > Duration{})
    (*target)->hold_to(lease_.file());
  else if (auto lifted = lease_.lift(); !lifted)
    return fail(lifted.error());
  target_ = *std::move(target);
  // It arrives before any run that is to be started or looked for.
  if (lost_after_ > Duration{}) ask_for_lease();
  Message opened = {{"is", "opened"}};
  if (const auto capacity = target_->capacity()) opened["runs"] = capacity->runs;
  send(opened);
}

fs::path Agent::directory_of(RunId run) const { return runs_directory_ / std::to_string(run); }

RunRequest Agent::placed(const Message& message) const {
  RunRequest request = request_in(message.at("request"));
  request.directory = directory_of(request.run);
  request.workspace.store = store_;
  if (!first_in_path_.empty())
    request.environment.emplace_back("HDRIVE_PATH_FIRST", first_in_path_);
  // What the run goes on from has travelled, and is found here where its arguments and variables say.
  if (!request.resume_from.empty()) {
    const std::string there = request.resume_from.string(),
                      here = (request.directory / kResumeFolder).string();
    for (std::string& argument : request.arguments)
      if (argument == there) argument = here;
    for (auto& [name, value] : request.environment)
      if (value == there) value = here;
    request.resume_from = here;
  }
  return request;
}

void Agent::take_snapshot(const Message& message) {
  const std::string id = message.at("id");
  if (message.contains("text")) {
    auto missing = missing_contents(store_, id, message.at("text").get<std::string>());
    // Where it cannot be asked, all runs that want it are refused, with the reason.
    Message answer = {{"is", "missing"}, {"id", id}, {"digests", Message::array()}};
    if (missing)
      for (const SnapshotEntry& entry : *missing)
        answer["digests"].push_back({entry.digest, entry.executable});
    texts_[id] = message.at("text").get<std::string>();
    return send(answer);
  }
  if (auto stored = store_snapshot(store_, id, texts_[id]); !stored)
    send({{"is", "note"}, {"run", nullptr}, {"note", stored.error().message()}});
  texts_.erase(id);
}

void Agent::take_content(const Message& message) {
  SnapshotEntry file;
  file.path = message.at("path");
  file.digest = message.at("digest");
  file.executable = message.at("executable");
  const std::string_view bytes = bytes_in(message.at("bytes"));
  file.size = bytes.size();
  if (auto stored = store_content(store_, file, bytes); !stored)
    send({{"is", "note"}, {"run", nullptr}, {"note", stored.error().message()}});
}

// A checkpoint of an earlier attempt.
void Agent::take_file(const Message& message) {
  const std::string path = message.at("path");
  const fs::path file = directory_of(message.at("run")) / path;
  if (!stays_inside(path) || !base::make_directories(file.parent_path())) return;
  const std::uint64_t offset = message.at("offset");
  const std::string_view bytes = bytes_in(message.at("bytes"));
  const int flags = O_WRONLY | O_CREAT | (offset == 0 ? O_TRUNC : 0);
  const auto fd = base::open_regular(AT_FDCWD, file, flags);
  if (!fd || ::pwrite(fd->get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
                 static_cast<ssize_t>(bytes.size()))
    send({{"is", "note"},
          {"run", message.at("run")},
          {"note", "what an earlier attempt left cannot be written to " + file.string()}});
}

void Agent::start(const Message& message) {
  const RunRequest request = placed(message);
  Message answer = about("started", request.run, request.attempt);
  // Nothing has travelled of one that left no outputs.
  if (!request.resume_from.empty()) (void)base::make_directories(request.resume_from, 2);
  if (auto started = target_->start(request); !started) {
    std::error_code ignored;
    fs::remove_all(directory_of(request.run) / kResumeFolder, ignored);
    ::rmdir(directory_of(request.run).c_str());  // unless something else is there
    answer["is"] = "refused";
    answer["error"] = message_of(started.error());
  } else {
    runs_.insert_or_assign(
        request.run,
        Run{request.attempt, HostFiles(request.directory, request.run, request.attempt, {}), {}});
  }
  send(answer);
}

void Agent::adopt(const Message& message) {
  const RunRequest request = placed(message);
  if (runs_.contains(request.run)) return;
  const auto found = target_->attach(request);
  Message answer =
      about(found && *found == LocalTarget::Found::something ? "adopted" : "missing run",
            request.run, request.attempt);
  // By then the engine has granted the lease, and the supervisors see that within a second.
  const auto record = read_supervisor_record(request.directory);
  if (record && *record && (*record)->attempt == request.attempt && (*record)->lease_grace)
    answer["lease_grace"] = (*record)->lease_grace->count();
  if (!found) {
    answer["is"] = "unclear";
    answer["error"] = message_of(found.error());
  } else if (*found == LocalTarget::Found::something) {
    const auto have = message.at("have").get<std::map<std::string, std::uint64_t>>();
    runs_.insert_or_assign(
        request.run,
        Run{request.attempt, HostFiles(request.directory, request.run, request.attempt, have), {}});
  }
  send(answer);
}

void Agent::remove(RunId run) {
  const auto found = runs_.find(run);
  if (found != runs_.end() && !found->second.end.is_boolean()) return;
  discard(run);
}

void Agent::discard(RunId run) {
  runs_.erase(run);
  std::error_code ignored;
  fs::remove_all(directory_of(run), ignored);
}

// It was counted as lost, and is started elsewhere, or here as soon as this is answered.
void Agent::abandon(const Message& message) {
  const RunRequest request = placed(message);
  const auto found = target_->attach(request);
  if (!found)
    return send({{"is", "note"},
                 {"run", request.run},
                 {"note", "what is left of it cannot be looked at, and it is not started there: " +
                              found.error().message()}});
  if (*found == LocalTarget::Found::nothing) {
    discard(request.run);
    return send(about("abandoned", request.run, request.attempt));
  }
  runs_.insert_or_assign(request.run,
                         Run{request.attempt,
                             HostFiles(request.directory, request.run, request.attempt, {}),
                             {},
                             true});
  target_->cancel(request.run, CancelMode::kill);
}

void Agent::ask_for_lease() {
  next_lease_ = clock_->now() + std::min(lost_after_ / kLeaseParts, kLeaseInterval);
  send({{"is", "lease"}, {"at", time_since_boot()}});
}

void Agent::take_lease(const Message& message) {
  const std::int64_t end = message.at("at").get<std::int64_t>() + lost_after_.count();
  if (auto set = lease_.set(end); !set)
    send({{"is", "failed"}, {"error", message_of(set.error())}});
}

// Its end is told when its files are there.
void Agent::tell(const TargetEvent& event) {
  Message message = message_of(event);
  const bool ended =
      std::holds_alternative<RunExited>(event) || std::holds_alternative<RunVanished>(event);
  if (std::holds_alternative<RunDeferred>(event)) runs_.erase(std::get<RunDeferred>(event).run);
  const auto of_run = message.find("run");
  const auto about_run =
      of_run == message.end() || of_run->is_null() ? runs_.end() : runs_.find(of_run->get<RunId>());
  if (about_run != runs_.end() && about_run->second.abandoned) {
    if (!ended) return;
    const int attempt = about_run->second.attempt;
    const RunId run = about_run->first;
    discard(run);
    return send(about("abandoned", run, attempt));
  }
  const auto found = ended ? about_run : runs_.end();
  if (found == runs_.end()) return send(message);
  send(about("ending", found->first, found->second.attempt));
  found->second.files.list_all();
  found->second.end = std::move(message);
}

void Agent::send_files(Time now) {
  next_files_ = now + kFileInterval;
  for (auto& [run, state] : runs_)
    if (state.end.is_null() && !state.abandoned)
      state.files.send_appended([this](const Message& message) { send(message); });
}

// Whether there is more to send.
bool Agent::send_ends() {
  bool more = false;
  for (auto& [run, state] : runs_) {
    if (!state.end.is_object()) continue;
    if (state.files.send_rest([this](const Message& message) { send(message); })) {
      more = true;
      continue;
    }
    send(state.end);
    state.end = true;  // told; it is removed when the engine has it
  }
  return more;
}

}  // namespace hdrive::compute::remote

namespace {

// Whether this program is the one that was sent.
bool is_whole(const char* digest) {
  const auto self = hdrive::base::read_file(std::filesystem::read_symlink("/proc/self/exe"));
  return self && hdrive::base::sha256(*self) == digest;
}

std::chrono::milliseconds milliseconds_in(const std::string& word) {
  return std::chrono::milliseconds{std::max(1LL, std::atoll(word.c_str()))};
}

std::uint64_t number_in(const std::string& word) {
  return std::strtoull(word.c_str(), nullptr, 10);
}

// VERB FOLDER NODE CPUS MEMORY GPUS: what `hold` and `attend` are given, the memory in bytes.
hdrive::compute::pilot::NodeShare share_in(const std::vector<std::string>& words) {
  hdrive::compute::pilot::NodeShare share;
  share.node = words[2];
  share.cpus = std::max(1, std::atoi(words[3].c_str()));
  share.memory = number_in(words[4]);
  if (!words[5].empty()) share.gpus = hdrive::find_gpus(words[5]);
  return share;
}

}  // namespace

int main(int count, char** arguments) {
  using namespace hdrive::compute;
  const std::vector<std::string> words(arguments + std::min(count, 1), arguments + count);
  const std::string verb = words.empty() ? "" : words[0];
  if (verb == "check" && words.size() == 2) return is_whole(arguments[2]) ? 0 : 1;
  if (verb == "bridge" && words.size() == 4)
    return pilot::bridge(words[1], words[2], number_in(words[3]));
  if (verb == "hold" && words.size() == 8)
    return pilot::Holder(words[1], share_in(words), milliseconds_in(words[6]),
                         milliseconds_in(words[7]))
        .hold();
  const bool attends = verb == "attend" && words.size() == 6;
  if (!attends && !(verb == "serve" && words.size() == 4)) return 2;
  // A connection that broke is seen by what cannot be written.
  sigset_t broken;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken, nullptr);
  const auto connection =
      attends ? pilot::connection_from(STDIN_FILENO) : std::optional(number_in(words[2]));
  if (!connection) return 0;
  remote::Inbox inbox;
  std::thread([&inbox, number = *connection] { inbox.read_all(STDIN_FILENO, number); }).detach();
  try {
    if (attends)
      pilot::NodeAgent(words[1], share_in(words), *connection).serve(inbox);
    else
      remote::Agent(words[1], *connection, words[3]).serve(inbox);
  } catch (const remote::Message::exception&) {
    ::_exit(3);  // of another build, which its digest rules out
  }
  ::_exit(0);  // the thread may still read
}
