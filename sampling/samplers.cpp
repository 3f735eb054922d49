// SPDX-License-Identifier: Apache-2.0
//
// The table of samplers, of the rows at the ends of their files.
#include "sampling/samplers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "hdrive/registry.h"

namespace hdrive {
namespace {

const sampling::SamplerTable& table() {
  static const sampling::SamplerTable kTable("sampling", {
#define SAMPLER(name) sampling::name##_row(),
#include "sampling/samplers.inc"
#undef SAMPLER
                                                         });
  return kTable;
}

}  // namespace

const std::vector<AlgorithmInfo>& sampler_algorithms() { return table().infos(); }

Result<std::shared_ptr<Sampler>> make_sampler(const AlgorithmSpec& spec, const SearchSpace& space,
                                              const SamplerContext& context) {
  const auto row = table().find(spec);
  if (!row) return row.error();
  // A space built in code has not been through the configuration's checks.
  if (auto sound = check(space); !sound) return sound.error();
  return (*row)->make(Options((*row)->info, spec), space, context);
}

namespace sampling {

RunId initial_runs(const SearchSpace& space, std::int64_t budget) {
  constexpr RunId kUsual = 10;
  const auto& all = space.parameters;
  const bool has_levels = std::any_of(all.begin(), all.end(), [](const Parameter& each) {
    return cardinality(each.expression).has_value();
  });
  const RunId wished = has_levels ? 2 * std::ssize(all) : kUsual;
  if (budget <= 0) return std::max(kUsual, wished);
  if (budget < 3 * kUsual) return std::max<RunId>(3, budget / 3);
  return std::max(kUsual, std::min(wished, budget / 4));
}

RunId instructive_earlier_runs(const History& history, const Encoding& encoding) {
  const History& all = history.with_earlier();
  RunId count = 0;
  for (RunId run = 0; run < history.earlier(); ++run)
    count += all.best(run) && encoding.encode(all.run(run).parameters) ? 1 : 0;
  return count;
}

std::string parameters_text(const SearchSpace& space) {
  const auto& all = space.parameters;
  const auto conditional =
      std::count_if(all.begin(), all.end(), [](const Parameter& each) { return each.condition; });
  return base::plural(static_cast<long long>(all.size()), "parameter") +
         (conditional > 0 ? fmt::format(", {} of them conditional", conditional) : "");
}

std::string incumbent_text(const History& history) {
  const auto run = history.incumbent();
  if (!run) return "no value yet";
  return fmt::format("incumbent {} with {:.6g}", history.name(*run), *history.best(*run));
}

Assignment decode_all(const Conditions& conditions, std::span<const double> unit) {
  return conditions.make_set(
      [&](std::size_t i) { return decode(conditions.space().parameters[i].expression, unit[i]); });
}

}  // namespace sampling
}  // namespace hdrive
