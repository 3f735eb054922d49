// SPDX-License-Identifier: Apache-2.0
#include "policies/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "policies/sentence.h"

namespace hdrive::policies {
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

Schedule Schedule::from(const Options& options) {
  return {options.integer("evaluation_interval").value(),
          options.integer("delay_evaluation").value()};
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
