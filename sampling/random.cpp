// SPDX-License-Identifier: Apache-2.0
//
// Random sampling: each parameter drawn by its formula, from a stream of its own.
//
// On a space of only choices, randints and finite lattices it draws without replacement (reference, 10.7):
// parameter sets that the history holds are drawn again. That is the sequential draw by definition, and
// needs no memory beside the history.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "sampling/finite_space.h"
#include "sampling/samplers.h"

namespace hdrive::sampling {
namespace {

// How often one proposal draws again before it looks at all points. Uniform weights reach that only for
// the last few points of a space: 65,536 draws miss ten of a million with probability one half.
constexpr std::uint64_t kMostDraws = std::uint64_t{1} << 16;
// The largest space all of whose points are looked at, which takes about a second.
constexpr std::uint64_t kLargestEnumerated = std::uint64_t{1} << 20;
// The stream that picks among the remaining points; parameters have the streams 0, 1, 2, ...
constexpr std::uint32_t kPickPurpose = std::numeric_limits<std::uint32_t>::max();

class RandomSampler final : public Sampler {
 public:
  RandomSampler(SearchSpace space, std::uint64_t seed)
      : space_(std::move(space)), finite_(FiniteSpace::of(space_)), seed_(seed) {}

  Result<Proposal> propose(const History& history, RunId id) override {
    Streams streams = open_streams(id);
    Assignment drawn = draw_all(streams);
    if (!finite_) return Proposal{std::move(drawn), fmt::format("drawn at random, seed {}", seed_)};
    for (std::uint64_t draws = 1; history.find(drawn); ++draws) {
      if (draws >= std::min(kMostDraws, size())) return propose_hard(history, id, std::move(drawn));
      drawn = draw_all(streams);
    }
    return Proposal{
        std::move(drawn),
        fmt::format("drawn at random, seed {}, without repeats, from {}", seed_, size_text())};
  }

  std::string describe() const override {
    if (finite_)
      return fmt::format("random sampling, seed {}, without repeats, from {}", seed_, size_text());
    return fmt::format("random sampling, seed {}, of {}", seed_,
                       base::plural(static_cast<long long>(space_.parameters.size()), "parameter"));
  }

 private:
  using Streams = std::vector<RandomStream>;

  Streams open_streams(RunId id) const {
    Streams streams;
    streams.reserve(space_.parameters.size());
    for (std::uint32_t i = 0; i < space_.parameters.size(); ++i) streams.emplace_back(seed_, id, i);
    return streams;
  }

  Assignment draw_all(Streams& streams) const {
    Assignment assignment;
    assignment.reserve(streams.size());
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const Parameter& parameter = space_.parameters[i];
      assignment.push_back({parameter.name, draw(parameter.expression, streams[i])});
    }
    return assignment;
  }

  std::uint64_t size() const {
    return finite_->size().value_or(std::numeric_limits<std::uint64_t>::max());
  }

  std::string size_text() const {
    if (!finite_->size()) return "more than 2^63 parameter sets";
    return base::plural(static_cast<long long>(size()), "parameter set");
  }

  // All draws had been tried before: little or nothing is left.
  Proposal propose_hard(const History& history, RunId id, Assignment last_drawn) const {
    if (size() <= kLargestEnumerated) return pick_remaining(history, id);
    const RunId earlier = *history.find(last_drawn);
    return {std::move(last_drawn),
            fmt::format("drawn at random, seed {}; it repeats run {}, since {} draws from {} gave "
                        "nothing new",
                        seed_, earlier, kMostDraws, size_text())};
  }

  // What drawing on and on would give: the remaining points with their weights.
  Proposal pick_remaining(const History& history, RunId id) const {
    std::vector<std::uint64_t> remaining;
    std::vector<double> weight_up_to;
    double total = 0;
    for (std::uint64_t i = 0; i < size(); ++i) {
      if (history.find(finite_->point(i))) continue;
      remaining.push_back(i);
      weight_up_to.push_back(total += finite_->weight(i));
    }
    if (remaining.empty()) return exhausted();
    const double target = RandomStream(seed_, id, kPickPurpose).uniform() * total;
    const auto place = std::upper_bound(weight_up_to.begin(), weight_up_to.end() - 1, target);
    return {finite_->point(remaining[static_cast<std::size_t>(place - weight_up_to.begin())]),
            fmt::format("drawn at random, seed {}, from the {} of {} not tried yet", seed_,
                        remaining.size(), size_text())};
  }

  Proposal exhausted() const {
    return {std::nullopt, fmt::format("the search space has only {}, and {} tried", size_text(),
                                      size() == 1 ? "it was" : "all were")};
  }

  SearchSpace space_;
  std::optional<FiniteSpace> finite_;
  std::uint64_t seed_;
};

}  // namespace

MadeSampler make_random(const AlgorithmSpec&, const SearchSpace& space,
                        const SamplerContext& context) {
  return std::shared_ptr<Sampler>(std::make_shared<RandomSampler>(space, context.seed));
}

}  // namespace hdrive::sampling
