// SPDX-License-Identifier: Apache-2.0
#include "compute/batch/commands.h"

#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/process.h"
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

}  // namespace

std::vector<std::string> environment_of_commands() {
  std::vector<std::string> result;
  for (char** entry = environ; *entry; ++entry)
    if (!describes_own_job(*entry)) result.emplace_back(*entry);
  return result;
}

std::string CommandOutput::words() const {
  constexpr std::size_t kMostWords = 500;
  const std::string late = too_late ? "it gave no answer in time, and was ended" : "";
  for (const std::string* text : {&err, &out}) {
    const std::string_view said = base::trim(*text);
    if (said.empty()) continue;
    std::string line(said.substr(0, kMostWords));
    std::replace(line.begin(), line.end(), '\n', ' ');
    return late + (late.empty() ? "" : "; it had said: ") + base::to_utf8(line);
  }
  if (too_late) return late;
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
  running.out = base::file_in_memory();
  running.err = base::file_in_memory();
  if (!running.out || !running.err)
    return base::system_error("", "prepare to start " + words.front(), errno);
  base::Program program;
  program.words = words;
  program.environment = environment_of_commands();
  program.out = running.out.get();
  program.err = running.err.get();
  const int error = base::start_program(program, running.pid);
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
    base::wait_for(running.pid);
    return base::system_error("", "watch " + words.front(), cause);
  }
  const int key = running.process.get();
  running_.emplace(key, std::move(running));
  return {};
}

void Commands::take_ended(Time now) {
  for (auto& [key, running] : running_)
    if (now >= running.limit) running.too_late = ::kill(-running.pid, SIGKILL) == 0;
  constexpr int kMost = 64;
  epoll_event ended[kMost];
  const int count = ::epoll_wait(epoll_.get(), ended, kMost, 0);
  for (int i = 0; i < count; ++i) {
    auto node = running_.extract(ended[i].data.fd);
    if (!node) continue;
    const Running& running = node.mapped();
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, running.process.get(), nullptr);
    CommandOutput output;
    output.status = base::exit_code(base::wait_for(running.pid));
    output.out = base::text_of(running.out, kMostOutput);
    output.err = base::text_of(running.err, kMostOutput);
    output.too_late = running.too_late && output.status == 128 + SIGKILL;
    running.done(output);  // it may start others
  }
}

Time Commands::next_moment() const {
  Time next = Time::max();
  for (const auto& [key, running] : running_) next = std::min(next, running.limit);
  return next;
}

}  // namespace hdrive::compute
