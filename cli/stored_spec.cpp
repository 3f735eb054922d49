// SPDX-License-Identifier: Apache-2.0
#include "cli/stored_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cli/text.h"

namespace hdrive::cli {

LoadedConfig load_stored(const SweepHeader& header, const std::filesystem::path& directory,
                         const std::vector<std::pair<std::string, std::string>>& set) {
  ConfigOverrides overrides;
  overrides.set = set;
  overrides.needs_command = false;
  const std::string stored = short_id(header.id);
  LoadedConfig loaded = parse_config(header.config, stored, directory, overrides);
  if (set.empty()) return loaded;
  // Nobody has the stored text before his eyes. It was sound, and its warnings have been told: what is new
  // now, the settings have done.
  overrides.set.clear();
  const LoadedConfig before = parse_config(header.config, stored, directory, overrides);
  std::erase_if(loaded.problems, [&](const Problem& problem) {
    return std::any_of(before.problems.begin(), before.problems.end(),
                       [&](const Problem& old) { return old.text == problem.text; });
  });
  std::vector<std::string> keys;
  for (const auto& [key, value] : set) keys.push_back("--set " + key);
  for (Problem& problem : loaded.problems)
    if (problem.file == stored)
      problem = {problem.severity, base::join(keys, ", "), 0, 0, std::move(problem.text)};
  return loaded;
}

Result<SweepSpec> stored_spec(const SweepHeader& header, const std::filesystem::path& directory) {
  LoadedConfig loaded = load_stored(header, directory);
  if (loaded.ok()) return std::move(loaded.spec);
  for (const Problem& problem : loaded.problems)
    if (problem.severity == Problem::Severity::error)
      return Error{short_id(header.id), "its stored configuration: " + problem.message()};
  return Error{short_id(header.id), "its stored configuration cannot be read"};
}

std::string beginning_line(const SweepHeader& header, const SweepSpec& spec) {
  return fmt::format("sweep {}{}: {}, {} at once, seed {}\n", short_id(header.id),
                     spec.name.empty() ? "" : fmt::format(" \"{}\"", printable(spec.name)),
                     base::plural(spec.max_total_runs, "run"), spec.max_concurrent_runs, spec.seed);
}

}  // namespace hdrive::cli
