// SPDX-License-Identifier: Apache-2.0
#include "cli/stored_spec.h"

#include "cli/text.h"

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

}  // namespace hdrive::cli
