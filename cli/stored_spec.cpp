// SPDX-License-Identifier: Apache-2.0
#include "cli/stored_spec.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/text.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {

LoadedConfig load_stored(const SweepHeader& header, const std::filesystem::path& directory,
                         const std::vector<std::pair<std::string, std::string>>& set) {
  ConfigOverrides overrides;
  overrides.set = set;
  overrides.needs_command = false;
  return parse_config(header.config, short_id(header.id), directory, overrides);
}

Result<SweepSpec> stored_spec(const SweepHeader& header, const std::filesystem::path& directory) {
  LoadedConfig loaded = load_stored(header, directory);
  if (loaded.ok()) return std::move(loaded.spec);
  for (const Problem& problem : loaded.problems)
    if (problem.severity == Problem::Severity::error)
      return Error{short_id(header.id), "its stored configuration: " + problem.message()};
  return Error{short_id(header.id), "its stored configuration cannot be read"};
}

SweepHeader new_header(const SweepSpec& spec, Time created) {
  SweepHeader header;
  header.id = new_sweep_id();
  header.name = spec.name;
  header.experiment = spec.experiment;
  header.config = to_hdconfig(spec);
  header.metric = spec.primary_metric;
  header.goal = spec.goal;
  header.version = version();
  header.created = created;
  return header;
}

std::string beginning_line(const SweepHeader& header, const SweepSpec& spec) {
  return fmt::format("sweep {}{}: {}, {} at once, seed {}\n", short_id(header.id),
                     spec.name.empty() ? "" : fmt::format(" \"{}\"", printable(spec.name)),
                     base::plural(spec.max_total_runs, "run"), spec.max_concurrent_runs, spec.seed);
}

}  // namespace hdrive::cli
