// SPDX-License-Identifier: Apache-2.0
//
// Grid sampling: every combination of the options once, the first parameter slowest (reference,
// 10.7).
#include <fmt/format.h>

#include <limits>

#include "base/text.h"
#include "hdrive/finite_space.h"
#include "sampling/samplers.h"

namespace hdrive::sampling {
namespace {

class GridSampler final : public Sampler {
 public:
  explicit GridSampler(FiniteSpace space)
      : space_(std::move(space)),
        size_(space_.size().value_or(std::numeric_limits<std::uint64_t>::max())) {}

  // Run n takes point n. Where that was tried already, because runs of another origin shifted the
  // numbers, it takes the next one that was not, starting over behind the last: so each is tried,
  // and a proposal does not have to look through the history.
  Result<Proposal> propose(const History& history, RunId id) override {
    const std::uint64_t first = static_cast<std::uint64_t>(id) % size_;
    for (std::uint64_t tried = 0; tried < size_; ++tried) {
      const std::uint64_t index = tried < size_ - first ? first + tried : tried - (size_ - first);
      Assignment point = space_.point(index);
      if (history.find(point)) continue;
      return Proposal{std::move(point), reason(index, tried > 0)};
    }
    return Proposal{std::nullopt, fmt::format("the grid has {}, and all were tried",
                                              base::plural(count(), "point"))};
  }

  std::string describe() const override {
    return fmt::format("grid sampling, space_size {}, the first parameter slowest", size_text());
  }

 private:
  long long count() const { return static_cast<long long>(size_); }

  std::string size_text() const { return space_.size() ? std::to_string(size_) : "above 2^63"; }

  std::string reason(std::uint64_t index, bool skipped) const {
    return fmt::format("grid point {} of {}{}", index + 1, size_text(),
                       skipped ? ", the next one not tried yet" : "");
  }

  FiniteSpace space_;
  std::uint64_t size_;
};

// "randint(3) could be choice(0, 1, 2)" for what is short enough to be written out.
std::string advice(const Parameter& parameter) {
  constexpr std::uint64_t kFew = 10;
  const auto size = cardinality(parameter.expression);
  if (!size || *size > kFew) return "";
  Choice choice;
  for (std::uint64_t i = 0; i < *size; ++i)
    choice.options.push_back(level(parameter.expression, i));
  return fmt::format(", which could be {}", to_text(Expression(choice)));
}

MadeSampler make(const Options&, const SearchSpace& space, const SamplerContext&) {
  std::vector<std::string> misfits;
  for (const Parameter& parameter : space.parameters)
    if (!std::holds_alternative<Choice>(parameter.expression))
      misfits.push_back(fmt::format("\"{}\" is {}{}", parameter.name, to_text(parameter.expression),
                                    advice(parameter)));
  if (!misfits.empty())
    return Error{"", fmt::format("grid sampling takes choice only, but {}; list the values to try "
                                 "as a choice, or use random sampling",
                                 base::join(misfits, ", and "))};
  return std::shared_ptr<Sampler>(std::make_shared<GridSampler>(*FiniteSpace::of(space)));
}

}  // namespace

SamplerTable::Row grid_row() {
  return {{.name = "grid",
           .aliases = {"GridParameterSampling"},
           .summary =
               "Every combination of the options once, the first parameter slowest; choice only. "
               "Without max_total_runs it tries all of them.",
           .exhaustive = true},
          make};
}

}  // namespace hdrive::sampling
