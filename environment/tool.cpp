// SPDX-License-Identifier: Apache-2.0
#include "environment/tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

extern char** environ;

namespace hdrive::environment {
namespace {

namespace fs = std::filesystem;

constexpr int kToldLines = 20;
constexpr std::size_t kToldBytes = 4000;

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> all_variables(const std::vector<std::string>& added) {
  std::vector<std::string> result = added;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view variable = *entry;
    const std::string_view name = variable.substr(0, variable.find('=') + 1);
    bool is_added = false;
    for (const std::string& each : added) is_added = is_added || each.starts_with(name);
    if (!is_added) result.emplace_back(variable);
  }
  return result;
}

// Starts it with its output going to `output`.
Result<pid_t> spawn(const ToolRun& run, int output) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, output, 2);
  // Onto itself: that alone takes the flag away which would close it.
  if (run.kept_fd >= 0) ::posix_spawn_file_actions_adddup2(&actions, run.kept_fd, run.kept_fd);
  if (!run.directory.empty())
    ::posix_spawn_file_actions_addchdir_np(&actions, run.directory.c_str());
  const std::vector<std::string> variables = all_variables(run.variables);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, run.command[0].c_str(), &actions, nullptr,
                                  pointers(run.command).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return base::system_error(run.command[0], "start", error);
  return pid;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

Error failure(const ToolRun& run, int status, std::string_view output) {
  const std::string end = base::tail(output, kToldLines, kToldBytes);
  return {"", fmt::format("{} {}{}{}", fs::path(run.command[0]).filename().string(),
                          how_it_ended(status), end.empty() ? "" : "; its last lines:\n",
                          std::string(base::trim(end)))};
}

}  // namespace

std::optional<fs::path> find_program(const std::string& search_path, const std::string& name) {
  for (const std::string_view folder : base::split(search_path, ':')) {
    const fs::path file = fs::path(folder.empty() ? "." : folder) / name;
    std::error_code error;
    if (fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0)
      return fs::absolute(file, error);
  }
  return std::nullopt;
}

Result<std::string> run_tool(const ToolRun& run) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::system_error("", "make a pipe", errno);
  const base::UniqueFd output(ends[0]);
  base::UniqueFd input(ends[1]);
  const auto pid = spawn(run, input.get());
  input.reset();
  if (!pid) return pid.error();
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t bytes = ::read(output.get(), buffer, sizeof buffer);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) break;
    text.append(buffer, static_cast<std::size_t>(bytes));
  }
  const int status = wait_for(*pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return failure(run, status, text);
  return text;
}

Result<void> run_tool(const ToolRun& run, const fs::path& log) {
  const auto file = base::open_regular(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND);
  if (!file) return file.error();
  std::string line = "$";
  for (const std::string& word : run.command) line += " " + word;
  line += "\n";
  if (::write(file->get(), line.data(), line.size()) < 0)
    return base::system_error(log, "write", errno);
  const auto pid = spawn(run, file->get());
  if (!pid) return pid.error();
  const int status = wait_for(*pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const auto output = base::read_file_end(log, kToldBytes);
  Error error = failure(run, status, output ? *output : std::string());
  error.what += "\nall of it is in " + log.string();
  return error;
}

}  // namespace hdrive::environment
