// SPDX-License-Identifier: Apache-2.0
//
// A run's program where the run is to be in a container. Its supervisor is outside: to it this
// process, the engine's program and, with podman and apptainer, the container's own processes are a
// run's like any other, and SIGTERM reaches all of them. What a container's engine keeps apart
// (docker's daemon does) is ended by name: here when the engine's program is gone, and by the
// supervisor, which finds the command for it in the run directory, when this process is.
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/file.h"
#include "cli/argument_parser.h"
#include "cli/container_words.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"

extern char** environ;

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

// What the run's supervisor carries out when all processes of the run are gone
// (docs/run-directory.md).
constexpr const char* kEndFile = ".end-with";

struct Options {
  ContainerWords words;
  std::vector<std::string> command;
};

// Of the run's variables those that tell it about itself; the machine's own would mislead it.
std::vector<std::string> variables_of_run(const std::vector<std::string>& own) {
  std::vector<std::string> names = own;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view name = std::string_view(*entry).substr(0, std::strcspn(*entry, "="));
    const bool of_run = name.starts_with("HDRIVE_") || name.starts_with("AZUREML_") ||
                        name.starts_with("MLFLOW_") || name == "PYTHONPATH" ||
                        name == "PYTHONUNBUFFERED" || name == "OMP_NUM_THREADS" ||
                        name == "CUDA_VISIBLE_DEVICES" || name == "HIP_VISIBLE_DEVICES" ||
                        name == "CUDA_DEVICE_ORDER";
    if (of_run && std::find(names.begin(), names.end(), name) == names.end())
      names.emplace_back(name);
  }
  // The PATH of an image is its own.
  std::erase(names, "PATH");
  return names;
}

std::string of_run(const char* name) {
  const auto value = environment(name);
  if (!value)
    fail(kWrong, fmt::format("{} is not set: container-run is for the runs of a sweep", name));
  return *value;
}

// A small first process takes its orphans and signals; without one SIGTERM does not reach a
// program that has no handler for it.
bool has_init(ContainerEngine engine) {
  if (engine == ContainerEngine::docker) return true;  // it brings its own
  for (const char* file : {"/usr/libexec/podman/catatonit", "/usr/bin/catatonit"})
    if (::access(file, X_OK) == 0) return true;
  return false;
}

ContainerRun container_run(const Options& options) {
  ContainerRun run;
  run.engine = options.words.engine;
  run.container = options.words.container;
  run.name = "hdrive-" + of_run("HDRIVE_RUN_ID") + "-" + of_run("HDRIVE_ATTEMPT");
  run.working_directory = fs::current_path();
  const fs::path directory = of_run("HDRIVE_RUN_DIR");
  run.folders = {directory, directory.parent_path() / ".python"};
  if (const fs::path source = of_run("HDRIVE_SOURCE_DIR"); fs::is_directory(source))
    run.folders.push_back(source);
  run.variables = variables_of_run(options.words.variables);
  run.user = options.words.user;
  run.init = has_init(run.engine);
  run.command = options.command;
  return run;
}

pid_t spawn(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigfillset(&defaults);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], nullptr, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0)
    fail(kCannot, fmt::format("{} cannot be started: {}", command[0], std::strerror(error)));
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Words as the supervisor reads them, each with a zero byte behind it.
void write_end_file(const fs::path& file, const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += word + '\0';
  ok_or_fail(base::write_file_atomically(file, text));
}

int run(const Options& options) {
  const ContainerRun run = container_run(options);
  const auto end = container_end_command(run.engine, run.name);
  const fs::path file = fs::path(of_run("HDRIVE_RUN_DIR")) / kEndFile;
  // The engine's program is told as well, and ends when the container has.
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  if (!end.empty()) write_end_file(file, end);
  const int status = wait_for(spawn(container_command(run)));
  if (WIFSIGNALED(status)) {
    if (!end.empty()) wait_for(spawn(end));
  }
  std::error_code ignored;
  fs::remove(file, ignored);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Action setup_container_run(ArgumentParser& parser, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  add_container_options(parser, options->words);
  const auto mark = std::find(arguments.begin(), arguments.end(), "--");
  if (mark != arguments.end()) {
    options->command.assign(mark + 1, arguments.end());
    arguments.erase(mark, arguments.end());
  }
  return [options] { return run(*options); };
}

}  // namespace hdrive::cli
