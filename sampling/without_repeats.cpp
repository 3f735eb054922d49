// SPDX-License-Identifier: Apache-2.0
#include "sampling/without_repeats.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "base/text.h"

namespace hdrive::sampling {
namespace {

// How often one proposal draws again before it looks at all points. Uniform weights reach that only
// for the last few points of a space: 65,536 draws miss ten of a million with probability one half.
constexpr std::uint64_t kMostDraws = std::uint64_t{1} << 16;
// The largest space all of whose points are looked at, which takes about a second.
constexpr std::uint64_t kLargestEnumerated = std::uint64_t{1} << 20;
// The stream that picks among the remaining points; parameters have the streams 0, 1, 2, ...
constexpr std::uint32_t kPickPurpose = std::numeric_limits<std::uint32_t>::max();

}  // namespace

Proposal WithoutRepeats::propose(const History& history, RunId id, const std::string& how,
                                 const std::function<Assignment()>& draw) const {
  Assignment drawn = draw();
  if (!finite_) return {std::move(drawn), how};
  std::optional<RunId> earlier;
  for (std::uint64_t draws = 1; (earlier = history.find(drawn)); ++draws) {
    if (draws >= std::min(kMostDraws, size())) break;
    drawn = draw();
  }
  if (!earlier)
    return {std::move(drawn), fmt::format("{}, without repeats, from {}", how, size_text())};
  // All draws had been tried before: little or nothing is left.
  if (size() <= kLargestEnumerated) return pick_remaining(history, id, how);
  return {std::move(drawn),
          fmt::format("{}; it repeats run {}, since {} draws from {} gave nothing new", how,
                      *earlier, kMostDraws, size_text())};
}

std::vector<std::uint64_t> WithoutRepeats::untried(const History& history,
                                                   std::uint64_t most) const {
  std::vector<std::uint64_t> result;
  if (!finite_ || size() > most) return result;
  for (std::uint64_t i = 0; i < size(); ++i)
    if (!history.find(finite_->point(i))) result.push_back(i);
  return result;
}

bool WithoutRepeats::is_exhausted(const History& history) const {
  if (!finite_ || static_cast<std::uint64_t>(history.size()) < size()) return false;
  for (std::uint64_t i = 0; i < size(); ++i)
    if (!history.find(finite_->point(i))) return false;
  return true;
}

std::string WithoutRepeats::exhausted_text() const {
  return fmt::format("the search space has only {}, and {} tried", size_text(),
                     size() == 1 ? "it was" : "all were");
}

std::string WithoutRepeats::size_text() const {
  if (!finite_->size()) return "more than 2^63 parameter sets";
  return base::plural(static_cast<long long>(size()), "parameter set");
}

std::uint64_t WithoutRepeats::size() const {
  return finite_->size().value_or(std::numeric_limits<std::uint64_t>::max());
}

// What drawing at random on and on would give: the remaining points with their weights.
Proposal WithoutRepeats::pick_remaining(const History& history, RunId id,
                                        const std::string& how) const {
  const std::vector<std::uint64_t> remaining = untried(history, kLargestEnumerated);
  if (remaining.empty()) return {std::nullopt, exhausted_text()};
  std::vector<double> weight_up_to;
  double total = 0;
  for (const std::uint64_t i : remaining) weight_up_to.push_back(total += finite_->weight(i));
  const double target = RandomStream(seed_, id, kPickPurpose).uniform() * total;
  const auto place = std::upper_bound(weight_up_to.begin(), weight_up_to.end() - 1, target);
  return {finite_->point(remaining[static_cast<std::size_t>(place - weight_up_to.begin())]),
          fmt::format("{}, from the {} of {} not tried yet", how, remaining.size(), size_text())};
}

}  // namespace hdrive::sampling
