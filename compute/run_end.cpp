// SPDX-License-Identifier: Apache-2.0
#include "compute/run_end.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kStderrBytes = 16 << 10;

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// "/usr/bin/python3" of a script that begins with "#!/usr/bin/python3 -u"; empty: no such line.
std::string interpreter_of(const fs::path& script) {
  std::string line(256, '\0');
  std::ifstream file(script, std::ios::binary);
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(file.gcount()));
  if (!line.starts_with("#!")) return "";
  std::string_view text = std::string_view(line).substr(2);
  text = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return std::string(text.substr(0, text.find_first_of(" \t")));  // a \r is the kernel's too
}

std::string quoted(const std::string& text) { return base::json_string(text); }

std::string explain_missing(const std::string& program, const fs::path& directory) {
  const fs::path file = directory / program;
  if (program.find('/') == std::string::npos) {
    std::string what = "no program " + quoted(program) + " is in PATH";
    if (is_file(file))
      what += "; to run the file of that name in " + quoted(directory.string()) + ", write ./" +
              program;
    return what;
  }
  if (!is_file(file)) {
    const bool relative = fs::path(program).is_relative();
    return "there is no file " + quoted(program) +
           (relative
                ? "; relative paths count from the working directory " + quoted(directory.string())
                : "");
  }
  const std::string interpreter = interpreter_of(file);
  if (interpreter.ends_with('\r'))
    return quoted(program) + " has Windows line ends, so that its #! line names no program; " +
           "convert it (sed -i 's/\\r$//')";
  if (!interpreter.empty())
    return "the interpreter " + quoted(interpreter) + " in the #! line of " + quoted(program) +
           " does not exist";
  return "the dynamic loader that " + quoted(program) + " was built for does not exist here";
}

std::string explain_refused(const std::string& program, const fs::path& directory) {
  const fs::path file = directory / program;
  std::error_code error;
  if (fs::is_directory(file, error)) return quoted(program) + " is a directory";
  if (program.ends_with(".py"))
    return quoted(program) + " is not executable; run it with python3 " + program +
           ", or chmod +x it and give it a #! line";
  const std::string interpreter = is_file(file) ? interpreter_of(file) : "";
  return quoted(program) + " is not executable; chmod +x it" +
         (interpreter.empty() ? "" : ", or run it with " + interpreter + " " + program);
}

void add(std::string& note, const std::string& sentence) {
  note += (note.empty() ? "" : "; ") + sentence;
}

std::string explain_not_started(const ExitRecord& record, const RunRequest& request) {
  const std::string words = std::generic_category().message(record.error_number);
  const std::string program = request.arguments.empty() ? "" : request.arguments.front();
  if (record.not_started == "exec")
    return explain_exec_failure(program, request.working_directory, record.error_number);
  if (record.not_started == "chdir")
    return "cannot enter the working directory " + quoted(request.working_directory.string()) +
           ": " + words;
  if (record.not_started == "vfork") return "cannot start a process: " + words;
  if (record.error_number == EINVAL)
    return (request.directory / record.not_started).string() + " is not a regular file";
  return "cannot open " + (request.directory / record.not_started).string() + ": " + words;
}

}  // namespace

std::string explain_exec_failure(const std::string& program, const fs::path& working_directory,
                                 int error) {
  const std::string start = "cannot start " + quoted(program) + ": ";
  if (error == ENOENT) return start + explain_missing(program, working_directory);
  if (error == EACCES) return start + explain_refused(program, working_directory);
  if (error == ENOTDIR) return start + "a part of its path is a file, not a directory";
  if (error == ENOEXEC) return start + "it is no program of this machine's kind";
  return start + std::generic_category().message(error);
}

RunExited describe_exit(const ExitRecord& record, const RunRequest& request,
                        int stderr_tail_lines) {
  RunExited end;
  end.run = request.run;
  end.attempt = request.attempt;
  end.exit_code = record.exit_code;
  end.signal = record.signal;
  end.over_time = record.over_time;
  end.cpu_time = record.cpu_time;
  end.peak_memory = record.peak_memory;
  if (record.started && record.ended && *record.ended >= *record.started)
    end.ran = *record.ended - *record.started;
  end.not_started = !record.not_started.empty();
  if (end.not_started) add(end.note, explain_not_started(record, request));
  if (record.over_time)
    add(end.note, "its supervisor ended it after the time limit, as no engine did");
  if (record.oom_kills > 0)
    add(end.note,
        "the kernel ended " +
            (record.oom_kills == 1 ? std::string("a process")
                                   : std::to_string(record.oom_kills) + " processes") +
            " of it, since it wanted more memory than it had asked for (memory of resources)");
  if (record.leftovers > 0)
    add(end.note,
        (record.leftovers == 1 ? "a process" : std::to_string(record.leftovers) + " processes") +
            " it left running behind it " + (record.leftovers == 1 ? "was" : "were") + " ended");
  if (end.exit_code == 0 || end.not_started) return end;
  if (const auto text = base::read_file_end(request.directory / "stderr.log", kStderrBytes))
    end.stderr_tail = base::to_utf8(base::tail(*text, stderr_tail_lines, kStderrBytes));
  return end;
}

}  // namespace hdrive::compute
