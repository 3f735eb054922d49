// SPDX-License-Identifier: Apache-2.0
//
// hdrive init: a first configuration from the arguments that a training script declares. The script
// is read by Python's own parser (python/hdrive_init.py), and never run.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"

// The build gives HDRIVE_INIT_PROGRAM, the path of python/hdrive_init.py.
__asm__(
    ".pushsection .rodata\n"
    "hdrive_init_program:\n"
    ".incbin \"" HDRIVE_INIT_PROGRAM
    "\"\n"
    ".byte 0\n"
    ".popsection\n");
extern "C" __attribute__((visibility("hidden"))) const char hdrive_init_program[];

extern "C" char** environ;

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExample =
    R"(# Made by hdrive init. Name your parameters and your metric, then: hdrive validate, hdrive run.
sampling:
  type: random    # or bayesian, tpe, cmaes, grid, ...: hdrive list-algorithms
  parameter_space:
  - name: --learning_rate
    expression: log_uniform_values
    values: [0.0001, 0.1]
  - name: --layers
    expression: int_uniform
    values: [1, 6]
  - name: --optimizer
    expression: choice
    values: [sgd, adam]
primary_metric_name: val_loss
primary_metric_goal: Minimize
max_total_runs: 20
command: python3 train.py
)";

struct Options {
  std::string script;
  std::string output = "hdconfig.yml";
};

using TemporaryFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

TemporaryFile temporary_file() {
  TemporaryFile file(std::tmpfile(), &std::fclose);
  if (!file) fail(kCannot, fmt::format("cannot make a temporary file: {}", std::strerror(errno)));
  return file;
}

std::string text_of(std::FILE* file) {
  std::rewind(file);
  std::string text;
  char buffer[4096];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, file))
    text.append(buffer, size);
  return text;
}

struct Answer {
  bool good = false;
  std::string out, err;
};

// What the program says of the script. -I: nothing beside the script takes the place of Python's
// own modules.
Answer ask_python(const std::string& script) {
  const TemporaryFile out = temporary_file(), err = temporary_file();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(err.get()), STDERR_FILENO);
  std::string words[] = {"python3", "-I", "-c", hdrive_init_program, script};
  char* arguments[std::size(words) + 1] = {};
  for (std::size_t i = 0; i < std::size(words); ++i) arguments[i] = words[i].data();
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, "python3", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    fail(kCannot, fmt::format("python3, which reads the script, cannot be started: {}",
                              std::strerror(error)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail(kCannot, fmt::format("cannot wait: {}", std::strerror(errno)));
  return {WIFEXITED(status) && WEXITSTATUS(status) == 0, text_of(out.get()), text_of(err.get())};
}

// Never over a file that is there.
void write_new(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0 && errno == EEXIST)
    fail(kCannot, fmt::format("{} exists; give another file with -o, or - to print it", path));
  if (file < 0) fail(kCannot, fmt::format("{}: {}", path, std::strerror(errno)));
  const bool written = write_all(file, text);
  if (::close(file) != 0 || !written)
    fail(kCannot, fmt::format("{}: {}", path, std::strerror(errno)));
}

int init(const Options& options) {
  std::string text(kExample), about = "an example";
  if (!options.script.empty()) {
    Answer answer = ask_python(options.script);
    if (!answer.good) fail(kWrong, std::string(base::trim(answer.err)));
    text = std::move(answer.out);
    long long taken = 0, left_out = 0;
    std::sscanf(answer.err.c_str(), "%lld %lld", &taken, &left_out);
    about = taken == 0
                ? fmt::format("an example, since no parameter was found in {}", options.script)
                : fmt::format("{} of {}, {} left out", base::plural(taken, "parameter"),
                              options.script, left_out);
  }
  if (options.output == "-") {
    print(text);
    return kDone;
  }
  write_new(options.output, text);
  print(fmt::format("{}: {}; look at it, then: hdrive validate {}\n", options.output, about,
                    options.output));
  return kDone;
}

}  // namespace

Action setup_init(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  parser.text("script", options->script, "SCRIPT", "The training script, in Python").completion =
      Completion::files;
  parser
      .text("-o,--output", options->output, "FILE",
            "Where to write it (default: hdconfig.yml); - prints it")
      .completion = Completion::files;
  return [options] { return init(*options); };
}

}  // namespace hdrive::cli
