// SPDX-License-Identifier: Apache-2.0
#include "cli/stored_spec.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/begin.h"

namespace hdrive::cli {

Result<SweepSpec> stored_spec(const SweepHeader& header, const std::filesystem::path& directory) {
  return spec_of(header, directory, short_id(header.id));
}

SweepSpec startable_spec(const SweepHeader& header, const std::filesystem::path& directory) {
  ConfigOverrides overrides;
  overrides.needs_files = true;
  overrides.search_path = search_path_of_runs();
  LoadedConfig loaded =
      parse_config(header.config, "configuration of " + short_id(header.id), directory, overrides);
  if (loaded.ok()) return std::move(loaded.spec);
  std::string text;
  for (const Problem& problem : loaded.problems)
    if (problem.severity == Problem::Severity::error)
      text += (text.empty() ? "" : "\n") + printable(problem.message());
  fail(kWrong,
       text + fmt::format("\nnothing was started; mend this, or change it: hdrive update {} --set "
                          "KEY=VALUE",
                          short_id(header.id)));
}

std::string combinations_text(const SweepSpec& spec) {
  const AlgorithmInfo* sampler = find_algorithm(sampler_algorithms(), spec.sampling.name);
  const auto size =
      sampler && sampler->exhaustive ? cardinality(spec.space) : std::optional<std::uint64_t>();
  return size ? base::plural(static_cast<long long>(*size), "combination") : "";
}

std::string beginning_line(const SweepHeader& header, const SweepSpec& spec) {
  const std::string grid = combinations_text(spec);
  return fmt::format("sweep {}{}: {}{}, {} at once, seed {}\n", short_id(header.id),
                     spec.name.empty() ? "" : fmt::format(" \"{}\"", printable(spec.name)),
                     base::plural(spec.max_total_runs, "run"), grid.empty() ? "" : " of " + grid,
                     spec.max_concurrent_runs, spec.seed);
}

}  // namespace hdrive::cli
