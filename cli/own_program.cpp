// SPDX-License-Identifier: Apache-2.0
#include "cli/own_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/file.h"
#include "cli/command.h"

extern char** environ;

namespace hdrive::cli {
namespace {

constexpr int kPatienceMs = 600'000;
constexpr std::size_t kMostOutput = 4 << 20;

base::UniqueFd file_in_memory(std::string_view text = "") {
  base::UniqueFd file(::memfd_create("hdrive-verb", MFD_CLOEXEC));
  while (file && !text.empty()) {
    const ssize_t count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno != EINTR) file.reset();
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (file) ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string text_of(const base::UniqueFd& file) {
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  std::string text(std::min(static_cast<std::size_t>(std::max<off_t>(size, 0)), kMostOutput), '\0');
  const ssize_t count = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view each = *entry;
    if (std::none_of(variables.begin(), variables.end(),
                     [&](const auto& variable) { return each.starts_with(variable.first + "="); }))
      entries.emplace_back(each);
  }
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

PortalAnswer cannot(int error) {
  return {kCannot, "", std::string("cannot start hdrive: ") + std::strerror(error)};
}

// Its exit code; 128 and the signal where it was killed.
int wait_for(pid_t process) {
  const base::UniqueFd watched(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  pollfd end{watched.get(), POLLIN, 0};
  if (watched && ::poll(&end, 1, kPatienceMs) == 0) ::kill(-process, SIGKILL);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
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
  const auto in = file_in_memory(command.input), out = file_in_memory(), err = file_in_memory();
  if (!in || !out || !err) return cannot(errno);
  std::vector<std::string> words{"hdrive"};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment = environment_with(variables);
  auto argv = pointers(words), envp = pointers(environment);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.get(), STDERR_FILENO);
  if (!command.directory.empty())
    posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t process = 0;
  const int error = ::posix_spawn(&process, own_program().c_str(), &actions, &attributes,
                                  argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return cannot(error);
  const int exit_code = wait_for(process);
  return {exit_code, text_of(out), text_of(err)};
}

}  // namespace hdrive::cli
