// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

extern char** environ;

namespace hdrive::base {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

short flags_of(Program::Group group) {
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (group == Program::Group::own) flags |= POSIX_SPAWN_SETPGROUP;
  if (group == Program::Group::own_session) flags |= POSIX_SPAWN_SETSID;
  return static_cast<short>(flags);
}

}  // namespace

int start_program(const Program& program, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (program.in < 0)
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // Onto itself, too: that alone takes the flag away which would close it.
  for (const auto& [from, to] :
       {std::pair{program.in, STDIN_FILENO}, std::pair{program.out, STDOUT_FILENO},
        std::pair{program.err, STDERR_FILENO}, std::pair{program.kept, program.kept}})
    if (from >= 0) posix_spawn_file_actions_adddup2(&actions, from, to);
  if (!program.directory.empty())
    posix_spawn_file_actions_addchdir_np(&actions, program.directory.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, flags_of(program.group));
  const auto words = pointers(program.words);
  std::vector<char*> variables;
  if (program.environment) variables = pointers(*program.environment);
  const int error =
      ::posix_spawnp(&pid, program.file.empty() ? words[0] : program.file.c_str(), &actions,
                     &attributes, words.data(), program.environment ? variables.data() : environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

std::vector<std::string> environment_with(std::vector<std::string> variables) {
  const std::size_t given = variables.size();
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view variable = *entry;
    const std::string_view name = variable.substr(0, variable.find('=') + 1);
    if (std::none_of(variables.begin(), variables.begin() + static_cast<std::ptrdiff_t>(given),
                     [&](const std::string& each) { return each.starts_with(name); }))
      variables.emplace_back(variable);
  }
  return variables;
}

int wait_for(pid_t pid) {
  constexpr int kUnknown = 127 << 8;  // as if it had not been there
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return kUnknown;
  return status;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

UniqueFd file_in_memory(std::string_view text) {
  UniqueFd file(::memfd_create("hdrive-text", MFD_CLOEXEC));
  while (file && !text.empty()) {
    const ssize_t count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno != EINTR) file.reset();
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (file) ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string text_of(const UniqueFd& file, std::size_t most) {
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  std::string text(std::min(static_cast<std::size_t>(std::max<off_t>(size, 0)), most), '\0');
  const ssize_t count = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

}  // namespace hdrive::base
