// SPDX-License-Identifier: Apache-2.0
//
// What a run directory tells of its run, attempt by attempt; for repairs.
#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/file.h"
#include "base/json.h"
#include "base/json_words.h"
#include "compute/intake.h"
#include "compute/run_directory.h"
#include "compute/run_end.h"
#include "compute/run_records.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// run.json holds all parameters of a run, and its arguments once more.
constexpr std::size_t kMostBytes = 256 << 20;
constexpr int kMostLevels = 32;
constexpr int kMostAttempts = 1'000'000;

// Closed where there is none. What is no file is told.
base::UniqueFd open_for_reading(int directory, const char* name, std::vector<std::string>& faults) {
  auto file = base::open_regular(directory, name, O_RDONLY);
  if (file) return *std::move(file);
  if (file.error().kind != Error::Kind::not_found) faults.push_back(file.error().message());
  return {};
}

std::optional<Time> time_of(const ordered_json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_number()) return std::nullopt;
  const double seconds = found->get<double>();
  if (!(seconds > 0 && seconds < 1e10)) return std::nullopt;
  return Time(Duration(static_cast<std::int64_t>(seconds * 1e6 + 0.5)));
}

// All metrics, told as a live run's are.
void read_metrics(int directory, RunId run, const compute::OutputPatterns& patterns,
                  RecordedAttempt& attempt, std::vector<std::string>& faults) {
  base::UniqueFd output;
  if (!patterns.empty()) output = open_for_reading(directory, "stdout.log", faults);
  compute::Intake intake(run, attempt.attempt, open_for_reading(directory, "metrics.jsonl", faults),
                         std::move(output), {}, &patterns);
  intake.take_mlflow(open_for_reading(directory, compute::kMlflowMetrics, faults));
  std::string buffer;
  std::vector<TargetEvent> events;
  for (bool done = false; !done;) {
    compute::IntakeBudget budget;
    done = intake.read(buffer, budget, /*last=*/true, events);
  }
  intake.close(events);
  for (TargetEvent& event : events) {
    if (auto* reported = std::get_if<RunReported>(&event)) {
      attempt.position = position_from(reported->cursor).value_or(IntakePosition{});
      attempt.metrics.insert(attempt.metrics.end(), reported->metrics.begin(),
                             reported->metrics.end());
    } else if (const auto* note = std::get_if<TargetNote>(&event)) {
      faults.push_back(note->note);
    }
  }
}

// An empty object where there is none; what cannot be used is told.
ordered_json run_json(int directory, std::vector<std::string>& faults) {
  const auto text = base::read_file(directory, "run.json", kMostBytes);
  if (!text && text.error().kind != Error::Kind::not_found)
    faults.push_back(text.error().message());
  if (!text) return ordered_json::object();
  auto record =
      base::nests_deeper(*text, kMostLevels) ? ordered_json() : base::parse_ordered_json(*text);
  if (record.is_object()) return record;
  faults.push_back("run.json cannot be read: it is no JSON object, or nested too deep");
  return ordered_json::object();
}

void take_run_json(const ordered_json& record, RecordedRun& run, RecordedAttempt& attempt) {
  attempt.proposed = time_of(record, "proposed");
  if (const auto found = record.find("proposal"); found != record.end() && found->is_string())
    run.proposal = found->get<std::string>();
  if (const auto found = record.find("parameters"); found != record.end()) {
    auto parameters = assignment_from_json(base::json_text(*found));
    if (parameters) run.parameters = *std::move(parameters);
  }
}

// The attempt that run.json is of; 0 where it does not say.
int attempt_in(const ordered_json& record) {
  const auto found = record.find("attempt");
  if (found == record.end() || !found->is_number_integer()) return 0;
  const auto number = found->get<std::int64_t>();
  return number > 0 && number <= kMostAttempts ? static_cast<int>(number) : 0;
}

void read_exit(const fs::path& directory, const LocalTargetOptions& options, RunId run,
               RecordedAttempt& attempt, std::vector<std::string>& faults) {
  const auto record = compute::read_exit_record(directory);
  if (!record) faults.push_back(record.error().message());
  if (!record || !*record) return;
  RunRequest request;
  request.run = run;
  request.attempt = attempt.attempt;
  request.directory = directory;
  request.arguments = {"the program"};
  // Otherwise it is lost.
  if (!(*record)->lease_over)
    attempt.exited = compute::describe_exit(**record, request, options.stderr_tail_lines);
  attempt.pid = (*record)->pid;
  attempt.canceled = (*record)->canceled;
  attempt.started = (*record)->started;
  attempt.ended = (*record)->ended;
}

// "attempt-3", or "attempt-3.2": one that no engine had recorded, so that its files came beside
// others'.
struct Aside {
  std::string name;
  int attempt = 0;
  bool recorded = true;
};

std::optional<Aside> aside_of(const std::string& name) {
  constexpr std::string_view kPrefix = "attempt-";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  Aside aside{name, 0, true};
  const char* end = name.data() + name.size();
  auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, aside.attempt);
  if (error != std::errc{} || aside.attempt < 0 || aside.attempt > kMostAttempts)
    return std::nullopt;
  aside.recorded = stop == end && aside.attempt > 0;
  int again = 0;
  if (stop != end && *stop == '.') stop = std::from_chars(stop + 1, end, again).ptr;
  return stop == end ? std::optional(std::move(aside)) : std::nullopt;
}

Result<std::vector<Aside>> earlier_attempts(const fs::path& directory) {
  std::vector<Aside> asides;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (auto aside = aside_of(entry->path().filename().string()))
      asides.push_back(*std::move(aside));
  if (error) return base::system_error(directory, "read", error.value());
  std::sort(asides.begin(), asides.end(),
            [](const Aside& a, const Aside& b) { return a.attempt < b.attempt; });
  return asides;
}

// One place in which an attempt left its files. Nothing: it is no directory.
std::optional<RecordedAttempt> read_attempt(const fs::path& place, int number,
                                            const compute::OutputPatterns& patterns,
                                            const LocalTargetOptions& options, RecordedRun& run) {
  const auto directory = base::open_directory(AT_FDCWD, place);
  if (!directory) {
    run.faults.push_back(directory.error().message());
    return std::nullopt;
  }
  RecordedAttempt attempt;
  const ordered_json record = run_json(directory->get(), run.faults);
  attempt.attempt = std::max(number, attempt_in(record));
  take_run_json(record, run, attempt);
  read_metrics(directory->get(), run.run, patterns, attempt, run.faults);
  read_exit(place, options, run.run, attempt, run.faults);
  if (const auto supervisor = compute::read_supervisor_record(place);
      supervisor && *supervisor && !attempt.pid)
    attempt.pid = (*supervisor)->program_pid;
  return attempt;
}

}  // namespace

Result<RecordedRun> read_run_directory(const fs::path& directory, RunId run,
                                       const LocalTargetOptions& options) {
  auto patterns = compute::OutputPatterns::make(options.metric_patterns, options.primary_metric);
  if (!patterns) return patterns.error();
  const auto asides = earlier_attempts(directory);
  if (!asides) return asides.error();
  RecordedRun recorded;
  recorded.run = run;
  int latest = 0;
  for (const Aside& aside : *asides) {
    if (!aside.recorded) {
      recorded.faults.push_back(aside.name +
                                " holds an attempt that no engine had recorded; it stays there");
      continue;
    }
    auto attempt =
        read_attempt(directory / aside.name, aside.attempt, *patterns, options, recorded);
    if (attempt) attempt->attempt = aside.attempt;
    if (attempt) recorded.attempts.push_back(*std::move(attempt));
    latest = aside.attempt;
  }
  std::error_code error;
  if (fs::exists(fs::symlink_status(directory / "run.json", error)))
    if (auto attempt = read_attempt(directory, latest + 1, *patterns, options, recorded))
      recorded.attempts.push_back(*std::move(attempt));
  return recorded;
}

}  // namespace hdrive
