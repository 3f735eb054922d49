// SPDX-License-Identifier: Apache-2.0
#include "compute/batch/commands.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "compute/process_identity.h"

extern char** environ;

namespace hdrive::compute {
namespace {

// What it prints beyond this is not read: a queue of 100,000 jobs has some 10 MB.
constexpr std::size_t kMostOutput = 64 << 20;

// An engine may itself run in a job. What describes that job would be taken for what the new one asks for; where the
// cluster is found stays.
bool describes_own_job(std::string_view variable) {
  return variable.starts_with("SLURM_") && !variable.starts_with("SLURM_CONF=") &&
         !variable.starts_with("SLURM_CLUSTERS=");
}

base::UniqueFd file_in_memory() {
  return base::UniqueFd(::memfd_create("hdrive-command", MFD_CLOEXEC));
}

std::string text_of(const base::UniqueFd& file) {
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  std::string text(std::min(static_cast<std::size_t>(std::max<off_t>(size, 0)), kMostOutput), '\0');
  const ssize_t count = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

int status_of(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::vector<char*> environment_of_commands() {
  std::vector<char*> result;
  for (char** entry = environ; *entry; ++entry)
    if (!describes_own_job(*entry)) result.push_back(*entry);
  result.push_back(nullptr);
  return result;
}

std::string CommandOutput::words() const {
  constexpr std::size_t kMostWords = 500;
  for (const std::string* text : {&err, &out}) {
    const std::string_view said = base::trim(*text);
    if (said.empty()) continue;
    std::string line(said.substr(0, kMostWords));
    std::replace(line.begin(), line.end(), '\n', ' ');
    return base::to_utf8(line);
  }
  return "it ended with status " + std::to_string(status) + " and said nothing";
}

Result<Commands> Commands::make() {
  Commands commands;
  commands.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!commands.epoll_) return base::system_error("", "prepare to watch commands", errno);
  return commands;
}

Result<void> Commands::start(const std::vector<std::string>& words, Time limit, Done done) {
  Running running;
  running.out = file_in_memory();
  running.err = file_in_memory();
  if (!running.out || !running.err)
    return base::system_error("", "prepare to start " + words.front(), errno);
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&actions);
  // In a group of its own: Ctrl-C at the engine's terminal is not for it.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, running.out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, running.err.get(), STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const std::vector<char*> envp = environment_of_commands();
  const int error = ::posix_spawnp(&running.pid, argv[0], &actions, &attributes, argv.data(),
                                   const_cast<char* const*>(envp.data()));
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == ENOENT)
    return Error{"",
                 "there is no command " + base::json_string(words.front()) +
                     " in PATH; install the batch system's commands here, or start the sweep on a "
                     "machine that has them",
                 Error::Kind::not_found};
  if (error != 0) return base::system_error("", "start " + words.front(), error);
  running.process = open_process(running.pid);
  running.limit = limit;
  running.done = std::move(done);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = running.process.get();
  if (!running.process ||
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, running.process.get(), &event) != 0) {
    const int cause = errno;
    ::kill(-running.pid, SIGKILL);
    status_of(running.pid);
    return base::system_error("", "watch " + words.front(), cause);
  }
  const int key = running.process.get();
  running_.emplace(key, std::move(running));
  return {};
}

void Commands::take_ended(Time now) {
  for (auto& [key, running] : running_)
    if (now >= running.limit) ::kill(-running.pid, SIGKILL);
  constexpr int kMost = 64;
  epoll_event ended[kMost];
  const int count = ::epoll_wait(epoll_.get(), ended, kMost, 0);
  for (int i = 0; i < count; ++i) {
    auto node = running_.extract(ended[i].data.fd);
    if (!node) continue;
    const Running& running = node.mapped();
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, running.process.get(), nullptr);
    CommandOutput output;
    output.status = status_of(running.pid);
    output.out = text_of(running.out);
    output.err = text_of(running.err);
    running.done(output);  // it may start others
  }
}

Time Commands::next_moment() const {
  Time next = Time::max();
  for (const auto& [key, running] : running_) next = std::min(next, running.limit);
  return next;
}

}  // namespace hdrive::compute
