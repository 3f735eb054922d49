// SPDX-License-Identifier: Apache-2.0
//
// A new sampler: every parameter at the same place of its range.
#include <fmt/format.h>

#include "sampling/samplers.h"

namespace hdrive::sampling {
namespace {

class SameSampler final : public Sampler {
 public:
  SameSampler(const SearchSpace& space, double at) : conditions_(space), at_(at) {}

  Result<Proposal> propose(const History&, RunId) override {
    const std::vector<double> unit(conditions_.space().parameters.size(), at_);
    return Proposal{decode_all(conditions_, unit), describe()};
  }
  std::string describe() const override { return fmt::format("all parameters at {}", at_); }

 private:
  Conditions conditions_;
  double at_;
};

MadeSampler make(const Options& options, const SearchSpace& space, const SamplerContext&) {
  return std::shared_ptr<Sampler>(std::make_shared<SameSampler>(space, *options.number("at")));
}

}  // namespace

SamplerTable::Row same_row() {
  return {{.name = "same",
           .aliases = {"Constant"},
           .summary = "Tries one point again and again.",
           .options = {{.name = "at",
                        .kind = OptionKind::number,
                        .summary = "Where each parameter lies, from 0 to 1.",
                        .default_text = "0.5",
                        .minimum = 0,
                        .maximum = 1}}},
          make};
}

}  // namespace hdrive::sampling
