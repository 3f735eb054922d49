// SPDX-License-Identifier: Apache-2.0
#include "cli/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cli/text.h"

namespace hdrive::cli {

namespace {

// Of hundreds of parameters the first tell runs apart; `show` has them all.
constexpr int kParameters = 400;  // columns
constexpr int kReason = 1000;

// "run 3", "runs 3, 4 and 7", "runs 3, 4, 7 and 97 more".
std::string runs_text(const std::vector<RunId>& runs) {
  constexpr std::size_t kNamed = 3;
  if (runs.size() == 1) return fmt::format("run {}", runs[0]);
  const std::size_t named = runs.size() > kNamed + 1 ? kNamed : runs.size() - 1;
  std::string text = "runs ";
  for (std::size_t i = 0; i < named; ++i) text += (i == 0 ? "" : ", ") + std::to_string(runs[i]);
  return text + (named + 1 == runs.size() ? fmt::format(" and {}", runs.back())
                                          : fmt::format(" and {} more", runs.size() - named));
}

}  // namespace

std::string run_line(const Run& run, const SweepState& state) {
  const auto best = state.history().best(run.id);
  const Duration took = run.started == Time{} ? Duration{} : run.ended - run.started;
  std::string line =
      fmt::format("run {}  {:<9}  {} {}  {}  {}", run.id, outcome_text(run.status, run.ended_by),
                  state.primary_metric(), best ? number_text(*best) : "-", duration_text(took),
                  cut(parameters_text(run.parameters), kParameters));
  if (run.status != RunStatus::completed && !run.reason.empty())
    line += "  (" + cut(printable(run.reason), kReason) + ")";
  return line;
}

std::optional<std::string> warning_line(const Change& change) {
  if (const auto* requeued = std::get_if<RunRequeued>(&change)) {
    // The engine notes those itself.
    if (requeued->cause == EndCause::lost || requeued->cause == EndCause::exited ||
        requeued->cause == EndCause::signaled)
      return std::nullopt;
    return fmt::format("run {}, attempt {}: {}", requeued->run, requeued->attempt,
                       printable(requeued->reason));
  }
  if (const auto* edited = std::get_if<SweepEdited>(&change))
    return "updated: " + printable(edited->what);
  const auto* noted = std::get_if<Noted>(&change);
  if (noted == nullptr || noted->level == Noted::Level::info) return std::nullopt;
  return fmt::format("{}: {}{}", noted->level == Noted::Level::error ? "error" : "warning",
                     noted->run ? fmt::format("run {}: ", *noted->run) : "",
                     printable(noted->text));
}

std::vector<std::string> ContactNews::take_lines() {
  std::vector<std::pair<RunContact, std::vector<RunId>>> groups;
  for (const RunContact& contact : std::exchange(contacts_, {})) {
    const auto same = [&](const auto& group) {
      return group.first.lost == contact.lost && group.first.why == contact.why;
    };
    const auto found = std::find_if(groups.begin(), groups.end(), same);
    if (found != groups.end())
      found->second.push_back(contact.run);
    else
      groups.push_back({contact, {contact.run}});
  }
  std::vector<std::string> lines;
  for (const auto& [contact, runs] : groups) {
    const std::string who = runs_text(runs) + (runs.size() == 1 ? " is " : " are ");
    lines.push_back(contact.lost ? who + "out of reach, and may be alive: " + printable(contact.why)
                                 : who + "in reach again");
  }
  return lines;
}

std::optional<std::string> PauseNews::line(const Change& change) {
  const auto* changed = std::get_if<SweepChanged>(&change);
  if (!changed) return std::nullopt;
  if (changed->status == SweepStatus::paused) {
    by_somebody_ = changed->reason.starts_with("paused by ");
    return printable(changed->reason);
  }
  const bool was_paused = std::exchange(by_somebody_, false);
  if (changed->status != SweepStatus::running || !was_paused) return std::nullopt;
  return "the sweep goes on";
}

std::vector<std::string> stderr_lines(const RunEnded& ended) {
  std::vector<std::string> lines;
  if (ended.status != RunStatus::failed || ended.stderr_tail.empty()) return lines;
  constexpr int kLines = 10;
  constexpr std::size_t kBytes = 2000;
  const std::string tail = base::tail(ended.stderr_tail, kLines, kBytes);
  lines.push_back(fmt::format("run {}: the last lines of its stderr:", ended.run));
  for (const std::string& line : printable_lines(tail)) lines.push_back("  " + line);
  return lines;
}

std::string interruption_line(int level, std::int64_t running) {
  if (running == 0) return "no run is alive; the sweep ends";
  const std::string runs = base::plural(running, "run");
  return level == 1 ? fmt::format("cancelling {}; Ctrl-C again kills them at once", runs)
                    : fmt::format("killing {}", runs);
}

Time time_of(const Change& change) {
  return std::visit([](const auto& one) { return one.at; }, change);
}

}  // namespace hdrive::cli
