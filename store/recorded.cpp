// SPDX-License-Identifier: Apache-2.0
#include "store/recorded.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "base/text.h"

namespace hdrive::store {
namespace {

constexpr std::size_t kMostTold = 5;  // differences in the metrics of one attempt

// ---- metrics ------------------------------------------------------------------------------------

// What a file and a row must have in common to be the same report. The time is not among it: lines need not have one.
std::string key_of(const Metric& metric) {
  return fmt::format("{}\n{}\n{}", metric.name, metric.step ? std::to_string(*metric.step) : "",
                     base::shortest(metric.value == 0 ? 0.0 : metric.value));
}

std::string words_of(const Metric& metric) {
  return fmt::format("{} = {}{}", metric.name, base::shortest(metric.value),
                     metric.step ? fmt::format(" (step {})", *metric.step) : "");
}

/// The reports of one attempt as its files have them and as the rows do.
class Reports {
 public:
  Reports(const RecordedAttempt& recorded, KnownAttempt& known, RunId run, Time began)
      : recorded_(recorded), known_(known), run_(run), began_(began) {
    static const std::vector<Metric> kNone;
    rows_ = known.metrics ? &known.metrics->metrics : &kNone;
    match();
  }

  void take(std::vector<std::string>& differences) {
    if (unmatched_.empty()) {
      // Where both tell the same the rows stay: they know when each was received.
      const bool more = recorded_.metrics.size() > rows_->size();
      if (more || other_times(differences)) replace();
      return;
    }
    if (!files_tell_most()) {
      differences.push_back(fmt::format(
          "run {}: {} in the database alone, which its files, written anew meanwhile, do not tell; "
          "they were kept",
          run_, base::plural(static_cast<std::int64_t>(unmatched_.size()), "report")));
      return;
    }
    tell(differences);
    replace();
  }

 private:
  void match() {
    std::map<std::string, std::deque<std::size_t>> places;
    for (std::size_t i = 0; i < recorded_.metrics.size(); ++i)
      places[key_of(recorded_.metrics[i])].push_back(i);
    row_of_.resize(recorded_.metrics.size());
    for (std::size_t row = 0; row < rows_->size(); ++row) {
      std::deque<std::size_t>& same = places[key_of((*rows_)[row])];
      if (same.empty()) {
        unmatched_.push_back(row);
        continue;
      }
      row_of_[same.front()] = row;
      same.pop_front();
    }
  }

  // A script may begin its file anew again and again: then the rows alone know what was in it before.
  bool files_tell_most() const { return 2 * recorded_.metrics.size() > rows_->size(); }

  // Whether the file lost an end that was read before, as after a crash of the machine.
  bool lost_its_end() const {
    return known_.metrics && recorded_.metrics.size() < rows_->size() &&
           recorded_.position.metrics <
               position_from(known_.metrics->cursor).value_or(IntakePosition{}).metrics;
  }

  bool other_times(std::vector<std::string>& differences) const {
    std::size_t others = 0;
    for (std::size_t i = 0; i < row_of_.size(); ++i) {
      const auto& time = recorded_.metrics[i].time;
      if (time && row_of_[i]) others += *time != (*rows_)[*row_of_[i]].time.value_or(*time);
    }
    if (others > 0)
      differences.push_back(fmt::format("run {}: the time of {}, from its files", run_,
                                        base::plural(static_cast<std::int64_t>(others), "report")));
    return others > 0;
  }

  void tell(std::vector<std::string>& differences) const {
    for (std::size_t i = 0; i < std::min(unmatched_.size(), kMostTold); ++i) {
      const Metric& row = (*rows_)[unmatched_[i]];
      const auto place = counterpart(unmatched_[i]);
      differences.push_back(
          place ? fmt::format("run {}: {}, as its files tell; the database had {}", run_,
                              words_of(recorded_.metrics[*place]), words_of(row))
                : fmt::format("run {}: {} was in the database and is not in its files; left out",
                              run_, words_of(row)));
    }
    if (unmatched_.size() > kMostTold)
      differences.push_back(fmt::format("run {}: {} more of its reports, from its files", run_,
                                        unmatched_.size() - kMostTold));
  }

  // The report that no row tells, at the place where this one is.
  std::optional<std::size_t> counterpart(std::size_t row) const {
    if (row < row_of_.size() && !row_of_[row]) return row;
    return std::nullopt;
  }

  void replace() {
    RunMetrics taken{run_, recorded_.attempt, recorded_.metrics, to_cursor(recorded_.position),
                     known_.metrics ? known_.metrics->at : recorded_.ended.value_or(began_)};
    for (std::size_t i = 0; i < taken.metrics.size(); ++i) {
      std::optional<Time>& time = taken.metrics[i].time;
      const auto row =
          row_of_[i] ? row_of_[i] : (i < rows_->size() ? std::optional(i) : std::nullopt);
      if (!time && row) time = (*rows_)[*row].time;
    }
    if (lost_its_end()) {
      const auto end = static_cast<std::ptrdiff_t>(recorded_.metrics.size());
      taken.metrics.insert(taken.metrics.end(), rows_->begin() + end, rows_->end());
      taken.cursor = known_.metrics->cursor;
    }
    known_.metrics = std::move(taken);
  }

  const RecordedAttempt& recorded_;
  KnownAttempt& known_;
  RunId run_;
  Time began_;
  const std::vector<Metric>* rows_;
  std::vector<std::optional<std::size_t>> row_of_;  // of each recorded report
  std::vector<std::size_t> unmatched_;              // rows that no file tells
};

// ---- the end ------------------------------------------------------------------------------------

std::string words_of(const RunEnded& end) {
  std::string text(to_string(end.status));
  if (end.exit_code) text += fmt::format(" with exit code {}", *end.exit_code);
  if (end.signal) text += fmt::format(" by signal {}", *end.signal);
  return text;
}

void take_end(const RecordedAttempt& recorded, RunId run, KnownAttempt& known,
              std::vector<std::string>& differences) {
  if (!recorded.exited) return;
  RunEnded told = ended_as(recorded, run);
  if (!known.ended) {
    known.ended = std::move(told);
    return;
  }
  RunEnded& end = *known.ended;
  if (end.cause == EndCause::lost) return;  // its exit.json came after the engine had given it up
  // Why it was cancelled is nowhere but in the rows; how its program ended is in the file.
  const bool by_itself = told.cause == EndCause::exited || told.cause == EndCause::signaled;
  const bool by_itself_in_row = end.cause == EndCause::exited || end.cause == EndCause::signaled ||
                                end.cause == EndCause::none;
  const bool same_codes = told.exit_code == end.exit_code && told.signal == end.signal;
  const bool same_status =
      !by_itself || !by_itself_in_row || (told.status == end.status && told.cause == end.cause);
  if (same_codes && same_status) return;
  differences.push_back(fmt::format("run {}: {}, as its exit.json tells; the database had {}", run,
                                    words_of(told), words_of(end)));
  if (!by_itself || !by_itself_in_row) {
    end.exit_code = told.exit_code;
    end.signal = told.signal;
    return;
  }
  if (told.status != end.status) end.reason = told.reason;
  end.status = told.status;
  end.cause = told.cause;
  end.exit_code = told.exit_code;
  end.signal = told.signal;
}

// ---- the whole ----------------------------------------------------------------------------------

std::string words_of(const Binding& binding) {
  return fmt::format("{} = {}", binding.name, to_text(binding.value));
}

void take_parameters(const RecordedRun& recorded, KnownRun& known,
                     std::vector<std::string>& differences) {
  if (!recorded.parameters) return;
  if (!known.proposed) {
    const Time at = recorded.attempts.front().proposed.value_or(Time{});
    known.proposed = RunProposed{recorded.run, *recorded.parameters, recorded.proposal, at};
    return;
  }
  RunProposed& proposed = *known.proposed;
  if (!recorded.proposal.empty()) proposed.reason = recorded.proposal;
  // As JSON: what that cannot carry is in the rows alone.
  if (to_json(proposed.parameters) == to_json(*recorded.parameters)) return;
  std::vector<std::string> had;
  for (const Binding& binding : proposed.parameters) had.push_back(words_of(binding));
  std::vector<std::string> told;
  for (const Binding& binding : *recorded.parameters)
    if (const std::string words = words_of(binding);
        std::find(had.begin(), had.end(), words) == had.end())
      told.push_back(words);
  std::erase_if(had, [&](const std::string& words) {
    return std::any_of(recorded.parameters->begin(), recorded.parameters->end(),
                       [&](const Binding& binding) { return words_of(binding) == words; });
  });
  differences.push_back(fmt::format(
      "run {}: {}, as its run.json tells; the database had {}", recorded.run,
      base::join(told, ", "), had.empty() ? "nothing that can be read" : base::join(had, ", ")));
  proposed.parameters = *recorded.parameters;
}

}  // namespace

RunEnded ended_as(const RecordedAttempt& attempt, RunId run) {
  const RunExited& exited = *attempt.exited;
  RunEnded end{run,
               attempt.attempt,
               RunStatus::failed,
               EndCause::exited,
               exited.exit_code,
               exited.signal,
               exited.note,
               exited.stderr_tail,
               attempt.ended.value_or(Time{}),
               exited.cpu_time,
               exited.peak_memory};
  if (exited.not_started) {
    end.cause = EndCause::not_started;
  } else if (exited.over_time) {
    end.status = RunStatus::canceled;
    end.cause = EndCause::time_limit;
    end.reason = "its time limit was over";
  } else if (attempt.canceled) {
    end.status = RunStatus::canceled;
    end.cause = EndCause::user;
    end.reason = "it was cancelled; why was lost with the database";
  } else if (exited.signal) {
    end.cause = EndCause::signaled;
    end.reason = fmt::format("ended by signal {}", *exited.signal);
  } else if (exited.exit_code == 0) {
    end.status = RunStatus::completed;
    end.reason = "completed";
  } else {
    end.reason = fmt::format("exited with code {}", exited.exit_code.value_or(-1));
  }
  return end;
}

void take_recorded(const RecordedRun& recorded, KnownRun& known,
                   std::vector<std::string>& differences) {
  if (recorded.attempts.empty()) return;
  take_parameters(recorded, known, differences);
  for (const RecordedAttempt& attempt : recorded.attempts) {
    KnownAttempt& of = known.attempts[attempt.attempt];
    const Time began = attempt.started.value_or(attempt.proposed.value_or(Time{}));
    if (!of.started) of.started = RunStarted{recorded.run, attempt.attempt, attempt.pid, began};
    if (attempt.pid != 0 && of.started->pid != 0) of.started->pid = attempt.pid;
    Reports(attempt, of, recorded.run, began).take(differences);
    take_end(attempt, recorded.run, of, differences);
  }
}

}  // namespace hdrive::store
