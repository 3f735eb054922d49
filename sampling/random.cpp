// SPDX-License-Identifier: Apache-2.0
//
// Random sampling: each parameter drawn by its formula, from a stream of its own.
//
// On a space of only choices, randints and finite lattices it draws without replacement (reference, 10.7).
#include <fmt/format.h>

#include "base/text.h"
#include "sampling/samplers.h"
#include "sampling/without_repeats.h"

namespace hdrive::sampling {
namespace {

class RandomSampler final : public Sampler {
 public:
  RandomSampler(SearchSpace space, std::uint64_t seed)
      : space_(std::move(space)),
        seed_(seed),
        untried_(space_, seed_),
        how_(fmt::format("drawn at random, seed {}", seed_)) {}

  Result<Proposal> propose(const History& history, RunId id) override {
    std::vector<RandomStream> streams;
    streams.reserve(space_.parameters.size());
    for (std::uint32_t i = 0; i < space_.parameters.size(); ++i) streams.emplace_back(seed_, id, i);
    return untried_.propose(history, id, how_, [&] { return draw_all(streams); });
  }

  std::string describe() const override {
    if (untried_.applies())
      return fmt::format("random sampling, seed {}, without repeats, from {}", seed_,
                         untried_.size_text());
    return fmt::format("random sampling, seed {}, of {}", seed_,
                       base::plural(static_cast<long long>(space_.parameters.size()), "parameter"));
  }

 private:
  Assignment draw_all(std::vector<RandomStream>& streams) const {
    Assignment assignment;
    assignment.reserve(streams.size());
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const Parameter& parameter = space_.parameters[i];
      assignment.push_back({parameter.name, draw(parameter.expression, streams[i])});
    }
    return assignment;
  }

  SearchSpace space_;
  std::uint64_t seed_;
  WithoutRepeats untried_;
  std::string how_;
};

}  // namespace

MadeSampler make_random(const AlgorithmSpec&, const SearchSpace& space,
                        const SamplerContext& context) {
  return std::shared_ptr<Sampler>(std::make_shared<RandomSampler>(space, context.seed));
}

}  // namespace hdrive::sampling
