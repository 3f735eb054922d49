// SPDX-License-Identifier: Apache-2.0
#include "cli/detach.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <variant>

#include "base/file.h"
#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/own_program.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/state.h"

extern char** environ;

namespace hdrive::cli {
namespace {

constexpr int kAnnounceFd = 3;
constexpr const char* kAnnounceOption = "--announce-to";

// The same arguments, which are for the other process to read now.
std::vector<std::string> arguments_for_child(const Detach& detach) {
  std::vector<std::string> result{"hdrive"};
  result.insert(result.end(), detach.arguments.begin(), detach.arguments.end());
  // The first is ours; a script or a command behind may have its own.
  const auto option = std::find_if(result.begin(), result.end(), [](const std::string& word) {
    return word == "--detach" || word == "--async";
  });
  *option = fmt::format("{}={}", kAnnounceOption, kAnnounceFd);
  return result;
}

pid_t spawn(const std::vector<std::string>& arguments, int announce_to) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // A configuration that comes by the standard input is for the detached process to read.
  if (std::find(arguments.begin(), arguments.end(), "-") == arguments.end())
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // The standard output is the caller's, for the id alone.
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, announce_to, kAnnounceFd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, own_program().c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) fail(kCannot, fmt::format("cannot start a process: {}", std::strerror(error)));
  return pid;
}

std::string read_all(int fd) {
  std::string text;
  char buffer[512];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

int exit_code_of(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  fail(kCannot, fmt::format("the detached process was killed by signal {}", WTERMSIG(status)));
}

class Announcer final : public Listener {
 public:
  Announcer(int announce_to, std::string sweep_id, std::filesystem::path log)
      : caller_(announce_to), sweep_id_(std::move(sweep_id)), log_(std::move(log)) {
    ::fcntl(announce_to, F_SETFD, FD_CLOEXEC);
  }

  void on_change(const Change& change, const SweepState& /*state*/) override {
    if (std::holds_alternative<RunStarted>(change)) announce();
  }
  void on_turn(const SweepState& state, Time now) override {
    if (began_ == Time{}) began_ = now;
    if (state.history().count(RunStatus::running) > 0 || now - began_ > std::chrono::seconds{2})
      announce();
  }

 private:
  void announce() {
    if (!caller_) return;
    auto file = base::open_regular(AT_FDCWD, log_, O_WRONLY | O_CREAT | O_APPEND);
    base::UniqueFd log = file ? *std::move(file) : base::UniqueFd();
    if (!log) log.reset(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ::dup2(log.get(), STDOUT_FILENO);
    ::dup2(log.get(), STDERR_FILENO);
    write_all(caller_.get(), sweep_id_);
    caller_.reset();
  }

  base::UniqueFd caller_;  // closed once it knows
  std::string sweep_id_;
  std::filesystem::path log_;
  Time began_{};
};

}  // namespace

void add_detach_option(ArgumentParser& parser, Detach& detach, const std::string& verb,
                       const std::vector<std::string>& arguments) {
  detach.arguments = arguments;
  detach.arguments.insert(detach.arguments.begin(), verb);
  parser.flag("--detach,--async", detach.asked,
              "Return when the first run has begun; the sweep goes on without the terminal");
  parser.integer(kAnnounceOption, detach.announce_to, std::int64_t{0}, "").hidden = true;
}

int start_detached(const Detach& detach, const std::string& output_dir) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    fail(kCannot, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  const base::UniqueFd listen(ends[0]);
  base::UniqueFd announce_to(ends[1]);
  const pid_t process = spawn(arguments_for_child(detach), announce_to.get());
  announce_to.reset();
  const std::string sweep_id = read_all(listen.get());
  if (sweep_id.empty()) return exit_code_of(process);
  tell(fmt::format(
      "{0} goes on by itself; hdrive attach {0}{1} shows it, hdrive stop {0}{1} ends it\n",
      short_id(sweep_id), home_hint(output_dir)));
  print(sweep_id + "\n");
  return kDone;
}

void become_detached() { std::signal(SIGHUP, SIG_IGN); }

std::shared_ptr<Listener> make_announcer(int announce_to, std::string sweep_id,
                                         std::filesystem::path log) {
  return std::make_shared<Announcer>(announce_to, std::move(sweep_id), std::move(log));
}

}  // namespace hdrive::cli
