// SPDX-License-Identifier: Apache-2.0
#include "store/order.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace hdrive::store {
namespace {

std::string name_of(RunId run) { return fmt::format("run {}", run); }

constexpr std::string_view what(const RunSubmitted&) { return "submitted"; }
constexpr std::string_view what(const RunContact&) { return "said to be out of reach, or in it"; }
constexpr std::string_view what(const RunStarted&) { return "started"; }
constexpr std::string_view what(const RunMetrics&) { return "reported"; }
constexpr std::string_view what(const RunJudged&) { return "judged"; }
constexpr std::string_view what(const RunCanceling&) { return "cancelled"; }
constexpr std::string_view what(const RunEnded&) { return "ended"; }
constexpr std::string_view what(const RunRequeued&) { return "queued again"; }

}  // namespace

Result<void> ChangeOrder::expect(RunId run, int attempt, int current_plus,
                                 std::string_view what) const {
  if (run < 0 || run >= static_cast<RunId>(attempts_.size()))
    return Error{name_of(run), fmt::format("cannot be {}: it was never proposed", what)};
  const int expected = attempts_[static_cast<std::size_t>(run)] + current_plus;
  if (attempt == expected) return {};
  return Error{name_of(run),
               fmt::format("attempt {} cannot be {}: attempt {} is due", attempt, what, expected)};
}

Result<void> ChangeOrder::step(const Change& change) {
  return std::visit(
      [this](const auto& it) -> Result<void> {
        using T = std::decay_t<decltype(it)>;
        if constexpr (std::is_same_v<T, RunProposed>) {
          if (it.run != static_cast<RunId>(attempts_.size()))
            return Error{name_of(it.run), fmt::format("cannot be proposed: run {} is the next one",
                                                      attempts_.size())};
          attempts_.push_back(1);
        } else if constexpr (std::is_same_v<T, EarlierRunTaken>) {
          if (!attempts_.empty())
            return Error{"a run of an earlier sweep",
                         "cannot be taken over: this sweep has runs already"};
        } else if constexpr (std::is_same_v<T, RunRequeued>) {
          if (Result<void> due = expect(it.run, it.attempt, 1, what(it)); !due) return due;
          ++attempts_[static_cast<std::size_t>(it.run)];
        } else if constexpr (requires { it.attempt; }) {
          return expect(it.run, it.attempt, 0, what(it));
        }
        return {};
      },
      change);
}

Result<void> ChangeOrder::check(std::span<const Change> changes) {
  const std::size_t runs = attempts_.size();
  std::vector<RunId> requeued;
  Result<void> sound;
  for (const Change& change : changes) {
    sound = step(change);
    if (!sound) break;
    if (const auto* again = std::get_if<RunRequeued>(&change)) requeued.push_back(again->run);
  }
  for (const RunId run : requeued) --attempts_[static_cast<std::size_t>(run)];
  attempts_.resize(runs);
  return sound;
}

void ChangeOrder::take(std::span<const Change> changes) {
  for (const Change& change : changes) {
    if (std::holds_alternative<RunProposed>(change)) attempts_.push_back(1);
    if (const auto* again = std::get_if<RunRequeued>(&change))
      ++attempts_[static_cast<std::size_t>(again->run)];
  }
}

}  // namespace hdrive::store
