// SPDX-License-Identifier: Apache-2.0
#include "compute/pilot/holder.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/text.h"
#include "compute/pilot/pilot_files.h"
#include "compute/supervisor/protocol.h"

extern char** environ;

namespace hdrive::compute::pilot {
namespace {

namespace fs = std::filesystem;

// How often the folder is looked at, at least.
constexpr Duration kTick = std::chrono::milliseconds{500};

// An abstract name: it needs no folder, and goes when its process does.
socklen_t address_of(const std::string& name, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::min(name.size(), sizeof address.sun_path - 1);
  memcpy(address.sun_path + 1, name.data(), size);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + size);
}

bool is_ours(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         peer.uid == ::geteuid();
}

std::optional<timespec> modified(const fs::path& file) {
  struct stat status {};
  const base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd || ::fstat(fd.get(), &status) != 0) return std::nullopt;
  return status.st_mtim;
}

bool is_there(const fs::path& file) { return modified(file).has_value(); }

// The fields of /proc/<pid>/stat that tell whose child it is, and its name.
struct Stat {
  std::string name;
  pid_t parent = 0;
};
std::optional<Stat> stat_of(const fs::path& process) {
  const auto text = base::read_file(process / "stat");
  if (!text) return std::nullopt;
  const std::size_t open = text->find('('), close = text->rfind(')');
  if (open == text->npos || close == text->npos || close + 4 > text->size()) return std::nullopt;
  return Stat{text->substr(open + 1, close - open - 1), std::atoi(text->c_str() + close + 4)};
}

}  // namespace

Holder::Holder(fs::path folder, NodeShare share, Duration idle, Duration beat)
    : folder_(std::move(folder)), share_(std::move(share)), idle_(idle), beat_(beat) {}

bool Holder::prepare() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t all, taken;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  sigemptyset(&taken);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&taken, number);
  signals_.reset(::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  const socklen_t size = address_of(socket_of(folder_, share_.node), address);
  return signals_ && listener_ &&
         ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
         ::listen(listener_.get(), 8) == 0 && touch(folder_ / kBusy) &&
         touch(folder_ / (kNodePrefix + share_.node));
}

int Holder::hold() {
  if (!prepare()) return 1;
  used_ = clock_->now();
  while (true) {
    pollfd watched[] = {{signals_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    if (::poll(watched, 2, static_cast<int>(std::min(kTick, beat_).count() / 1000)) < 0 &&
        errno != EINTR)
      return 1;
    take_signals();
    const bool used = reap();
    const Time now = clock_->now();
    if (used) used_ = now;
    look(now, used);
    if (phase_ != Phase::open) {
      if (!used) break;
      signal_supervisors(phase_ == Phase::killing ? SIGUSR1 : SIGTERM);
      continue;
    }
    accept_engine();
    if (now >= used_ + idle_ && nobody_needs_it()) break;
  }
  const fs::path here = folder_ / (kNodePrefix + share_.node);
  ::rename(here.c_str(), (folder_ / (kGonePrefix + share_.node)).c_str());
  return 0;
}

void Holder::take_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal)
    if (signal.ssi_signo != SIGCHLD && phase_ == Phase::open) {
      phase_ = Phase::ending;
      end_agent();
    }
}

// Whether any child is left.
bool Holder::reap() {
  while (true) {
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid < 0) return false;
    if (pid == 0) return true;
    if (pid == agent_) agent_ = 0;
  }
}

void Holder::end_agent() {
  if (agent_ == 0) return;
  ::kill(agent_, SIGKILL);
  while (::waitpid(agent_, nullptr, 0) < 0 && errno == EINTR) continue;
  agent_ = 0;
}

// What the agent before was told and has not done yet it never does: it is dead before the next one asks for anything.
void Holder::accept_engine() {
  while (true) {
    const base::UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    if (!is_ours(socket.get())) continue;
    end_agent();
    start_agent(socket.get());
  }
}

void Holder::start_agent(int socket) {
  std::vector<std::string> words = {"hdrive-agent",
                                    "attend",
                                    folder_.native(),
                                    share_.node,
                                    std::to_string(share_.cpus),
                                    std::to_string(share_.memory),
                                    base::join(share_.gpus, ",")};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // SIGTERM is Slurm's word to all processes of the job: the agent is to tell how its runs end.
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&blocked, number);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  if (::posix_spawn(&agent_, "/proc/self/exe", &actions, &attributes, arguments.data(), environ) !=
      0)
    agent_ = 0;  // the connection is closed, and tried again
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
}

// ---- the folder ---------------------------------------------------------------------------------

void Holder::look(Time now, bool used) {
  bool over = false;
  if (now >= next_beat_) {
    next_beat_ = now + beat_;
    const auto touched = touch(folder_ / (kNodePrefix + share_.node));
    over = !touched && touched.error().kind == Error::Kind::not_found;  // it was removed
  }
  if (used && now >= next_busy_) {
    next_busy_ = now + std::min(beat_, idle_ / 4);
    (void)touch(folder_ / kBusy);
  }
  if (phase_ != Phase::killing && (over || is_there(folder_ / kOver))) {
    phase_ = Phase::killing;
    end_agent();
  }
  if (warned_) return;
  if (const auto word = base::read_file(folder_ / kWarned)) {
    warned_ = true;
    signal_supervisors(base::trim(*word) == "HUP" ? SIGHUP : SIGUSR2);
  }
}

// Nor on another node. Both times are those of the file server.
bool Holder::nobody_needs_it() const {
  const fs::path here = folder_ / (kNodePrefix + share_.node);
  if (!touch(here)) return true;  // the folder is gone
  const auto now = modified(here), busy = modified(folder_ / kBusy);
  if (!now || !busy) return true;
  return Duration{std::chrono::seconds{now->tv_sec - busy->tv_sec}} >= idle_;
}

// Those that the agent has started, and those that agents before it have left to this process.
std::vector<pid_t> Holder::supervisors() const {
  std::vector<pid_t> found;
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const pid_t pid = std::atoi(at->path().filename().c_str());
    if (pid <= 0) continue;
    const auto stat = stat_of(at->path());
    if (stat && stat->name == protocol::kSupervisorName &&
        (stat->parent == ::getpid() || (agent_ > 0 && stat->parent == agent_)))
      found.push_back(pid);
  }
  return found;
}

void Holder::signal_supervisors(int number) const {
  for (const pid_t pid : supervisors()) ::kill(pid, number);
}

// ---- the bridge ---------------------------------------------------------------------------------

int bridge(const fs::path& folder, const std::string& node, std::uint64_t connection) {
  sockaddr_un address{};
  const socklen_t size = address_of(socket_of(folder, node), address);
  const base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto say = [](int fd, std::string_view words) {
    return ::write(fd, words.data(), words.size()) == static_cast<ssize_t>(words.size());
  };
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      !is_ours(socket.get())) {
    say(STDERR_FILENO, "nothing of hdrive is on this node of the allocation any more\n");
    return 1;
  }
  // The agent at the other end is this same program on this same machine.
  const std::string_view number(reinterpret_cast<const char*>(&connection), sizeof connection);
  if (!say(socket.get(), number) || !say(STDOUT_FILENO, "@hdrive begin\n")) return 1;
  std::string buffer(std::size_t{64} << 10, '\0');
  const auto pass = [&](int from, int to) {
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    for (ssize_t at = 0; at < count;) {
      const ssize_t written = ::write(to, buffer.data() + at, static_cast<std::size_t>(count - at));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      at += written;
    }
    return count > 0 || (count < 0 && errno == EINTR);
  };
  while (true) {
    pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {socket.get(), POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) return 1;
    if (watched[0].revents != 0 && !pass(STDIN_FILENO, socket.get())) return 0;
    if (watched[1].revents != 0 && !pass(socket.get(), STDOUT_FILENO)) return 0;
  }
}

std::optional<std::uint64_t> connection_from(int socket) {
  std::uint64_t number = 0;
  ssize_t count = 0;
  do count = ::recv(socket, &number, sizeof number, MSG_WAITALL);
  while (count < 0 && errno == EINTR);
  return count == sizeof number ? std::optional(number) : std::nullopt;
}

}  // namespace hdrive::compute::pilot
