// SPDX-License-Identifier: Apache-2.0
#include "compute/batch/job_script.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "compute/distribution.h"
#include "compute/run_environment.h"

namespace hdrive::compute {
namespace {

// Stands for what a variable has in the job, which only the job knows.
constexpr std::string_view kJobsOwn = "\x01";

// "PATH=/venv/bin:\x01" as the shell writes it. With its colon, since an empty part of PATH means the folder one is in.
std::string export_line(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  const std::string name(entry.substr(0, equals));
  const std::string_view value = entry.substr(equals + 1);
  const std::size_t at = value.find(kJobsOwn);
  if (at == value.npos) return "export " + name + "=" + shell_quoted(value) + "\n";
  std::string_view before = value.substr(0, at), after = value.substr(at + kJobsOwn.size());
  std::string own = "\"$" + name + "\"";
  if (before.ends_with(':') && after.empty()) {
    before.remove_suffix(1);
    own = "\"${" + name + ":+:$" + name + "}\"";
  } else if (after.starts_with(':') || after.starts_with(',')) {
    const char separator = after.front();
    after.remove_prefix(1);
    own = "\"${" + name + ":+$" + name + separator + "}\"";
  }
  return "export " + name + "=" + shell_quoted(before) + own + shell_quoted(after) + "\n";
}

std::string exports(const RunRequest& request, const JobScript& parts) {
  // run_environment may add to these; whatever else the job has is left alone.
  const std::string own(kJobsOwn);
  const std::string added_to[] = {"PATH=" + own, "PYTHONPATH=" + own, "no_proxy=" + own,
                                  "NO_PROXY=" + own};
  std::vector<const char*> inherited;
  for (const std::string& entry : added_to) inherited.push_back(entry.c_str());
  inherited.push_back(nullptr);
  std::string result;
  for (const std::string& entry :
       run_environment(request, inherited.data(), parts.python, parts.commands))
    if (!entry.ends_with("=" + own)) result += export_line(entry);
  return result;
}

Result<void> refuse_zero_bytes(const RunRequest& request) {
  const auto fault = [&](const std::string& what) {
    return Error{"run " + std::to_string(request.run),
                 what + " holds a zero byte, which no program can be given", Error::Kind::invalid};
  };
  for (const std::string& argument : request.arguments)
    if (argument.find('\0') != argument.npos) return fault("an argument");
  for (const auto& [name, value] : request.environment) {
    if ((name + value).find('\0') != std::string::npos)
      return fault("the variable " + base::json_string(name));
    const bool is_name = !name.empty() &&
                         name.find_first_not_of(
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
                             "yz0123456789_") == name.npos &&
                         !(name.front() >= '0' && name.front() <= '9');
    if (!is_name)
      return Error{"run " + std::to_string(request.run),
                   "a shell has no variable named " + base::json_string(name) +
                       "; in a job's script names are letters, digits and underscores",
                   Error::Kind::invalid};
  }
  return {};
}

}  // namespace

std::string shell_quoted(std::string_view text) {
  if (text.empty()) return "";
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

Result<std::string> job_script(const RunRequest& request, const JobScript& parts) {
  if (auto sound = refuse_zero_bytes(request); !sound) return sound.error();
  const auto word = [](std::string_view text) {
    return text.empty() ? std::string("''") : shell_quoted(text);
  };
  std::string text = "#!/bin/sh\n";
  for (const std::string& line : parts.directives) text += line + "\n";
  text += "cd " + word(request.directory.native()) + " || exit 65\n";
  text += ": > " + std::string(kJobMark) + std::to_string(request.attempt) + "\n";
  for (const std::string& line : parts.setup) text += line + "\n";
  if (request.resources.cpus > 0)
    text += "export OMP_NUM_THREADS=" + std::to_string(request.resources.cpus) + "\n";
  text += exports(request, parts);
  text += "IFS= read -r hdrive_boot < /proc/sys/kernel/random/boot_id\n";
  // Beside the shell, which then does no more than pass on what the system tells the job.
  if (parts.apart)
    text +=
        "hdrive_tell() { [ -z \"$hdrive_run\" ] || kill \"-$1\" \"$hdrive_run\" 2> /dev/null; }\n"
        "trap 'hdrive_tell TERM' TERM INT HUP\ntrap 'hdrive_tell USR2' USR1 USR2\n";
  text += (parts.apart ? "" : "exec ") + word(parts.supervisor.native()) + " " +
          std::to_string(request.run) + " " + word(request.directory.native()) + " " +
          std::to_string(request.attempt) + " \"$hdrive_boot\" " +
          word(request.working_directory.native()) + " " +
          std::to_string(request.cancel_grace.count()) + " " +
          std::to_string(request.time_limit.count()) + " 0 0 " +
          std::to_string(parts.beat.count()) + (parts.apart ? " \"$$\"" : " 0") + " '' '' " +
          word(parts.claim) + " " + word(plan_text(request));
  for (const std::string& argument : request.arguments) text += " " + word(argument);
  text += " 3> /dev/null";
  if (!parts.apart) return text + "\n";
  return text +
         " &\nhdrive_run=$!\n"
         "while wait \"$hdrive_run\"; hdrive_status=$?; [ \"$hdrive_status\" -gt 128 ] &&\n"
         "  kill -0 \"$hdrive_run\" 2> /dev/null; do :; done\nexit \"$hdrive_status\"\n";
}

}  // namespace hdrive::compute
