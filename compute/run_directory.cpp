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
#include <string_view>

#include "base/text.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

// What belongs to one attempt.
constexpr const char* kAttemptFiles[] = {
    "stdout.log", "stderr.log",   "metrics.jsonl", "exit.json", "supervisor.json",
    "run.json",   "mlflow.jsonl", "mlflow",        "job.sh",    "job.log",
    "submit.sh",  "processes",    kMlflowMetrics};

Error failure(const fs::path& path, std::string_view what) {
  return base::system_error(path, what, errno);
}

Result<void> make_directory_at(int parent, const fs::path& directory, const char* name) {
  if (::mkdirat(parent, name, 0700) == 0 || errno == EEXIST) return {};
  return failure(directory / name, "create the directory");
}

// What has that name, links themselves included; 0: nothing.
mode_t mode_at(int directory, const std::string& name) {
  struct stat status {};
  return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_mode : 0;
}
bool exists_at(int directory, const std::string& name) { return mode_at(directory, name) != 0; }

// A folder in which none of the files that are to be moved has a namesake: "attempt-1",
// "attempt-1.2", ...
std::string free_folder(int directory, int attempt) {
  const std::string first = "attempt-" + std::to_string(attempt);
  std::string folder = first;
  const auto taken = [&](const char* name) {
    return exists_at(directory, name) && exists_at(directory, folder + "/" + name);
  };
  const auto can_be_used = [&] {
    const mode_t mode = mode_at(directory, folder);
    return mode == 0 || (S_ISDIR(mode) &&
                         std::none_of(std::begin(kAttemptFiles), std::end(kAttemptFiles), taken));
  };
  for (int i = 2; !can_be_used(); ++i) folder = first + "." + std::to_string(i);
  return folder;
}

// Also where this is the first attempt: the engine may have died before it knew that it had started
// one.
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

std::string json_list(const std::vector<int>& numbers) {
  std::string result = "[";
  for (const int number : numbers)
    result += (result.size() > 1 ? ", " : "") + std::to_string(number);
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
         ",\n  \"slot\": " + std::to_string(request.slot) +
         ",\n  \"gpus\": " + json_list(request.gpus) + ",\n  \"cpus\": " + json_list(request.cpus) +
         ",\n  \"proposal\": " + base::json_string(request.proposal) +
         ",\n  \"proposed\": " + in_seconds(request.proposed) + "\n}\n";
}

// A new file: whatever had its name was moved aside.
Result<void> write_at(int directory, const fs::path& path, const std::string& text) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const base::UniqueFd fd(::openat(directory, path.filename().c_str(), kFlags, 0600));
  if (!fd) return failure(path, "create");
  errno = ENOSPC;  // what a short write means
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return failure(path, "write");
  return {};
}

// Creates it where it is missing, and does without where the program has put something else in its
// place.
Result<base::UniqueFd> open_at(int directory, const fs::path& path,
                               std::vector<std::string>& faults) {
  auto file = base::open_regular(directory, path.filename(), O_RDONLY | O_CREAT);
  if (file) return file;
  Error error = file.error();
  if (error.kind == Error::Kind::damaged) {
    faults.push_back(path.filename().string() + ": " + error.what + "; it is not read");
    return base::UniqueFd();
  }
  error.where = path.string();
  return error;
}

Result<RunFiles> open_files(int directory, const fs::path& path, bool with_output) {
  RunFiles files;
  auto metrics = open_at(directory, path / "metrics.jsonl", files.faults);
  if (!metrics) return metrics.error();
  files.metrics = *std::move(metrics);
  auto mlflow = base::open_regular(directory, kMlflowMetrics, O_RDONLY);
  if (mlflow) files.mlflow = *std::move(mlflow);
  if (!mlflow && mlflow.error().kind != Error::Kind::not_found)
    files.faults.push_back(mlflow.error().message() + "; it is not read");
  if (!with_output) return files;
  auto output = open_at(directory, path / "stdout.log", files.faults);
  if (!output) return output.error();
  files.output = *std::move(output);
  return files;
}

// From here on a supervisor may begin. It writes over the blanks, for which there is room.
Result<void> put_claim(int directory, const fs::path& path, const std::string& claim) {
  const std::string blanks(protocol::kClaimSize, ' ');
  if (::renameat(directory, kSpareClaim, directory, claim.c_str()) != 0)
    return write_at(directory, path / claim, blanks);
  const base::UniqueFd fd(::openat(directory, claim.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failure(path / claim, "open");
  errno = ENOSPC;  // what a short write means
  if (::write(fd.get(), blanks.data(), blanks.size()) != static_cast<ssize_t>(blanks.size()))
    return failure(path / claim, "write");
  return {};
}

// What an attempt needs, in a directory that holds no other.
Result<RunFiles> fill_directory(int directory, const RunRequest& request, bool with_output,
                                const std::string& claim) {
  const fs::path& path = request.directory;
  for (const char* name : kAttemptFolders)
    if (auto made = make_directory_at(directory, path, name); !made) return made.error();
  if (auto written = write_at(directory, path / "run.json", run_json(request)); !written)
    return written.error();
  auto files = open_files(directory, path, with_output);
  if (!files) return files;
  if (auto put = put_claim(directory, path, claim); !put) return put.error();
  return files;
}

}  // namespace

Error of_all_runs(Error error) {
  if (!lies_outside(error.kind)) error.kind = Error::Kind::not_found;
  return error;
}

Result<RunFiles> prepare_run_directory(const RunRequest& request, bool with_output,
                                       const std::string& claim, SpareDirectories& spares) {
  const fs::path& path = request.directory;
  const bool fresh = spares.take(path) || ::mkdir(path.c_str(), 0700) == 0;
  if (!fresh) {
    // A sweep's directory that is gone is not made anew.
    if (auto made = base::make_directories(path.parent_path(), 1); !made)
      return of_all_runs(made.error());
    if (auto made = base::make_directories(path, 1); !made) return made.error();
  }
  const auto directory = base::open_directory(AT_FDCWD, path);
  if (!directory && fresh) discard_attempt(path, "");
  if (!directory) return directory.error();
  if (!fresh) {
    if (auto revoked = revoke_claims(path); !revoked) return revoked.error();
    if (auto moved = set_earlier_attempt_aside(directory->get(), request); !moved)
      return moved.error();
  }
  auto files = fill_directory(directory->get(), request, with_output, claim);
  if (!files) discard_attempt(path, claim);
  return files;
}

Result<void> prepare_mirror(const RunRequest& request) {
  // A sweep's directory that is gone is not made anew.
  if (auto made = base::make_directories(request.directory.parent_path(), 1); !made)
    return of_all_runs(made.error());
  if (auto made = base::make_directories(request.directory, 1); !made) return made;
  const auto directory = base::open_directory(AT_FDCWD, request.directory);
  if (!directory) return directory.error();
  return set_earlier_attempt_aside(directory->get(), request);
}

Result<base::UniqueFd> make_mlflow_metrics(const fs::path& path) {
  const auto directory = base::open_directory(AT_FDCWD, path);
  if (!directory) return directory.error();
  return base::open_regular(directory->get(), kMlflowMetrics, O_RDONLY | O_CREAT);
}

void remove_what_is_empty(const fs::path& path) {
  const auto directory = base::open_directory(AT_FDCWD, path);
  if (!directory) return;
  for (const char* name : kAttemptFolders) ::unlinkat(directory->get(), name, AT_REMOVEDIR);
  struct stat status {};
  const auto remove_if_empty = [&](const char* name) {
    if (::fstatat(directory->get(), name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode) && status.st_size == 0)
      ::unlinkat(directory->get(), name, 0);
  };
  for (const char* name : kWrittenFiles) remove_if_empty(name);
  remove_if_empty(kMlflowMetrics);
  ::unlinkat(directory->get(), "supervisor.json", 0);
}

// By paths, which takes no descriptor: there may be none left.
void discard_attempt(const fs::path& path, const std::string& claim) {
  if (!claim.empty()) ::unlink((path / claim).c_str());
  for (const char* name : kAttemptFiles) ::unlink((path / name).c_str());
  ::unlink((path / kSpareClaim).c_str());
  // What an earlier attempt wrote keeps them there.
  for (const char* name : kAttemptFolders) ::rmdir((path / name).c_str());
  ::rmdir(path.c_str());
}

Result<void> revoke_claims(const fs::path& path) {
  DIR* directory = ::opendir(path.c_str());
  if (!directory && errno != ENOENT && errno != ENOTDIR) return failure(path, "open the directory");
  if (!directory) return {};
  Result<void> result;
  const auto next = [&] {
    errno = 0;
    return ::readdir(directory);
  };
  while (const dirent* entry = next()) {
    if (!std::string_view(entry->d_name).starts_with(protocol::kClaimPrefix)) continue;
    if (::unlinkat(::dirfd(directory), entry->d_name, 0) == 0) continue;
    // A directory is none: a supervisor could not write over it.
    if (errno != ENOENT && errno != EISDIR) result = failure(path / entry->d_name, "remove");
  }
  if (errno != 0) result = failure(path, "read the directory");
  ::closedir(directory);
  return result;
}

Result<RunFiles> open_run_files(const fs::path& path, bool with_output) {
  const auto directory = base::open_directory(AT_FDCWD, path);
  if (!directory) return directory.error();
  return open_files(directory->get(), path, with_output);
}

}  // namespace hdrive::compute
