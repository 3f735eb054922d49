// SPDX-License-Identifier: Apache-2.0
#include "hdrive/controller_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "hdrive/ids.h"

namespace hdrive {
namespace {

constexpr auto kInfo = "INFO", kWarning = "WARNING", kError = "ERROR";

// What happens in one moment happens in this order.
enum Rank { created, begun, drawn, scheduled, started, judged, canceling, ended, requeued, told };

const char* level_of(Noted::Level level) {
  switch (level) {
    case Noted::Level::info:
      return kInfo;
    case Noted::Level::warning:
      return kWarning;
    case Noted::Level::error:
      break;
  }
  return kError;
}

std::string in_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) line += c == '\n' ? "\\n" : std::string(1, c);
  return line;
}

std::string because(const std::string& reason) { return reason.empty() ? "" : ": " + reason; }

std::string again(int attempt) {
  return attempt > 1 ? fmt::format(", attempt {}", attempt) : std::string();
}

}  // namespace

struct ControllerLog::Teller {
  ControllerLog& log;

  void line(Time at, Rank rank, const char* unit, const char* level, std::string text) {
    log.lines_.push_back({at, rank, unit, level, std::move(text)});
  }
  std::string id(RunId run) const { return fmt::format("id='{}'", run_id(log.sweep_, run)); }

  void operator()(const RunProposed& it) {
    log.runs_ = std::max(log.runs_, it.run + 1);
    log.lines_.push_back({it.at, drawn, "GENERATOR", kInfo, "", Line::Kind::drawn});
    line(it.at, scheduled, "SCHEDULER", kInfo, "Scheduling job, " + id(it.run));
  }
  void operator()(const RunStarted& it) {
    line(it.at, started, "SCHEDULER", kInfo,
         fmt::format("Successfully scheduled a job, {}{}", id(it.run), again(it.attempt)));
  }
  void operator()(const RunSubmitted& it) {
    line(it.at, started, "SCHEDULER", kInfo,
         fmt::format("Submitted a job, {}{}, handle='{}'", id(it.run), again(it.attempt),
                     it.handle));
  }
  void operator()(const RunContact& it) {
    line(it.at, told, "CONTROLLER", it.lost ? kWarning : kInfo,
         it.lost ? fmt::format("Contact with a job is lost, {}{}", id(it.run), because(it.why))
                 : fmt::format("There is contact with a job again, {}", id(it.run)));
  }
  void operator()(const RunMetrics&) {}
  void operator()(const RunJudged& it) {
    if (it.verdict.action != Verdict::Action::stop) return;
    line(it.at, judged, "ENFORCER", kInfo,
         fmt::format("The policy stops a job, {}{}", id(it.run), because(it.reason)));
  }
  void operator()(const RunCanceling& it) {
    if (it.cause == EndCause::policy) return;  // told as the policy's verdict
    line(it.at, canceling, "CONTROLLER", kInfo,
         fmt::format("Canceling a job, {}{}", id(it.run), because(it.reason)));
  }
  void operator()(const RunEnded& it) {
    line(it.at, ended, "CONTROLLER", it.status == RunStatus::failed ? kWarning : kInfo,
         fmt::format("A job has ended, {}{}, status='{}'{}", id(it.run), again(it.attempt),
                     to_string(it.status),
                     it.status == RunStatus::completed || it.cause == EndCause::policy
                         ? ""
                         : because(it.reason)));
  }
  void operator()(const RunRequeued& it) {
    line(it.at, requeued, "SCHEDULER", kWarning,
         fmt::format("A job is to be tried again, {}{}{}", id(it.run), again(it.attempt),
                     because(it.reason)));
  }
  void operator()(const SweepChanged& it) {
    const bool begins = it.status == SweepStatus::running;
    if (it.end == SweepEnd::all_runs)
      log.lines_.push_back({it.at, told, "GENERATOR", kInfo, "", Line::Kind::all_drawn});
    line(it.at, begins ? begun : told, "CONTROLLER",
         it.status == SweepStatus::failed ? kError : kInfo,
         fmt::format("The status is now '{}'{}", to_string(it.status), because(it.reason)));
  }
  void operator()(const Noted& it) {
    line(it.at, told, "CONTROLLER", level_of(it.level),
         it.run ? fmt::format("{}: {}", id(*it.run), it.text) : it.text);
  }
  void operator()(const SweepEdited& it) {
    line(it.at, begun, "API", kInfo, "The configuration was changed: " + it.what);
  }
  void operator()(const RequestAnswered&) {}  // not replayed
  void operator()(const EarlierRunTaken&) {}  // a note tells of all together
};

ControllerLog::ControllerLog(const SweepHeader& header) : sweep_(header.id) {
  const std::string experiment =
      header.experiment.empty() ? "" : fmt::format("experiment '{}', ", header.experiment);
  lines_.push_back({header.created, created, "API", kInfo,
                    fmt::format("Created: {}sweep '{}'", experiment, header.id)});
}

void ControllerLog::add(const Change& change) { std::visit(Teller{*this}, change); }

std::string ControllerLog::text() const {
  std::vector<const Line*> lines;
  for (const Line& line : lines_) lines.push_back(&line);
  std::stable_sort(lines.begin(), lines.end(), [](const Line* a, const Line* b) {
    return std::tie(a->at, a->rank) < std::tie(b->at, b->rank);
  });
  std::string text;
  const auto print = [&](const Line& line, std::string_view words) {
    text += fmt::format("<START>[{}][{}][{}]{}<END>\n", iso_time(line.at), line.unit, line.level,
                        in_one_line(words));
  };
  using Kind = Line::Kind;
  for (auto it = lines.begin(); it != lines.end(); ++it) {
    const Line& line = **it;
    if (line.kind == Kind::said) print(line, line.text);
    if (line.kind == Kind::all_drawn)
      print(line, fmt::format("Max number of jobs '{}' reached for experiment.", runs_));
    if (line.kind != Kind::drawn) continue;
    // All that one turn drew, for the slots that were free then.
    const auto end = std::find_if(it, lines.end(), [](const Line* other) {
      return other->rank != drawn && other->rank != scheduled;
    });
    const auto drawn_ones =
        std::count_if(it, end, [](const Line* other) { return other->kind == Kind::drawn; });
    print(line, fmt::format("Trying to sample '{}' jobs", drawn_ones));
    print(line, fmt::format("Successfully sampled '{}' jobs", drawn_ones));
    for (; it != end; ++it)
      if ((*it)->kind == Kind::said) print(**it, (*it)->text);
    --it;
  }
  return text;
}

}  // namespace hdrive
