// SPDX-License-Identifier: Apache-2.0
#include "cli/own_program.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/process.h"
#include "cli/command.h"

namespace hdrive::cli {
namespace {

constexpr int kPatienceMs = 600'000;
constexpr std::size_t kMostOutput = 4 << 20;

PortalAnswer cannot(int error) {
  return {kCannot, "", std::string("cannot start hdrive: ") + std::strerror(error)};
}

int wait_for(pid_t process) {
  const base::UniqueFd watched(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  pollfd end{watched.get(), POLLIN, 0};
  if (watched && ::poll(&end, 1, kPatienceMs) == 0) ::kill(-process, SIGKILL);
  return base::exit_code(base::wait_for(process));
}

}  // namespace

std::string own_program() {
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string name(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return !name.empty() && ::access(name.c_str(), X_OK) == 0 ? name : "/proc/self/exe";
}

PortalAnswer run_verb(const PortalCommand& command,
                      const std::vector<std::pair<std::string, std::string>>& variables) {
  const auto in = base::file_in_memory(command.input), out = base::file_in_memory(),
             err = base::file_in_memory();
  if (!in || !out || !err) return cannot(errno);
  base::Program program;
  program.words = {"hdrive"};
  program.words.insert(program.words.end(), command.arguments.begin(), command.arguments.end());
  program.file = own_program();
  std::vector<std::string> entries;
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  program.environment = base::environment_with(std::move(entries));
  program.directory = command.directory;
  program.in = in.get();
  program.out = out.get();
  program.err = err.get();
  pid_t process = 0;
  const int error = base::start_program(program, process);
  if (error != 0) return cannot(error);
  const int exit_code = wait_for(process);
  return {exit_code, base::text_of(out, kMostOutput), base::text_of(err, kMostOutput)};
}

}  // namespace hdrive::cli
