// SPDX-License-Identifier: Apache-2.0
//
// Random sampling: each parameter that exists drawn by its formula, from a stream of its own.
//
// On a space of only choices, randints and finite lattices it draws without replacement (reference,
// 10.7).
#include <fmt/format.h>

#include "base/text.h"
#include "sampling/samplers.h"
#include "sampling/without_repeats.h"

namespace hdrive::sampling {
namespace {

class RandomSampler final : public Sampler {
 public:
  RandomSampler(SearchSpace space, std::uint64_t seed)
      : conditions_(std::move(space)),
        seed_(seed),
        untried_(conditions_.space(), seed_),
        how_(fmt::format("drawn at random, seed {}", seed_)) {}

  Result<Proposal> propose(const History& history, RunId id) override {
    std::vector<RandomStream> streams;
    const std::size_t parameters = conditions_.space().parameters.size();
    streams.reserve(parameters);
    for (std::uint32_t i = 0; i < parameters; ++i) streams.emplace_back(seed_, id, i);
    return untried_.propose(history, id, how_, [&] { return draw_all(streams); });
  }

  std::string describe() const override {
    if (untried_.applies())
      return fmt::format("random sampling, seed {}, without repeats, from {}", seed_,
                         untried_.size_text());
    return fmt::format("random sampling, seed {}, of {}", seed_,
                       parameters_text(conditions_.space()));
  }

 private:
  Assignment draw_all(std::vector<RandomStream>& streams) const {
    return conditions_.make_set([&](std::size_t i) {
      return draw(conditions_.space().parameters[i].expression, streams[i]);
    });
  }

  Conditions conditions_;
  std::uint64_t seed_;
  WithoutRepeats untried_;
  std::string how_;
};

MadeSampler make(const Options&, const SearchSpace& space, const SamplerContext& context) {
  return std::shared_ptr<Sampler>(std::make_shared<RandomSampler>(space, context.seed));
}

}  // namespace

SamplerTable::Row random_row() {
  return {{.name = "random",
           .aliases = {"RandomParameterSampling"},
           .summary =
               "Independent random draws of each parameter; takes every expression. A finite space "
               "is drawn from without repeats."},
          make};
}

}  // namespace hdrive::sampling
