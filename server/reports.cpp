// SPDX-License-Identifier: Apache-2.0
#include "server/reports.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/json_words.h"
#include "base/text.h"
#include "server/job_files.h"
#include "server/mlflow/routes.h"
#include "server/url.h"

namespace hdrive::server {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMostBytesOfRun = 256 << 20;
constexpr std::size_t kMostBytesOfRecord = 64 << 10;
constexpr int kMostLevels = 128;
// Of one file. More is nobody's model, but a program that has gone wild, on a disk that others share.
constexpr std::uint64_t kMostBytesOfFile = std::uint64_t{256} << 30;

constexpr std::string_view kFiles = "/files/", kClaim = "/claim", kJob = "/job";
// What a run may send: what its program writes, and what its supervisor tells.
constexpr std::string_view kMaySend[] = {"metrics.jsonl", "stdout.log",      "stderr.log",
                                         "job.log",       "supervisor.json", "exit.json"};
constexpr std::string_view kMayFill[] = {"outputs", "logs", "checkpoints", "processes"};
constexpr std::string_view kClaimPrefix = ".start-", kCancelPrefix = ".cancel-";

Response refused(int status, const char* code, const std::string& why) {
  return mlflow::fault_response(status, code, why);
}

// The client tries again after 5xx.
Response failed(const Error& error) {
  return refused(error.kind == Error::Kind::busy || passes_by_itself(error.kind) ? 503 : 500,
                 "INTERNAL_ERROR", error.message());
}

bool may_send(const std::vector<std::string>& path) {
  const auto is_first = [&](std::string_view name) { return path.front() == name; };
  return path.size() == 1 ? std::any_of(std::begin(kMaySend), std::end(kMaySend), is_first)
                          : std::any_of(std::begin(kMayFill), std::end(kMayFill), is_first);
}

// Opens the folder of a path, one name after the other, and makes what is missing: no link leads out.
Result<base::UniqueFd> open_parent(const fs::path& run_folder, const std::vector<std::string>& path,
                                   bool make) {
  auto folder = base::open_directory(AT_FDCWD, run_folder);
  for (std::size_t i = 0; folder && i + 1 < path.size(); ++i) {
    if (make && ::mkdirat(folder->get(), path[i].c_str(), 0700) != 0 && errno != EEXIST)
      return base::system_error(run_folder / path[i], "create the folder", errno);
    folder = base::open_directory(folder->get(), path[i]);
  }
  return folder;
}

std::uint64_t size_of(const base::UniqueFd& file) {
  struct stat status {};
  return ::fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

// The sign of life that a supervisor on a shared file system gives by the same file.
void note_life(const fs::path& folder) {
  (void)::utimensat(AT_FDCWD, (folder / "supervisor.json").c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

// How the engine wants the run to end: "", "gracefully", "kill".
std::string wanted_end(const fs::path& folder, int attempt) {
  const auto text =
      base::read_file(folder / (std::string(kCancelPrefix) + std::to_string(attempt)), 64);
  if (!text || text->empty()) return "";
  return text->front() == 'k' ? "kill" : "gracefully";
}

// What the client always learns: how much of the file is here, and whether the run is to end.
Response answer(const fs::path& folder, int attempt, std::uint64_t size, int status = 200) {
  Response response;
  response.status = status;
  json body = {{"size", size}, {"stop", wanted_end(folder, attempt)}};
  if (status == 409) {
    body["error_code"] = "OFFSET";
    body["message"] =
        "the file has " + std::to_string(size) + " bytes here; send what comes behind them";
  }
  response.body = base::json_text(body);
  return response;
}

Response write_all(const base::UniqueFd& file, const std::string& name, std::string_view bytes,
                   std::uint64_t offset, const fs::path& folder, int attempt) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failed(base::system_error(name, "write", count < 0 ? errno : ENOSPC));
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return answer(folder, attempt, offset);
}

std::optional<std::uint64_t> offset_in(const std::string& query) {
  const auto fields = parse_query(query);
  if (!fields) return std::nullopt;
  for (const auto& [name, value] : *fields) {
    std::uint64_t offset = 0;
    const char* end = value.data() + value.size();
    if (name == "offset" && std::from_chars(value.data(), end, offset).ptr == end && !value.empty())
      return offset;
  }
  return std::nullopt;
}

std::string text_in(const std::string& query, std::string_view wanted) {
  for (const auto& [name, value] :
       parse_query(query).value_or(std::vector<std::pair<std::string, std::string>>()))
    if (name == wanted) return value;
  return "";
}

json read_record(const fs::path& path, std::size_t most) {
  const auto text = base::read_file(path, most);
  if (!text || base::nests_deeper(*text, kMostLevels)) return json();
  return base::parse_json(*text);
}

Response put_file(const fs::path& folder, int attempt, const std::vector<std::string>& path,
                  const std::string& body) {
  const auto parent = open_parent(folder, path, true);
  if (!parent) return failed(parent.error());
  const std::string &name = path.back(), temporary = "." + name.substr(0, 200) + ".part";
  ::unlinkat(parent->get(), temporary.c_str(), 0);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const base::UniqueFd file(::openat(parent->get(), temporary.c_str(), kFlags, 0600));
  if (!file) return failed(base::system_error(name, "create", errno));
  Response response = write_all(file, name, body, 0, folder, attempt);
  if (response.status != 200) {
    ::unlinkat(parent->get(), temporary.c_str(), 0);
    return response;
  }
  if (::renameat(parent->get(), temporary.c_str(), parent->get(), name.c_str()) != 0)
    return failed(base::system_error(name, "create", errno));
  return response;
}

// Takes what the file lacks, and nothing else.
Response add_to_file(const fs::path& folder, int attempt, const std::vector<std::string>& path,
                     std::uint64_t offset, std::string_view body) {
  const auto parent = open_parent(folder, path, true);
  if (!parent) return failed(parent.error());
  const auto file = base::open_regular(parent->get(), path.back(), O_WRONLY | O_CREAT);
  if (!file) return failed(file.error());
  const std::uint64_t size = size_of(*file);
  if (offset > size) return answer(folder, attempt, size, 409);
  if (offset + body.size() <= size) return answer(folder, attempt, size);
  if (offset + body.size() > kMostBytesOfFile)
    return refused(413, "TOO_LARGE", base::join(path, "/") + " is larger than 256 GiB");
  return write_all(*file, path.back(), body.substr(size - offset), size, folder, attempt);
}

Response serve_file(const fs::path& folder, int attempt, std::string_view text,
                    const Request& request) {
  const auto decoded = percent_decoded(text);
  const auto path = decoded ? path_parts(*decoded) : std::nullopt;
  if (!path || path->empty() || !may_send(*path))
    return refused(
        400, "BAD_PATH",
        base::json_string(decoded.value_or(std::string(text))) +
            " is no file that a run sends; allowed: metrics.jsonl, stdout.log, stderr.log, "
            "job.log, supervisor.json, exit.json and what is below outputs/, logs/, "
            "checkpoints/ and processes/");
  if (request.method == "PUT") return put_file(folder, attempt, *path, request.body);
  if (request.method == "POST") {
    const auto offset = offset_in(request.query);
    if (!offset)
      return refused(400, "BAD_OFFSET", "say where the bytes belong: ?offset=0 at the beginning");
    return add_to_file(folder, attempt, *path, *offset, request.body);
  }
  if (request.method != "GET")
    return refused(405, "BAD_METHOD", "allowed: GET, POST with ?offset=N, PUT");
  const auto parent = open_parent(folder, *path, false);
  const auto file = parent ? base::open_regular(parent->get(), path->back(), O_RDONLY)
                           : Result<base::UniqueFd>(parent.error());
  return answer(folder, attempt, file ? size_of(*file) : 0);
}

// Gives the run to the job that asks first. From then on supervisor.json says that somebody has it; who it is, the
// job's supervisor tells later by the same file. An engine that counts the run as never begun has taken the claim away.
Response take_claim(const fs::path& folder, int attempt, const std::string& job,
                    const std::string& host) {
  if (job.empty() || job.size() > 64 ||
      !std::all_of(job.begin(), job.end(), [](unsigned char c) { return std::isalnum(c); }))
    return refused(400, "BAD_JOB",
                   "say which job asks: ?job=LETTERS_AND_DIGITS, the same each time");
  const json record = read_record(folder / "supervisor.json", kMostBytesOfRecord);
  if (record.is_object() && record.value("attempt", json()) == attempt) {
    if (record.value("job", json()) == job) return answer(folder, attempt, 0);
    return refused(409, "CLAIMED", "another job has this attempt of the run");
  }
  std::error_code error;
  std::string claim;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().filename().native().starts_with(kClaimPrefix))
      claim = entry->path().filename().native();
  const auto parent = base::open_directory(AT_FDCWD, folder);
  if (claim.empty() || !parent)
    return refused(409, "NO_CLAIM", "the engine has taken this attempt of the run back");
  const auto file = base::open_regular(parent->get(), claim, O_WRONLY);
  const json begun = {{"version", 1}, {"attempt", attempt},
                      {"pid", 0},     {"program_pid", 0},
                      {"job", job},   {"host", base::to_utf8(host.substr(0, 255))}};
  const std::string text = base::json_text(begun) + "\n";
  if (!file) return failed(file.error());
  Response written = write_all(*file, claim, text, 0, folder, attempt);
  if (written.status != 200) return written;
  if (::ftruncate(file->get(), static_cast<off_t>(text.size())) != 0)
    return failed(base::system_error(claim, "write", errno));
  if (::renameat(parent->get(), claim.c_str(), parent->get(), "supervisor.json") != 0)
    return refused(409, "NO_CLAIM", "the engine has taken this attempt of the run back");
  return answer(folder, attempt, 0);
}

}  // namespace

fs::path Reports::folder_of(RunId run) const { return directory_ / "runs" / std::to_string(run); }

bool Reports::is_over(RunId run, int attempt) const {
  std::error_code error;
  return fs::exists(folder_of(run) / ("attempt-" + std::to_string(attempt)), error);
}

Response Reports::attempt_is_over(RunId run, int attempt) {
  return refused(409, "ATTEMPT_OVER",
                 "attempt " + std::to_string(attempt) + " of run " + std::to_string(run) +
                     " is over, and another one has begun: nothing more of it is taken");
}

int Reports::attempt_of(RunId run, const fs::path& folder) {
  struct stat status {};
  if (::lstat((folder / "run.json").c_str(), &status) != 0) return 0;
  const std::int64_t changed = status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec;
  Known& known = known_[run];
  if (known.inode != status.st_ino || known.changed != changed) {
    const json record = read_record(folder / "run.json", kMostBytesOfRun);
    const json attempt = record.is_object() ? record.value("attempt", json()) : json();
    known = {status.st_ino, changed, attempt.is_number_unsigned() ? attempt.get<int>() : 0};
  }
  return known.attempt;
}

Response Reports::handle(RunId run, int attempt, std::string_view path, const Request& request) {
  const fs::path folder = folder_of(run);
  const int current = attempt_of(run, folder);
  if (current == 0)
    return refused(404, "NO_RUN", "run " + std::to_string(run) + " of this sweep has not begun");
  if (current > attempt) return attempt_is_over(run, attempt);
  if (current < attempt)
    return refused(
        404, "NO_ATTEMPT",
        "attempt " + std::to_string(attempt) + " of run " + std::to_string(run) + " has not begun");
  const bool writes = request.method != "GET";
  if (writes && read_record(folder / "exit.json", kMostBytesOfRecord).is_object())
    return refused(409, "RUN_ENDED", "the run has ended, and nothing more of it is taken");
  if (path.starts_with(kFiles)) {
    Response response = serve_file(folder, attempt, path.substr(kFiles.size()), request);
    if (response.status == 200) note_life(folder);
    return response;
  }
  if (path == kClaim && request.method == "POST")
    return take_claim(folder, attempt, text_in(request.query, "job"),
                      text_in(request.query, "host"));
  if (path.starts_with(kJob) && request.method == "GET")
    return serve_job(directory_, folder, path.substr(kJob.size()));
  return refused(
      404, "ENDPOINT_NOT_FOUND",
      "there is no such address (docs/http-reports.md); allowed: files/PATH, claim, job");
}

}  // namespace hdrive::server
