// SPDX-License-Identifier: Apache-2.0
//
// One run costs a dozen system calls here; a sweep of short runs feels each of them.
#include "compute/run_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

// What belongs to one attempt. run.json stays: it is replaced.
constexpr const char* kAttemptFiles[] = {"stdout.log", "stderr.log",      "metrics.jsonl",
                                         "exit.json",  "supervisor.json", "run.json"};

// Where execvp looks when PATH is not set.
constexpr const char* kDefaultPath = "/bin:/usr/bin";

Error failure(const fs::path& path, std::string_view what) {
  const int error = errno;
  Error result = base::system_error(path, what, error);
  if (error == EMFILE) result.what += "; raise the limit with ulimit -n, or run fewer at once";
  return result;
}

Result<void> make_directory_at(int parent, const fs::path& directory, const char* name) {
  if (::mkdirat(parent, name, 0755) == 0 || errno == EEXIST) return {};
  return failure(directory / name, "create the directory");
}

bool exists_at(int directory, const std::string& name) {
  return ::faccessat(directory, name.c_str(), F_OK, 0) == 0;
}

// A folder in which none of the files that are to be moved has a namesake: "attempt-1", "attempt-1.2", ...
std::string free_folder(int directory, int attempt) {
  const std::string first = "attempt-" + std::to_string(attempt);
  std::string folder = first;
  const auto taken = [&](const char* name) {
    return exists_at(directory, name) && exists_at(directory, folder + "/" + name);
  };
  for (int i = 2; std::any_of(std::begin(kAttemptFiles), std::end(kAttemptFiles), taken); ++i)
    folder = first + "." + std::to_string(i);
  return folder;
}

// Also where this is the first attempt: the engine may have died before it knew that it had started one.
Result<void> set_earlier_attempt_aside(int directory, const RunRequest& request) {
  const auto exists = [&](const char* name) { return exists_at(directory, name); };
  if (std::none_of(std::begin(kAttemptFiles), std::end(kAttemptFiles), exists)) return {};
  const std::string aside = free_folder(directory, request.attempt - 1);
  if (auto made = make_directory_at(directory, request.directory, aside.c_str()); !made)
    return made;
  for (const char* name : kAttemptFiles) {
    const std::string target = aside + "/" + name;
    if (::renameat(directory, name, directory, target.c_str()) != 0 && errno != ENOENT)
      return failure(request.directory / name, "move to " + aside);
  }
  return {};
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string result = "[";
  for (const std::string& text : texts)
    result += (result.size() > 1 ? ", " : "") + base::json_string(text);
  return result + "]";
}

std::string in_seconds(Time time) {
  return fmt::format("{:.6f}", static_cast<double>(time.time_since_epoch().count()) / 1e6);
}

std::string run_json(const RunRequest& request) {
  std::string environment = "{";
  for (const auto& [name, value] : request.environment)
    environment += (environment.size() > 1 ? ", " : "") + base::json_string(name) + ": " +
                   base::json_string(value);
  return "{\n  \"version\": " + std::to_string(protocol::kFileVersion) +
         ",\n  \"run_id\": " + base::json_string(request.run_id) +
         ",\n  \"number\": " + std::to_string(request.run) +
         ",\n  \"attempt\": " + std::to_string(request.attempt) +
         ",\n  \"arguments\": " + json_list(request.arguments) +
         ",\n  \"working_directory\": " + base::json_string(request.working_directory.string()) +
         ",\n  \"environment\": " + environment + "}" +
         ",\n  \"parameters\": " + to_json(request.parameters) +
         ",\n  \"proposal\": " + base::json_string(request.proposal) +
         ",\n  \"proposed\": " + in_seconds(request.proposed) + "\n}\n";
}

Result<void> write_at(int directory, const fs::path& path, const std::string& text) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
  const base::UniqueFd fd(::openat(directory, path.filename().c_str(), kFlags, 0644));
  if (!fd) return failure(path, "create");
  errno = ENOSPC;  // what a short write means
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return failure(path, "write");
  return {};
}

Result<base::UniqueFd> open_at(int directory, const fs::path& path) {
  constexpr int kFlags = O_RDONLY | O_CREAT | O_CLOEXEC;
  base::UniqueFd fd(::openat(directory, path.filename().c_str(), kFlags, 0644));
  if (!fd) return failure(path, "open");
  return fd;
}

Result<RunFiles> open_files(int directory, const fs::path& path, bool with_output) {
  RunFiles files;
  auto metrics = open_at(directory, path / "metrics.jsonl");
  if (!metrics) return metrics.error();
  files.metrics = *std::move(metrics);
  if (!with_output) return files;
  auto output = open_at(directory, path / "stdout.log");
  if (!output) return output.error();
  files.output = *std::move(output);
  return files;
}

base::UniqueFd open_directory(const fs::path& path) {
  return base::UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

// nullopt: no such file, or no object of our format version.
std::optional<nlohmann::json> read_record(const fs::path& path) {
  const auto text = base::read_file(path);
  if (!text) return std::nullopt;
  auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto version = json.find("version");
  if (version == json.end() || *version != protocol::kFileVersion) return std::nullopt;
  return json;
}

std::optional<std::int64_t> integer(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

std::string text(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<int> small(std::optional<std::int64_t> value) {
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

// What an attempt needs, in a directory that holds no other.
Result<RunFiles> fill_directory(int directory, const RunRequest& request, bool with_output,
                                const std::string& claim) {
  const fs::path& path = request.directory;
  for (const char* name : {"outputs", "logs", "checkpoints"})
    if (auto made = make_directory_at(directory, path, name); !made) return made.error();
  if (auto written = write_at(directory, path / "run.json", run_json(request)); !written)
    return written.error();
  auto files = open_files(directory, path, with_output);
  if (!files) return files;
  // The last of all: from here on a supervisor may begin. It writes over the blanks, for which there is room.
  const std::string blanks(protocol::kClaimSize, ' ');
  if (auto written = write_at(directory, path / claim, blanks); !written) return written.error();
  return files;
}

}  // namespace

Result<RunFiles> prepare_run_directory(const RunRequest& request, bool with_output,
                                       const std::string& claim) {
  const fs::path& path = request.directory;
  const bool fresh = ::mkdir(path.c_str(), 0755) == 0;
  if (!fresh) {
    if (auto made = base::make_directories(path); !made) return made.error();
  }
  const base::UniqueFd directory = open_directory(path);
  if (!directory) return failure(path, "open the directory");
  if (!fresh) {
    revoke_claims(path);
    if (auto moved = set_earlier_attempt_aside(directory.get(), request); !moved)
      return moved.error();
  }
  auto files = fill_directory(directory.get(), request, with_output, claim);
  if (files) return files;
  // What was begun is taken back: the next try would find an attempt where there was none.
  ::unlinkat(directory.get(), claim.c_str(), 0);
  for (const char* name : kAttemptFiles) ::unlinkat(directory.get(), name, 0);
  std::error_code ignored;
  if (fresh) fs::remove_all(path, ignored);
  return files;
}

void revoke_claims(const fs::path& path) {
  DIR* directory = ::opendir(path.c_str());
  if (!directory) return;
  while (const dirent* entry = ::readdir(directory))
    if (std::string_view(entry->d_name).starts_with(protocol::kClaimPrefix))
      ::unlinkat(::dirfd(directory), entry->d_name, 0);
  ::closedir(directory);
}

Result<RunFiles> open_run_files(const fs::path& path, bool with_output) {
  const base::UniqueFd directory = open_directory(path);
  if (!directory) return failure(path, "open the directory");
  return open_files(directory.get(), path, with_output);
}

std::vector<std::string> run_environment(const RunRequest& request, const char* const* inherited,
                                         const fs::path& python_path,
                                         const fs::path& command_path) {
  const std::string& directory = request.directory.native();
  std::vector<std::pair<std::string, std::string>> added;
  const auto set = [&](std::string_view name, std::string value) {
    const auto same = [&](const auto& entry) { return entry.first == name; };
    const auto found = std::find_if(added.begin(), added.end(), same);
    if (found == added.end())
      added.emplace_back(name, std::move(value));
    else
      found->second = std::move(value);
  };
  // What the run would see without further ado; nullopt: not set.
  const auto value_of = [&](std::string_view name) -> std::optional<std::string> {
    for (const auto& [other, value] : added)
      if (other == name) return value;
    for (const char* const* entry = inherited; *entry; ++entry)
      if (name_of(*entry) == name) return std::string(*entry).substr(name.size() + 1);
    return std::nullopt;
  };
  set("HDRIVE_RUN_ID", request.run_id);
  set("HDRIVE_PARAMETERS", to_json(request.parameters));
  for (const auto& [name, value] : request.environment) set(name, value);
  set("HDRIVE_RUN_DIR", directory);
  set("HDRIVE_METRICS_FILE", directory + "/metrics.jsonl");
  set("HDRIVE_OUTPUTS_DIR", directory + "/outputs");
  set("HDRIVE_LOGS_DIR", directory + "/logs");
  set("HDRIVE_CHECKPOINT_DIR", directory + "/checkpoints");
  set("HDRIVE_ATTEMPT", std::to_string(request.attempt));

  // What a script prints is to be seen, and searched for metrics, when it prints it.
  if (!value_of("PYTHONUNBUFFERED")) set("PYTHONUNBUFFERED", "1");
  const std::string python = value_of("PYTHONPATH").value_or("");
  set("PYTHONPATH", python_path.native() + (python.empty() ? "" : ":" + python));
  // Behind all else, so that nothing the user has installed is hidden.
  if (!command_path.empty())
    set("PATH", value_of("PATH").value_or(kDefaultPath) + ":" + command_path.native());

  std::vector<std::string> result;
  for (const char* const* entry = inherited; *entry; ++entry) {
    const auto same = [&](const auto& addition) { return addition.first == name_of(*entry); };
    if (std::none_of(added.begin(), added.end(), same)) result.emplace_back(*entry);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

std::optional<SupervisorRecord> read_supervisor_record(const fs::path& directory) {
  const auto json = read_record(directory / "supervisor.json");
  if (!json) return std::nullopt;
  SupervisorRecord record;
  record.attempt = small(integer(*json, "attempt")).value_or(0);
  record.pid = integer(*json, "pid").value_or(0);
  record.start_time = integer(*json, "start_time").value_or(0);
  record.boot_id = text(*json, "boot_id");
  record.program_pid = integer(*json, "program_pid").value_or(0);
  return record;
}

std::optional<ExitRecord> read_exit_record(const fs::path& directory) {
  const auto json = read_record(directory / "exit.json");
  if (!json) return std::nullopt;
  ExitRecord record;
  record.attempt = small(integer(*json, "attempt")).value_or(0);
  record.pid = integer(*json, "pid").value_or(0);
  record.exit_code = small(integer(*json, "exit_code"));
  record.signal = small(integer(*json, "signal"));
  record.not_started = text(*json, "not_started");
  record.error_number = small(integer(*json, "errno")).value_or(0);
  // A record that does not say how the run ended, or says it twice, is none.
  if (record.exit_code.has_value() + record.signal.has_value() + !record.not_started.empty() != 1)
    return std::nullopt;
  record.leftovers = integer(*json, "leftovers").value_or(0);
  record.over_time = json->value("over_time", nlohmann::json(false)) == true;
  return record;
}

}  // namespace hdrive::compute
