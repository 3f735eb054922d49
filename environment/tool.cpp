// SPDX-License-Identifier: Apache-2.0
#include "environment/tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace hdrive::environment {
namespace {

namespace fs = std::filesystem;

constexpr int kToldLines = 20;
constexpr std::size_t kToldBytes = 4000;

// Starts it with its output going to `output`.
Result<pid_t> spawn(const ToolRun& run, int output) {
  base::Program program;
  program.words = run.command;
  program.environment = base::environment_with(run.variables);
  program.directory = run.directory;
  program.out = program.err = output;
  program.kept = run.kept_fd;
  program.group = base::Program::Group::same;
  pid_t pid = 0;
  if (const int error = base::start_program(program, pid); error != 0)
    return base::system_error(run.command[0], "start", error);
  return pid;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("ended with exit code {}", WEXITSTATUS(status));
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
  const int status = base::wait_for(*pid);
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
  const int status = base::wait_for(*pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const auto output = base::read_file_end(log, kToldBytes);
  Error error = failure(run, status, output ? *output : std::string());
  error.what += "\nall of it is in " + log.string();
  return error;
}

}  // namespace hdrive::environment
