// SPDX-License-Identifier: Apache-2.0
#include "cli/sweep_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"

namespace hdrive::cli {

void add_choice_options(ArgumentParser& parser, SweepChoice& choice) {
  parser.text("--experiment", choice.experiment, "NAME", "Only sweeps of this experiment");
  parser.text("--name", choice.name, "TEXT", "Only sweeps with this in their name");
  parser.texts("--tag", choice.tags, "NAME[=VALUE]",
               "Only sweeps with this tag, or this value of it (tags in the configuration); may be "
               "repeated");
}

namespace {

bool has_tags(const SweepEntry& sweep, const std::vector<std::string>& wanted) {
  const auto spec = stored_spec(sweep.header, sweep.directory);
  return spec && std::all_of(wanted.begin(), wanted.end(), [&](const std::string& tag) {
           const std::size_t equals = tag.find('=');
           const auto found = spec->tags.find(tag.substr(0, equals));
           return found != spec->tags.end() &&
                  (equals == std::string::npos || found->second == tag.substr(equals + 1));
         });
}

}  // namespace

bool is_chosen(const SweepEntry& sweep, const SweepChoice& choice) {
  if (!choice.experiment.empty() && sweep.header.experiment != choice.experiment) return false;
  if (!choice.tags.empty() && !has_tags(sweep, choice.tags)) return false;
  return base::lower(sweep.header.name).find(base::lower(choice.name)) != std::string::npos;
}

std::vector<SweepEntry> chosen_or_fail(const std::string& output_dir,
                                       const std::vector<std::string>& selectors,
                                       const SweepChoice& choice) {
  std::vector<SweepEntry> sweeps;
  for (const std::string& selector : selectors)
    sweeps.push_back(sweep_or_fail(output_dir, selector, Several::newest));
  if (selectors.empty() && choice.any())
    return {sweep_or_fail(output_dir, "last", Several::newest)};
  if (selectors.empty()) {
    std::vector<Error> problems;
    sweeps = list_sweeps(home_directory(output_dir), &problems);
    for (const Error& problem : problems) complain("warning: " + error_text(problem, output_dir));
  }
  std::erase_if(sweeps, [&](const SweepEntry& sweep) { return !is_chosen(sweep, choice); });
  if (sweeps.empty())
    fail(kNotFound, fmt::format("no sweep in {} is of that experiment, name and tags",
                                home_directory(output_dir).string()));
  return sweeps;
}

}  // namespace hdrive::cli
