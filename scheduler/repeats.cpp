// SPDX-License-Identifier: Apache-2.0
#include "scheduler/repeats.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "base/student.h"
#include "hdrive/repeats.h"

namespace hdrive {
namespace {

constexpr std::string_view kNumber = " (", kTimes = " of ", kAfter = ")";
constexpr double kConfidence = 0.95;

// Takes `prefix` off the front of `text`.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::int64_t> take_whole(std::string_view& text) {
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error != std::errc() || whole < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return whole;
}

void conclude(RepeatedRun& repeated) {
  const auto n = static_cast<double>(repeated.values.size());
  repeated.mean = repeated.half_width = std::numeric_limits<double>::quiet_NaN();
  if (n < 1) return;
  const double sum = std::accumulate(repeated.values.begin(), repeated.values.end(), 0.0);
  repeated.mean = sum / n;
  if (n < 2) return;
  double squares = 0;
  for (const double value : repeated.values)
    squares += (value - repeated.mean) * (value - repeated.mean);
  repeated.half_width =
      base::student_t_quantile((1 + kConfidence) / 2, n - 1) * std::sqrt(squares / (n - 1) / n);
}

}  // namespace

std::string to_text(const Repeat& repeat) {
  return fmt::format("{}{}{}{}{}{}{}", kRepeatBegins, repeat.of, kNumber, repeat.number, kTimes,
                     repeat.times, kAfter);
}

std::optional<Repeat> repeat_from(std::string_view proposal) {
  if (!take(proposal, kRepeatBegins)) return std::nullopt;
  const auto of = take_whole(proposal);
  if (!of || !take(proposal, kNumber)) return std::nullopt;
  const auto number = take_whole(proposal);
  if (!number || !take(proposal, kTimes)) return std::nullopt;
  const auto times = take_whole(proposal);
  if (!times || proposal != kAfter) return std::nullopt;
  return Repeat{*of, *number, *times};
}

std::vector<RepeatedRun> repeated_runs(
    const std::vector<std::pair<Repeat, std::optional<double>>>& results, Goal goal) {
  std::map<RunId, RepeatedRun> by_run;
  for (const auto& [repeat, value] : results) {
    RepeatedRun& repeated = by_run[repeat.of];
    repeated.run = repeat.of;
    if (value && std::isfinite(*value)) repeated.values.push_back(*value);
  }
  std::vector<RepeatedRun> runs;
  for (auto& [run, repeated] : by_run) {
    conclude(repeated);
    runs.push_back(std::move(repeated));
  }
  std::stable_sort(runs.begin(), runs.end(), [&](const RepeatedRun& a, const RepeatedRun& b) {
    if (a.values.empty() || b.values.empty()) return !a.values.empty() && b.values.empty();
    return goal == Goal::maximize ? a.mean > b.mean : a.mean < b.mean;
  });
  return runs;
}

namespace scheduler {
namespace {

struct Chosen {
  RunId run = 0;
  std::int64_t repeats = 0;
};

// Runs that are repeated already, in the order of their first repeats; nothing while a run that is
// no repeat has not ended.
std::optional<std::vector<Chosen>> repeated_so_far(const History& history) {
  std::vector<Chosen> chosen;
  for (RunId id = 0; id < history.size(); ++id) {
    const auto repeat = repeat_from(history.run(id).proposal);
    if (!repeat) {
      if (!is_terminal(history.run(id).status)) return std::nullopt;
      continue;
    }
    auto known = std::find_if(chosen.begin(), chosen.end(),
                              [&](const Chosen& one) { return one.run == repeat->of; });
    if (known == chosen.end()) known = chosen.insert(known, {repeat->of, 0});
    ++known->repeats;
  }
  return chosen;
}

// Completed runs that are no repeats, best first, ties by number.
std::vector<RunId> candidates(const History& history) {
  std::vector<RunId> runs;
  for (RunId id = 0; id < history.size(); ++id)
    if (history.run(id).status == RunStatus::completed && history.best(id) &&
        !repeat_from(history.run(id).proposal))
      runs.push_back(id);
  std::stable_sort(runs.begin(), runs.end(), [&](RunId a, RunId b) {
    return history.better(*history.best(a), *history.best(b));
  });
  return runs;
}

void fill_up(std::vector<Chosen>& chosen, std::size_t most, const History& history) {
  if (chosen.size() >= most) return;
  for (const RunId run : candidates(history)) {
    const bool known = std::any_of(chosen.begin(), chosen.end(), [&](const Chosen& one) {
      return history.run(one.run).parameters == history.run(run).parameters;
    });
    if (!known) chosen.push_back({run, 0});
    if (chosen.size() == most) return;
  }
}

}  // namespace

std::optional<RunProposed> next_repeat(const SweepSpec& spec, const SweepState& state) {
  const RepeatBest& wanted = spec.repeat_best;
  const History& history = state.history();
  if (wanted.runs == 0) return std::nullopt;
  auto chosen = repeated_so_far(history);
  if (!chosen) return std::nullopt;
  const auto most = static_cast<std::size_t>(wanted.runs);
  fill_up(*chosen, most, history);
  if (chosen->size() > most) chosen->resize(most);
  const auto next =
      std::min_element(chosen->begin(), chosen->end(),
                       [](const Chosen& a, const Chosen& b) { return a.repeats < b.repeats; });
  if (next == chosen->end() || next->repeats >= wanted.times) return std::nullopt;
  RunProposed proposed;
  proposed.run = history.size();
  proposed.parameters = history.run(next->run).parameters;
  proposed.reason = to_text(Repeat{next->run, next->repeats + 1, wanted.times});
  return proposed;
}

const std::optional<RunProposed>& RepeatPlan::next(const SweepSpec& spec, const SweepState& state) {
  const auto version = state.history().version();
  if (version_ != version || !(asked_ == spec.repeat_best)) {
    next_ = next_repeat(spec, state);
    version_ = version;
    asked_ = spec.repeat_best;
  }
  return next_;
}

}  // namespace scheduler
}  // namespace hdrive
