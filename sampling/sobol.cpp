// SPDX-License-Identifier: Apache-2.0
//
// Sobol sampling: run n takes point n of a scrambled Sobol sequence (sources: sobol_points.h),
// decoded parameter by parameter, so any number of runs fills the space evenly.
#include <fmt/format.h>

#include "base/text.h"
#include "sampling/samplers.h"
#include "sampling/sobol_points.h"
#include "sampling/without_repeats.h"

namespace hdrive::sampling {
namespace {

class SobolSampler final : public Sampler {
 public:
  SobolSampler(SearchSpace space, std::uint64_t seed)
      : conditions_(std::move(space)),
        seed_(seed),
        points_(conditions_.space().parameters.size(), seed, 0),
        untried_(conditions_.space(), seed_),
        how_(fmt::format("a point of the Sobol sequence, seed {}", seed_)) {}

  // On a finite space a point that was tried is replaced by the next one of the sequence that was
  // not.
  Result<Proposal> propose(const History& history, RunId id) override {
    auto index = static_cast<std::uint32_t>(id);
    return untried_.propose(history, id, how_, [&] { return point(index++); });
  }

  std::string describe() const override {
    return fmt::format("Sobol sequence, scrambled with seed {}, of {}{}", seed_,
                       parameters_text(conditions_.space()),
                       untried_.applies() ? ", without repeats, from " + untried_.size_text() : "");
  }

 private:
  Assignment point(std::uint32_t index) const {
    std::vector<double> unit(points_.dimensions());
    points_.point(index, unit);
    return decode_all(conditions_, unit);
  }

  Conditions conditions_;
  std::uint64_t seed_;
  SobolPoints points_;
  WithoutRepeats untried_;
  std::string how_;
};

MadeSampler make(const Options&, const SearchSpace& space, const SamplerContext& context) {
  return std::shared_ptr<Sampler>(std::make_shared<SobolSampler>(space, context.seed));
}

}  // namespace

SamplerTable::Row sobol_row() {
  return {
      {.name = "sobol",
       .summary = "A scrambled Sobol sequence: any number of runs fills the space evenly; a finite "
                  "space without repeats."},
      make};
}

}  // namespace hdrive::sampling
