// SPDX-License-Identifier: Apache-2.0
//
// What a run directory tells of its run, attempt by attempt; for repairs.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>

#include "compute/intake.h"
#include "compute/run_directory.h"
#include "compute/run_end.h"
#include "compute/supervisor/protocol.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

base::UniqueFd open_for_reading(const fs::path& path) {
  return base::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

std::optional<Time> time_of(const json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_number()) return std::nullopt;
  const double seconds = found->get<double>();
  if (!(seconds > 0 && seconds < 1e10)) return std::nullopt;
  return Time(Duration(static_cast<std::int64_t>(seconds * 1e6 + 0.5)));
}

// All metrics, told as a live run's are.
void read_metrics(const fs::path& directory, RunId run, const compute::OutputPatterns& patterns,
                  RecordedAttempt& attempt, std::vector<std::string>& faults) {
  base::UniqueFd output;
  if (!patterns.empty()) output = open_for_reading(directory / "stdout.log");
  compute::FaultBudget told;
  compute::Intake intake(run, attempt.attempt, open_for_reading(directory / "metrics.jsonl"),
                         std::move(output), {}, &patterns, &told);
  std::string buffer;
  std::vector<TargetEvent> events;
  for (bool done = false; !done;) {
    compute::IntakeBudget budget;
    done = intake.read(buffer, budget, /*last=*/true, events);
  }
  intake.close(events);
  for (TargetEvent& event : events) {
    if (auto* reported = std::get_if<RunReported>(&event)) {
      attempt.position = reported->position;
      attempt.metrics.insert(attempt.metrics.end(), reported->metrics.begin(),
                             reported->metrics.end());
    } else if (const auto* note = std::get_if<TargetNote>(&event)) {
      faults.push_back(note->note);
    }
  }
}

void read_run_file(const fs::path& path, RecordedRun& run, RecordedAttempt& attempt) {
  const auto text = base::read_file(path);
  if (!text) return;
  const auto record = ordered_json::parse(*text, nullptr, false);
  if (!record.is_object()) {
    run.faults.push_back(path.filename().string() + " cannot be read");
    return;
  }
  if (const auto found = record.find("attempt");
      found != record.end() && found->is_number_integer())
    attempt.attempt = std::max(attempt.attempt, found->get<int>());
  attempt.proposed = time_of(json(record), "proposed");
  if (const auto found = record.find("proposal"); found != record.end() && found->is_string())
    run.proposal = found->get<std::string>();
  if (const auto found = record.find("parameters"); found != record.end()) {
    using Handler = ordered_json::error_handler_t;
    auto parameters = assignment_from_json(found->dump(-1, ' ', false, Handler::replace));
    if (parameters) run.parameters = *std::move(parameters);
  }
}

void read_exit(const fs::path& directory, const LocalTargetOptions& options, RunId run,
               RecordedAttempt& attempt) {
  const auto record = compute::read_exit_record(directory);
  if (!record) return;
  RunRequest request;
  request.run = run;
  request.attempt = attempt.attempt;
  request.directory = directory;
  request.arguments = {"the program"};
  attempt.exited = compute::describe_exit(*record, request, options.stderr_tail_lines);
  attempt.pid = record->pid;
  const auto text = base::read_file(directory / "exit.json");
  const auto whole = text ? json::parse(*text, nullptr, false) : json();
  if (!whole.is_object()) return;
  attempt.canceled = whole.value("canceled", json(false)) == true;
  attempt.started = time_of(whole, "started");
  attempt.ended = time_of(whole, "ended");
}

std::optional<int> attempt_number(const std::string& name) {
  constexpr std::string_view kPrefix = "attempt-";
  int number = 0;
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, number);
  return error == std::errc{} && stop == end && number > 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<RecordedRun> read_run_directory(const fs::path& directory, RunId run,
                                       const LocalTargetOptions& options) {
  auto patterns = compute::OutputPatterns::make(options.metric_patterns, options.primary_metric);
  if (!patterns) return patterns.error();
  std::vector<int> earlier;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (const auto number = attempt_number(entry->path().filename().string()))
      earlier.push_back(*number);
  if (error) return base::system_error(directory, "read", error.value());
  std::sort(earlier.begin(), earlier.end());

  RecordedRun recorded;
  recorded.run = run;
  const auto read = [&](const fs::path& place, int number) {
    RecordedAttempt attempt;
    attempt.attempt = number;
    read_run_file(place / "run.json", recorded, attempt);
    read_metrics(place, run, *patterns, attempt, recorded.faults);
    read_exit(place, options, run, attempt);
    if (const auto supervisor = compute::read_supervisor_record(place); supervisor && !attempt.pid)
      attempt.pid = supervisor->program_pid;
    recorded.attempts.push_back(std::move(attempt));
  };
  for (const int number : earlier) read(directory / fmt::format("attempt-{}", number), number);
  if (fs::exists(directory / "run.json", error))
    read(directory, (earlier.empty() ? 0 : earlier.back()) + 1);
  return recorded;
}

}  // namespace hdrive
