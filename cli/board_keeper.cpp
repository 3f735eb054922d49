// SPDX-License-Identifier: Apache-2.0
#include "cli/board_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace hdrive::cli {
namespace {

constexpr std::size_t kKept = 8;      // of the runs that ended last
constexpr std::size_t kPoints = 200;  // of a curve; more than there are columns
constexpr int kReason = 400;

// Of many values evenly some, the last one among them.
std::vector<double> some_of(std::span<const double> all) {
  const std::size_t count = std::min(all.size(), kPoints);
  std::vector<double> some;
  for (std::size_t i = 0; i < count; ++i) some.push_back(all[(i + 1) * all.size() / count - 1]);
  return some;
}

double hours(Duration duration) {
  return std::chrono::duration<double, std::ratio<3600>>(duration).count();
}

std::string ended_line(const Run& run, const SweepState& state) {
  const auto best = state.history().best(run.id);
  const Duration took = run.started == Time{} ? Duration{} : run.ended - run.started;
  const bool plain = run.status == RunStatus::completed || run.reason.empty();
  return fmt::format("run {}  {}  {}  {}  {}", run.id, outcome_text(run.status, run.ended_by),
                     best ? number_text(*best) : "-", duration_text(took),
                     plain ? parameters_text(run.parameters) : cut(printable(run.reason), kReason));
}

}  // namespace

BoardKeeper::BoardKeeper(const std::string& metric, Goal goal, Glimpses glimpses)
    : metric_(metric), glimpses_(std::move(glimpses)) {
  board_.metric = printable(metric);
  board_.goal = goal;
}

void BoardKeeper::take(const Change& change, const SweepState& state) {
  if (const auto* metrics = std::get_if<RunMetrics>(&change)) {
    for (const Metric& metric : metrics->metrics)
      if (metric.name == metric_ && metric.step) steps_[metrics->run] = *metric.step;
    return;
  }
  if (const auto* requeued = std::get_if<RunRequeued>(&change)) steps_.erase(requeued->run);
  const auto* ended = std::get_if<RunEnded>(&change);
  if (!ended) return;
  const Run& run = state.history().run(ended->run);
  if (!is_terminal(run.status)) return;  // it is tried again at once
  if (state.history().incumbent() != run.id) steps_.erase(run.id);
  ended_.push_front(ended_line(run, state));
  if (ended_.size() > kKept) ended_.pop_back();
}

void BoardKeeper::look_back(const SweepState& state) {
  const History& history = state.history();
  std::vector<std::pair<Time, double>> values;
  for (RunId id = 0; id < history.size(); ++id)
    if (const auto best = history.best(id); best && is_terminal(history.run(id).status))
      values.emplace_back(history.run(id).ended, *best);
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [at, value] : values)
    if (record_.empty() || history.better(value, record_.back().second))
      record_.emplace_back(at, value);
}

Glimpse BoardKeeper::glimpse(RunId run, const SweepState& state) const {
  if (glimpses_) return glimpses_(run);
  Glimpse glimpse;
  const auto reports = state.history().reports(run);
  glimpse.reports = std::ssize(reports);
  glimpse.values = some_of(reports);
  if (const auto step = steps_.find(run); step != steps_.end()) glimpse.step = step->second;
  if (const auto judged = state.judged(run)) glimpse.verdict = judged->verdict;
  return glimpse;
}

Board::Row BoardKeeper::row(const Run& run, Duration age, const SweepState& state) const {
  return {run.id, age, parameters_text(run.parameters), glimpse(run.id, state)};
}

void BoardKeeper::refresh(const SweepState& state, Time now,
                          const std::vector<Progress::Live>& live, int room) {
  const History& history = state.history();
  const auto best = history.incumbent();
  if (best)
    if (const double value = *history.best(*best);
        record_.empty() || history.better(value, record_.back().second))
      record_.emplace_back(now, value);
  board_.live.clear();
  board_.best.reset();
  if (room <= 0) return;
  board_.live_runs = std::ssize(live);
  for (const Progress::Live& each : live) {
    if (std::ssize(board_.live) >= room) break;
    board_.live.push_back(row(history.run(each.run), each.age, state));
  }
  if (best) board_.best = row(history.run(*best), Duration{}, state);
  board_.ended.assign(ended_.begin(), ended_.end());
  board_.hours.clear();
  board_.record.clear();
  const Time began = state.began() != Time{} ? state.began()
                     : record_.empty()       ? now
                                             : record_.front().first;
  for (const auto& [at, value] : record_) {
    board_.hours.push_back(std::max(0.0, hours(at - began)));
    board_.record.push_back(value);
  }
  board_.now = std::max(0.0, hours(now - began));
}

}  // namespace hdrive::cli
