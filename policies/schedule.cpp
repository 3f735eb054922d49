// SPDX-License-Identifier: Apache-2.0
#include "policies/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "policies/sentence.h"

namespace hdrive::policies {
namespace {

std::int64_t integer_or(const AlgorithmSpec& spec, const char* name, std::int64_t otherwise) {
  const auto found = spec.options.find(name);
  return found == spec.options.end() ? otherwise : std::get<std::int64_t>(found->second);
}

}  // namespace

std::string Schedule::describe() const {
  const std::string which =
      every() == 1 ? "every report" : fmt::format("every {} report", ordinal(every()));
  // The first multiple of the interval that is not below the delay.
  const std::int64_t late = delay_evaluation % every() == 0 ? 0 : 1;
  const std::int64_t first = (delay_evaluation / every() + late) * every();
  if (first <= every()) return which;
  return fmt::format("{} from the {} on", which, ordinal(first));
}

std::string Schedule::not_due(std::int64_t report) const {
  return fmt::format("not due: the policy looks at {}, and this was report {}", describe(), report);
}

Schedule Schedule::from(const AlgorithmSpec& spec) {
  return {integer_or(spec, "evaluation_interval", 1), integer_or(spec, "delay_evaluation", 0)};
}

std::vector<OptionInfo> with_schedule(std::vector<OptionInfo> own) {
  std::vector<OptionInfo> options = {
      {.name = "evaluation_interval",
       .kind = OptionKind::integer,
       .summary = "look at a run at every so many-th report of the primary metric; 0 means 1",
       .default_text = "1",
       .minimum = 0},
      {.name = "delay_evaluation",
       .kind = OptionKind::integer,
       .summary = "leave a run alone before this many reports of the primary metric",
       .default_text = "0",
       .minimum = 0}};
  std::move(own.begin(), own.end(), std::back_inserter(options));
  return options;
}

}  // namespace hdrive::policies
