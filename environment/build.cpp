// SPDX-License-Identifier: Apache-2.0
//
// Environments that are built once and kept. Each has a folder named by the digest of what it is
// made from, with `prefix`, `definition.txt`, `build.log` and, once all is there, `complete`. Who
// builds holds a lock on KEY.lock, and so does every program that it starts: should the builder be
// killed, nobody begins anew while something of it still writes.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "environment/packages.h"
#include "environment/tool.h"
#include "hdrive/environment.h"

namespace hdrive {
namespace environment {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeyDigits = 16;
constexpr std::string_view kNameLine = "name: ", kToolLine = "tool: ";

enum class Tool { micromamba, mamba, conda, uv, pip };
constexpr std::string_view kToolNames[] = {"micromamba", "mamba", "conda", "uv", "pip"};
std::string_view name_of(Tool tool) { return kToolNames[static_cast<int>(tool)]; }
bool is_conda(Tool tool) { return tool <= Tool::conda; }

// What is to be built, and with what.
struct Plan {
  Tool tool = Tool::pip;
  fs::path program;      // of the tool
  fs::path interpreter;  // of virtual environments
  Requirements pip;
  CondaLists conda;
  std::vector<std::string> channels;
  fs::path directory;  // where pip starts
  std::string name, definition, key;
  std::vector<std::string> notes;  // for the user
};

void say(const EnvironmentOptions& options, const std::string& text) {
  if (options.tell) options.tell(text);
}

std::string title(const std::string& name, const std::string& key) {
  return name.empty() ? "environment " + key : fmt::format("environment {} ({})", name, key);
}

// ---- planning -----------------------------------------------------------------------------------

Result<std::string> version_of(const fs::path& interpreter) {
  auto told =
      run_tool({{interpreter.string(), "-c", "import platform; print(platform.python_version())"}});
  if (!told) return told.error();
  return std::string(base::trim(*told));
}

bool fits(const std::string& version, const std::string& wanted) {
  return wanted.empty() || version == wanted || version.starts_with(wanted + ".");
}

std::string major_and_minor(const std::string& version) {
  const std::size_t first = version.find('.');
  return version.substr(0, first == version.npos ? first : version.find('.', first + 1));
}

// uv knows interpreters that are not in PATH, its own among them: the program and its version.
std::optional<std::pair<fs::path, std::string>> interpreter_of_uv(const Plan& plan) {
  if (plan.tool != Tool::uv || plan.pip.python.empty()) return std::nullopt;
  const auto told = run_tool({{plan.program.string(), "python", "find", plan.pip.python}});
  if (!told) return std::nullopt;
  const fs::path program(base::trim(*told));
  const auto version = version_of(program);
  if (!version || !fits(*version, plan.pip.python)) return std::nullopt;
  return std::pair{program, *version};
}

// The interpreter of the wanted version, or the usual one with a note that it is another.
Result<void> choose_interpreter(Plan& plan, const std::string& search_path) {
  const std::string& wanted = plan.pip.python;
  std::string first;  // what there is in its place
  for (const std::string& name :
       {"python" + major_and_minor(wanted), std::string("python3"), std::string("python")}) {
    const auto program = find_program(search_path, name);
    if (!program) continue;
    const auto version = version_of(*program);
    if (!version) continue;
    if (plan.interpreter.empty()) {
      plan.interpreter = *program;
      first = *version;
    }
    if (!fits(*version, wanted)) continue;
    plan.interpreter = *program;
    plan.definition += "interpreter: " + *version + "\n";
    return {};
  }
  if (const auto known = interpreter_of_uv(plan)) {
    plan.interpreter = known->first;
    plan.definition += "interpreter: " + known->second + "\n";
    return {};
  }
  if (plan.interpreter.empty())
    return Error{"", "there is no python3 in PATH to make an environment with",
                 Error::Kind::not_found};
  plan.definition += "interpreter: " + first + "\n";
  plan.notes.push_back(fmt::format(
      "Python {} is wanted, and there is none in PATH; {} (Python {}) is taken in its place",
      wanted, plan.interpreter.string(), first));
  return {};
}

// A line that names a file of this machine stands for its content.
std::string with_content(const std::string& line, const fs::path& directory) {
  std::error_code error;
  const std::string word = line.substr(line.starts_with("-") ? line.find_first_of(" =") + 1 : 0);
  const fs::path path = directory / std::string(base::trim(word));
  if (word.find('/') == word.npos && !word.ends_with(".whl")) return line;
  if (!fs::exists(path, error)) return line;
  if (!fs::is_regular_file(path, error)) return line + " # " + path.string();
  const auto content = base::read_file(path);
  return line + " # " + (content ? base::sha256(*content) : path.string());
}

void add_lines(Plan& plan, std::string_view heading, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  std::vector<std::string> sorted = lines;
  if (heading != "channels") std::sort(sorted.begin(), sorted.end());
  plan.definition += fmt::format("{}:\n", heading);
  for (const std::string& line : sorted)
    plan.definition += "  " + with_content(line, plan.directory) + "\n";
}

Result<Plan> make_plan(const PythonPackages& packages, const EnvironmentOptions& options) {
  Plan plan;
  plan.name = packages.name;
  plan.directory = packages.directory;
  bool found = false;
  for (const Tool tool : {Tool::micromamba, Tool::mamba, Tool::conda, Tool::uv}) {
    if (found) break;
    const auto program = find_program(options.search_path, std::string(name_of(tool)));
    if (!program) continue;
    plan.tool = tool;
    plan.program = *program;
    found = true;
  }
  // The name counts for people alone; the same lists under another name are the same environment.
  plan.definition = fmt::format("{}{}\n", kToolLine, name_of(plan.tool));
  std::vector<std::string> left_out;
  if (is_conda(plan.tool)) {
    auto lists = conda_lists(packages);
    if (!lists) return lists.error();
    plan.conda = *std::move(lists);
    plan.channels = packages.channels;
    left_out = plan.conda.left_out;
    add_lines(plan, "channels", plan.channels);
    add_lines(plan, "conda", plan.conda.conda);
    add_lines(plan, "pip", plan.conda.pip);
  } else {
    auto requirements = pip_requirements(packages);
    if (!requirements) return requirements.error();
    plan.pip = *std::move(requirements);
    left_out = plan.pip.left_out;
    if (auto chosen = choose_interpreter(plan, options.search_path); !chosen) return chosen.error();
    add_lines(plan, "pip", plan.pip.lines);
  }
  if (!left_out.empty())
    plan.notes.push_back("left out, since hdrive or the other packages bring what they are for: " +
                         base::join(left_out, ", "));
  plan.key = base::sha256(plan.definition).substr(0, kKeyDigits);
  return plan;
}

// ---- building -----------------------------------------------------------------------------------

std::string requirements_text(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// As conda reads it; JSON is YAML, too.
std::string conda_file(const Plan& plan) {
  std::string text = "channels:\n";
  for (const std::string& channel : plan.channels) text += "- " + base::json_string(channel) + "\n";
  if (plan.channels.empty()) text += "- conda-forge\n";
  text += "dependencies:\n";
  for (const std::string& package : plan.conda.conda)
    text += "- " + base::json_string(package) + "\n";
  if (plan.conda.pip.empty()) return text;
  text += "- pip:\n";
  for (const std::string& line : plan.conda.pip) text += "  - " + base::json_string(line) + "\n";
  return text;
}

using Commands = std::vector<std::vector<std::string>>;

Result<Commands> conda_commands(const Plan& plan, const fs::path& directory,
                                const fs::path& prefix) {
  const fs::path file = directory / "environment.yml";
  if (auto written = base::write_file_atomically(file, conda_file(plan)); !written)
    return written.error();
  const std::string program = plan.program.string();
  if (plan.tool == Tool::micromamba)
    return Commands{
        {program, "create", "--yes", "--prefix", prefix.string(), "--file", file.string()}};
  return Commands{
      {program, "env", "create", "--quiet", "--prefix", prefix.string(), "--file", file.string()}};
}

Result<Commands> venv_commands(const Plan& plan, const fs::path& directory,
                               const fs::path& prefix) {
  const fs::path file = directory / "requirements.txt";
  if (auto written = base::write_file_atomically(file, requirements_text(plan.pip.lines)); !written)
    return written.error();
  const std::string base_python = plan.interpreter.string();
  const std::string python = (prefix / "bin" / "python").string();
  Commands commands;
  if (plan.tool == Tool::uv)
    commands.push_back({plan.program.string(), "venv", "--python", base_python, prefix.string()});
  else
    commands.push_back({base_python, "-m", "venv", "--without-pip", prefix.string()});
  if (plan.pip.lines.empty()) return commands;
  if (plan.tool == Tool::uv) {
    commands.push_back(
        {plan.program.string(), "pip", "install", "--python", python, "-r", file.string()});
    return commands;
  }
  // The interpreter's own pip installs for it, which spares unpacking another one; where it has
  // none, or one that cannot do that, the environment gets its own.
  if (run_tool({{base_python, "-m", "pip", "--python", base_python, "--version"}})) {
    commands.push_back({base_python, "-m", "pip", "--python", python, "install",
                        "--disable-pip-version-check", "--no-input", "-r", file.string()});
    return commands;
  }
  commands[0] = {base_python, "-m", "venv", prefix.string()};
  commands.push_back({python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
                      "-r", file.string()});
  return commands;
}

Result<void> build(const Plan& plan, const fs::path& directory, int lock) {
  std::error_code error;
  fs::remove_all(directory, error);
  if (auto made = base::make_directories(directory); !made) return made;
  const std::string definition = fmt::format("{}{}\n{}", kNameLine, plan.name, plan.definition);
  if (auto written = base::write_file_atomically(directory / "definition.txt", definition);
      !written)
    return written;
  const fs::path prefix = directory / "prefix";
  const auto commands = is_conda(plan.tool) ? conda_commands(plan, directory, prefix)
                                            : venv_commands(plan, directory, prefix);
  if (!commands) return commands.error();
  for (const auto& command : *commands) {
    ToolRun run{command};
    // Nothing of an environment this process runs in may get into the new one.
    run.variables = {"PYTHONPATH=", "PIP_REQUIRE_VIRTUALENV=0", "VIRTUAL_ENV="};
    run.directory = plan.directory;
    run.kept_fd = lock;
    if (auto done = run_tool(run, directory / "build.log"); !done) return done;
  }
  return base::write_file_atomically(directory / "complete", plan.key + "\n", true);
}

// ---- what is kept -------------------------------------------------------------------------------

std::string line_after(std::string_view text, std::string_view beginning) {
  for (const std::string_view line : base::split(text, '\n'))
    if (line.starts_with(beginning)) return std::string(line.substr(beginning.size()));
  return "";
}

bool is_key(const std::string& name) {
  return name.size() == kKeyDigits &&
         name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Time time_of(const fs::path& file) {
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  if (error) return Time{};
  return std::chrono::time_point_cast<Duration>(std::chrono::file_clock::to_sys(written));
}

KeptEnvironment read_kept(const fs::path& directory) {
  KeptEnvironment kept;
  kept.key = directory.filename();
  kept.directory = directory;
  kept.prefix = directory / "prefix";
  if (const auto text = base::read_file(directory / "definition.txt", 1 << 20)) {
    kept.name = line_after(*text, kNameLine);
    kept.tool = line_after(*text, kToolLine);
    kept.definition = *text;
  }
  std::error_code error;
  kept.complete = fs::exists(directory / "complete", error) &&
                  ::access((kept.prefix / "bin" / "python").c_str(), X_OK) == 0;
  kept.created = time_of(directory / "definition.txt");
  return kept;
}

Result<base::UniqueFd> open_lock(const fs::path& cache, const std::string& key) {
  return base::open_regular(AT_FDCWD, cache / (key + ".lock"), O_RDWR | O_CREAT);
}

// Takes the lock, waiting where another process has it.
Result<void> lock(const base::UniqueFd& file, const Plan& plan, const EnvironmentOptions& options) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK)
    say(options, title(plan.name, plan.key) + ": it is being built already; waiting for that");
  while (::flock(file.get(), LOCK_EX) != 0)
    if (errno != EINTR) return base::system_error(options.cache, "lock an environment in", errno);
  return {};
}

}  // namespace
}  // namespace environment

Result<KeptEnvironment> prepare_environment(const PythonPackages& packages,
                                            const EnvironmentOptions& options) {
  using namespace environment;
  auto plan = make_plan(packages, options);
  if (!plan) return plan.error();
  const fs::path directory = options.cache / plan->key;
  if (KeptEnvironment kept = read_kept(directory); kept.complete) return kept;
  if (auto made = base::make_directories(options.cache); !made) return made.error();
  const auto file = open_lock(options.cache, plan->key);
  if (!file) return file.error();
  if (auto locked = lock(*file, *plan, options); !locked) return locked.error();
  if (KeptEnvironment kept = read_kept(directory); kept.complete) return kept;
  for (const std::string& note : plan->notes)
    say(options, title(plan->name, plan->key) + ": " + note);
  say(options,
      fmt::format("{}: building it with {}, once; the log is {}", title(plan->name, plan->key),
                  name_of(plan->tool), (directory / "build.log").string()));
  const auto clock = make_steady_clock();
  const Time began = clock->now();
  if (auto built = build(*plan, directory, file->get()); !built) {
    Error error = built.error();
    error.where = title(plan->name, plan->key);
    return error;
  }
  KeptEnvironment kept = read_kept(directory);
  if (!kept.complete)
    return Error{title(plan->name, plan->key), "was built, and has no bin/python; its log is " +
                                                   (directory / "build.log").string()};
  const auto took = std::chrono::duration_cast<std::chrono::seconds>(clock->now() - began);
  say(options, fmt::format("{}: ready after {} s", title(plan->name, plan->key), took.count()));
  return kept;
}

std::vector<KeptEnvironment> list_environments(const std::filesystem::path& cache) {
  using namespace environment;
  std::vector<KeptEnvironment> result;
  std::error_code error;
  for (fs::directory_iterator it(cache, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && is_key(it->path().filename()))
      result.push_back(read_kept(it->path()));
  }
  std::sort(result.begin(), result.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  return result;
}

Result<void> remove_environment(const KeptEnvironment& kept) {
  using namespace environment;
  const fs::path cache = kept.directory.parent_path();
  const auto file = open_lock(cache, kept.key);
  if (!file) return file.error();
  if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0)
    return Error{title(kept.name, kept.key), "is being built", Error::Kind::busy};
  // First what says that it can be used: nobody may find a half of it.
  std::error_code error;
  fs::remove(kept.directory / "complete", error);
  fs::remove_all(kept.directory, error);
  if (error) return base::system_error(kept.directory, "remove", error.value());
  return {};
}

void use_environment(SweepSpec& spec, const KeptEnvironment& kept) {
  const std::string programs = (kept.prefix / "bin").string();
  auto& variables = spec.environment_variables;
  // Not PATH itself: that is the engine's, and another one when the sweep is gone on with.
  variables["HDRIVE_PATH_FIRST"] = programs;
  const bool is_virtual = kept.tool == "uv" || kept.tool == "pip";
  variables[is_virtual ? "VIRTUAL_ENV" : "CONDA_PREFIX"] = kept.prefix.string();
  if (!spec.command.empty() && (spec.command[0] == "python" || spec.command[0] == "python3"))
    spec.command[0] = programs + "/python";
}

}  // namespace hdrive
