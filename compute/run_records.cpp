// SPDX-License-Identifier: Apache-2.0
#include "compute/run_records.h"

#include <fcntl.h>
#include <sched.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/json_words.h"
#include "compute/supervisor/protocol.h"

namespace hdrive::compute {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// A supervisor writes some 400 bytes, without anything nested.
constexpr std::size_t kMostBytes = 64 << 10;
constexpr int kMostLevels = 8;
constexpr int kMostLevelsOfRun = 128;  // parameters may be JSON values

// Nothing is wrong with the way there, but there is no such file, or no file of ours.
bool says_missing(const Error& error) {
  return error.kind == Error::Kind::not_found || error.kind == Error::Kind::damaged;
}

// Nothing: no such file, or no object of our format version.
Result<std::optional<json>> read_record(const fs::path& path, const char* name) {
  const std::optional<json> none;
  const auto directory = base::open_directory(AT_FDCWD, path);
  if (!directory && !says_missing(directory.error())) return directory.error();
  if (!directory) return none;
  const auto text = base::read_file(directory->get(), name, kMostBytes);
  if (!text && !says_missing(text.error())) {
    Error error = text.error();
    error.where = (path / name).string();
    return error;
  }
  if (!text || base::nests_deeper(*text, kMostLevels)) return none;
  auto record = base::parse_json(*text);
  if (!record.is_object()) return none;
  const auto version = record.find("version");
  if (version == record.end() || *version != protocol::kFileVersion) return none;
  return std::optional<json>(std::move(record));
}

std::optional<std::int64_t> integer(const json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned() &&
      found->get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
    return std::nullopt;
  return found->get<std::int64_t>();
}

// Nothing where an int cannot hold it: what is written there is no exit code.
std::optional<int> small(const json& record, const char* key) {
  const auto value = integer(record, key);
  if (!value || *value < std::numeric_limits<int>::min() ||
      *value > std::numeric_limits<int>::max())
    return std::nullopt;
  return static_cast<int>(*value);
}

std::string text(const json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_true(const json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && *found == true;
}

std::optional<double> seconds(const json& record, const char* key, double most) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return value >= 0 && value < most ? std::optional(value) : std::nullopt;
}

Duration microseconds(double seconds) {
  return Duration(static_cast<std::int64_t>(seconds * 1e6 + 0.5));
}

std::optional<Time> moment(const json& record, const char* key) {
  const auto since_1970 = seconds(record, key, 1e10);
  if (!since_1970 || *since_1970 == 0) return std::nullopt;
  return Time(microseconds(*since_1970));
}

std::optional<Duration> cpu_time(const json& record) {
  const auto user = seconds(record, "user_seconds", 1e11);
  const auto system = seconds(record, "system_seconds", 1e11);
  if (!user || !system) return std::nullopt;
  return microseconds(*user) + microseconds(*system);
}

std::optional<std::int64_t> peak_memory(const json& record) {
  const auto kilobytes = integer(record, "max_rss_kb");
  constexpr std::int64_t kMost = std::int64_t{1} << 50;
  if (!kilobytes || *kilobytes < 0 || *kilobytes > kMost) return std::nullopt;
  return *kilobytes * 1024;
}

}  // namespace

Result<std::optional<SupervisorRecord>> read_supervisor_record(const fs::path& directory) {
  auto read = read_record(directory, "supervisor.json");
  if (!read) return read.error();
  if (!*read) return std::optional<SupervisorRecord>();
  const json& json = **read;
  SupervisorRecord record;
  record.attempt = small(json, "attempt").value_or(0);
  record.pid = integer(json, "pid").value_or(0);
  record.start_time = integer(json, "start_time").value_or(0);
  record.boot_id = text(json, "boot_id");
  record.pid_namespace = integer(json, "pid_namespace").value_or(0);
  record.program_pid = integer(json, "program_pid").value_or(0);
  record.host = text(json, "host");
  record.started = moment(json, "started");
  if (const auto grace = integer(json, "lease_grace_ms"))
    record.lease_grace = std::chrono::milliseconds{*grace};
  return std::optional(std::move(record));
}

Result<std::optional<ExitRecord>> read_exit_record(const fs::path& directory) {
  auto read = read_record(directory, "exit.json");
  if (!read) return read.error();
  if (!*read) return std::optional<ExitRecord>();
  const json& json = **read;
  ExitRecord record;
  record.attempt = small(json, "attempt").value_or(0);
  record.pid = integer(json, "pid").value_or(0);
  record.exit_code = small(json, "exit_code");
  record.signal = small(json, "signal");
  record.not_started = text(json, "not_started");
  record.error_number = small(json, "errno").value_or(0);
  // A record that does not say how the run ended, or says it twice, is none.
  if (record.exit_code.has_value() + record.signal.has_value() + !record.not_started.empty() != 1)
    return std::optional<ExitRecord>();
  record.leftovers = integer(json, "leftovers").value_or(0);
  record.oom_kills = integer(json, "oom_kills").value_or(0);
  record.over_time = is_true(json, "over_time");
  record.lease_over = is_true(json, "lease_over");
  record.canceled = is_true(json, "canceled");
  record.started = moment(json, "started");
  record.ended = moment(json, "ended");
  record.cpu_time = cpu_time(json);
  record.peak_memory = peak_memory(json);
  record.token = integer(json, "token");
  return std::optional(std::move(record));
}

DeviceShare recorded_devices(const fs::path& directory) {
  constexpr std::size_t kMostBytesOfRun = std::size_t{64} << 20;  // it holds all parameters
  DeviceShare share;
  const auto opened = base::open_directory(AT_FDCWD, directory);
  if (!opened) return share;
  const auto text = base::read_file(opened->get(), "run.json", kMostBytesOfRun);
  if (!text || base::nests_deeper(*text, kMostLevelsOfRun)) return share;
  const json record = base::parse_json(*text);
  if (!record.is_object()) return share;
  for (const json& gpu : record.value("gpus", json::array()))
    if (gpu.is_string()) share.gpus.push_back(gpu.get<std::string>());
  for (const json& cpu : record.value("cpus", json::array()))
    if (cpu.is_number_integer() && cpu >= 0 && cpu < CPU_SETSIZE)
      share.cpus.push_back(cpu.get<int>());
  return share;
}

}  // namespace hdrive::compute
